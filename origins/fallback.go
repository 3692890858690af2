package origins

import (
	"context"
	"errors"
	"slices"
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
func Fallback(list []Origin, on ...Kind) Origin {
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
}

// Open asks one origin after the other.
func (f *fallback) Open(ctx context.Context, req Request) (*Object, error) {
	var absent, fault error // the first of each
	for _, o := range f.list {
		obj, err := o.Open(ctx, req)
		if err == nil {
			obj.Degraded = obj.Degraded || fault != nil
			return obj, nil
		}
		if ctx.Err() != nil {
			return nil, ended(ctx, req.Key, err)
		}
		kind := KindOf(err)
		switch {
		case kind != NotExist && fault == nil:
			fault = err
		case kind == NotExist && absent == nil:
			absent = err
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
