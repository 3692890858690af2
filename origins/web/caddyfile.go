package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// UnmarshalCaddyfile reads
//
//	web <base_url> {
//		forward_host
//		header           <name> <value>          # repeatable
//		auth             basic <user> <password>
//		auth             bearer <token>
//		follow_redirects any|<host...>
//		allow_private
//		connect_timeout  <duration>
//		tls_ca           <file>
//		tls_server_name  <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	if args := d.RemainingArgs(); len(args) == 1 {
		m.BaseURL = args[0]
	} else {
		return d.Errf("a web origin takes one base URL, not %d; write it like: web https://www.example.com/media", len(args))
	}
	if err := m.check(); err != nil {
		return d.WrapErr(err)
	}
	at := block.Here(d)
	set := map[string]block.Place{}
	if err := block.ReadMore(d, m, options(d, set), set); err != nil {
		return err
	}
	if err := m.complete(); err != nil {
		return at.Wrap(err)
	}
	return nil
}

// options returns the rows of the block that d reads, where set says what was read already.
func options(d *caddyfile.Dispenser, set map[string]block.Place) []block.Option[*Module] {
	rows := []block.Option[*Module]{
		{Usage: "forward_host", Args: block.Flag(func(m *Module) *bool { return &m.ForwardHost })},
		{Usage: "header <name> <value>", Many: true, Args: func(m *Module, args []string) error {
			return m.readHeader(args, block.Here(d), set)
		}},
		{Usage: "auth basic <user> <password>, or auth bearer <token>", Args: (*Module).readAuth},
		{Usage: "follow_redirects any|<host...>", Args: block.Some(func(m *Module) *[]string { return &m.FollowRedirects })},
		{Usage: "allow_private", Args: block.Flag(func(m *Module) *bool { return &m.AllowPrivate })},
	}
	rows = append(rows, remote.ConnectionOptions(func(m *Module) *remote.Connection { return &m.Connection })...)
	return block.Checked((*Module).check, rows...)
}

// readHeader reads one header. Each name may be set once.
func (m *Module) readHeader(args []string, at block.Place, set map[string]block.Place) error {
	if len(args) != 2 {
		return fmt.Errorf("%w (put a value that has spaces in quotes)", block.ErrCount)
	}
	name := http.CanonicalHeaderKey(args[0])
	if first, ok := set["header "+name]; ok {
		return fmt.Errorf("%s is already set at %s", name, first)
	}
	set["header "+name] = at
	if m.Header == nil {
		m.Header = map[string]string{}
	}
	m.Header[name] = args[1]
	return nil
}

// readAuth reads the credentials. Its errors don't repeat them.
func (m *Module) readAuth(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "basic":
		m.Auth = &AuthConfig{Scheme: "basic", User: args[1], Password: args[2]}
	case len(args) == 2 && args[0] == "bearer":
		m.Auth = &AuthConfig{Scheme: "bearer", Token: args[1]}
	case len(args) > 0 && args[0] != "basic" && args[0] != "bearer":
		return errors.New("the scheme is missing; write auth basic <user> <password>, or auth bearer <token>")
	default:
		return block.ErrCount
	}
	return nil
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders, whatever options may still follow.
func (m *Module) check() error {
	known := func(text string) (string, error) {
		return remote.Known(text, "placeholder"), nil // passes for a host, for a header and for a secret
	}
	config, err := m.config(known, known)
	if err != nil {
		return err
	}
	config.BaseURL = remote.Known(m.BaseURL, "https://placeholder")
	_, err = New(config)
	return err
}

// UnmarshalCaddyfile reads
//
//	web_proxy [<host...>] {
//		hosts           <host...>
//		allow_private
//		connect_timeout <duration>
//		tls_ca          <file>
//	}
func (m *ProxyModule) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	at := block.Here(d)
	m.Hosts = d.RemainingArgs()
	if len(m.Hosts) > 0 {
		if err := m.check(); err != nil {
			return d.WrapErr(err)
		}
	}
	if _, err := block.Read(d, m, proxyOptions); err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return at.Wrap(err)
	}
	return nil
}

var proxyOptions = []block.Option[*ProxyModule]{
	{Usage: "hosts <host...>", Check: (*ProxyModule).check, Args: func(m *ProxyModule, args []string) error {
		if len(args) == 0 {
			return block.ErrCount
		}
		m.Hosts = append(m.Hosts, args...)
		return nil
	}},
	{Usage: "allow_private", Args: block.Flag(func(m *ProxyModule) *bool { return &m.AllowPrivate })},
	{Usage: "connect_timeout <duration>", Args: block.Duration(func(m *ProxyModule) *caddy.Duration { return &m.ConnectTimeout })},
	{Usage: "tls_ca <file>", Args: block.One(func(m *ProxyModule) *string { return &m.TLSCA })},
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders.
func (m *ProxyModule) check() error {
	config, err := m.config(func(text string) (string, error) { return remote.Known(text, "placeholder"), nil })
	if err != nil {
		return err
	}
	_, err = NewProxy(config)
	return err
}
