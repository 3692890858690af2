package origins

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
)

// NewBody returns body with what the contract of [Origin] asks of one, for origins whose library doesn't see to it:
// reads fail once ctx is done; every failure is an *Error for key, Unreachable if body doesn't say better; Close may
// be called twice. The result is an io.Seeker exactly if body is one.
func NewBody(ctx context.Context, key string, body io.ReadCloser) io.ReadCloser {
	return keepSeek(&boundBody{body: body, key: key, done: ctx.Err}, body)
}

type boundBody struct {
	body   io.ReadCloser
	key    string
	done   func() error // says why reading must end
	closed atomic.Bool
}

func (b *boundBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, &Error{Kind: Unknown, Key: b.key, Err: fs.ErrClosed}
	}
	if err := b.done(); err != nil {
		return 0, b.failed(err)
	}
	n, err := b.body.Read(p)
	if err != nil && err != io.EOF {
		err = b.failed(err)
	}
	return n, err
}

// failed returns err as an *Error.
func (b *boundBody) failed(err error) error {
	if done := b.done(); done != nil {
		// What a library makes of the end of a context is anybody's guess.
		return &Error{Kind: KindOf(done), Key: b.key, Err: err}
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	kind := Unreachable
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		kind = Timeout
	}
	return &Error{Kind: kind, Key: b.key, Err: err}
}

// Close closes the body, once.
func (b *boundBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.body.Close()
}

func (b *boundBody) moved(int64) {}

// layer is a body that wraps another one.
type layer interface {
	io.ReadCloser

	// moved tells that the next read begins at offset, for the layers that count.
	moved(offset int64)
}

// keepSeek returns outer, which wraps inner, as an io.Seeker exactly if inner is one: whoever serves a file asks its
// body whether it can seek, and a Seek method that always fails would be a lie.
func keepSeek(outer layer, inner io.Reader) io.ReadCloser {
	s, ok := inner.(io.Seeker)
	if !ok {
		return outer
	}
	return &seekable{layer: outer, seeker: s}
}

type seekable struct {
	layer

	seeker io.Seeker
}

// Seek moves the innermost body and tells the layers above.
func (s *seekable) Seek(offset int64, whence int) (int64, error) {
	at, err := s.seeker.Seek(offset, whence)
	if err == nil {
		s.moved(at)
	}
	return at, err
}
