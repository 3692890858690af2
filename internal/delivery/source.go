package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// source is an original being looked at: its first bytes are read, and what is done with the rest depends on them.
type source struct {
	ctx     context.Context
	origin  origins.Origin
	request origins.Request
	wanted  *origins.Range // the part that the client will read, if it said so

	attributes origins.Attributes
	body       io.ReadCloser
	head       []byte         // the first transform.SniffLen bytes, or all of a shorter file
	whole      bool           // body goes on behind head to the end of the file
	broke      *origins.Error // the answer of an origin that failed while it was read, before the client got any of it
	part       *origins.Range // what body is of, where it isn't the whole
	ahead      bool           // body is the part that the client wants, and head belongs to an earlier answer
}

// open opens the original and reads its head. Where the client wants a part only, no more than the head is asked of
// the origin: which part it takes, if the file turns out not to be a picture, is asked for then.
func (s *source) open(wanted *origins.Range) error {
	s.wanted = wanted
	req := s.request
	if wanted != nil && (wanted.Start > 0 || wanted.Length >= 0) {
		req.Range = &origins.Range{Start: 0, Length: transform.SniffLen}
	}
	if err := s.start(req); err != nil {
		// A file without bytes has no first byte to be asked for.
		if req.Range == nil || origins.KindOf(err) != origins.Invalid {
			return err
		}
		if err := s.start(s.request); err != nil {
			return err
		}
	}
	if !s.whole && s.attributes.Size < 0 {
		// A part of a file whose size the origin doesn't tell leads nowhere: what is behind it can't be named.
		s.Close()
		if err := s.start(s.request); err != nil {
			return err
		}
	}
	head := make([]byte, transform.SniffLen)
	n, err := io.ReadFull(s.body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return s.failed(err)
	}
	s.head = head[:n:n]
	if n < len(head) && s.whole {
		if s.attributes.Size > int64(n) {
			return s.failed(io.ErrUnexpectedEOF)
		}
		s.attributes.Size = int64(n)
	}
	return nil
}

func (s *source) start(req origins.Request) error {
	obj, err := s.origin.Open(s.ctx, req)
	if err != nil {
		return err
	}
	s.body, s.attributes = obj.Body, obj.Attributes
	s.request.Validator = origins.Validator{} // the answer is another version
	s.part = obj.Range
	s.whole = obj.Range == nil || (obj.Range.Start == 0 && obj.Range.Length == obj.Size)
	return nil
}

// failed gives an error of the body its kind, which the origin's own reader knows best.
func (s *source) failed(err error) error {
	if e, ok := asOrigins(err); ok {
		s.broke = e
		return err
	}
	kind := origins.KindOf(err)
	if kind == origins.Unknown {
		kind = origins.Unreachable
	}
	s.broke = &origins.Error{Kind: kind, Origin: s.attributes.Origin, Key: s.request.Key, Err: fmt.Errorf("reading: %w", err)}
	return s.broke
}

// pass prepares the source for another attempt that passes over the origin whose answer failed, and reports whether
// there is a point in one: an origin that cannot answer never hides one that can.
func (s *source) pass() bool {
	e := s.broke
	if e == nil || e.Origin == "" || s.ctx.Err() != nil {
		return false
	}
	if slices.ContainsFunc(s.request.Failed, func(f *origins.Error) bool { return f.Origin == e.Origin }) {
		return false // it was asked again all the same
	}
	s.Close()
	request := s.request
	request.Failed = append(slices.Clone(request.Failed), e)
	*s = source{ctx: s.ctx, origin: s.origin, request: request}
	return true
}

// readAll returns the whole original, at most limit bytes (0: no limit), and closes it. The memory is from buffer.
func (s *source) readAll(limit int64) ([]byte, error) {
	if !s.whole {
		s.Close()
		if err := s.open(nil); err != nil {
			return nil, err
		}
	}
	defer s.Close()
	size := s.attributes.Size
	if limit > 0 && size > limit {
		return nil, sourceTooLarge(size, limit)
	}
	// Bytes are allocated once where the size is told, and a file that lies about it is an error either way.
	buf := append(buffer(max(size, int64(len(s.head)))+1), s.head...)
	buf, err := s.readInto(buf, limit)
	if err != nil {
		release(buf)
		return nil, err
	}
	return buf, nil
}

// readInto reads the rest of the body behind what is in buf, which it exchanges for larger memory where it has to.
func (s *source) readInto(buf []byte, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			larger := append(buffer(2*int64(cap(buf))), buf...)
			release(buf)
			buf = larger
		}
		n, err := s.body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if limit > 0 && int64(len(buf)) > limit {
			return buf, sourceTooLarge(-1, limit)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return buf, s.failed(err)
		}
	}
	if size := s.attributes.Size; size >= 0 && int64(len(buf)) != size {
		return buf, s.failed(fmt.Errorf("%d bytes came, %d were promised: %w", len(buf), size, io.ErrUnexpectedEOF))
	}
	return buf, nil
}

func sourceTooLarge(size, limit int64) error {
	told := "more"
	if size >= 0 {
		told = fmt.Sprintf("%d bytes", size)
	}
	return &plan.LimitError{Limit: "source_size", Msg: fmt.Sprintf("the original has %s; at most %d bytes are transformed", told, limit)}
}

// passThrough answers with the original as it is. Ownership of the body passes to the response.
func (s *source) passThrough() (*Response, error) {
	if err := s.advance(); err != nil {
		return nil, err
	}
	a := s.attributes
	resp := &Response{ContentType: a.ContentType, Size: a.Size, Modified: a.Modified, Origin: a, ETag: originalETag(a)}
	switch file, ok := s.body.(io.ReadSeekCloser); {
	case a.Size < 0:
		resp.Content = &stream{Reader: io.MultiReader(newMemory(s.head), s.body), Closer: s.body}
	case ok && s.whole && rewind(file):
		resp.Content = file
	default:
		resp.Content = newRemote(s)
	}
	s.body = nil
	return resp, nil
}

// advance opens the original where the client will read, if that isn't in the head: as long as nothing is promised to
// the client, a fault can still be told, and an origin that names its versions differently from one answer to the next
// be taken at its last word. An origin that names none is asked for all that the client wants at once: what a second
// answer brings may be of another version.
func (s *source) advance() error {
	w, head := s.wanted, int64(len(s.head))
	if s.whole || w == nil || w.Length == 0 || w.Start >= s.attributes.Size {
		return nil
	}
	if within := w.Length > 0 && w.Start+w.Length <= head; within || w.Start < head && s.attributes.Versioned() {
		return nil
	}
	s.Close()
	req := s.request
	req.Range = w
	if err := s.start(req); err != nil {
		return err
	}
	if s.attributes.Size < 0 {
		return &origins.Error{Kind: origins.Unknown, Origin: s.attributes.Origin, Key: s.request.Key, Err: errVague}
	}
	s.ahead = true
	return nil
}

// errVague is the error of an origin that told the size of a file a moment ago.
var errVague = errors.New("the origin does not tell the size any more")

func rewind(s io.Seeker) bool {
	_, err := s.Seek(0, io.SeekStart)
	return err == nil
}

// Close closes the body if it is still ours.
func (s *source) Close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

func isOrigins(err error) bool {
	_, ok := asOrigins(err)
	return ok
}

func asOrigins(err error) (*origins.Error, bool) { return errors.AsType[*origins.Error](err) }
