package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/imageurl"
)

// site is what a config says about URLs. None of its guests is loaded.
type site struct {
	app    *App
	router *router
	bound  *endpoint // of the handler that answers; nil: routed by the URL
}

// standardSite is the site of no config: one endpoint, which has the defaults.
func standardSite() *site {
	limits, config := defaultLimits, new(Endpoint)
	config.setDefaults()
	app := &App{Limits: &limits}
	e := app.withoutOrigins(defaultEndpoint, config)
	return &site{app: app, router: newRouter(map[string]*endpoint{e.name: e}, "")}
}

// readSite reads a config as a visitor of the host meets it; "" is any host. The endpoint is that of the handler that
// answers there, unless name is that of another.
func readSite(raw []byte, host, name string) (*site, error) {
	app, handlers, err := partsOf(raw)
	if err != nil {
		return nil, err
	}
	s := &site{app: app}
	if err := s.app.prepare(caddy.NewReplacer()); err != nil {
		return nil, err
	}
	endpoints := make(map[string]*endpoint, len(s.app.Endpoints))
	for name, config := range s.app.Endpoints {
		endpoints[name] = s.app.withoutOrigins(name, config)
	}
	s.router = newRouter(endpoints, s.app.Account)
	if app.DomainsFile != "" {
		if _, err := openDomainsFile(app.DomainsFile, s.router, zap.NewNop()); err != nil {
			return nil, err
		}
	}
	if name == "" {
		return s, s.enter(handlers, host)
	}
	s.bound, err = s.endpoint(name)
	return s, err
}

// endpoint returns the endpoint with that name.
func (s *site) endpoint(name string) (*endpoint, error) {
	if e := s.router.byName[name]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("endpoint %q is not declared in apps.imageorigin.endpoints; declared: %s",
		name, strings.Join(slices.Sorted(maps.Keys(s.router.byName)), ", "))
}

// enter binds the endpoint of the handler that answers on the host, if it has one of its own.
func (s *site) enter(handlers []placed, host string) error {
	var here []placed
	for _, h := range handlers {
		if h.answers(host) {
			here = append(here, h)
		}
	}
	switch {
	case len(handlers) == 0 && len(s.router.byName) == 0:
		return errors.New("the config has no endpoint of imageorigin")
	case len(handlers) == 0 || slices.ContainsFunc(here, placed.routed):
		return nil
	case len(here) == 0:
		return fmt.Errorf("no handler of imageorigin answers on the host %s", host)
	}
	for i, h := range here {
		e, err := s.own(h)
		if err != nil {
			return err
		}
		if i > 0 && (s.bound != e || h.Inline != nil) {
			return fmt.Errorf("the config has handlers for several endpoints, such as %s and %s; write the URL with its host, or say --endpoint", s.bound.name, e.name)
		}
		s.bound = e
	}
	return nil
}

// own returns the endpoint of a handler that has one.
func (s *site) own(h placed) (*endpoint, error) {
	if h.Inline == nil {
		return s.endpoint(h.Endpoint)
	}
	if err := h.Inline.prepareInline(caddy.NewReplacer(), h.InlineOrigins); err != nil {
		return nil, fmt.Errorf("inline endpoint: %w", err)
	}
	return s.app.withoutOrigins("inline", h.Inline), nil
}

// locate returns endpoint and address of a URL as the handler sees them.
func (s *site) locate(host string, u *url.URL) (*endpoint, imageurl.Address, error) {
	return s.router.locate(s.bound, host, u)
}

// placed is a handler in its place.
type placed struct {
	*Handler
	hosts []caddyhttp.MatchHost // a request's host is in each
}

// routed reports whether the handler finds the endpoint by the URL.
func (h placed) routed() bool { return h.Endpoint == "" && h.Inline == nil }

// answers reports whether requests for a host, or for "" any, reach the handler. Of the matchers around it only those
// of hosts are looked at.
func (h placed) answers(host string) bool {
	r := (&http.Request{Host: host}).WithContext(context.WithValue(context.Background(), caddy.ReplacerCtxKey, caddy.NewReplacer()))
	return host == "" || !slices.ContainsFunc(h.hosts, func(m caddyhttp.MatchHost) bool { return !m.Match(r) })
}

// partsOf returns what a config holds of ours: the app, and the handlers that stand anywhere in the HTTP app, in their
// order.
func partsOf(raw []byte) (*App, []placed, error) {
	var config struct {
		Apps struct {
			App  App             `json:"imageorigin"`
			HTTP json.RawMessage `json:"http"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, nil, fmt.Errorf("decoding the config: %w", err)
	}
	handlers, err := appendHandlers(nil, config.Apps.HTTP, nil)
	return &config.Apps.App, handlers, err
}

func appendHandlers(list []placed, raw json.RawMessage, hosts []caddyhttp.MatchHost) ([]placed, error) {
	var object map[string]json.RawMessage
	var array []json.RawMessage
	if json.Unmarshal(raw, &object) != nil && json.Unmarshal(raw, &array) != nil {
		return list, nil
	}
	if string(object["handler"]) == `"`+appName+`"` {
		h := new(Handler)
		if err := json.Unmarshal(raw, h); err != nil {
			return nil, fmt.Errorf("decoding a handler: %w", err)
		}
		return append(list, placed{h, hosts}), nil
	}
	if m := matchedHosts(object["match"]); m != nil {
		hosts = append(slices.Clip(hosts), m)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		array = append(array, object[name])
	}
	for _, element := range array {
		var err error
		if list, err = appendHandlers(list, element, hosts); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// matchedHosts returns the hosts that the matchers of a route let in; nil is any.
func matchedHosts(raw json.RawMessage) caddyhttp.MatchHost {
	var sets []struct {
		Host caddyhttp.MatchHost `json:"host"`
	}
	if json.Unmarshal(raw, &sets) != nil {
		return nil
	}
	var hosts caddyhttp.MatchHost
	for _, set := range sets {
		if set.Host == nil {
			return nil
		}
		for _, host := range set.Host {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	if hosts.Provision(caddy.Context{}) != nil { // sorts long lists, and refuses what loading the config refuses
		return nil
	}
	return hosts
}
