package caddymodule

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/imageurl"
)

func init() { caddy.RegisterModule(new(Matcher)) }

// Matcher matches requests by what they mean to imageorigin. With nothing set it matches those whose host is a domain of
// an endpoint. What is set must all be true.
type Matcher struct {
	// Names of endpoints: the request means one of them, by its host, else by the first segment of its path, else, for
	// `default`, because it means no other. Default: any or none.
	Endpoints []string `json:"endpoints,omitempty"`

	// The URL carries a transformation: a segment of the path that begins with `tr:`, or the parameter `tr`. Whether it is a
	// right one is not looked at. Default: false, which is with or without.
	Transformed bool `json:"transformed,omitempty"`

	app *App
}

// CaddyModule returns the Caddy module information.
func (*Matcher) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.matchers.imageorigin", New: func() caddy.Module { return new(Matcher) }}
}

var matcherOptions = []block.Option[*Matcher]{
	{Usage: "endpoint <name...>", Args: block.Some(func(m *Matcher) *[]string { return &m.Endpoints }), Check: (*Matcher).check},
	{Usage: "transformed", Args: block.Flag(func(m *Matcher) *bool { return &m.Transformed })},
}

// UnmarshalCaddyfile reads a matcher:
//
//	@<name> imageorigin {
//		endpoint <name...>
//		transformed
//	}
func (m *Matcher) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	set := map[string]block.Place{}
	for first := true; d.Next(); first = false {
		if !first {
			return d.Errf("the matcher %s stands twice under one name; put everything into one block", appName)
		}
		if d.NextArg() {
			return d.Errf("the matcher %s takes no arguments; write { endpoint <name...> } or { transformed } behind it, on lines of their own", appName)
		}
		if err := block.ReadMore(d, m, matcherOptions, set); err != nil {
			return err
		}
	}
	return nil
}

func (m *Matcher) check() error {
	for _, name := range m.Endpoints {
		if err := checkEndpointName(name); err != nil {
			return err
		}
	}
	return checkUnique(m.Endpoints)
}

// Provision finds the app, and refuses names of endpoints that it doesn't have.
func (m *Matcher) Provision(ctx caddy.Context) error {
	app, err := ctx.App(appName)
	if err != nil {
		return err
	}
	m.app = app.(*App)
	if err := m.check(); err != nil {
		return fmt.Errorf("endpoints: %w", err)
	}
	for _, name := range m.Endpoints {
		if m.app.endpoints[name] == nil {
			return fmt.Errorf("endpoints: endpoint %q is not declared in apps.imageorigin.endpoints; declared: %s",
				name, strings.Join(slices.Sorted(maps.Keys(m.app.endpoints)), ", "))
		}
	}
	if len(m.app.endpoints) == 0 && !m.Transformed {
		return errors.New("no endpoint is declared in apps.imageorigin.endpoints, so no request can mean one")
	}
	return nil
}

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (m *Matcher) MatchWithError(r *http.Request) (bool, error) {
	if m.Transformed && !imageurl.Transformed(r.URL.EscapedPath(), r.URL.RawQuery) {
		return false, nil
	}
	switch {
	case len(m.Endpoints) > 0:
		e, _ := m.app.router.route(r.Host, r.URL.EscapedPath())
		return e != nil && slices.Contains(m.Endpoints, e.name), nil
	case m.Transformed:
		return true, nil
	}
	return m.app.router.bound(r.Host) != nil, nil
}

// Interface guards.
var (
	_ caddyhttp.RequestMatcherWithError = (*Matcher)(nil)
	_ caddy.Provisioner                 = (*Matcher)(nil)
	_ caddyfile.Unmarshaler             = (*Matcher)(nil)
)
