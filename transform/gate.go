package transform

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Gate bounds how many pictures are worked on at once, across all engines that it guards. Whoever finds no free slot
// waits in line, first come first served, until the context ends. Make one with [NewGate].
type Gate struct {
	mu      sync.Mutex
	slots   int
	running int
	line    list.List // of chan struct{}, closed when its owner is given a slot
}

// NewGate returns a Gate of the given number of slots; below one is one.
func NewGate(slots int) *Gate {
	return &Gate{slots: max(slots, 1)}
}

// SetSlots changes the number of slots; below one is one. Work under way goes on: after a reduction the gate opens
// again when enough of it has ended.
func (g *Gate) SetSlots(slots int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots = max(slots, 1)
	g.admit()
}

// Load returns how many pictures are worked on and how many wait.
func (g *Gate) Load() (running, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running, g.line.Len()
}

// Guard returns e behind the gate. Render and Look always take a slot. Probe reads a header, microseconds of work that must not
// queue behind renders, except for SVG, where the engine parses the whole document.
func (g *Gate) Guard(e Engine) Engine {
	return guarded{gate: g, engine: e}
}

// enter waits for a slot. The caller gives it back with leave.
func (g *Gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.running < g.slots && g.line.Len() == 0 {
		g.running++
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	place := g.line.PushBack(turn)
	g.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-turn: // came at the same moment; hand it on
		g.running--
	default:
		g.line.Remove(place)
	}
	g.admit()
	return ctx.Err()
}

func (g *Gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.admit()
}

// admit gives free slots to those who wait longest. The caller holds the lock.
func (g *Gate) admit() {
	for g.running < g.slots && g.line.Len() > 0 {
		close(g.line.Remove(g.line.Front()).(chan struct{}))
		g.running++
	}
}

type guarded struct {
	gate   *Gate
	engine Engine
}

// ErrNoSlot is the cause where a context ended while its work waited in line.
var ErrNoSlot = errors.New("no free slot")

// noSlot is the error of a wait that err ended: too much work, unless the caller went away.
func noSlot(err error) error {
	kind := KindOf(err)
	if kind == Timeout {
		kind = Overloaded
	}
	return &Error{Kind: kind, Op: "waiting for a slot", Err: fmt.Errorf("%w: %w", ErrNoSlot, err)}
}

func (e guarded) Probe(ctx context.Context, o Original) (plan.Source, error) {
	if Sniff(o.Bytes) == plan.SVG {
		if err := e.gate.enter(ctx); err != nil {
			return plan.Source{}, noSlot(err)
		}
		defer e.gate.leave()
	}
	return e.engine.Probe(ctx, o)
}

func (e guarded) Look(ctx context.Context, in Inputs, l plan.Look) (plan.Window, error) {
	if err := e.gate.enter(ctx); err != nil {
		return plan.Window{}, noSlot(err)
	}
	defer e.gate.leave()
	return e.engine.Look(ctx, in, l)
}

func (e guarded) Render(ctx context.Context, in Inputs, p plan.Plan) (*Image, error) {
	if err := e.gate.enter(ctx); err != nil {
		return nil, noSlot(err)
	}
	defer e.gate.leave()
	return e.engine.Render(ctx, in, p)
}

func (e guarded) Writable() plan.Set { return e.engine.Writable() }

func (e guarded) Readable() plan.Set { return e.engine.Readable() }

func (e guarded) Version() string { return e.engine.Version() }

var _ Engine = guarded{}
