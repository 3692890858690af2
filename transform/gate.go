package transform

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Gate admits pixel work, of all engines that it guards, as far as the machine goes: so many pictures at once, so much
// memory in all. What finds no room waits in line, and endpoints take turns. Make one with [NewGate].
//
// The next to be admitted is, whenever something ends or comes: what reads headers alone, then that which waits for
// memory since it was first in line, then that of the endpoint which has had the least work done so far.
type Gate struct {
	mu     sync.Mutex
	limits GateLimits
	load   GateLoad

	front list.List // of *waiter: what reads headers, first come first served
	lines fairness

	// first is whose turn it was when there was no room in memory for it; it is in no line any more. Others overtake it only
	// where they fit beside it, so it comes in no later for that: overtaken counts their memory, of this reservation alone.
	first       *waiter
	overtaken   int64
	reservation uint64
}

// GateLimits bound what a [Gate] lets in.
type GateLimits struct {
	Slots  int   // pictures worked on at once; below one is one
	Memory int64 // bytes that these are estimated to hold at once; 0 is no bound
	Line   int   // how many may wait; 0 is no bound
}

// GateLoad says how busy a [Gate] is.
type GateLoad struct {
	Running int   // what is worked on
	Slow    int   // of these, what takes long: see plan.Plan.Slow
	Memory  int64 // bytes that these are estimated to hold
	Waiting int   // what stands in line
}

// NewGate returns a Gate of the given number of slots, without other limits; below one is one.
func NewGate(slots int) *Gate {
	return &Gate{limits: GateLimits{Slots: max(slots, 1)}}
}

// SetLimits changes the limits. Work under way goes on: after a reduction the gate opens again when enough of it has ended.
// What waits stays in line, unless it needs more memory than there is now.
func (g *Gate) SetLimits(l GateLimits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = GateLimits{Slots: max(l.Slots, 1), Memory: max(l.Memory, 0), Line: max(l.Line, 0)}
	if g.first != nil && g.tooLarge(g.first.job) != nil {
		g.dismiss(g.first, g.tooLarge(g.first.job))
	}
	for _, w := range g.lines.all() {
		if err := g.tooLarge(w.job); err != nil {
			g.dismiss(w, err)
		}
	}
	g.admit()
}

// Load returns how busy the gate is.
func (g *Gate) Load() GateLoad {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.load
}

// Lines returns how many wait by the endpoint that they wait for, those that read headers alone left out.
func (g *Gate) Lines() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := g.lines.count()
	if g.first != nil {
		waiting[g.first.endpoint]++
	}
	return waiting
}

// job is what one piece of work asks for.
type job struct {
	endpoint string
	memory   int64         // bytes
	work     time.Duration // of one core
	slow     bool
	header   bool // reads a header, in microseconds: it goes to the front, and takes a slot but no memory
}

// waiter is a job in line.
type waiter struct {
	job
	turn  chan struct{} // closed when it is admitted or dismissed
	err   error         // why it was dismissed; set before turn is closed
	place *list.Element // in line is its place; nil where it is first, or has left
	line  *list.List
	came  uint64 // its number among all that ever waited
	entry ticket
}

// ticket is what a job that was admitted holds, and gives back.
type ticket struct {
	memory      int64
	slow        bool
	reservation uint64 // beside which it was admitted; 0: beside none
}

// ErrNoSlot is the cause where a context ended while its work waited in line.
var ErrNoSlot = errors.New("no free slot")

// ErrLineFull is the cause where work was turned away because too much waits already.
var ErrLineFull = errors.New("too many pictures wait for a slot")

// enter waits until there is room for j, and returns how long that took. The caller gives the ticket back with leave.
func (g *Gate) enter(ctx context.Context, j job) (ticket, time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return ticket{}, 0, noSlot(err)
	}
	g.mu.Lock()
	if err := g.tooLarge(j); err != nil {
		g.mu.Unlock()
		return ticket{}, 0, err
	}
	if g.load.Waiting == 0 && g.hasRoom(j) {
		if !j.header {
			g.lines.arrive(j.endpoint)
		}
		t := g.take(j)
		g.mu.Unlock()
		return t, 0, nil
	}
	w := g.queue(j)
	g.mu.Unlock()
	start := time.Now()
	select {
	case <-w.turn:
		return w.entry, time.Since(start), w.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.turn: // came at the same moment; hand it on
		if w.err == nil {
			g.giveBack(w.entry)
		}
	default:
		g.dismiss(w, noSlot(ctx.Err()))
	}
	g.admit()
	return ticket{}, time.Since(start), noSlot(ctx.Err())
}

