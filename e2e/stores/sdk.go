package stores

import (
	"path/filepath"
	"testing"
)

// ImageKitSDK returns the path of Node.js, and that of a folder whose scripts can import @imagekit/nodejs.
func ImageKitSDK(t testing.TB) (node, dir string) {
	t.Helper()
	node, err := installed("node")
	must(t, "Node.js", err)
	manifest, err := built("imagekit/node_modules/@imagekit/nodejs/package.json")
	must(t, "ImageKit's SDK", err)
	for range 4 {
		manifest = filepath.Dir(manifest)
	}
	return node, manifest
}
