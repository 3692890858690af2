package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/block"
)

// cacheNamespace is where the modules of caches register.
const cacheNamespace = "imageorigin.caches"

// Cache is a place where endpoints keep things.
type Cache struct {
	// The store itself; `type` says of which kind it is.
	Store json.RawMessage `json:"store" caddy:"namespace=imageorigin.caches inline_key=type"`
}

// builtIn are the caches that are there without being declared, nearest first. Each is of the type that has its name.
var builtIn = []string{"memory", "disk"}

// noCache is the word for no cache at all.
const noCache = "off"

// availableBuiltIn returns the built-in caches that this binary has.
func availableBuiltIn() []string {
	types := guestTypes(cacheNamespace)
	return slices.DeleteFunc(slices.Clone(builtIn), func(name string) bool { return !slices.Contains(types, name) })
}

// guestType returns the type that a guest's config names.
func guestType(raw json.RawMessage) string {
	var guest struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(raw, &guest) // judged where it is loaded
	return guest.Type
}

// checkCacheName says what is wrong with the name of a cache.
func checkCacheName(name string) error {
	switch {
	case !validName(name, "-_.") || len(name) > 100:
		return fmt.Errorf("cache %q: a name is 1 to 100 letters, digits, hyphens, underscores and dots", name)
	case name == noCache:
		return fmt.Errorf("cache %q: the word stands for no cache at all; choose another name", name)
	}
	return nil
}

// checkCacheType says what is wrong with the type of a cache of that name.
func checkCacheType(name, kind string) error {
	switch types := guestTypes(cacheNamespace); {
	case len(types) == 0:
		return fmt.Errorf("cache %q: this binary was built without any type of cache", name)
	case !slices.Contains(types, kind):
		return fmt.Errorf("cache %q: unknown type %q; expected %s", name, kind, block.List(types, "or"))
	case slices.Contains(builtIn, name) && kind != name:
		return fmt.Errorf("cache %q: the name belongs to the built-in cache, whose settings the type %s changes; choose another name for one of type %s", name, name, kind)
	}
	return nil
}

// checkCaches judges the caches that are declared, as far as that can be done without loading them.
func (a *App) checkCaches() error {
	for _, name := range slices.Sorted(maps.Keys(a.Caches)) {
		if err := checkCacheName(name); err != nil {
			return err
		}
		c := a.Caches[name]
		if c == nil || len(c.Store) == 0 {
			return fmt.Errorf(`cache %q: store: nothing is set; give an object with "type"`, name)
		}
		if err := checkCacheType(name, guestType(c.Store)); err != nil {
			return err
		}
	}
	return nil
}

// cacheType returns the type of a cache of a config that isn't loaded yet.
func (a *App) cacheType(name string) string {
	if c := a.Caches[name]; c != nil {
		return guestType(c.Store)
	}
	return name
}

