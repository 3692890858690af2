package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile reads
//
//	web <base_url> {
//		forward_host
//		header           <name> <value>          # repeatable
//		auth             basic <user> <password>
//		auth             bearer <token>
//		follow_redirects any|<host...>
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
	places := map[string]string{} // of the options that are set
	last := ""
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if option == "{" && !d.Token().Quoted() && last != "" {
			return d.Errf("%s takes no block; remove the braces", last)
		}
		if err := m.unmarshalOption(d, option, places); err != nil {
			return err
		}
		// What was right until here was made wrong by this option.
		if err := m.check(); err != nil {
			return d.WrapErr(err)
		}
		last = option
	}
	return nil
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders.
func (m *Module) check() error {
	known, err := m.config(func(text string) (string, error) {
		if strings.Contains(text, "{") {
			return "placeholder", nil // passes for a host, for a header and for a secret
		}
		return text, nil
	})
	if err != nil {
		return err
	}
	if strings.Contains(m.BaseURL, "{") {
		known.BaseURL = "https://placeholder"
	}
	_, err = New(known)
	return err
}

func (m *Module) unmarshalOption(d *caddyfile.Dispenser, option string, places map[string]string) error {
	if option == "header" {
		return m.unmarshalHeader(d, places)
	}
	if place, ok := places[option]; ok {
		return d.Errf("%s is already set at %s", option, place)
	}
	places[option] = here(d)
	switch option {
	case "forward_host":
		m.ForwardHost = true
		if d.NextArg() {
			return d.ArgErr()
		}
	case "auth":
		return m.unmarshalAuth(d)
	case "follow_redirects":
		m.FollowRedirects = d.RemainingArgs()
		if len(m.FollowRedirects) == 0 {
			return d.ArgErr()
		}
	case "connect_timeout":
		var text string
		if !d.AllArgs(&text) {
			return d.ArgErr()
		}
		timeout, err := caddy.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return d.Errf("connect_timeout %q is not a duration above zero; write it like 5s", text)
		}
		m.ConnectTimeout = caddy.Duration(timeout)
	case "tls_ca":
		if !d.AllArgs(&m.TLSCA) {
			return d.ArgErr()
		}
	case "tls_server_name":
		if !d.AllArgs(&m.TLSServerName) {
			return d.ArgErr()
		}
	default:
		return d.Errf("unknown option %q; expected forward_host, header, auth, follow_redirects, connect_timeout, tls_ca or tls_server_name", option)
	}
	return nil
}

// unmarshalHeader reads one header. Each name may be set once.
func (m *Module) unmarshalHeader(d *caddyfile.Dispenser, places map[string]string) error {
	var name, value string
	if !d.AllArgs(&name, &value) {
		// Not ArgErr, which repeats the last word: that may be half a secret.
		return d.Err("write header <name> <value>, with quotes around a value that has spaces")
	}
	name = http.CanonicalHeaderKey(name)
	if place, ok := places["header "+name]; ok {
		return d.Errf("header %s is already set at %s", name, place)
	}
	places["header "+name] = here(d)
	if m.Header == nil {
		m.Header = map[string]string{}
	}
	m.Header[name] = value
	return nil
}

// unmarshalAuth reads the credentials. Its errors don't repeat them.
func (m *Module) unmarshalAuth(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) == 3 && args[0] == "basic":
		m.Auth = &AuthConfig{Scheme: "basic", User: args[1], Password: args[2]}
	case len(args) == 2 && args[0] == "bearer":
		m.Auth = &AuthConfig{Scheme: "bearer", Token: args[1]}
	default:
		return d.Err("write auth basic <user> <password>, or auth bearer <token>")
	}
	return nil
}

// here returns where d stands: Caddyfile:5.
func here(d *caddyfile.Dispenser) string { return fmt.Sprintf("%s:%d", d.File(), d.Line()) }
