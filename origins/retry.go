package origins

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The pauses of [Retry].
const (
	firstPause   = 50 * time.Millisecond // doubled from one to the next, each give or take a half
	longestPause = time.Second           // give or take a half
	longestAfter = 5 * time.Second       // an origin that asks for more is not waited for: a visitor is holding the line
)

// Retry returns an Origin that asks o again, up to n times, after failures that are Transient. The pauses grow and are
// jittered, so that a crowd doesn't come back as one; Error.After makes them longer.
//
// A failure is told at once, whatever is left of n, if the pause would reach past the deadline of the context or the
// patience of a [Limit], or if the origin asks for more than 5 s: nobody waits for nothing, and the failure is told as
// what it is. The end of the context ends a pause. Only Open is retried; see [Resume] for what breaks later.
func Retry(o Origin, n int) Origin {
	if n <= 0 {
		return o
	}
	return &retry{origin: o, times: n}
}

type retry struct {
	origin Origin
	times  int
}

// Open asks until there is an answer, or a failure that asking again won't change.
func (r *retry) Open(ctx context.Context, req Request) (*Object, error) {
	obj, err := r.origin.Open(ctx, req)
	if err == nil {
		return obj, nil
	}
	pauses := backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: longestPause,
		Multiplier: 2, RandomizationFactor: backoff.DefaultRandomizationFactor,
	}
	for range r.times {
		after, transient := mayPass(err)
		pause := max(after, pauses.NextBackOff())
		if !transient || !fits(ctx, pause) {
			return nil, err
		}
		if !sleep(ctx, pause) {
			return nil, ended(ctx, req.Key, err)
		}
		if obj, err = r.origin.Open(ctx, req); err == nil {
			return obj, nil
		}
	}
	return nil, err
}

// mayPass reports whether the same request may succeed in a moment, and how long that is at least.
func mayPass(err error) (after time.Duration, transient bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.Transient || e.After > longestAfter {
		return 0, false
	}
	return e.After, true
}

// fits reports whether whoever waits for a call with ctx still does so behind pause.
func fits(ctx context.Context, pause time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	left, ok := patience(ctx)
	return !ok || left > pause
}

// sleep waits for pause, and reports whether ctx lasted as long.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
