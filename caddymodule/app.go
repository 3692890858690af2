// Package caddymodule is the face that imageorigin shows to Caddy: the app with origins, endpoints, engine and limits, the
// HTTP handler, the Caddyfile and the command line. It translates between Caddy, HTTP and the packages that do the work.
package caddymodule

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/delivery"
)

func init() {
	caddy.RegisterModule(new(App))
}

// appName is the ID of the app's module and its key in `apps`.
const appName = "imageorigin"

// App holds what the handlers share: named origins and caches, the endpoints that use them, the engine that transforms, and the
// limits. It exists once in a config, also where none is configured and every handler has an endpoint of its own.
type App struct {
	// The origins, by the names under which endpoints know them: letters, digits, `-`, `_` and `.`. Default: none.
	Origins map[string]*Origin `json:"origins,omitempty"`

	// The caches, by the names under which endpoints know them: letters, digits, `-`, `_` and `.`. Two need no declaration:
	// `memory` and `disk`; declared with the type of the same name they have other settings. Default: none.
	Caches map[string]*Cache `json:"caches,omitempty"`

	// The endpoints, by name: letters, digits and `-`. The first segment of a path chooses one; `default` answers where
	// none matches. Default: none.
	Endpoints map[string]*Endpoint `json:"endpoints,omitempty"`

	// Name of the origin that every endpoint asks first, before its own. Placeholders are not supported. Default: none.
	Library string `json:"library,omitempty"`

	// A first path segment that is dropped before the endpoint is looked for, so that on a move from ImageKit nothing
	// but the hostname changes in URLs: your ImageKit ID. Supports `{env.*}`, `{file.*}` and `{system.*}`. Default:
	// none.
	Account string `json:"account,omitempty"`

	// Path of a file of further domains: on each line a domain and the name of its endpoint, and behind `#` a comment. It is
	// read again when it changes; a list with a mistake never comes into force. Supports `{env.*}`, `{file.*}` and
	// `{system.*}`. Default: none.
	DomainsFile string `json:"domains_file,omitempty"`

	// The engine that decodes, transforms and encodes. Default: `{"type": "vips"}`.
	Engine json.RawMessage `json:"engine,omitempty" caddy:"namespace=imageorigin.engines inline_key=type"`

	// What one request may cost. Default: the defaults of each limit.
	Limits *Limits `json:"limits,omitempty"`

	// Who is told of each purge, such as a CDN that keeps copies. Default: nobody.
	PurgeWebhooks []PurgeWebhook `json:"purge_webhooks,omitempty"`

	logger    *zap.Logger
	origins   map[string]*origin
	caches    map[string]caches.Store // by name; built-in ones that no endpoint uses are missing
	places    map[string]string       // the names of caches by where they keep things
	tiers     map[string]caches.Store // by the names of the caches, in their order
	inUse     map[string]caches.Store // of the caches those that some endpoint uses
	endpoints map[string]*endpoint
	keyOwners map[[sha256.Size]byte]keyOwner // of what signs URLs, by hashes of keys
	bound     []*endpoint                    // those that some handler alone is bound to, declared and inline
	hooks     *webhooks
	router    *router
	domains   *domainsFile // nil: none
	guest     engine
	pipeline  delivery.Deliverer
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appName, New: func() caddy.Module { return new(App) }}
}

// Provision fills in defaults, checks the config as a whole, and makes origins, engine, caches and endpoints. It opens no
// connection and no cache, and touches no file of an origin.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	if err := measure(ctx); err != nil { // first: what Caddy's admin API tells is of the config that it loaded last, even if that fails
		return err
	}
	if err := a.prepare(caddy.NewReplacer()); err != nil {
		return err
	}
	if err := a.loadEngine(ctx); err != nil {
		return err
	}
	if err := a.loadCaches(ctx); err != nil {
		return err
	}
	a.pipeline = delivery.NewCache(a.engine(), remembered)
	a.origins = make(map[string]*origin, len(a.Origins))
	for _, name := range slices.Sorted(maps.Keys(a.Origins)) {
		origin, err := a.Origins[name].provision(ctx, name)
		if err != nil {
			return fmt.Errorf("origin %q: %w", name, err)
		}
		a.origins[name] = origin
	}
	a.endpoints = make(map[string]*endpoint, len(a.Endpoints))
	for _, name := range slices.Sorted(maps.Keys(a.Endpoints)) {
		e, err := a.newEndpoint(ctx, name, a.Endpoints[name], nil)
		if err != nil {
			return fmt.Errorf("endpoint %q: %w", name, err)
		}
		a.endpoints[name] = e
	}
	a.router = newRouter(a.endpoints, a.Account)
	var err error
	if a.DomainsFile != "" {
		if a.domains, err = openDomainsFile(a.DomainsFile, a.router, a.logger); err != nil {
			return err
		}
	}
	a.hooks, err = newWebhooks(a.PurgeWebhooks, ctx.Logger())
	return err
}

