package origins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrSkipped is in the chain of the error that stands for an origin that a [Breaker] doesn't ask.
var ErrSkipped = errors.New("the origin is skipped")

// BreakerConfig says when [Breaker] stops asking an origin.
type BreakerConfig struct {
	Failures int           // faults in a row after which the origin is skipped
	Window   time.Duration // how long it is skipped

	// Changed, if set, is told whenever a Window begins (open, for how long, and the fault that began it), also after
	// a probe that failed, and when the origin is asked by all again (not open, 0, nil). The calls come one after the
	// other, on the goroutine of a caller, with no lock held.
	Changed func(open bool, until time.Duration, cause error)
}

// Breaker returns an Origin that stops asking an o that keeps failing, so that a dead origin's waiting time is paid by
// few. While it is skipped, Open fails at once with the kind of the last fault and [ErrSkipped] in the chain. After a
// Window one request at a time is let through: an answer ends the skipping, a fault begins another Window.
//
// Faults are Unreachable, Timeout and Unknown, of Open or while the body is read, unless they are Alive. Every other
// failure is an answer, and shows as well as an object does that the origin lives. What the caller ended ([Canceled]), or [InFlight] never let
// through ([ErrBusy]), says nothing. An object counts when its body is read or closed, that of a probe when it is open:
// a slow client must not keep the others waiting for the verdict.
//
// One broken object must not hide the others. So a key counts once in a row of faults, whatever its query is, and the
// key whose probe failed leaves the next Window to the probes of others. Two faults are enough in themselves, for they
// would cost every request the same wait: a connection that could not be opened in time (a *net.OpError of a dial in
// the chain; an origin that connects to where the key or a redirect leads keeps that error out of the chain), and an
// answer, or the rest of one, that [Limit] waited for in vain while nobody else got any either.
func Breaker(o Origin, c BreakerConfig) Origin {
	if c.Failures <= 0 || c.Window <= 0 {
		return o
	}
	b := &breaker{origin: o, config: c, row: map[string]bool{}}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       c.Window,
		ReadyToTrip:   b.trips,
		IsExcluded:    func(err error) bool { return err == errNeither },
		OnStateChange: b.turned,
	})
	return b
}

// What the circuit is told of a request; nil is an answer.
var (
	errFault   = errors.New("fault")
	errNeither = errors.New("neither fault nor answer")
)

type breaker struct {
	origin Origin
	config BreakerConfig

	mu            sync.Mutex // held for every use of circuit, and for what follows
	circuit       *gobreaker.TwoStepCircuitBreaker[struct{}]
	state         gobreaker.State
	turn          int             // counts the changes of state
	row           map[string]bool // the keys of the row of faults
	fault         error           // the last one
	decisive      bool            // it is enough in itself
	answered      time.Time       // when the origin answered last
	answeredTo    *call           // whom
	answeredOther time.Time       // when it answered somebody else last
	since         time.Time       // of the skipping
	again         time.Time       // when the next probe is due
	yielding      string          // the key whose probe failed
	yields        time.Time       // until when it leaves probing to others

	changes   []error // to be told: the fault that began a Window, nil for the end of all
	reporting bool
}

// Open asks the origin, unless it is skipped.
func (b *breaker) Open(ctx context.Context, req Request) (*Object, error) {
	c, err := b.admit(req.Key)
	if err != nil {
		return nil, err
	}
	returned := false
	defer func() {
		if !returned { // a panic, which must not keep the place of a probe
			c.end(errNeither, false)
		}
	}()
	obj, err := b.origin.Open(ctx, req)
	returned = true
	if err != nil {
		// The deadline of the caller may have left next to no time to connect.
		c.end(blamed(ctx, err), ctx.Err() == nil && (dialTimedOut(err) || b.silent(c, err)))
		return nil, err
	}
	b.heard(c)
	if c.probe {
		c.end(nil, false)
		return obj, nil
	}
	obj.Body = keepSeek(&watchedBody{ReadCloser: obj.Body, call: c, done: ctx.Err}, obj.Body)
	return obj, nil
}

// blamed returns err as a Timeout if the caller's patience ended it. That may be a cancellation whose cause is the
// deadline, and an origin that always outlasts the caller would else never be skipped.
func blamed(ctx context.Context, err error) error {
	if KindOf(err) == Canceled && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &Error{Kind: Timeout, Err: fmt.Errorf("no answer before the deadline of the request: %w", cause(err))}
	}
	return err
}

// dialTimedOut reports whether err is a connection that could not be opened in time.
func dialTimedOut(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && op.Timeout()
}

// silent reports whether err is an answer, or the rest of one, that was waited for in vain while nobody else got any.
func (b *breaker) silent(c *call, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	answered := b.answered
	if b.answeredTo == c {
		answered = b.answeredOther
	}
	return errors.Is(err, errGaveUp) && !answered.After(c.began)
}

// heard notes that the origin answered c.
func (b *breaker) heard(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(c)
}

