// Command caddy is Caddy with the standard modules and imageorigin, for tests and for people who build without xcaddy.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/imageorigin/imageorigin"
)

func main() { caddycmd.Main() }
