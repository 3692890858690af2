// Package imageorigin turns a Caddy web server into an image CDN origin. Importing it links the standard set of
// modules; `xcaddy build --with github.com/imageorigin/imageorigin` is all that it takes.
package imageorigin

import (
	_ "github.com/imageorigin/imageorigin/caches/disk"
	_ "github.com/imageorigin/imageorigin/caches/memory"
	_ "github.com/imageorigin/imageorigin/caddymodule"
	_ "github.com/imageorigin/imageorigin/origins/azure"
	_ "github.com/imageorigin/imageorigin/origins/folder"
	_ "github.com/imageorigin/imageorigin/origins/gcs"
	_ "github.com/imageorigin/imageorigin/origins/s3"
	_ "github.com/imageorigin/imageorigin/origins/web"
)
