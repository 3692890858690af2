package caddymodule

import (
	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/delivery"
)

// RunningStores returns the stores of the config in force.
func RunningStores() []caches.Store {
	running.mu.Lock()
	defer running.mu.Unlock()
	return running.apps[len(running.apps)-1].stores()
}

// RunningCache returns a cache of the config in force; nil if it isn't loaded.
func RunningCache(name string) caches.Store {
	running.mu.Lock()
	defer running.mu.Unlock()
	return running.apps[len(running.apps)-1].caches[name]
}

// Keeping returns what an endpoint remembers.
func (a *App) Keeping(endpoint string) delivery.Keeping {
	return a.endpoints[endpoint].delivery.Keeping
}

// LoadedCaches returns the names of the caches that are loaded.
func (a *App) LoadedCaches() (names []string) {
	for name := range a.caches {
		names = append(names, name)
	}
	return names
}

// Stores returns the stores that are purged.
func (a *App) Stores() []caches.Store { return a.stores() }
