package web

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/origins"
)

// errEncodedPart is a part of a compressed form, which can't be decoded. The whole can.
var errEncodedPart = errors.New("the answer is a part of a compressed form")

// answer returns the object that res brings, or the failure that it tells of.
func answer(res *http.Response, req origins.Request) (*origins.Object, error) {
	switch res.StatusCode {
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		return whole(res, req.Key)
	case http.StatusPartialContent:
		return partial(res, req)
	case http.StatusNotModified:
		if v := req.Validator; v.ETag != "" || !v.Modified.IsZero() {
			return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key}
		}
	}
	return nil, fail(kindOf(res.StatusCode), req.Key, "the server answers %d", res.StatusCode)
}

// whole returns the object of a 200.
func whole(res *http.Response, key string) (*origins.Object, error) {
	body, decoded, err := decode(res)
	if err != nil {
		return nil, fail(origins.Unknown, key, "%w", err)
	}
	obj := &origins.Object{Body: body, Attributes: attributes(res.Header)}
	obj.Size = res.ContentLength // -1 is unknown, here as there
	if decoded {
		obj.Size = -1
	}
	return obj, nil
}

// partial returns the object of a 206. A part that isn't the one we asked for would be wrong bytes at the right place.
func partial(res *http.Response, req origins.Request) (*origins.Object, error) {
	if req.Range == nil {
		return nil, fail(origins.Unknown, req.Key, "the server answers a part though the whole was asked for")
	}
	if encoded(res) {
		return nil, errEncodedPart
	}
	part, size, err := parseContentRange(res.Header.Get("Content-Range"))
	if err != nil {
		return nil, fail(origins.Unknown, req.Key, "%w", err)
	}
	if !matches(part, size, *req.Range) || res.ContentLength >= 0 && res.ContentLength != part.Length {
		return nil, fail(origins.Unknown, req.Key, "the server answers another part than was asked for")
	}
	obj := &origins.Object{Attributes: attributes(res.Header), Range: &part}
	obj.Size = size
	obj.Body = &exactBody{ReadCloser: res.Body, left: part.Length}
	return obj, nil
}

// matches reports whether part, of an object of size bytes (-1: unknown), is what asked means.
func matches(part origins.Range, size int64, asked origins.Range) bool {
	if size < 0 {
		return part.Start == asked.Start && (asked.Length < 0 || part.Length <= asked.Length)
	}
	want, err := asked.Within(size)
	return err == nil && part == want
}

// attributes returns what the headers of an answer say about the object.
func attributes(h http.Header) origins.Attributes {
	a := origins.Attributes{
		ContentType:  h.Get("Content-Type"),
		ETag:         h.Get("ETag"),
		CacheControl: strings.Join(h.Values("Cache-Control"), ", "),
		Private:      strings.EqualFold(strings.TrimSpace(h.Get("Is-Private-File")), "true"),
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		a.Modified = t
	}
	return a
}

// rangeHeader returns r as the Range header says it (RFC 9110 §14.1.2).
func rangeHeader(r origins.Range) string {
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
