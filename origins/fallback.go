package origins

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Fallback returns an Origin that asks those of list in order until one has the object. An origin that cannot answer
// never hides one that can: every kind of failure moves on to the next origin, but those after which asking further
// makes no sense, or would show another object than the one that was asked for (NotModified, Canceled, TooLarge,
// Invalid). on, if given, narrows the kinds that move on; see [FallbackKinds].
//
// The error at the end is the first that isn't NotExist, so NotExist means that no origin has the object. A success
// past a fault, not one past a plain NotExist, is Degraded: the origin that could not answer may hold another copy.
// For the same reason no origin behind a fault sees Request.Validator: its NotModified would confirm a copy for as
// long as a good one, where the success that it gives instead says that it is degraded.
func Fallback(list []Origin, on ...Kind) Origin { return newFallback(list, on) }

// LastGood returns an Origin that asks those of list as [Fallback] does, but starts with the one that answered last for
// this object, then asks the others in order: what has moved to the last of several stores isn't looked for in the
// first ones each time. After again the order counts once more, so that an object that came back to a better place is
// found there. At most entries objects are remembered.
//
// A success past a fault is not remembered, for it is Degraded: the origin that could not answer may hold another copy.
// An origin that says NotExist is forgotten.
func LastGood(list []Origin, again time.Duration, entries int, on ...Kind) Origin {
	f := newFallback(list, on)
	if again > 0 && entries > 0 {
		f.last = newMemory[int](again, entries)
	}
	return f
}

func newFallback(list []Origin, on []Kind) *fallback {
	f := &fallback{list: slices.Clone(list)}
	for _, kind := range FallbackKinds() {
		f.moves[kind] = len(on) == 0 || slices.Contains(on, kind)
	}
	return f
}

// FallbackKinds returns the kinds of failure that move [Fallback] on to the next origin where nothing narrows them.
func FallbackKinds() []Kind {
	return []Kind{NotExist, Denied, Unreachable, Timeout, Unknown}
}

type fallback struct {
	list  []Origin
	moves [len(kindNames)]bool // by Kind
	last  *memory[int]         // which one of list answered last; nil: the order counts
}

// Open asks one origin after the other.
func (f *fallback) Open(ctx context.Context, req Request) (*Object, error) {
	start := f.recall(req)
	var absent, fault error // the first of each
	for step := range f.list {
		i := start.origin(step)
		obj, err := f.list[i].Open(ctx, req)
		if err == nil {
			obj.Degraded = obj.Degraded || fault != nil
			if !obj.Degraded {
				f.remember(start, i)
			}
			return obj, nil
		}
		if ctx.Err() != nil {
			return nil, ended(ctx, req.Key, err)
		}
		kind := KindOf(err)
		switch {
		case kind == NotModified && fault == nil:
			f.remember(start, i)
			fault = err
		case kind != NotExist && fault == nil:
			fault = err
		case kind == NotExist:
			f.forget(start, i)
			if absent == nil {
				absent = err
			}
		}
		if !f.moves[kind] {
			break
		}
		if fault != nil {
			req.Validator = Validator{}
		}
	}
	switch {
	case fault != nil:
		return nil, fault
	case absent != nil:
		return nil, absent
	}
	return nil, &Error{Kind: Unknown, Key: req.Key, Err: errors.New("there is no origin to ask")}
}

// start is where the search for an object begins.
type start struct {
	id         identity
	first      int // index of the origin that is asked first
	remembered bool
	began      uint64 // what was told by then
}

// origin returns the index of the origin to ask at step: the first one, then the others in order.
func (s start) origin(step int) int {
	switch {
	case step == 0:
		return s.first
	case step <= s.first:
		return step - 1
	}
	return step
}

func (f *fallback) recall(req Request) start {
	if f.last == nil {
		return start{}
	}
	s := start{id: identify(req), began: f.last.told.Load()}
	s.first, s.remembered = f.last.recall(s.id)
	return s
}

// remember notes that origin i has the object. What was remembered already isn't refreshed by its own success: it
// would never be looked at again. The first of the list needs no memory.
func (f *fallback) remember(s start, i int) {
	if f.last != nil && i != s.first && i > 0 {
		f.last.remember(s.began, s.id, i)
	}
}

// forget drops what was remembered if it was origin i, which doesn't have the object any more.
func (f *fallback) forget(s start, i int) {
	if s.remembered && i == s.first {
		f.last.drop(s.id)
	}
}

// Forget makes the next request for the object of req begin with the first origin.
func (f *fallback) Forget(req Request) {
	if f.last != nil {
		f.last.forget(identify(req))
	}
	forget(f.list, req)
}

// Clear makes the next request for any object begin with the first origin.
func (f *fallback) Clear() {
	if f.last != nil {
		f.last.clear()
	}
	clearAll(f.list)
}

// ended returns the error for a context that is done, with what an origin said about it.
func ended(ctx context.Context, key string, err error) error {
	kind := KindOf(ctx.Err())
	if KindOf(err) == kind {
		return err
	}
	e := &Error{Kind: kind, Key: key, Err: err}
	if cause, ok := errors.AsType[*Error](err); ok {
		e.Origin, e.Err = cause.Origin, cause.Err
	}
	return e
}
