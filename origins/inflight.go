package origins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/semaphore"
)

// ErrBusy is in the chain of the error of a request that [InFlight] let wait until its context ended. It says nothing
// about the origin, which was never asked.
var ErrBusy = errors.New("the origin is busy with as many requests as it may have")

// InFlight returns an Origin of which at most n objects are open, or being opened, at a time. Who comes next waits in
// line, until the end of the context; the place is given back when Open fails or the body is closed.
func InFlight(o Origin, n int) Origin {
	if n <= 0 {
		return o
	}
	return &inFlight{origin: o, places: semaphore.NewWeighted(int64(n)), n: n}
}

type inFlight struct {
	origin Origin
	places *semaphore.Weighted
	n      int
}

// Open opens the object once there is a place.
func (f *inFlight) Open(ctx context.Context, req Request) (*Object, error) {
	if err := f.places.Acquire(ctx, 1); err != nil {
		return nil, &Error{Kind: KindOf(err), Key: req.Key, Err: fmt.Errorf("%w, %d; max_in_flight is the limit", ErrBusy, f.n)}
	}
	held := true // also if the origin panics
	defer func() {
		if held {
			f.places.Release(1)
		}
	}()
	obj, err := f.origin.Open(ctx, req)
	if err != nil {
		return nil, err
	}
	held = false
	obj.Body = keepSeek(&placedBody{ReadCloser: obj.Body, places: f.places}, obj.Body)
	return obj, nil
}

// placedBody gives its place back on Close.
type placedBody struct {
	io.ReadCloser

	places *semaphore.Weighted
	once   sync.Once
}

// Close closes the body and lets the next request in.
func (b *placedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.places.Release(1) })
	return err
}

func (b *placedBody) moved(int64) {}
