package remote

import (
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/block"
)

// ConnectionOptions are the rows of a module's table for the [Connection] that it embeds.
func ConnectionOptions[T any](of func(T) *Connection) []block.Option[T] {
	return []block.Option[T]{
		{Usage: "connect_timeout <duration>", Args: block.Duration(func(m T) *caddy.Duration { return &of(m).ConnectTimeout })},
		{Usage: "tls_ca <file>", Args: block.One(func(m T) *string { return &of(m).TLSCA })},
		{Usage: "tls_server_name <name>", Args: block.One(func(m T) *string { return &of(m).TLSServerName })},
	}
}

// Known is for the check of a Caddyfile, where the values of placeholders are not known: it returns text, or standIn
// if text has a placeholder.
func Known(text, standIn string) string {
	if strings.Contains(text, "{") {
		return standIn
	}
	return text
}
