package worker

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Pool executes plans in worker processes. It is safe for concurrent use. Make one with [Open], and close it.
type Pool struct {
	cfg      Config
	starter  *starter
	poison   *poison
	known    Known
	measures []string
	missing  []string
	blamed   time.Duration // see blamedAfter

	owned sync.WaitGroup // goroutines and jobs; Close waits for them

	mu       sync.Mutex
	slots    int
	spare    bool // a worker failed once: there is one more than slots now
	closed   bool
	living   map[*process]struct{} // all whose process hasn't ended
	workers  []*process            // that are ready, the oldest first
	idle     []*process            // of them, the most recently used one last
	busy     int                   // jobs under way
	starting int
	urgent   list.List // of *waiter: headers take microseconds, and a request can't go on without
	line     list.List
	restarts map[string]int64

	failures int // starts in a row that led to nothing
	failing  error
	retry    *time.Timer
}

// waiter waits for a worker. It gets one, or an error.
type waiter struct {
	granted chan struct{}
	worker  *process
	err     error
}

// Rules of starting.
const (
	startsAtOnce = 2 // a start takes a CPU for some tens of milliseconds
	firstRetry   = 50 * time.Millisecond
	lastRetry    = 5 * time.Second
	hopeless     = 3 // failed starts in a row; without any worker, jobs fail from then on
)

// blamedAfter is for how long a job must have run before a deadline counts against its original: one that spent its time
// in line is not to blame.
const blamedAfter = 2 * time.Second

var errClosed = errors.New("the workers are being ended")

// Open starts the first worker of a pool and waits until it is ready; the others follow by and by. The error says why
// the worker can't work. The caller closes the pool.
func Open(cfg Config) (*Pool, error) {
	cfg.complete()
	p := &Pool{
		cfg: cfg, starter: newStarter(), poison: newPoison(time.Now), blamed: blamedAfter,
		slots: cfg.Workers, living: map[*process]struct{}{}, restarts: map[string]int64{},
	}
	w, h, err := p.spawn(opening{Parent: os.Getpid(), Settings: cfg.Settings})
	if err != nil {
		p.Close()
		return nil, err
	}
	p.known, p.measures, p.missing = h.Known, h.Measures, h.Missing
	p.mu.Lock()
	defer p.mu.Unlock()
	p.admit(w)
	return p, nil
}

