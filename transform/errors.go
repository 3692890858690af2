package transform

import (
	"context"
	"errors"
)

// Kind says in which way an engine failed. The zero Kind is Internal.
type Kind uint8

// The kinds of failure.
const (
	Internal    Kind = iota // a bug, a crash
	Unsupported             // not a picture, or one of a format that is not allowed
	Broken                  // the picture's data is damaged
	TooLarge                // over a limit of pixels, sides, frames or memory
	Overloaded              // no capacity now
	Timeout                 // the deadline passed while it worked
	Canceled                // the caller went away
)

var kindNames = [...]string{"internal", "unsupported", "broken", "too_large", "overloaded", "timeout", "canceled"}

// String returns the word by which logs and metrics know k.
func (k Kind) String() string { return kindNames[k] }

// ErrCrashed is the cause where the process that worked on a picture ended: a decoder crashed, or somebody killed it.
var ErrCrashed = errors.New("the process that worked on the picture ended")

// Error is the failure of an engine.
type Error struct {
	Kind Kind
	Op   string // what was being done: "decoding jpeg", "resize 300x200"
	Err  error  // the cause
}

// Error names what was being done and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Op + ": " + e.Kind.String()
	}
	return e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the Kind of err: that of the *Error in its chain, Canceled or Timeout for the errors of a context,
// otherwise Internal.
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
	return Internal
}
