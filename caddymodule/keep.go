package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
)

// remembered is what the process remembers beside the stores of its configs.
var remembered = delivery.NewMemory()

// keeping returns what an endpoint remembers: config has its defaults and is valid, list are its origins in the order in
// which they are asked.
func (a *App) keeping(ctx caddy.Context, config *Endpoint, list []*origin) (delivery.Keeping, error) {
	k := delivery.Keeping{
		Fingerprint:  fingerprint(list, config.fallbackKinds(), config.reqFrom()),
		MaxAge:       time.Duration(*config.MaxAge),
		Obey:         config.MaxAgeOrigin,
		Stale:        time.Duration(*config.Stale),
		StaleIfError: time.Duration(*config.StaleIfError),
		Degraded:     time.Duration(*config.DegradedTTL),
		Miss:         time.Duration(*config.MissTTL),
		Unordered:    config.PreferLastGood > 0,
	}
	into := []*caches.Store{&k.Results, &k.Originals, &k.Files}
	for i, list := range config.cacheLists() {
		var err error
		if *into[i], err = a.storeOf(ctx, list.names); err != nil {
			return k, fmt.Errorf("%s: %w", list.option, err)
		}
	}
	for place, o := range list {
		k.Origins, k.Canonical = append(k.Origins, o.name), append(k.Canonical, o.canonical)
		if o.local {
			k.Locals = append(k.Locals, delivery.Local{Name: o.name, Place: place, Origin: o.Origin, Holds: o.holds})
		}
		k.QueryCounts = k.QueryCounts || o.readsQuery
		k.HostCounts = k.HostCounts || o.forwardsHost
	}
	return k, nil
}

// fingerprint returns what begins the names of originals in stores: endpoints share what they keep if they ask the same
// places in the same order, go on after the same failures, and call themselves the same there.
func fingerprint(list []*origin, fallbackOn []origins.Kind, from string) string {
	h := sha256.New()
	for _, o := range list {
		fmt.Fprintf(h, "%q %q\n", o.kind, o.target)
	}
	fmt.Fprintf(h, "%q %q\n", texts(fallbackOn), from)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// targetOf returns what a source reads from, without credentials. Sources may say so; what others are configured with
// stands for it.
func targetOf(source origins.Origin, raw json.RawMessage) string {
	if s, ok := source.(interface{ Target() string }); ok {
		return s.Target()
	}
	return string(raw)
}

// readsQuery reports whether what a source answers depends on the query of the request. Sources may say so.
func readsQuery(source origins.Origin) bool {
	s, ok := source.(interface{ ReadsQuery() bool })
	return ok && s.ReadsQuery()
}

// holdsOf returns what tells whether a source still has a version of a file, for less than opening it costs. Sources may
// have that.
func holdsOf(source origins.Origin) func(key string, v origins.Validator) bool {
	if s, ok := source.(interface {
		Holds(key string, v origins.Validator) bool
	}); ok {
		return s.Holds
	}
	return nil
}

// forwardsHost reports whether what a source answers depends on the host of the request. Sources may say so.
func forwardsHost(source origins.Origin) bool {
	s, ok := source.(interface{ ForwardsHost() bool })
	return ok && s.ForwardsHost()
}
