package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
)

// deadline bounds the time until an answer is ready, and lets the answer itself take as long as its client does.
type deadline struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

// withDeadline returns a context that ends after limit (0: never), unless rest is called before.
func withDeadline(ctx context.Context, limit time.Duration) (context.Context, *deadline) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := &deadline{ctx: ctx, cancel: cancel, limit: limit}
	if limit > 0 {
		d.timer = time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	}
	return ctx, d
}

// rest stops the clock.
func (d *deadline) rest() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

// Close ends the context.
func (d *deadline) Close() error {
	d.rest()
	d.cancel(context.Canceled)
	return nil
}

// explain tells the deadline's own end from a client that went away: both reach the stages as a cancelled context.
func (d *deadline) explain(err error) error {
	if context.Cause(d.ctx) != context.DeadlineExceeded {
		return err
	}
	if e, ok := asOrigins(err); ok && e.Kind == origins.Canceled {
		return &origins.Error{Kind: origins.Timeout, Origin: e.Origin, Key: e.Key, Err: &lateError{"no answer", d.limit}}
	}
	if errors.Is(err, transform.ErrNoSlot) {
		return &transform.Error{Kind: transform.Overloaded, Op: "waiting for a slot", Err: &lateError{"none", d.limit}}
	}
	if transform.KindOf(err) == transform.Canceled {
		return &transform.Error{Kind: transform.Timeout, Op: "transforming", Err: &lateError{"not done", d.limit}}
	}
	return err
}

// lateError says that the time of a request was up.
type lateError struct {
	what  string
	limit time.Duration
}

func (e *lateError) Error() string {
	return fmt.Sprintf("%s within limit timeout of %s", e.what, e.limit)
}
