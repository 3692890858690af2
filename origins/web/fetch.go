package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// maxHops is how many redirects of one request are followed.
const maxHops = 5

// route is where the requests for one object may go, and who carries them.
type route struct {
	first *url.URL

	// next returns where a redirect leads to, or the *origins.Error of one that isn't followed.
	next func(from *url.URL, location string) (*url.URL, error)

	// via says who carries a request to target. left tells that the requests were at a foreign server already.
	via func(target *url.URL, left bool) carrier
}

// carrier carries a request to a server.
type carrier struct {
	transport http.RoundTripper
	sending   sending
	foreign   bool // a server that somebody else than the operator chose
}

// open asks for the object and follows redirects.
func open(ctx context.Context, req origins.Request, r route) (*origins.Object, error) {
	if err := remote.CheckRange(req); err != nil {
		return nil, err
	}
	res, foreign, err := fetch(ctx, req, r)
	if err != nil {
		return nil, err
	}
	obj, err := answer(ctx, res, req, foreign)
	if err == nil {
		return obj, nil
	}
	dismiss(res.Body)
	if errors.Is(err, remote.ErrEncodedPart) {
		req.Range = nil
		return open(ctx, req, r)
	}
	return nil, err
}

// fetch sends the request and follows redirects. The caller closes the body of the response, which may be that of a
// foreign server.
func fetch(ctx context.Context, req origins.Request, r route) (res *http.Response, foreign bool, err error) {
	target, left := r.first, false
	for hops := 0; ; hops++ {
		c := r.via(target, left)
		left = left || c.foreign
		res, err := c.transport.RoundTrip(request(ctx, target, c.sending, req))
		if err != nil {
			return nil, c.foreign, broken(ctx, req.Key, err, c.foreign)
		}
		if !isRedirect(res.StatusCode) {
			return res, c.foreign, nil
		}
		dismiss(res.Body)
		if hops == maxHops {
			e := remote.Fail(origins.Unknown, req.Key, "more than %d redirects", maxHops)
			e.Alive = true
			return nil, c.foreign, e
		}
		if target, err = r.next(target, res.Header.Get("Location")); err != nil {
			return nil, c.foreign, err
		}
	}
}

// broken returns the error of a request without an answer. A foreign server that is not there says nothing about the
// origin, so the dial that took too long, by which a breaker knows a dead one, is left out of the chain.
func broken(ctx context.Context, key string, err error, foreign bool) error {
	e := remote.Broken(ctx, key, err)
	if foreign {
		e.Alive = true
		if e.Kind == origins.Timeout {
			e.Err = errors.New(e.Err.Error())
		}
	}
	return e
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// dismiss closes the body of an answer that nobody wants, an error page mostly. It reads a page of usual size, because
// closing a body early costs the connection, and missing files are common where origins stand in a row. It doesn't
// wait for a page that doesn't come: the status has said all.
func dismiss(body io.ReadCloser) {
	impatient := time.AfterFunc(100*time.Millisecond, func() { body.Close() })
	io.CopyN(io.Discard, body, 16<<10)
	impatient.Stop()
	body.Close()
}

// request returns the request for target, with what the server there alone is sent.
func request(ctx context.Context, target *url.URL, s sending, req origins.Request) *http.Request {
	r := (&http.Request{
		Method: http.MethodGet, URL: target, Host: target.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	r.Header.Set("User-Agent", "imageorigin")
	for name, values := range s.header {
		r.Header[name] = values
	}
	if s.host != "" {
		r.Host = s.host
	}
	// What we ask for is what is stored: a part, a size or an ETag of a compressed form would be of no use.
	r.Header.Set("Accept-Encoding", "identity")
	if httpguts.ValidHeaderFieldValue(req.From) && req.From != "" {
		r.Header.Set("X-Req-From", req.From)
	}
	if req.Range != nil {
		r.Header.Set("Range", remote.RangeHeader(*req.Range))
	}
	if req.Match != "" && httpguts.ValidHeaderFieldValue(req.Match) {
		r.Header.Set("If-Match", req.Match)
	}
	if v := req.Validator; v.ETag != "" && httpguts.ValidHeaderFieldValue(v.ETag) {
		r.Header.Set("If-None-Match", v.ETag)
	}
	if v := req.Validator; !v.Modified.IsZero() {
		r.Header.Set("If-Modified-Since", v.Modified.UTC().Format(http.TimeFormat))
	}
	return r
}

// cleanQuery returns query with what has no business in a request line escaped.
func cleanQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