// note does the same under the lock.
func (b *breaker) note(c *call) {
	if b.answeredTo != c {
		b.answeredTo, b.answeredOther = c, b.answered
	}
	b.answered = time.Now()
}

// admit lets a request through, or returns the error for it.
func (b *breaker) admit(key string) (*call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != gobreaker.StateClosed && key == b.yielding && time.Now().Before(b.yields) {
		return nil, b.skipped(key, b.yields)
	}
	done, err := b.circuit.Allow()
	if err != nil {
		return nil, b.skipped(key, b.again)
	}
	return &call{breaker: b, key: key, began: time.Now(), done: done, turn: b.turn, probe: b.state == gobreaker.StateHalfOpen}, nil
}

// skipped returns the error that stands for the last fault until again. The fault is there as text only: it is another
// request's, and what its chain says of that one isn't true of this one.
func (b *breaker) skipped(key string, again time.Time) error {
	e := &Error{Kind: KindOf(b.fault), Key: key}
	if fault, ok := errors.AsType[*Error](b.fault); ok {
		e.Remedy = fault.Remedy
	}
	next := "now that another request tries it"
	if wait := time.Until(again); wait > 0 {
		next = fmt.Sprintf("in %v", wait.Round(time.Millisecond))
	}
	since := time.Since(b.since).Round(time.Millisecond)
	e.Err = fmt.Errorf("%w for %v, and asked again %s; its last fault: %v", ErrSkipped, since, next, cause(b.fault))
	return e
}

// judge returns what the circuit is told of err, and keeps the row. A call of an earlier turn tells of a state that is
// over.
func (b *breaker) judge(c *call, err error, decisive bool) error {
	if c.turn != b.turn || errors.Is(err, errNeither) || errors.Is(err, ErrBusy) {
		return errNeither
	}
	if e, ok := errors.AsType[*Error](err); err != nil && (!ok || !e.Alive) {
		switch KindOf(err) {
		case Canceled:
			return errNeither
		case Unreachable, Timeout, Unknown:
			b.fault, b.decisive = err, decisive
			if b.row[c.key] && !decisive {
				return errNeither
			}
			b.row[c.key] = true
			if c.probe {
				b.yielding, b.yields = c.key, time.Now().Add(2*b.config.Window)
			}
			return errFault
		}
	}
	clear(b.row)
	b.note(c)
	return nil
}

// trips is asked by the circuit after each fault that counts.
func (b *breaker) trips(counts gobreaker.Counts) bool {
	return b.decisive || uint64(counts.ConsecutiveFailures) >= uint64(b.config.Failures)
}

// turned is told by the circuit that its state changed.
func (b *breaker) turned(_ string, from, to gobreaker.State) {
	b.state = to
	b.turn++
	clear(b.row)
	now := time.Now()
	switch to {
	case gobreaker.StateOpen:
		if from == gobreaker.StateClosed {
			b.since = now
		}
		b.again = now.Add(b.config.Window)
		b.changes = append(b.changes, b.fault)
	case gobreaker.StateClosed:
		b.changes = append(b.changes, nil)
	}
}

// report tells of the changes, in order, without a lock.
func (b *breaker) report() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reporting {
		return // whoever does so tells of ours too
	}
	b.reporting = true
	defer func() { b.reporting = false }()
	for len(b.changes) > 0 {
		fault := b.changes[0]
		b.changes = b.changes[1:]
		b.tell(fault)
	}
}

// tell calls Changed. It is called with the lock held, and returns with it.
func (b *breaker) tell(fault error) {
	if b.config.Changed == nil {
		return
	}
	b.mu.Unlock()
	defer b.mu.Lock()
	if fault == nil {
		b.config.Changed(false, 0, nil)
		return
	}
	b.config.Changed(true, b.config.Window, fault)
}

// call is a request that was let through.
type call struct {
	breaker *breaker
	key     string
	began   time.Time
	done    func(error) // tells the circuit
	turn    int
	probe   bool
	ended   bool
}

// end tells how the call ended, once.
func (c *call) end(err error, decisive bool) {
	b := c.breaker
	b.mu.Lock()
	if c.ended {
		b.mu.Unlock()
		return
	}
	c.ended = true
	c.done(b.judge(c, err, decisive))
	news := len(b.changes) > 0
	b.mu.Unlock()
	if news {
		b.report()
	}
}

// watchedBody tells the breaker how reading ends.
type watchedBody struct {
	io.ReadCloser

	call *call
	done func() error
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case err == io.EOF:
		b.call.end(nil, false)
	case b.done() != nil:
		b.call.end(errNeither, false) // by now it is the client who takes the time
	default:
		b.call.end(err, b.call.breaker.silent(b.call, err))
	}
	return n, err
}

// Close closes the body, which is fine as far as it was read.
func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	b.call.end(nil, false)
	return err
}

func (b *watchedBody) moved(int64) {}