// complete fills in the defaults.
func (c *Config) complete() {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.RecycleAfter <= 0 {
		c.RecycleAfter = defaultRecycleAfter
	}
	if c.RecycleAbove <= 0 {
		c.RecycleAbove = defaultRecycleAbove
	}
	if len(c.Command) == 0 {
		c.Command = []string{"/proc/self/exe", Argument}
	}
	if c.Start == nil {
		c.Start = startOpen
	}
	if c.Environment == nil {
		c.Environment = []string{"HOME=/nonexistent", "MALLOC_ARENA_MAX=1"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Probe reads the header of a picture.
func (p *Pool) Probe(ctx context.Context, o transform.Original) (plan.Source, error) {
	a, _, err := p.do(ctx, &request{Task: probe, Page: o.Page}, o)
	if err != nil {
		return plan.Source{}, err
	}
	return a.source, nil
}

// Look finds what a trim leaves of a picture.
func (p *Pool) Look(ctx context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	a, _, err := p.do(ctx, &request{Task: look, look: l}, in.Base)
	if err != nil {
		return plan.Window{}, err
	}
	return a.window, nil
}

// Render decodes, transforms and encodes. What the plan tells the client stays here.
func (p *Pool) Render(ctx context.Context, in transform.Inputs, pl plan.Plan) (*transform.Image, error) {
	pl.Warnings = nil
	a, b, err := p.do(ctx, &request{Task: render, plan: pl}, in.Base)
	if err != nil {
		return nil, err
	}
	return &transform.Image{Bytes: b, Format: a.image.Format, Width: a.image.Width, Height: a.image.Height, Frames: a.image.Frames}, nil
}

// Writable returns the formats that the workers encode.
func (p *Pool) Writable() plan.Set { return p.known.Writable }

// Readable returns the formats that the workers decode.
func (p *Pool) Readable() plan.Set { return p.known.Readable }

// Version names the workers' engine.
func (p *Pool) Version() string { return p.known.Version }

// Slots returns how many pictures are worked on at once.
func (p *Pool) Slots() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots
}

// SetWorkers changes how many pictures are worked on at once; 0 or less is the number of CPUs. Jobs under way go on.
func (p *Pool) SetWorkers(n int) {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots = n
	p.settle()
}

// Close ends all workers and waits until they and everything that belongs to them are gone. Jobs under way fail.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.fail(errClosed)
	if p.retry != nil {
		p.retry.Stop()
	}
	for w := range p.living {
		w.cmd.Process.Kill()
	}
	p.mu.Unlock()
	p.owned.Wait()
	p.starter.stop()
	return nil
}

// do does one job.
func (p *Pool) do(ctx context.Context, r *request, o transform.Original) (*answer, []byte, error) {
	op := doing[r.Task]
	if err := ended(ctx); err != nil {
		return nil, nil, &transform.Error{Kind: transform.KindOf(err), Op: op, Err: err}
	}
	if len(o.Bytes) > math.MaxInt32 {
		return nil, nil, &transform.Error{Kind: transform.TooLarge, Op: op, Err: errors.New("workers get originals of at most 2 GiB")}
	}
	if err := p.poison.refuse(o.Bytes); err != nil {
		return nil, nil, err
	}
	if !p.enter() {
		return nil, nil, unavailable(errClosed)
	}
	defer p.owned.Done()
	const attempts = 3 // a worker may end just before it gets its job, which harms nobody
	var err error
	for range attempts {
		var w *process
		if w, err = p.acquire(ctx, r.Task == probe); err != nil {
			return nil, nil, err
		}
		began := time.Now()
		a, b, lost := w.work(ctx, r, o, p.cfg.MemoryLimit)
		if lost == nil {
			p.release(w)
			return p.finish(ctx, r, o, a, b)
		}
		p.drop(w, r, lost)
		if lost.blame && (lost.reason != ReasonDeadline || time.Since(began) >= p.blamed) {
			p.poison.blame(o.Bytes, lost.err)
		}
		if !lost.unsent {
			return nil, nil, &lost.err
		}
		err = unavailable(lost.err.Err)
	}
	return nil, nil, err
}

// finish makes of an answer what the caller gets.
func (p *Pool) finish(ctx context.Context, r *request, o transform.Original, a *answer, b []byte) (*answer, []byte, error) {
	if a.Status == done {
		if r.Task == render { // a header is read of what can't be decoded, too
			p.poison.acquit(o.Bytes)
		}
		return a, b, nil
	}
	f := a.failure
	e := &transform.Error{Kind: f.Kind, Op: f.Op}
	if f.Text != "" {
		e.Err = errors.New(f.Text)
	}
	switch f.Kind {
	case transform.Canceled, transform.Timeout, transform.Overloaded:
		if ctx.Err() == nil { // which is the parent's to know
			e.Kind = transform.Internal
		}
	}
	return nil, nil, e
}

// unavailable is the error of a job for which there is no worker. It is not the picture's fault, and may pass.
func unavailable(err error) error {
	return &transform.Error{Kind: transform.Overloaded, Op: "waiting for a worker", Err: err}
}

// enter has Close wait for a job.
func (p *Pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.owned.Add(1)
	return true
}

// acquire takes a worker in hand, the most recently used one: its memory is warm. The caller gives it back by release or
// drop.
func (p *Pool) acquire(ctx context.Context, urgent bool) (*process, error) {
	p.mu.Lock()
	line := &p.line
	if urgent {
		line = &p.urgent
	}
	if err := p.hopeless(); err != nil {
		p.mu.Unlock()
		return nil, unavailable(err)
	}
	me := &waiter{granted: make(chan struct{})}
	place := line.PushBack(me)
	p.dispatch()
	p.mu.Unlock()

	select {
	case <-me.granted:
		return me.worker, me.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-me.granted: // came at the same moment; hand it on
		if me.worker != nil {
			p.busy--
			p.rest(me.worker, false)
		}
	default:
		line.Remove(place)
	}
	return nil, noWorker(ended(ctx))
}

// noWorker is the error of a wait that err ended: too much work, unless the caller went away.
func noWorker(err error) error {
	kind := transform.KindOf(err)
	if kind == transform.Timeout {
		kind = transform.Overloaded
	}
	return &transform.Error{Kind: kind, Op: "waiting for a worker", Err: fmt.Errorf("%w: %w", transform.ErrNoSlot, err)}
}

// hopeless returns why there is no worker and won't be one soon. The caller holds the lock.
func (p *Pool) hopeless() error {
	switch {
	case p.closed:
		return errClosed
	case len(p.workers) == 0 && p.failures >= hopeless:
		return fmt.Errorf("no worker can be started, the last of %d attempts in a row failed: %w", p.failures, p.failing)
	}
	return nil
}

// dispatch gives idle workers to those who wait longest, headers first. The caller holds the lock.
func (p *Pool) dispatch() {
	for p.busy < p.slots && len(p.idle) > 0 && !p.closed {
		line := &p.urgent
		if line.Len() == 0 {
			line = &p.line
		}
		if line.Len() == 0 {
			return
		}
		me := line.Remove(line.Front()).(*waiter)
		me.worker = p.idle[len(p.idle)-1]
		me.worker.state = stateBusy
		p.idle = p.idle[:len(p.idle)-1]
		p.busy++
		close(me.granted)
	}
}

// fail ends the waiting of all. The caller holds the lock.
func (p *Pool) fail(err error) {
	for _, line := range []*list.List{&p.urgent, &p.line} {
		for line.Len() > 0 {
			me := line.Remove(line.Front()).(*waiter)
			me.err = unavailable(err)
			close(me.granted)
		}
	}
}

// Status tells how the pool is.
func (p *Pool) Status() Status {
	p.mu.Lock()
	s := Status{
		Slots: p.slots, Waiting: p.line.Len() + p.urgent.Len(), Poisoned: 0, Measures: slices.Clone(p.measures), Missing: slices.Clone(p.missing),
		Workers: make([]Process, 0, len(p.living)), Restarts: make(map[string]int64, len(Reasons)),
	}
	if p.failures > 0 && len(p.workers) < p.slots {
		s.Failing = p.failing.Error()
	}
	for _, reason := range Reasons {
		s.Restarts[reason] = p.restarts[reason]
	}
	all := slices.Clone(p.workers)
	for w := range p.living {
		if w.state == stateStarting {
			all = append(all, w)
		}
	}
	for _, w := range all {
		s.Workers = append(s.Workers, Process{PID: w.pid(), State: w.state, Jobs: w.jobs})
	}
	p.mu.Unlock()
	for i, w := range all {
		s.Workers[i].Memory = w.resident()
	}
	s.Poisoned = p.poison.count()
	return s
}

var _ transform.Engine = (*Pool)(nil)
