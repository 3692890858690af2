//go:build cgo

package imageorigin

// The engine needs libvips, by cgo. Without it everything builds, and a config says when it is loaded what is missing.
import _ "github.com/imageorigin/imageorigin/transform/vipsexec"
