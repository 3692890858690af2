package origins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// resumeRefill is how much must come for a body to have all its attempts again.
const resumeRefill = 1 << 20

// Resume returns an Origin whose bodies are whole or fail. A body that breaks (kind Unreachable) or ends too early is
// opened again from where it stands, and reading goes on, if what comes is a part of the same version: the ETag is
// strong and the same, the size is the same, the part is the one that was asked for. An object that has no strong
// ETag, or whose size is unknown, can't be resumed.
//
// What could not be resumed fails with the first cause: Unreachable, or Unknown if the object changed meanwhile. A body
// is never just short: one that ends before Attributes.Size, or Range.Length, was cut off; one that goes on behind it
// is Unknown. An unknown size can't be held against a body.
//
// A body is opened again at most attempts times for each MiB that comes, so that an origin that breaks now and then
// can deliver a long video, and one that breaks at each byte is given up. Without attempts only the length is watched.
// The body of a local file, which is an io.Seeker, is passed on as it is.
func Resume(o Origin, attempts int) Origin {
	return OriginFunc(func(ctx context.Context, req Request) (*Object, error) {
		obj, err := o.Open(ctx, req)
		if err != nil {
			return nil, err
		}
		if _, ok := obj.Body.(io.Seeker); ok {
			return obj, nil
		}
		b := &resumedBody{
			open:     func(req Request) (*Object, error) { return o.Open(ctx, req) },
			ended:    func(err error) error { return ended(ctx, req.Key, err) },
			done:     ctx.Err,
			req:      req,
			version:  obj.Attributes,
			attempts: attempts,
			end:      obj.Size,
			body:     obj.Body,
		}
		if obj.Range != nil {
			b.at, b.end = obj.Range.Start, obj.Range.Start+obj.Range.Length
		}
		b.refilled = b.at
		obj.Body = b
		return obj, nil
	})
}

// resumedBody is a body that is opened again when it breaks.
type resumedBody struct {
	open     func(Request) (*Object, error) // under the context of the first Open, as are the next two
	ended    func(error) error              // what is told of err once the context is done
	done     func() error
	req      Request
	version  Attributes
	attempts int

	at       int64 // where in the object the next read begins
	end      int64 // where in the object the body ends; -1 is unknown
	used     int   // attempts since refilled
	refilled int64 // value of at when all attempts were there
	broken   bool  // the next byte needs another body
	first    error // why, since a byte came
	last     error // what every further read tells

	mu     sync.Mutex // Close may come in the middle of a read
	body   io.ReadCloser
	closed bool
}

// Read reads on, on another body if need be.
func (b *resumedBody) Read(p []byte) (int, error) {
	if b.isClosed() {
		return 0, b.errClosed()
	}
	for b.last == nil {
		if b.broken {
			if b.last = b.resume(); b.last != nil {
				break
			}
		}
		n, err := b.current().Read(p)
		if n, err = b.judge(n, err); n > 0 || err != nil || !b.broken {
			b.last = err
			return n, err
		}
	}
	return 0, b.last
}

// judge accounts for n bytes that came with err, and returns what to tell of them. A break that can wait for the next
// read is noted in b.broken instead.
func (b *resumedBody) judge(n int, err error) (int, error) {
	if room := b.end - b.at; b.end >= 0 && int64(n) > room {
		b.at = b.end
		return int(room), &Error{Kind: Unknown, Key: b.req.Key, Err: errors.New("the origin sends more than it announced")}
	}
	if n > 0 {
		b.first = nil
	}
	b.at += int64(n)
	if b.at-b.refilled >= resumeRefill {
		b.refilled, b.used = b.at, 0
	}
	switch {
	case err == nil:
		return n, nil
	case b.at == b.end && (err == io.EOF || b.breaks(err)):
		return n, io.EOF // what breaks behind the last byte harms nobody
	case err == io.EOF && b.end < 0:
		return n, io.EOF
	case err == io.EOF:
		err = &Error{Kind: Unreachable, Key: b.req.Key, Err: io.ErrUnexpectedEOF, Transient: true}
	}
	if b.done() != nil {
		return n, b.ended(err)
	}
	if !b.breaks(err) {
		return n, err
	}
	if b.first == nil {
		b.first = err
	}
	b.broken = true
	return n, nil
}