// prepare resolves placeholders, judges what can be judged without loading a module, and fills in defaults. Errors name
// the field.
func (a *App) prepare(r *caddy.Replacer) error {
	if err := expand(r, "account", &a.Account); err != nil {
		return err
	}
	if err := checkAccount(a.Account); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if err := expand(r, "domains_file", &a.DomainsFile); err != nil {
		return err
	}
	if a.Limits == nil {
		a.Limits = new(Limits)
	}
	if err := a.Limits.validate(); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	a.Limits.setDefaults()
	for _, name := range slices.Sorted(maps.Keys(a.Origins)) {
		if err := checkOriginName(name); err != nil {
			return err
		}
		if a.Origins[name] == nil {
			return fmt.Errorf("origin %q: nothing is set; give an object", name)
		}
	}
	if a.Library != "" && a.Origins[a.Library] == nil {
		return fmt.Errorf("library: %w", a.undeclared(a.Library))
	}
	if err := a.checkCaches(); err != nil {
		return err
	}
	return a.prepareEndpoints(r)
}

// prepareEndpoints does the same for the endpoints, each by itself and beside the others.
func (a *App) prepareEndpoints(r *caddy.Replacer) error {
	bound := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(a.Endpoints)) {
		if err := checkEndpointName(name); err != nil {
			return err
		}
		if name == a.Account {
			return errAccountName(name)
		}
		e := a.Endpoints[name]
		if e == nil {
			return fmt.Errorf("endpoint %q: nothing is set; give an object", name)
		}
		if err := e.prepare(r); err != nil {
			return fmt.Errorf("endpoint %q: %w", name, err)
		}
		if err := a.checkReferences(e, name, bound); err != nil {
			return fmt.Errorf("endpoint %q: %w", name, err)
		}
	}
	return nil
}

// errNoOrigins is the error of an endpoint that could never find a file.
var errNoOrigins = errors.New("none is named; name at least one, or set the app's library")

// checkReferences judges what e says about others; bound tells which endpoint a domain belongs to.
func (a *App) checkReferences(e *Endpoint, name string, bound map[string]string) error {
	if len(e.order(a.Library)) == 0 {
		return fmt.Errorf("origins: %w", errNoOrigins)
	}
	for _, origin := range e.Origins {
		if a.Origins[origin] == nil {
			return fmt.Errorf("origins: %w", a.undeclared(origin))
		}
	}
	for _, host := range e.Domains {
		if other, ok := bound[host]; ok {
			return fmt.Errorf("domains: %q belongs to endpoint %q already; a domain has one endpoint", host, other)
		}
		bound[host] = name
	}
	return a.checkCacheReferences(e)
}

// errAccountName returns the error of an endpoint that no path can name.
func errAccountName(name string) error {
	return fmt.Errorf("endpoint %q: that is the account as well, which is dropped from paths; choose another name", name)
}

// undeclared returns the error of an origin that is referred to and does not exist.
func (a *App) undeclared(name string) error {
	if len(a.Origins) == 0 {
		return fmt.Errorf("origin %q is not declared; no origin is", name)
	}
	return fmt.Errorf("origin %q is not declared; declared: %s", name, strings.Join(slices.Sorted(maps.Keys(a.Origins)), ", "))
}

// checkAccount says what is wrong with an account. One with a placeholder is judged when that is resolved.
func checkAccount(account string) error {
	if account == "" || hasPlaceholder(account) {
		return nil
	}
	if !validName(account, "-_") || len(account) > 100 {
		return fmt.Errorf("%q is not a path segment; an account is 1 to 100 letters, digits, hyphens and underscores", account)
	}
	return nil
}

// Start puts this config's limits into force.
func (a *App) Start() error {
	if unused := a.unusedCaches(); len(unused) > 0 {
		a.logger.Warn("caches are declared that no endpoint uses; name them in results, originals or files", zap.Strings("caches", unused))
	}
	a.hooks.start()
	a.domains.watch()
	running.push(a)
	return nil
}

// Stop puts the limits of the config before into force, or leaves those of the config after.
func (a *App) Stop() error {
	running.remove(a)
	a.domains.close()
	a.leave()
	return nil
}

// Cleanup gives back what Provision and Start took, however far they came. What Provision loads belongs to Caddy, which
// cleans it up itself.
func (a *App) Cleanup() error {
	running.remove(a)
	a.domains.close()
	a.leave()
	return nil
}

// Interface guards.
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
