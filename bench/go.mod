module github.com/imageorigin/imageorigin/bench

go 1.26.0

require github.com/davidbyttow/govips/v2 v2.19.0

require (
	golang.org/x/image v0.41.0 // indirect
	golang.org/x/net v0.55.0 // indirect
	golang.org/x/text v0.37.0 // indirect
)
