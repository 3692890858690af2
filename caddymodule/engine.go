package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/transform"
)

// engineNamespace is where the modules of engines register.
const engineNamespace = "imageorigin.engines"

// defaultEngine is the engine of a config that names none.
const defaultEngine = "vips"

// engine is what a guest module of the engines' namespace implements.
type engine interface {
	transform.Engine

	// Slots is how many pictures the guest wants worked on at once.
	Slots() int

	// Rule is called when the guest's config comes into force, and again when it does so after one that failed to
	// start: what the guest has once a process, such as a log, is its own from then on.
	Rule()
}

// errNoVips is the error of a binary that was built without cgo: it has no engine, so no config loads.
var errNoVips = errors.New(`engine "vips": this binary was built without cgo; rebuild with CGO_ENABLED=1 (xcaddy needs it in the environment) and libvips`)

// checkEngine says what is wrong with the type of an engine.
func checkEngine(kind string) error {
	if _, err := caddy.GetModule(engineNamespace + "." + kind); err == nil {
		return nil
	}
	if kind == defaultEngine {
		return errNoVips
	}
	types := guestTypes(engineNamespace)
	if len(types) == 0 {
		types = []string{defaultEngine}
	}
	return fmt.Errorf("unknown engine %q; expected %s", kind, block.List(types, "or"))
}

// guestTypes returns the types that this binary has in a namespace, sorted.
func guestTypes(namespace string) []string {
	var types []string
	for _, module := range caddy.GetModules(namespace) {
		types = append(types, strings.TrimPrefix(string(module.ID), namespace+"."))
	}
	return types
}

// loadEngine loads the engine that the config names, or the default one.
func (a *App) loadEngine(ctx caddy.Context) error {
	if len(a.Engine) == 0 {
		a.Engine = json.RawMessage(`{"type":"` + defaultEngine + `"}`)
	}
	var named struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(a.Engine, &named); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if named.Type == "" {
		return fmt.Errorf("engine: type is not set; expected %q", defaultEngine)
	}
	if err := checkEngine(named.Type); err != nil {
		return err
	}
	module, err := ctx.LoadModule(a, "Engine")
	if err != nil {
		return fmt.Errorf("engine %q: %w", named.Type, err)
	}
	guest, ok := module.(engine)
	if !ok {
		return fmt.Errorf("engine %q: module %T is not an engine", named.Type, module)
	}
	a.guest = guest
	return nil
}

// gate bounds the pictures that the whole process works on at once. There is one, for during a reload two configs are
// at work, and the machine's cores don't double.
var gate = transform.NewGate(1)

// engine returns the config's engine behind the gate of the process.
func (a *App) engine() transform.Engine { return gate.Guard(a.guest) }

// running are the configs that are started, whose last one rules the gate and the caches. For a moment there are two: Caddy starts
// the new config before it stops the old one, and when an app of the new one fails to start, it stops that again and
// the old one goes on.
var running configs

type configs struct {
	mu   sync.Mutex
	apps []*App
}

// push puts a's limits into force.
func (c *configs) push(a *App) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apps = append(c.apps, a)
	c.rule()
}

// rule has the config that was started last rule the process. The caller holds the lock.
func (c *configs) rule() {
	if n := len(c.apps); n > 0 {
		c.apps[n-1].applyLimits()
		c.apps[n-1].guest.Rule()
		c.apps[n-1].ruleCaches()
	}
}

// applyLimits has the process keep to what the config allows to be worked on at once.
func (a *App) applyLimits() {
	gate.SetLimits(transform.GateLimits{Slots: a.guest.Slots(), Memory: a.Limits.Memory})
	remembered.Shed().SetLimit(a.Limits.Queue)
}

// remove takes a's limits out of force; those of the config that was started last before it, or after it, then hold.
func (c *configs) remove(a *App) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.apps, a)
	if i < 0 {
		return
	}
	c.apps = slices.Delete(c.apps, i, i+1)
	c.rule()
}
