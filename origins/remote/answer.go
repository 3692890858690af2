package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
)

// ErrEncodedPart is a part of a compressed form, which can't be decoded. The whole can: ask for that.
var ErrEncodedPart = errors.New("the answer is a part of a compressed form")

// Answer is what a server or a store says to a request for an object that it has, whatever the library that asked.
type Answer struct {
	Body     io.ReadCloser
	Length   int64  // of Body, as announced; -1 is unknown
	Range    string // Content-Range, where Body is a part: "bytes 0-9/100"
	Partial  bool   // Body is a part: the status was 206
	Encoding string // Content-Encoding of Body

	// What is known about the object, but Size, which Object finds out.
	Attributes origins.Attributes
}

// Object returns the object that a brings, its body decompressed and bound to ctx. A part that isn't exactly the one
// that req asks for would be wrong bytes at the right place, so it is an error. On an error Body is not closed. See
// [ErrEncodedPart]. An answer that has the ETag of req.Validator is NotModified, whatever its status; with req.Match it isn't.
func Object(ctx context.Context, req origins.Request, a Answer) (*origins.Object, error) {
	if unchanged(req, a.Attributes) {
		return nil, Unchanged(req.Key, a.Attributes)
	}
	obj, err := object(req, a)
	if err != nil {
		return nil, err
	}
	obj.Body = origins.NewBody(ctx, req.Key, obj.Body)
	return obj, nil
}

func object(req origins.Request, a Answer) (*origins.Object, error) {
	if a.Partial {
		return partial(req, a)
	}
	obj := &origins.Object{Body: a.Body, Attributes: a.Attributes}
	obj.Size = a.Length
	if !encoded(a.Encoding) || a.Length == 0 {
		return obj, nil
	}
	body, err := decode(a.Body, a.Encoding)
	if err != nil {
		return nil, Fail(origins.Unknown, req.Key, "%w", err)
	}
	obj.Body, obj.Size = body, -1
	return obj, nil
}

// partial returns the object of a 206.
func partial(req origins.Request, a Answer) (*origins.Object, error) {
	if req.Range == nil {
		return nil, Fail(origins.Unknown, req.Key, "the server answers a part though the whole was asked for")
	}
	if encoded(a.Encoding) {
		return nil, ErrEncodedPart
	}
	part, size, err := parseContentRange(a.Range)
	if err != nil {
		return nil, Fail(origins.Unknown, req.Key, "%w", err)
	}
	if !matches(part, size, *req.Range) || a.Length >= 0 && a.Length != part.Length {
		return nil, Fail(origins.Unknown, req.Key, "the server answers another part than was asked for")
	}
	obj := &origins.Object{Attributes: a.Attributes, Range: &part}
	obj.Size = size
	obj.Body = &exactBody{ReadCloser: a.Body, left: part.Length}
	return obj, nil
}

// CheckRange returns an *origins.Error unless req asks for the whole or for a range that an object could hold.
func CheckRange(req origins.Request) error {
	if r := req.Range; r != nil && (r.Start < 0 || r.Length == 0 || r.Length < -1) {
		return Fail(origins.Invalid, req.Key, "range from %d, length %d", r.Start, r.Length)
	}
	return nil
}

// matches reports whether part, of an object of size bytes (-1: unknown), is what asked means.
func matches(part origins.Range, size int64, asked origins.Range) bool {
	if size < 0 {
		return part.Start == asked.Start && (asked.Length < 0 || part.Length <= asked.Length)
	}
	want, err := asked.Within(size)
	return err == nil && part == want
}

// RangeHeader returns r as the Range header says it (RFC 9110 §14.1.2).
func RangeHeader(r origins.Range) string {
	if r.Length < 0 || r.Length > math.MaxInt64-r.Start {
		return fmt.Sprintf("bytes=%d-", r.Start)
	}
	return fmt.Sprintf("bytes=%d-%d", r.Start, r.Start+r.Length-1)
}

// parseContentRange reads "bytes 0-9/100" and "bytes 0-9/*", whose size is -1.
func parseContentRange(text string) (origins.Range, int64, error) {
	bad := errors.New("the answer's Content-Range makes no sense")
	span, total, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	if !ok || !strings.HasPrefix(text, "bytes ") {
		return origins.Range{}, 0, bad
	}
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return origins.Range{}, 0, bad
	}
	start, err1 := parseCount(first)
	end, err2 := parseCount(last)
	size, err3 := int64(-1), error(nil)
	if total != "*" {
		size, err3 = parseCount(total)
	}
	if err := errors.Join(err1, err2, err3); err != nil || end < start || size >= 0 && end >= size {
		return origins.Range{}, 0, bad
	}
	return origins.Range{Start: start, Length: end - start + 1}, size, nil
}

// parseCount reads digits, and nothing else.
func parseCount(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 62)
	return int64(n), err
}

// exactBody holds a part to the length that it announced, which a body without Content-Length needn't keep.
type exactBody struct {
	io.ReadCloser

	left int64
}

func (b *exactBody) Read(p []byte) (int, error) {
	if b.left > 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		return 0, errors.New("the part is longer than announced")
	}
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
