package origins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// minRate is what an origin must send while we wait for it, in bytes a second. It is far below any link that a
// picture could sensibly come over, and far above what keeps a connection busy on purpose.
const minRate = 1 << 10

// errGaveUp is the cause of a context that Limit ended.
var errGaveUp = errors.New("the origin took too long")

// Limit returns an Origin that refuses objects above maxBytes and gives up on an o that keeps us waiting. Zero is no
// limit.
//
// The size is enforced while reading, so an origin that lies about Content-Length gains nothing.
//
// timeout bounds Open, and then the time that reads wait: whenever as much waiting has passed, at least 1 KiB a
// second must have come, or the read fails with Timeout. The time between reads is the client's and doesn't count: a
// long video over a slow line is not cut off, while an origin that falls silent, or drips, is.
func Limit(o Origin, maxBytes int64, timeout time.Duration) Origin {
	if maxBytes <= 0 && timeout <= 0 {
		return o
	}
	return &limit{origin: o, maxBytes: maxBytes, timeout: timeout}
}

type limit struct {
	origin   Origin
	maxBytes int64
	timeout  time.Duration
}

// Open opens the object, if it can be had in time and isn't known to be too large.
func (l *limit) Open(ctx context.Context, req Request) (*Object, error) {
	w := l.newWait(ctx)
	obj, err := w.open(l.origin, req)
	if err != nil {
		w.end()
		return nil, err
	}
	if l.maxBytes > 0 && obj.Size > l.maxBytes {
		obj.Body.Close()
		w.end()
		return nil, tooLarge(req.Key, l.maxBytes)
	}
	b := &limitedBody{body: obj.Body, wait: w, key: req.Key, max: l.maxBytes}
	if obj.Range != nil {
		b.start = obj.Range.Start
		b.at = b.start
	}
	obj.Body = keepSeek(b, obj.Body)
	return obj, nil
}

// newWait starts the clock of one call; the caller ends it.
func (l *limit) newWait(ctx context.Context) *wait {
	if l.timeout <= 0 {
		return &wait{ctx: ctx, cancel: func(error) {}}
	}
	w := &wait{began: time.Now(), allowance: l.timeout, left: l.timeout}
	w.ends.Store(int64(l.timeout))
	w.ctx, w.cancel = context.WithCancelCause(context.WithValue(ctx, waitKey{}, w))
	w.timer = time.AfterFunc(l.timeout, func() { w.cancel(errGaveUp) })
	return w
}

// wait measures how long we wait for an origin, and ends its context when that is too long.
type wait struct {
	ctx       context.Context // bounds the call and every read of the body; the body ends it
	cancel    context.CancelCauseFunc
	timer     *time.Timer   // runs while we wait; nil without a timeout
	began     time.Time     // of Open
	ends      atomic.Int64  // time.Duration from began until the timer fires, if it runs
	allowance time.Duration // waiting that is allowed until enough has come
	left      time.Duration // of the allowance
	got       int           // bytes that came on this allowance
}

type waitKey struct{}

// patience returns how long a [Limit] still waits for a call with ctx, if there is one around it. The deadline of ctx
// doesn't say: a body that is read is waited for anew.
func patience(ctx context.Context) (left time.Duration, ok bool) {
	w, ok := ctx.Value(waitKey{}).(*wait)
	if !ok {
		return 0, false
	}
	return time.Until(w.began.Add(time.Duration(w.ends.Load()))), true
}

// open opens the object of req under the timer, which is already running.
func (w *wait) open(o Origin, req Request) (*Object, error) {
	obj, err := o.Open(w.ctx, req)
	if w.timer == nil || w.timer.Stop() {
		return obj, err
	}
	if err == nil {
		obj.Body.Close()
	}
	return nil, w.timeout(req.Key, err)
}

// read reads under the timer.
func (w *wait) read(r io.Reader, p []byte, key string) (int, error) {
	if w.timer == nil {
		return r.Read(p)
	}
	began := time.Now()
	w.ends.Store(int64(began.Add(w.left).Sub(w.began)))
	w.timer.Reset(w.left)
	n, err := r.Read(p)
	if !w.timer.Stop() {
		if err == io.EOF {
			return n, err
		}
		return n, w.timeout(key, err)
	}
	w.got += n
	w.left -= time.Since(began)
	if float64(w.got) >= minRate*w.allowance.Seconds() {
		w.left, w.got = w.allowance, 0
	}
	return n, err
}

// timeout returns the error of an origin that we no longer wait for.
func (w *wait) timeout(key string, err error) error {
	e := &Error{Kind: Timeout, Key: key, Err: fmt.Errorf("%w: no answer, or less than 1 KiB a second, within %v", errGaveUp, w.allowance)}
	if cause, ok := errors.AsType[*Error](err); ok {
		e.Origin, e.Alive = cause.Origin, cause.Alive
	}
	e.Remedy = "look why the origin is slow, or give it more time with timeout"
	if errors.Is(err, ErrBusy) {
		e.Err = errors.Unwrap(err) // the origin was never asked, and didn't take too long
		e.Remedy = "raise max_in_flight, or bound the visitors who hold the places with the timeout write of Caddy's servers"
	}
	return e
}

// end gives back the timer and the context.
func (w *wait) end() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// limitedBody is the body of an object under a Limit.
type limitedBody struct {
	body  io.ReadCloser
	wait  *wait
	key   string
	max   int64 // bytes of the whole object; 0 is no limit
	start int64 // where in the object the body begins
	at    int64 // where in the object the next read begins
}

// Read reads up to the limit, and fails if there is more.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.max <= 0 {
		return b.wait.read(b.body, p, b.key)
	}
	room := b.max - b.at
	if room < 0 {
		return 0, tooLarge(b.key, b.max)
	}
	if int64(len(p)) > room+1 {
		p = p[:room+1] // one byte more, to see whether there is one
	}
	n, err := b.wait.read(b.body, p, b.key)
	b.at += int64(n)
	if int64(n) > room {
		return int(room), tooLarge(b.key, b.max)
	}
	return n, err
}

// Close closes the body and ends its context.
func (b *limitedBody) Close() error {
	err := b.body.Close()
	b.wait.end()
	return err
}

func (b *limitedBody) moved(offset int64) { b.at = b.start + offset }

func tooLarge(key string, maxBytes int64) error {
	return &Error{Kind: TooLarge, Key: key, Err: fmt.Errorf("more than the %d bytes of max_size", maxBytes)}
}
