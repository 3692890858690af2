package origins

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says in which way an origin failed. The zero Kind is Unknown.
type Kind uint8

// The kinds of failure.
const (
	Unknown     Kind = iota // the origin answered in a way that none of the others describes
	NotExist                // the origin is certain that it has no such object
	NotModified             // the version that Request.Validator names is still the current one
	Denied                  // the origin refuses: credentials or permissions
	Unreachable             // no connection, or it broke
	Timeout                 // no answer in time
	TooLarge                // the object is larger than allowed
	Invalid                 // the origin can't serve such a request: a malformed key, an unsatisfiable range
	Canceled                // the caller went away
)

var kindNames = [...]string{"unknown", "not_exist", "not_modified", "denied", "unreachable", "timeout", "too_large", "invalid", "canceled"}

// String returns the word by which configuration, logs and metrics know k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Unknown]
}

// ParseKind is the reverse of [Kind.String].
func ParseKind(word string) (Kind, error) {
	for i, name := range kindNames {
		if name == word {
			return Kind(i), nil
		}
	}
	return Unknown, fmt.Errorf("unknown kind of failure %q", word)
}

// Error is the failure of one origin. Its text is for logs: it may hold addresses, and is never shown to clients. The
// zero value of the fields behind Err says nothing.
type Error struct {
	Kind   Kind
	Origin string // name of the origin
	Key    string
	Err    error // the cause; never holds a credential

	// Remedy is what the operator can do about it, as a clause without a full stop: "grant s3:GetObject on the bucket".
	// It is for logs and for `caddy imageorigin check`. "": there is nothing to say.
	Remedy string

	// Transient says that the same request may well succeed in a moment: the origin is throttling or overloaded, or
	// the connection broke.
	Transient bool

	// Alive says that the origin answered, and would answer others: what failed is this request. A [Breaker] takes no
	// offence at it, whatever Kind it is.
	Alive bool

	// After is how long the origin asks to be left alone (Retry-After, RFC 9110 §10.2.3); 0 if it doesn't say.
	After time.Duration

	// CacheControl, Age and Private are set with NotModified where the answer had them: they are in place of those that
	// came with the copy (RFC 9111 §4.3.4), and mean what those of [Attributes] do. CacheControl "": that of the copy goes
	// on, and so does what was Private. Age counts from now on in any case.
	CacheControl string
	Age          time.Duration
	Private      bool

	// Hidden is set with Denied where a missing object is answered in the same way: to those who may not list a
	// bucket, S3 answers 403 for what it doesn't have.
	Hidden bool
}

// Error names origin, key, kind and cause.
func (e *Error) Error() string {
	text := fmt.Sprintf("%q: %s", e.Key, e.Kind)
	if e.Origin != "" { // else told before [Named] knew, as by a [Breaker]
		text = fmt.Sprintf("origin %q: %s", e.Origin, text)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the Kind of err: that of the outermost *Error in its chain, Canceled or Timeout for the errors of a
// context, otherwise Unknown.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Unknown
}
