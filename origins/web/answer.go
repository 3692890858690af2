package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// answer returns the object that res brings, or the failure that it tells of. foreign tells that it comes from a server
// that is sent no credentials.
func answer(ctx context.Context, res *http.Response, req origins.Request, foreign bool) (*origins.Object, error) {
	switch res.StatusCode {
	case http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusPartialContent:
		return remote.Object(ctx, req, remote.Answer{
			Body:       res.Body,
			Length:     res.ContentLength, // -1 is unknown, here as there
			Range:      res.Header.Get("Content-Range"),
			Partial:    res.StatusCode == http.StatusPartialContent,
			Encoding:   strings.Join(res.Header.Values("Content-Encoding"), ","),
			Attributes: attributes(res.Header, time.Now()),
		})
	case http.StatusNotModified:
		if v := req.Validator; v.ETag != "" || !v.Modified.IsZero() {
			return nil, remote.Unchanged(req.Key, attributes(res.Header, time.Now()))
		}
	}
	return nil, refusal(res, req.Key, foreign)
}

// refusal returns the failure that a status tells of.
func refusal(res *http.Response, key string, foreign bool) error {
	e := remote.Fail(remote.KindOfStatus(res.StatusCode), key, "the server answers %d", res.StatusCode)
	e.Transient = remote.TransientStatus(res.StatusCode)
	e.Alive = foreign || remote.AliveStatus(res.StatusCode) // the origin is well, which sent us to a foreign server
	e.After = remote.RetryAfter(res.Header, time.Now())
	switch res.StatusCode {
	case http.StatusUnauthorized:
		e.Remedy = "set or correct the credentials with auth or header"
	case http.StatusForbidden:
		e.Hidden = true // as a bucket behind a web server answers for what it doesn't have
		e.Remedy = "allow this machine to read, with auth, header or the server's own rules; if the server answers 403 for missing files, set missing_on_denied"
	}
	if foreign && e.Remedy != "" {
		e.Remedy = "let that server answer without credentials: none are sent to where keys and redirects lead; if it answers 403 for missing files, set missing_on_denied"
	}
	return remote.Complete(e, res.StatusCode)
}

// attributes returns what the headers of an answer that came now say about the object.
func attributes(h http.Header, now time.Time) origins.Attributes {
	a := origins.Attributes{
		ContentType:  h.Get("Content-Type"),
		ETag:         h.Get("ETag"),
		CacheControl: cacheControl(h, now),
		Age:          age(h),
		Tags:         origins.Tags(slices.Concat(h.Values("Cache-Tag"), h.Values("Surrogate-Key"))...),
		Private:      strings.EqualFold(strings.TrimSpace(h.Get("Is-Private-File")), "true"),
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		a.Modified = t
	}
	if a.ETag == "*" {
		a.ETag = "" // asked for by If-None-Match, it would stand for any version
	}
	return a
}