// leave gives back what a job was admitted with.
func (g *Gate) leave(t ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(t)
	g.admit()
}

// queue puts j in line. Where that gets longer than it may be, somebody is dismissed: who came last to the line of the
// endpoint that has the longest one, so that no endpoint fills it for the others. The caller holds the lock, as for all that
// follow.
func (g *Gate) queue(j job) *waiter {
	w := &waiter{job: j, turn: make(chan struct{})}
	g.load.Waiting++
	if j.header {
		w.place = g.front.PushBack(w)
	} else {
		g.lines.push(w)
	}
	g.admit() // there may be room for it beside those that wait
	if g.limits.Line > 0 && g.load.Waiting > g.limits.Line {
		last := g.lines.lastOfLongest(j)
		if last == nil {
			last = w
		}
		g.dismiss(last, lineFull())
	}
	return w
}

// admit lets in whatever there is room for, in the order of [Gate].
func (g *Gate) admit() {
	for g.load.Running < g.limits.Slots && g.load.Waiting > 0 {
		w := g.next()
		if w == nil {
			return
		}
		g.unline(w)
		w.entry = g.take(w.job)
		close(w.turn)
	}
}

// next returns whose turn it is; nil where there is room for none of those in line.
func (g *Gate) next() *waiter {
	if e := g.front.Front(); e != nil {
		return e.Value.(*waiter)
	}
	if g.first != nil && g.hasRoom(g.first.job) {
		return g.first
	}
	if g.first == nil {
		w := g.lines.next(g.slowOpen(), nil)
		if w == nil || g.hasRoom(w.job) {
			return w
		}
		g.reserve(w)
	}
	return g.lines.next(g.slowOpen(), g.fitsBeside)
}

// reserve makes w the first, for which memory is kept free.
func (g *Gate) reserve(w *waiter) {
	g.lines.remove(w)
	g.first = w
	g.reservation++
	g.overtaken = 0
}

// fitsBeside reports whether there is room for j now, and still would be if the first came in.
func (g *Gate) fitsBeside(j job) bool {
	return g.hasRoom(j) && (g.limits.Memory == 0 || g.overtaken+j.memory+g.first.memory <= g.limits.Memory)
}

// hasRoom reports whether j can be let in now.
func (g *Gate) hasRoom(j job) bool {
	switch {
	case g.load.Running >= g.limits.Slots, j.slow && g.load.Slow >= g.slowSlots():
		return false
	}
	return j.header || g.limits.Memory == 0 || g.load.Memory+j.memory <= g.limits.Memory
}

// slowSlots is how many slots slow work may have: all but one, so that it never holds up all the rest. A single slot is
// shared.
func (g *Gate) slowSlots() int { return max(1, g.limits.Slots-1) }

// slowOpen reports whether slow work is let in, beside the first where that is slow.
func (g *Gate) slowOpen() bool {
	taken := g.load.Slow
	if g.first != nil && g.first.slow {
		taken++
	}
	return taken < g.slowSlots()
}

// take counts j among what is worked on.
func (g *Gate) take(j job) ticket {
	t := ticket{slow: j.slow}
	g.load.Running++
	if j.slow {
		g.load.Slow++
	}
	if j.header {
		return t
	}
	t.memory = j.memory
	g.load.Memory += j.memory
	if g.first != nil {
		t.reservation = g.reservation
		g.overtaken += j.memory
	}
	g.lines.charge(j.endpoint, j.work)
	return t
}

// giveBack is the reverse of take.
func (g *Gate) giveBack(t ticket) {
	g.load.Running--
	g.load.Memory -= t.memory
	if t.slow {
		g.load.Slow--
	}
	if g.first != nil && t.reservation == g.reservation {
		g.overtaken -= t.memory
	}
	if g.load.Running == 0 && g.load.Waiting == 0 {
		g.lines.settle()
	}
}

// unline takes w from where it waits.
func (g *Gate) unline(w *waiter) {
	g.load.Waiting--
	switch {
	case w == g.first:
		g.first = nil
	case w.header:
		g.front.Remove(w.place)
	default:
		g.lines.remove(w)
	}
}

// dismiss sends w away.
func (g *Gate) dismiss(w *waiter, err error) {
	g.unline(w)
	w.err = err
	close(w.turn)
}