// breaks reports whether err is a connection that broke.
func (b *resumedBody) breaks(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return b.done() == nil && (!ok || KindOf(err) == Unreachable)
}

// resume replaces the broken body.
func (b *resumedBody) resume() error {
	if why := b.unfit(); why != nil {
		return b.failed(Unreachable, why)
	}
	b.current().Close()
	part := Range{Start: b.at, Length: b.end - b.at}
	why := errors.New("no attempt is left")
	for b.used < b.attempts {
		if err := b.over(); err != nil {
			return err
		}
		b.used++
		obj, err := b.reopen(part)
		if err == nil {
			return b.goOn(obj, part)
		}
		if over := b.over(); over != nil {
			return over
		}
		why = cause(err)
		if KindOf(err) != Unreachable {
			return b.failed(Unknown, why) // 412 above all: it is another object by now
		}
	}
	return b.failed(Unreachable, why)
}

// over returns the error of a body that nobody waits for any more.
func (b *resumedBody) over() error {
	switch {
	case b.isClosed():
		return b.errClosed()
	case b.done() != nil:
		return b.ended(b.first)
	}
	return nil
}

// reopen asks for part, of the version that is being read.
func (b *resumedBody) reopen(part Range) (*Object, error) {
	req := b.req
	req.Range, req.Match, req.Validator = &part, b.version.ETag, Validator{}
	return b.open(req)
}

// unfit says why an object can't be resumed, whatever the origin does.
func (b *resumedBody) unfit() error {
	switch {
	case b.version.Size < 0:
		return errors.New("its size is unknown")
	case !b.version.Versioned():
		return errors.New("it has no strong ETag")
	}
	return nil
}

// goOn makes the body of obj, which should be part, the current one.
func (b *resumedBody) goOn(obj *Object, part Range) error {
	if kind, why := b.differs(obj, part); why != nil {
		obj.Body.Close()
		return b.failed(kind, why)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		obj.Body.Close()
		return b.errClosed()
	}
	b.body, b.broken = obj.Body, false
	return nil
}

// differs says why obj isn't part of the version that is being read.
func (b *resumedBody) differs(obj *Object, part Range) (Kind, error) {
	if obj.ETag != b.version.ETag || obj.Size != b.version.Size {
		return Unknown, errors.New("the object changed while it was read")
	}
	got := Range{Length: obj.Size}
	if obj.Range != nil {
		got = *obj.Range
	}
	if got != part {
		return Unreachable, errors.New("the origin answers another part than was asked for")
	}
	return Unknown, nil
}

// failed returns the first cause as an *Error of kind, with why reading did not go on.
func (b *resumedBody) failed(kind Kind, why error) error {
	e := Error{Key: b.req.Key}
	if first, ok := errors.AsType[*Error](b.first); ok {
		e = *first
	}
	e.Kind = kind
	of := "an unknown number of"
	if b.end >= 0 {
		of = fmt.Sprint(b.end)
	}
	e.Err = fmt.Errorf("%w, at byte %d of %s; not resumed: %w", cause(b.first), b.at, of, why)
	return &e
}

// cause returns what stands behind an *Error, which would otherwise repeat origin, key and kind.
func cause(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Err != nil {
		return e.Err
	}
	return err
}

func (b *resumedBody) current() io.ReadCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.body
}

func (b *resumedBody) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *resumedBody) errClosed() error {
	return &Error{Kind: Unknown, Key: b.req.Key, Err: fs.ErrClosed}
}

// Close closes the current body, once; there will be no other.
func (b *resumedBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	return b.body.Close()
}
