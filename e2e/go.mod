module github.com/imageorigin/imageorigin/e2e

go 1.26.0

require (
	github.com/rogpeppe/go-internal v1.14.1
	golang.org/x/image v0.41.0
)

require (
	golang.org/x/sys v0.26.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)
