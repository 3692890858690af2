package gcs

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"

	"cloud.google.com/go/storage"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// errSecondRequest is what the library gets that would read on by itself when a body breaks: whether to read on, and
// which version, is decided in front of us.
var errSecondRequest = errors.New("one request is made for each object")

// attempt is the one request that is made for an object. It keeps what the library doesn't pass on. It is used by one
// goroutine at a time.
type attempt struct {
	rangeHeader string // "": the whole

	asked  bool
	status int // 0 before there is an answer
	header http.Header
	length int64 // of the body; -1 is unknown
	broken error // why reading the body failed
}

type attemptKey struct{}

// in returns ctx with a in it, for the transport.
func (a *attempt) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// transport sends the request of an attempt, with a token.
type transport struct {
	base   http.RoundTripper
	tokens *remote.Tokens // nil sends none
}

// RoundTrip sends r unless its attempt has been made already.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	a, ok := r.Context().Value(attemptKey{}).(*attempt)
	if !ok || a.asked {
		return nil, errSecondRequest
	}
	a.asked = true
	r = r.Clone(r.Context()) // a RoundTripper changes no request
	if t.tokens != nil {
		token, err := t.tokens.Get(r.Context())
		if err != nil {
			return nil, &tokenError{err}
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	// What is stored compressed is to come as it is stored, in a length that is known: otherwise the store decompresses
	// it, and answers no ranges. The library knows an option for that, and refuses it for the JSON API.
	r.Header.Set("Accept-Encoding", "gzip")
	// The library can't ask for "bytes=0-".
	if a.rangeHeader != "" {
		r.Header.Set("Range", a.rangeHeader)
	}
	res, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	a.status, a.header, a.length = res.StatusCode, res.Header, res.ContentLength
	res.Body = &watchedBody{res.Body, a}
	if a.length < 0 {
		res.ContentLength = math.MaxInt64 // the library takes -1 for a number, and logs that more came
	}
	return res, nil
}

// watchedBody notes in its attempt why it broke.
type watchedBody struct {
	io.ReadCloser

	attempt *attempt
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.attempt.broken = err
	}
	return n, err
}

// body is what the library reads, with errors that say what happened.
type body struct {
	reader  *storage.Reader
	attempt *attempt
	key     string
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case b.attempt.broken != nil:
		return n, b.attempt.broken
	}
	// The connection is fine, and so the library complains about what came.
	return n, &origins.Error{
		Kind: origins.Unknown, Key: b.key, Err: errors.New("the bytes don't fit the checksum that the store has of them"),
	}
}

// Close gives the connection back. The library tells here what it told at the last Read, which is nothing new.
func (b *body) Close() error {
	b.reader.Close()
	return nil
}
