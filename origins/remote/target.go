package remote

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Target returns the text by which a module tells what it reads: its type, and the parts that decide which bytes a key
// means, each quoted, so that other parts never make the same text. None of them is secret.
//
// The name that the server's certificate must be for is one of them where it is set: servers that share an address may be
// told apart by it. c is the module's, after [Connection.Transport].
func Target(c *Connection, kind string, parts ...string) string {
	var b strings.Builder
	b.WriteString(kind)
	for _, part := range parts {
		fmt.Fprintf(&b, " %q", part)
	}
	if c.serverName != "" {
		fmt.Fprintf(&b, " tls_server_name %q", strings.ToLower(c.serverName))
	}
	return b.String()
}

// Address returns an endpoint as addresses are compared: scheme and host in lower case, the port told even where it is the
// usual one, no slash at the end.
func Address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return u.Scheme + "://" + net.JoinHostPort(host, port) + strings.TrimRight(u.EscapedPath(), "/")
}
