package delivery

import (
	"context"
	"errors"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// seen is what a look found.
type seen struct {
	facts  plan.Source
	window plan.Window
}

// look names a look at an original.
type look struct {
	name
	version string
	page    int
	pixels  string // digest of the look; "" is at the header alone
}

// plan returns the recipe for the request, and looks at the original as long as that depends on more of it. It returns the record
// that knows what was seen.
func (a *ask) plan(ctx context.Context, r *record) (*recipe, *record, error) {
	for range maxLooks {
		w, err := a.recipe(r)
		l := look{name: a.name, version: r.Version, page: a.req.original(nil).Page}
		unseen, pixels := errors.AsType[*plan.Unseen](err)
		switch {
		case pixels:
			l.pixels = digest(unseen.Look.String())
		case !errors.Is(err, errUnseen):
			return w, r, err
		}
		own := a.own(r)
		s, how, err := join(ctx, &a.memory.looks, l, false, func(ctx context.Context) (seen, func(), error) {
			return a.look(ctx, r, l, unseen, own)
		})
		if how != began && own != nil {
			a.memory.share(own, -1)
		}
		if err != nil {
			return nil, r, err
		}
		r = s.addTo(r, l)
	}
	return nil, r, errLooks
}

// maxLooks bounds how often a plan is tried: a look for each trim, at all frames and at one, and the header. What a record
// forgets to make room may be looked for twice.
const maxLooks = 2 * (2*plan.MaxTrims + 2)

// addTo returns the record with what was seen.
func (s seen) addTo(r *record, l look) *record {
	if l.pixels == "" {
		return r.withFacts(l.page, s.facts)
	}
	return r.withTrim(l.pixels, s.window)
}

// look looks at the header of a page, or at pixels.
func (a *ask) look(ctx context.Context, r *record, l look, unseen *plan.Unseen, own *original) (s seen, after func(), err error) {
	ctx, clock := a.clock(ctx)
	defer clock.Close()
	o := own
	defer func() { // even where the engine panics
		if o != nil && after == nil {
			a.memory.share(o, -1)
		}
	}()
	if err := a.miss.enter(); err != nil {
		return seen{}, nil, err
	}
	defer a.miss.leave()
	if o, err = a.originalOr(ctx, r, own); err != nil {
		return seen{}, nil, clock.explain(err)
	}
	file := a.req.original(o.file)
	if unseen == nil {
		s.facts, err = a.engine.Probe(ctx, file)
	} else {
		s.window, err = a.engine.Look(ctx, transform.Inputs{Base: file}, unseen.Look)
	}
	if err != nil {
		return seen{}, nil, clock.explain(err)
	}
	a.memory.improve(a.name, r, func(r *record) *record { return s.addTo(r, l) })
	return s, func() {
		defer a.memory.share(o, -1)
		if o.keepable() && !o.worse {
			a.keepRecord(context.WithoutCancel(ctx), o.mark)
		}
	}, nil
}
