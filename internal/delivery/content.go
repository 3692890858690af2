package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/imageorigin/imageorigin/origins"
)

var errNotSeekable = errors.New("the content can't be sought in")

// memory is content that is held in memory.
type memory struct{ *bytes.Reader }

func newMemory(b []byte) memory { return memory{bytes.NewReader(b)} }
func (memory) Close() error     { return nil }

// stream is content of unknown size.
type stream struct {
	io.Reader
	io.Closer
}

func (stream) Seek(int64, int) (int64, error) { return 0, errNotSeekable }

// closing is content that closes something else after itself.
type closing struct {
	io.ReadSeekCloser
	also io.Closer
}

// Unwrap returns the content itself, some kinds of which servers send faster than by reading.
func (c *closing) Unwrap() io.ReadSeekCloser { return c.ReadSeekCloser }

func (c *closing) Close() error {
	err := c.ReadSeekCloser.Close()
	c.also.Close()
	return err
}

// remote is an original that its origin can't seek in: it reads on from where the body stands, and opens the original
// again by range where it is sought elsewhere. Only what is read is fetched.
type remote struct {
	ctx     context.Context
	origin  origins.Origin
	request origins.Request
	want    origins.Attributes // what the file must still be when it is opened again
	wanted  *origins.Range

	head []byte
	read bool  // something was
	pos  int64 // where the reader is
	body io.ReadCloser
	at   int64 // where body stands
	end  int64 // where body ends
}

func newRemote(s *source) *remote {
	r := &remote{
		ctx: s.ctx, origin: s.origin, request: s.request, want: s.attributes, wanted: s.wanted,
		head: s.head, body: s.body, at: int64(len(s.head)), end: s.attributes.Size,
	}
	switch {
	case s.ahead:
		r.head, r.at = nil, 0
		if s.part != nil {
			r.at, r.end = s.part.Start, s.part.Start+s.part.Length
		}
	case !s.whole:
		r.end = r.at
	}
	return r
}

// Seek implements io.Seeker; it fetches nothing.
func (r *remote) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.want.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seeking to %d: before the start", offset)
	}
	r.pos = offset
	return offset, nil
}

// Read implements io.Reader.
func (r *remote) Read(p []byte) (int, error) {
	if r.pos >= r.want.Size {
		return 0, io.EOF
	}
	if r.pos < int64(len(r.head)) {
		n := copy(p, r.head[r.pos:])
		r.pos, r.read = r.pos+int64(n), true
		return n, nil
	}
	if err := r.reach(); err != nil {
		return 0, err
	}
	n, err := r.body.Read(p)
	r.read = r.read || n > 0
	r.pos += int64(n)
	r.at = r.pos
	if errors.Is(err, io.EOF) {
		if n == 0 && r.at < r.end {
			return 0, io.ErrUnexpectedEOF // the origin broke its promise; never let it look like the end
		}
		err = nil
	}
	return n, err
}

// maxGap is how much of a body is read over rather than opened anew behind it.
const maxGap = 64 << 10

// reach puts the body where the reader is.
func (r *remote) reach() error {
	gap := r.pos - r.at
	if r.body == nil || gap < 0 || r.pos >= r.end || gap > maxGap && r.want.Versioned() {
		return r.reopen()
	}
	return r.skip(gap)
}

// skip reads over n bytes of the body.
func (r *remote) skip(n int64) error {
	done, err := io.CopyN(io.Discard, r.body, n)
	r.at += done
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// reopen opens the original where the reader is: as far as the client said it would read, else to the end.
func (r *remote) reopen() error {
	r.Close()
	if r.read && !r.want.Versioned() {
		return r.fault(errors.New("the origin doesn't name the version of the original, so no more of it can be asked for"))
	}
	req := r.request
	if r.want.Versioned() {
		req.Match = r.want.ETag
	}
	req.Range = &origins.Range{Start: r.pos, Length: -1}
	if r.wanted != nil && r.wanted.Start <= r.pos && r.wanted.Length > r.pos-r.wanted.Start {
		req.Range.Length = r.wanted.Start + r.wanted.Length - r.pos
	}
	obj, err := r.origin.Open(r.ctx, req)
	if err != nil {
		return err
	}
	if !same(obj.Attributes, r.want) {
		obj.Body.Close()
		return r.fault(errors.New("the original changed while it was being sent"))
	}
	r.body, r.at, r.end = obj.Body, 0, r.want.Size
	if obj.Range != nil {
		r.at, r.end = obj.Range.Start, obj.Range.Start+obj.Range.Length
	}
	if r.at > r.pos {
		return r.fault(fmt.Errorf("asked for bytes from %d, got them from %d", r.pos, r.at))
	}
	return r.skip(r.pos - r.at) // where the origin ignored the range
}

// fault is a failure of the origin.
func (r *remote) fault(err error) error {
	return &origins.Error{Kind: origins.Unknown, Origin: r.want.Origin, Key: r.request.Key, Err: err}
}

func same(a, b origins.Attributes) bool {
	return a.Origin == b.Origin && a.Size == b.Size && a.ETag == b.ETag && a.Modified.Equal(b.Modified)
}

// Close closes what is open.
func (r *remote) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}
