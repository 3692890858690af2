// Package origins fetches originals. It holds the contract that every origin fulfils and the combinators that make
// one origin out of several, or a better one out of one. The origins themselves live in the folders below.
package origins

import (
	"context"
	"io"
	"strings"
	"time"
)

// Origin answers "give me the original". Implementations are safe for concurrent use.
type Origin interface {
	// Open returns the object stored under req.Key; the caller closes Body. Every failure is an *Error, so callers
	// branch on KindOf(err). ctx bounds the call and every later read from Body.
	Open(ctx context.Context, req Request) (*Object, error)
}

// OriginFunc is a function that is an Origin.
type OriginFunc func(ctx context.Context, req Request) (*Object, error)

// Open calls f.
func (f OriginFunc) Open(ctx context.Context, req Request) (*Object, error) { return f(ctx, req) }

// Request names an object and what the caller wants of it.
type Request struct {
	Key       string    // cleaned, slash separated, no leading slash, never escapes the root
	Query     string    // what remains of the client's query, raw, without "?"; for web origins
	Host      string    // the client's Host, for origins told to forward it
	From      string    // value of the x-req-from header that origins behind HTTP are sent; "" sends none
	Range     *Range    // nil: the whole object
	Validator Validator // zero: unconditional; else the origin it names may answer NotModified

	// Match is the strong ETag of the version that a part is wanted of, "" for any. An origin that can ask for it
	// (If-Match, RFC 9110 §13.1.1) does, and fails with Unknown if there is another one by now. One that can't ignores
	// it: whoever sets Match compares the ETag of the answer.
	Match string

	// Failed are failures of origins while their answer was read, for a request that is made once more to have the
	// others asked: an origin that is named in one isn't asked again, and fails so.
	Failed []*Error
}

// Range is a part of an object, in bytes (RFC 9110 §14). An origin may ignore it and answer the whole object;
// one that starts behind the end of the object is Invalid.
type Range struct {
	Start  int64 // first byte, counted from 0
	Length int64 // number of bytes; -1 is up to the end
}

// Validator says which version of an object the caller has already (RFC 9110 §8.8).
type Validator struct {
	Origin   string    // name of the origin that it came from; other origins ignore it
	ETag     string    // as the origin wrote it, quotes and W/ included; "" if it had none
	Modified time.Time // Last-Modified; zero if it had none
}

// Object is an open original: a stream and what is known about it.
type Object struct {
	Body io.ReadCloser
	Attributes

	// Range says which part Body holds when the whole was not asked for and the origin obeyed; Length is then never
	// -1. nil: Body is the whole object.
	Range *Range
}

// Attributes describe the whole object, whatever part of it Body holds.
type Attributes struct {
	Origin       string        // name of the origin that answered, for logs and validators
	Canonical    string        // absolute URL of the object for Link rel=canonical; "" if the origin has none
	Size         int64         // bytes of the whole object; -1 is unknown
	ContentType  string        // as stored; "" if unknown
	ETag         string        // as the origin wrote it, quotes and W/ included; "" if it has none
	Modified     time.Time     // zero if unknown
	CacheControl string        // all that the origin says of keeping the object, in the words of this header
	Age          time.Duration // how old the answer was when it came (Age, RFC 9111 §5.1)
	Tags         string        // words by which the object can be purged, separated by spaces; see [Tags]
	Private      bool          // only signed requests may see it
	Degraded     bool          // found past an origin that could not answer: another copy may be the right one
}

// Versioned reports whether the origin names the version of the object, so that another answer can be told to be of the
// same one: by a strong ETag. A weak one stands for more than one sequence of bytes (RFC 9110 §8.8.1).
func (a Attributes) Versioned() bool { return strings.HasPrefix(a.ETag, `"`) }
