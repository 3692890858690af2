package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/block"
)

// readCache reads a cache of the global option.
func (g *globalBlock) readCache(d *caddyfile.Dispenser) error {
	at := block.Here(d)
	if !d.NextArg() {
		return block.ErrCount
	}
	name := d.Val()
	if err := checkCacheName(name); err != nil {
		return d.WrapErr(err)
	}
	if first, ok := g.cacheAt[name]; ok {
		return d.Errf("cache %q is already declared at %s", name, first)
	}
	if !d.NextArg() {
		return block.ErrCount
	}
	kind := d.Val()
	if err := checkCacheType(name, kind); err != nil {
		return d.WrapErr(err)
	}
	raw, guest, err := readGuest(cacheNamespace, d.NextSegment())
	if err != nil {
		return err
	}
	if _, ok := guest.(caches.Store); !ok {
		return at.Errf("cache type %q: module %T is not a cache", kind, guest)
	}
	warnPlainSecrets(at, fmt.Sprintf("cache %q", name), guest)
	g.app.Caches[name], g.cacheAt[name] = &Cache{Store: raw}, at
	return nil
}

// checkCachesOf judges the caches that an endpoint's block names; set tells where its words stand.
func checkCachesOf(app *App, e *Endpoint, set map[string]block.Place) error {
	for _, list := range e.cacheLists() {
		if !stored(list.names) {
			continue
		}
		at := set[list.option]
		for _, name := range list.names {
			if err := app.checkCache(name); err != nil {
				return at.Errf("%s: %w", list.option, err)
			}
		}
		if hidden, by := hiddenTier(app, list.names); hidden != "" {
			logWarning(at.Warning(fmt.Sprintf("%s: cache %q, in memory, stands behind %q, on disk, which has all that it has: it is never reached; put it first",
				list.option, hidden, by)))
		}
	}
	return nil
}

// hiddenTier returns a cache in memory that stands behind one on disk, and that one.
func hiddenTier(app *App, names []string) (hidden, by string) {
	i := slices.IndexFunc(names, func(name string) bool { return app.cacheType(name) == "disk" })
	if i < 0 {
		return "", ""
	}
	for _, name := range names[i:] {
		if app.cacheType(name) == "memory" {
			return name, names[i]
		}
	}
	return "", ""
}

// readMaxAge reads a time, which may stand behind the word for what the origin says.
func readMaxAge(e *Endpoint, args []string) error {
	if len(args) > 0 && args[0] == "origin" {
		e.MaxAgeOrigin = true
		if args = args[1:]; len(args) == 0 {
			return nil
		}
	}
	return readTTL(func(e *Endpoint) **caddy.Duration { return &e.MaxAge })(e, args)
}

// readDirectives reads a value in quotes, or its directives one after the other.
func readDirectives(field func(*Endpoint) *string) func(*Endpoint, []string) error {
	return func(e *Endpoint, args []string) error {
		if len(args) == 0 {
			return block.ErrCount
		}
		text := strings.Join(args, " ")
		if text == "" {
			return errors.New("the value is empty")
		}
		*field(e) = text
		return nil
	}
}
