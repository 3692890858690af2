package transform

import (
	"context"
	"fmt"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Guard returns e behind the gate. Everything that touches a file takes a slot, and is admitted by what it is estimated to
// hold: a Render and a Look by their plans, a Probe of an SVG or PDF, of which the engine parses the whole document, by its
// length. Other Probes read a header, which takes microseconds: they go before all others.
//
// What needs more memory than the gate lets in at all is TooLarge, at once. What finds no room until its context ends is
// Overloaded, [ErrNoSlot], and what finds the line full too, [ErrLineFull].
func (g *Gate) Guard(e Engine) Engine {
	return guarded{gate: g, engine: e}
}

type guarded struct {
	gate   *Gate
	engine Engine
}

func (e guarded) Probe(ctx context.Context, o Original) (plan.Source, error) {
	j := job{endpoint: o.Endpoint, header: true}
	if format := Sniff(o.Bytes); format == plan.SVG || format == plan.PDF {
		j = document(o, format)
	}
	t, _, err := e.gate.enter(ctx, j)
	if err != nil {
		return plan.Source{}, err
	}
	defer e.gate.leave(t)
	return e.engine.Probe(ctx, o)
}

func (e guarded) Look(ctx context.Context, in Inputs, l plan.Look) (plan.Window, error) {
	j := job{endpoint: in.Base.Endpoint, memory: l.Memory + fileMemory(in.Base, l.Load.Format), work: l.Work, slow: l.Slow()}
	t, _, err := e.gate.enter(ctx, j)
	if err != nil {
		return plan.Window{}, err
	}
	defer e.gate.leave(t)
	return e.engine.Look(ctx, in, l)
}

func (e guarded) Render(ctx context.Context, in Inputs, p plan.Plan) (*Image, error) {
	j := job{endpoint: in.Base.Endpoint, memory: p.Memory + fileMemory(in.Base, p.Load.Format), work: p.Work, slow: p.Slow()}
	t, queued, err := e.gate.enter(ctx, j)
	if err != nil {
		return nil, err
	}
	defer e.gate.leave(t)
	img, err := e.engine.Render(ctx, in, p)
	if img != nil {
		img.Queued = queued
	}
	return img, err
}

func (e guarded) Writable() plan.Set { return e.engine.Writable() }

func (e guarded) Readable() plan.Set { return e.engine.Readable() }

func (e guarded) Version() string { return e.engine.Version() }

// What a document costs for each of its bytes: its elements as objects, and parsing them.
const (
	documentMemory = 20
	documentWork   = 100 * time.Nanosecond
)

// fileMemory is what the file itself takes, which plans don't know: once where it is pixels, several times where it is a
// document.
func fileMemory(o Original, f plan.Format) int64 {
	size := int64(len(o.Bytes))
	if f == plan.SVG {
		size += documentMemory * size
	}
	return size
}

// document is the job of reading what an SVG says of its size, or a PDF of its pages.
func document(o Original, f plan.Format) job {
	return job{endpoint: o.Endpoint, memory: fileMemory(o, f), work: documentWork * time.Duration(len(o.Bytes))}
}

// tooLarge is the error of a job that needs more memory than there is; nil for others.
func (g *Gate) tooLarge(j job) error {
	if j.header || g.limits.Memory == 0 || j.memory <= g.limits.Memory {
		return nil
	}
	return &Error{Kind: TooLarge, Op: "making the picture", Err: plan.TooMuchMemory(j.memory, g.limits.Memory)}
}

// noSlot is the error of a wait that err ended: too much work, unless the caller went away.
func noSlot(err error) error {
	kind := KindOf(err)
	if kind == Timeout {
		kind = Overloaded
	}
	return &Error{Kind: kind, Op: waitingOp, Err: fmt.Errorf("%w: %w", ErrNoSlot, err)}
}

// lineFull is the error of who is turned away.
func lineFull() error { return &Error{Kind: Overloaded, Op: waitingOp, Err: ErrLineFull} }

const waitingOp = "waiting for a slot"

var _ Engine = guarded{}
