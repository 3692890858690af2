package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/imageorigin/imageorigin/transform"
)

// flights has one call of work run for all who ask for the same key at the same time. The zero value is ready.
type flights[K comparable, V any] struct {
	mu      sync.Mutex
	running map[K]*flight[V]

	// share, if set, is told how many more look at a value, or fewer. Calls are not concurrent.
	share func(v V, more int)
}

type flight[V any] struct {
	waiting int // who is waiting; under the lock of flights
	cancel  context.CancelFunc
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
}

// job is what a flight does: it returns a value, and what remains to be done once those who wait have it; nil is nothing.
type job[V any] func(ctx context.Context) (v V, after func(), err error)

// part says which part a caller had in a flight.
type part uint8

const (
	began  part = iota // it began it
	waited             // another one had begun it
	found              // it was done but for what comes afterwards
)

// do returns what work returns, which runs once for all who come before it is done with everything, in a context that
// keeps the values of the first caller's but not its end: it ends when nobody waits any more. Each caller waits as long as
// its own context lasts. An error is for those who wait; who comes afterwards starts anew. With anew set, so does who finds
// a flight that has its value.
func (f *flights[K, V]) do(ctx context.Context, key K, anew bool, work job[V]) (v V, how part, err error) {
	f.mu.Lock()
	c, running := f.running[key]
	how = waited
	switch {
	case !running || anew && c.ended():
		c, how = f.start(ctx, key, work), began
	case c.ended():
		defer f.mu.Unlock()
		f.tell(c, 1)
		return c.value, found, nil
	}
	c.waiting++
	f.mu.Unlock()

	select {
	case <-c.done:
		return c.value, how, c.err
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.ended() { // at the same moment, and a share of it is the caller's
		return c.value, how, c.err
	}
	if c.waiting--; c.waiting == 0 {
		c.cancel()
		f.end(key, c) // who comes now must not join what is being cancelled
	}
	return v, how, context.Cause(ctx)
}

// join is [flights.do] for who may have more time than whoever began the flight: where that one's was up, it begins anew.
func join[K comparable, V any](ctx context.Context, f *flights[K, V], key K, anew bool, work job[V]) (V, part, error) {
	for {
		v, how, err := f.do(ctx, key, anew, work)
		if _, late := errors.AsType[*lateError](err); !late || how == began || ctx.Err() != nil {
			return v, how, err
		}
	}
}

// start begins a flight; f is locked.
func (f *flights[K, V]) start(ctx context.Context, key K, work job[V]) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &flight[V]{cancel: cancel, done: make(chan struct{})}
	if f.running == nil {
		f.running = make(map[K]*flight[V])
	}
	f.running[key] = c
	go func() {
		defer cancel()
		v, after, err := unhurt(ctx, work)
		f.land(key, c, v, err)
		if after != nil {
			_, _, _ = unhurt(ctx, func(context.Context) (v V, _ func(), _ error) { after(); return })
		}
		if err == nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.end(key, c)
			f.tell(c, -1)
		}
	}()
	return c
}

// land gives the outcome to those who wait.
func (f *flights[K, V]) land(key K, c *flight[V], v V, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.value, c.err = v, err
	if err != nil {
		f.end(key, c)
	} else {
		f.tell(c, c.waiting+1) // one is the flight's own
	}
	close(c.done)
}

func (f *flights[K, V]) tell(c *flight[V], more int) {
	if f.share != nil {
		f.share(c.value, more)
	}
}

// unhurt runs work and makes a panic an error: in a goroutine of its own it would end the server.
func unhurt[V any](ctx context.Context, work job[V]) (v V, after func(), err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &transform.Error{Kind: transform.Internal, Op: "panic", Err: fmt.Errorf("%v\n%s", r, debug.Stack())}
		}
	}()
	return work(ctx)
}

func (c *flight[V]) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// end takes a flight off the list, if it is still the one of its key; f is locked.
func (f *flights[K, V]) end(key K, c *flight[V]) {
	if f.running[key] == c {
		delete(f.running, key)
	}
}

// desert has nobody join the flights of the keys that are meant any more. Those who wait get what they wait for.
func (f *flights[K, V]) desert(meant func(K) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range f.running {
		if meant(key) {
			delete(f.running, key)
		}
	}
}

// busy reports whether there is a flight of that key.
func (f *flights[K, V]) busy(key K) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[key] != nil
}