// checkCache says what is wrong with a cache that is referred to.
func (a *App) checkCache(name string) error {
	if a.Caches[name] != nil || slices.Contains(availableBuiltIn(), name) {
		return nil
	}
	if slices.Contains(builtIn, name) {
		return fmt.Errorf("cache %q is built in, but not into this binary; name another, or %s", name, noCache)
	}
	names := slices.Collect(maps.Keys(a.Caches))
	for _, name := range availableBuiltIn() {
		if a.Caches[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return fmt.Errorf("cache %q is not declared; no cache is", name)
	}
	return fmt.Errorf("cache %q is not declared; expected %s, or %s", name, block.List(names, "or"), noCache)
}

// cacheList is an option of an endpoint that names caches.
type cacheList struct {
	option string
	names  []string // nearest first; "off" alone is none
}

// cacheLists returns the options of an endpoint that name caches.
func (e *Endpoint) cacheLists() []cacheList {
	return []cacheList{{"results", e.Results}, {"originals", e.Originals}, {"files", e.Files}}
}

// stored reports whether the list names a cache.
func stored(names []string) bool { return len(names) > 0 && names[0] != noCache }

// checkCacheList judges the names by themselves. Whether there are such caches is checked where they are known.
func checkCacheList(names []string) error {
	for _, name := range names {
		switch {
		case name == noCache && len(names) > 1:
			return fmt.Errorf("%q stands alone; leave it out to name caches", noCache)
		case name == "":
			return errors.New("the name of a cache is empty")
		}
	}
	return checkUnique(names)
}

// checkKept judges a list of what is kept beside results.
func (e *Endpoint) checkKept(names []string) error {
	if stored(names) && len(e.Results) > 0 && !stored(e.Results) {
		return errors.New("what is known of originals and files is kept where results are, and results is off; name a cache there, such as memory")
	}
	return checkCacheList(names)
}

// checkCacheReferences says which cache of an endpoint there is not.
func (a *App) checkCacheReferences(e *Endpoint) error {
	for _, list := range e.cacheLists() {
		for _, name := range list.names {
			if name == noCache {
				continue
			}
			if err := a.checkCache(name); err != nil {
				return fmt.Errorf("%s: %w", list.option, err)
			}
		}
	}
	return nil
}

// loadCaches loads the caches that are declared. Nothing is opened before the config starts, or something is asked for.
func (a *App) loadCaches(ctx caddy.Context) error {
	a.caches, a.places, a.tiers = map[string]caches.Store{}, map[string]string{}, map[string]caches.Store{}
	a.inUse = map[string]caches.Store{}
	for _, name := range slices.Sorted(maps.Keys(a.Caches)) {
		if err := a.loadCache(ctx, name, a.Caches[name]); err != nil {
			return fmt.Errorf("cache %q: %w", name, err)
		}
	}
	if len(availableBuiltIn()) == 0 {
		a.logger.Warn("this binary was built without caches of its own; endpoints that name none keep nothing")
	}
	return nil
}

// loadCache loads a cache. Its module may implement:
//
//   - Named(name string) error, which is called once, after Provision, and tells its name;
//   - Place() string, which says what it keeps things in and no other cache of the config may have, such as a folder;
//   - Rule(), which is called when the config comes into force, and again when it does so after one that failed to
//     start: bounds of what the process keeps across configs are this config's from then on.
func (a *App) loadCache(ctx caddy.Context, name string, c *Cache) error {
	module, err := ctx.LoadModule(c, "Store")
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	store, ok := module.(caches.Store)
	if !ok {
		return fmt.Errorf("store: module %T is not a cache", module)
	}
	if guest, ok := module.(interface{ Place() string }); ok {
		place := guest.Place()
		if other, taken := a.places[place]; taken {
			return fmt.Errorf("it keeps things in %s, as cache %q does; give each a place of its own", place, other)
		}
		a.places[place] = name
	}
	if guest, ok := module.(interface{ Named(name string) error }); ok {
		if err := guest.Named(name); err != nil {
			return err
		}
	}
	a.caches[name] = store
	return nil
}

// cache returns a cache that is declared or built in; the latter are loaded when the first endpoint asks for them.
func (a *App) cache(ctx caddy.Context, name string) (caches.Store, error) {
	if err := a.checkCache(name); err != nil {
		return nil, err
	}
	if _, loaded := a.caches[name]; !loaded {
		c := &Cache{Store: json.RawMessage(`{"type":"` + name + `"}`)}
		if err := a.loadCache(ctx, name, c); err != nil {
			return nil, fmt.Errorf("cache %q: %w", name, err)
		}
	}
	a.inUse[name] = a.caches[name]
	return a.caches[name], nil
}

// storeOf returns the store that a list of caches is, nil where it is none. Equal lists are one store, so that what is
// purged there is purged for all endpoints.
func (a *App) storeOf(ctx caddy.Context, names []string) (caches.Store, error) {
	if !stored(names) {
		return nil, nil
	}
	list := strings.Join(names, " ")
	if store, ok := a.tiers[list]; ok {
		return store, nil
	}
	tiers := make([]caches.Store, len(names))
	for i, name := range names {
		var err error
		if tiers[i], err = a.cache(ctx, name); err != nil {
			return nil, err
		}
	}
	a.tiers[list] = caches.Tiers(tiers...)
	return a.tiers[list], nil
}

// stores returns the stores that endpoints use: what is to be purged for all of them is purged in each.
func (a *App) stores() []caches.Store {
	var all []caches.Store
	for _, list := range slices.Sorted(maps.Keys(a.tiers)) {
		all = append(all, a.tiers[list])
	}
	return all
}

// ruleCaches puts the bounds of the caches that are used into force, and opens those that are not open yet.
func (a *App) ruleCaches() {
	for _, name := range slices.Sorted(maps.Keys(a.inUse)) {
		if guest, ok := a.inUse[name].(interface{ Rule() }); ok {
			guest.Rule()
		}
	}
}

// unusedCaches returns the names of caches that are declared, and that no endpoint uses.
func (a *App) unusedCaches() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(a.Caches)), func(name string) bool { return a.inUse[name] != nil })
}
