package delivery

import (
	"context"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// watchTime is for how long it isn't noted anew that the origins on this machine still have an original: from that on its
// being sent while they can't be asked is counted.
const watchTime = time.Hour

// watched reports whether the origin that the original came from, and all before it, are on this machine: they are asked
// at each request.
func (a *ask) watched(r *record) bool {
	n := 0
	for _, l := range a.keep.Locals {
		if l.Place <= r.Place {
			n++
		}
	}
	return n > 0 && n == r.Place+1 && (n == 1 || !a.keep.Unordered)
}

// said is what the origins on this machine say of a record.
type said uint8

const (
	agreed said = iota // the one that it came from has that version, those before it have nothing
	moved              // it isn't current
	silent             // one of them can't tell
)

// askLocals asks the origins on this machine.
func (a *ask) askLocals(ctx context.Context, r *record) said {
	origin, verdict := r.origin(a.keep), agreed
	for _, l := range a.keep.Locals {
		own := l.Name == origin
		if !own && (a.keep.Unordered || r.Place >= 0 && l.Place > r.Place) {
			continue
		}
		req := originRequest(a.req, a.key)
		if own {
			req.Validator = r.validator(a.keep)
			if l.Holds != nil && l.Holds(a.key, req.Validator) {
				continue
			}
		}
		obj, err := l.Origin.Open(ctx, req)
		if err == nil {
			obj.Body.Close()
			return moved
		}
		switch kind := origins.KindOf(err); {
		case own && kind == origins.NotModified, !own && kind == origins.NotExist:
		case own && !isFault(err):
			return moved
		default:
			verdict = silent
		}
	}
	return verdict
}
