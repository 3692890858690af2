package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// recipe is what is made of an original for a request, and under which name.
type recipe struct {
	plan    plan.Plan
	variant string // see RecipeHash
}

// recipeOf is all that a recipe depends on.
type recipeOf struct {
	endpoint       *Endpoint
	source, aside  string
	version, chain string
	accept         plan.Set
	width          int
	dpr            float64
	saveData       bool
	still          bool
}

// errUnseen is the error of a recipe that depends on the header of a page that nobody has looked at yet.
var errUnseen = errors.New("the page must be looked at")

// recipe returns the recipe for the request. The error is *plan.Unseen or errUnseen where it depends on what nobody has
// looked at yet.
func (a *ask) recipe(r *record) (*recipe, error) {
	req := a.req
	of := recipeOf{
		req.Endpoint, a.name.source, a.name.aside, r.Version, a.chain,
		req.Accept, req.Width, req.DPR, req.SaveData, req.Still,
	}
	if w, ok := a.recipes.Get(of); ok {
		return w, nil
	}
	p, err := a.resolve(r)
	if err != nil {
		return nil, err
	}
	w := &recipe{p, RecipeHash(p) + "-" + digest(r.Version, a.name.aside, a.engine.Version())}
	if len(of.chain)+len(of.source) <= maxRecipe {
		a.recipes.Add(of, w)
	}
	return w, nil
}

// resolve plans from what the record says of the original.
func (a *ask) resolve(r *record) (plan.Plan, error) {
	if limit := a.req.Endpoint.Limits.SourceSize; limit > 0 && r.Attributes.Size > limit {
		return plan.Plan{}, sourceTooLarge(r.Attributes.Size, limit) // another endpoint has brought it here
	}
	facts, ok := r.Facts[a.req.original(nil).Page]
	if !ok {
		return plan.Plan{}, errUnseen
	}
	sources := plan.Sources{Base: facts}
	for {
		p, err := a.req.Resolve(sources, a.engine.Writable())
		unseen, ok := errors.AsType[*plan.Unseen](err)
		if !ok {
			return p, err
		}
		if len(sources.Trims) >= plan.MaxTrims {
			return p, errLooks
		}
		w, ok := r.Trims[digest(unseen.Look.String())]
		if !ok {
			return plan.Plan{}, err
		}
		sources.Trims = append(sources.Trims, w)
	}
}

// errLooks is the error of a plan that depends on more looks than there are trims.
var errLooks = errors.New("resolving a plan: more trims come up than the chain has")

// RecipeHash is what the names of results begin with that a plan leads to. Behind it, and a hyphen, stands what else their
// bytes depend on: a hash of the original's version and the engine's.
func RecipeHash(p plan.Plan) string { return digest(p.Recipe()) }

// result is what was made.
type result struct {
	bytes         []byte
	Format        plan.Format
	Width, Height int  // 0 where they don't matter
	Original      bool // the bytes are those of the original

	timing Timing
	queued time.Duration // it waited for a slot
	kept   bool          // it is being stored
	stored bool          // it came from a store
}

// info returns what is kept beside the bytes: "webp 300 200 false".
func (r *result) info() []byte {
	return fmt.Appendf(nil, "%s %d %d %t", r.Format, r.Width, r.Height, r.Original)
}

// errInfo is the error of what another version of this program kept.
var errInfo = errors.New("what is kept beside a result is of another form")

// describe reads what is kept beside the bytes.
func (r *result) describe(info []byte) (err error) {
	words := strings.Fields(string(info))
	if len(words) != 4 {
		return errInfo
	}
	var failures [4]error
	r.Format, failures[0] = plan.ParseFormat(words[0])
	r.Width, failures[1] = strconv.Atoi(words[1])
	r.Height, failures[2] = strconv.Atoi(words[2])
	r.Original, failures[3] = strconv.ParseBool(words[3])
	return errors.Join(failures[:]...)
}

// make answers with what is made of the original, or with the original itself.
func (a *ask) make(ctx context.Context, r *record) (*Response, error) {
	if !a.shows(r) || plan.WantsOriginal(a.req.Chain) {
		return a.sendOriginal(ctx, r)
	}
	r, err := a.unread(ctx, r)
	if err != nil {
		return nil, err
	}
	w, r, err := a.plan(ctx, r)
	if err != nil {
		return nil, err
	}
	if a.holding != nil { // its origin was asked: what was made before may still hold
		if resp, _ := a.hit(ctx, r); resp != nil {
			resp.How.Hit, resp.How.Forward, resp.How.Collapsed = false, a.reason(), a.part == waited
			return resp, nil
		}
	}
	if err := a.memory.flawed(a.name.flaw(w.variant)); err != nil {
		return nil, err
	}
	if resp, err := a.affords(ctx, r, w); resp != nil || err != nil {
		return resp, err
	}
	key := caches.Key{Source: a.name.source, Variant: w.variant}
	own := a.own(r)
	making := making{key, own != nil && a.memory.purged(own.mark)}
	made, how, err := join(ctx, &a.memory.results, making, false, func(ctx context.Context) (*result, func(), error) {
		return a.result(ctx, r, w, key, own)
	})
	if how != began && own != nil {
		a.memory.share(own, -1)
	}
	if err != nil {
		return nil, err
	}
	resp := a.response(r, w, made)
	resp.setBytes(made.bytes)
	resp.Timing = made.timing
	resp.How = a.how(r, How{Hit: how == found || made.stored, Stored: made.kept, Collapsed: how == waited})
	if !resp.How.Hit {
		resp.How.Forward = a.reason()
	}
	return resp, nil
}

// unread reads a picture that was a file until now, and returns its record: a document of which nobody wanted a still, or a
// format that the engine didn't read. Of other pictures it returns r.
func (a *ask) unread(ctx context.Context, r *record) (*record, error) {
	if len(r.Facts) > 0 || a.holding != nil {
		return r, nil
	}
	if err := a.memory.flawed(a.flaw()); err != nil {
		return nil, err
	}
	o, err := a.originalOr(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	a.take(o)
	return o.record, nil
}

// affords says why a result is not going to be made, or returns it where that is because it has been: neither is that it
// may be made.
func (a *ask) affords(ctx context.Context, r *record, w *recipe) (*Response, error) {
	if w.plan.Original {
		return nil, nil
	}
	err := a.memory.afford(a.req, a.name.source, RecipeHash(w.plan))
	if err == nil {
		return nil, nil
	}
	if resp, _ := a.hit(ctx, r); resp != nil {
		return resp, nil
	}
	return nil, err
}

// making names the flight that makes a result.
type making struct {
	caches.Key
	purged bool // of an original that was purged: nobody else is to be given that
}

// reason says why there was nothing to send.
func (a *ask) reason() Reason {
	switch {
	case a.known == nil:
		return URIMiss
	case a.due:
		return Expired
	}
	return Miss
}

// own returns the original that the request shares, shared once more, if it is of that version; else nil.
func (a *ask) own(r *record) *original {
	o := a.holding
	if o == nil || o.file == nil || o.Version != r.Version {
		return nil
	}
	a.memory.share(o, 1)
	return o
}

// result makes what a recipe says. own is the original, if the caller had it; it is given back.
func (a *ask) result(ctx context.Context, r *record, w *recipe, key caches.Key, own *original) (made *result, after func(), err error) {
	ctx, clock := a.clock(ctx)
	defer clock.Close()
	o := own
	defer func() { // even where the engine panics
		if o != nil && after == nil {
			a.memory.share(o, -1)
		}
	}()
	if made := a.madeBefore(ctx, key); made != nil {
		return made, nil, nil
	}
	var unlock func()
	if made, unlock = a.await(ctx, key); made != nil {
		return made, nil, nil
	}
	defer func() {
		if after == nil {
			unlock()
		}
	}()
	if err := a.miss.enter(); err != nil {
		return nil, nil, err
	}
	defer a.miss.leave()
	if o, err = a.originalOr(ctx, r, own); err != nil {
		return nil, nil, clock.explain(err)
	}
	start := time.Now()
	made, err = paint(ctx, a.engine, a.req.original(o.file), r.Format, w.plan)
	if err != nil {
		a.blame(a.name.flaw(w.variant), err, o.mark)
		return nil, nil, clock.explain(err)
	}
	made.timing = Timing{Download: o.download, Queue: made.queued, Transformation: time.Since(start) - made.queued}
	made.kept = a.keep.Results != nil && o.keepable()
	return made, func() {
		defer unlock()
		defer a.memory.share(o, -1)
		if made.kept {
			meta := caches.Meta{Stored: time.Now(), Tags: o.tags(), Info: made.info()}
			a.memory.put(context.WithoutCancel(ctx), a.keep.Results, key, meta, made.bytes, o.mark)
		}
	}, nil
}

// await waits until no other machine makes the result, if the store can tell, and returns what that made, or what lets the
// others go on.
func (a *ask) await(ctx context.Context, key caches.Key) (made *result, unlock func()) {
	locker, ok := a.keep.Results.(caches.Locker)
	if !ok {
		return nil, func() {}
	}
	unlock, err := locker.Lock(ctx, key)
	if err != nil {
		return nil, func() {}
	}
	if made = a.madeBefore(ctx, key); made != nil {
		unlock()
	}
	return made, unlock
}

// madeBefore returns what the store has by now; nil is nothing.
func (a *ask) madeBefore(ctx context.Context, key caches.Key) *result {
	if a.keep.Results == nil {
		return nil
	}
	e, err := a.keep.Results.Get(ctx, key)
	if err != nil {
		return nil
	}
	defer e.Content.Close()
	made := &result{bytes: make([]byte, e.Size), stored: true}
	if _, err := io.ReadFull(e.Content, made.bytes); err != nil || made.describe(e.Info) != nil {
		return nil
	}
	return made
}

// originalOr returns own, or where that is nil the original of the record's version, shared. Where another version comes
// the error is errChanged.
func (a *ask) originalOr(ctx context.Context, r *record, own *original) (*original, error) {
	if own != nil {
		return own, nil
	}
	o, err := a.original(ctx, r)
	if err == nil && (o.Version != r.Version || o.file == nil) {
		a.memory.share(o, -1)
		return nil, errChanged
	}
	return o, err
}

// blame remembers for a while that nothing can be made of an original, if that is what the error says.
func (a *ask) blame(what string, err error, k *mark) {
	if isFlaw(err) {
		a.memory.blame(what, flaw{err, time.Now().Add(a.keep.Miss)}, k)
	}
}

// isFlaw reports whether err says that nothing can be made of an original.
func isFlaw(err error) bool {
	switch transform.KindOf(err) {
	case transform.Broken, transform.TooLarge, transform.Unsupported:
		return true
	}
	return false
}

// paint executes a plan, unless it is to send the original.
func paint(ctx context.Context, engine transform.Engine, original transform.Original, format plan.Format, p plan.Plan) (*result, error) {
	if p.Original {
		return &result{bytes: bytes.Clone(original.Bytes), Format: format, Original: true}, nil
	}
	img, err := engine.Render(ctx, transform.Inputs{Base: original}, p)
	if err != nil {
		return nil, err
	}
	made := &result{bytes: img.Bytes, Format: img.Format, Width: img.Width, Height: img.Height, queued: img.Queued}
	if p.KeepsSmaller() && len(img.Bytes) >= len(original.Bytes) {
		made.bytes, made.Format, made.Original = bytes.Clone(original.Bytes), format, true
	}
	return made, nil
}

// response returns the answer of what was made, without its bytes.
func (a *ask) response(r *record, w *recipe, made *result) *Response {
	return &Response{
		ContentType: made.Format.MediaType(), ETag: `"` + w.variant + `"`, Modified: r.Attributes.Modified,
		Origin: r.attributes(a.keep, a.key), Transformed: !made.Original, Image: true, Vary: w.plan.Vary, Warnings: w.plan.Warnings,
		Format: made.Format, Width: made.Width, Height: made.Height, Plan: w.plan, Source: a.name.source,
	}
}

// Variants returns the names under which stores may hold what the request's chain makes of the original as it is known, for
// any client. all: they can't be told, so that all variants are to be taken to be meant.
func (c *Cache) Variants(ctx context.Context, req *Request) (names []string, all bool) {
	if req.Endpoint.Keeping.records() == nil {
		return nil, false
	}
	a := c.ask(req, req.Key)
	a.known = c.memory.recall(ctx, a.name, a.keep.records())
	r := a.knownRecord()
	if r == nil || !a.shows(r) || a.keep.QueryCounts || a.keep.HostCounts {
		return nil, true // the query and the host of those who asked are in the names
	}
	set := map[string]bool{}
	for hints := range 1 << 4 {
		asked := *req
		asked.Accept, asked.SaveData = 0, hints&8 != 0
		for i, format := range []plan.Format{plan.JXL, plan.AVIF, plan.WebP} {
			if hints&(1<<i) != 0 {
				asked.Accept = asked.Accept.With(format)
			}
		}
		each := *a
		each.req = &asked
		w, err := each.recipe(r)
		if err != nil || w.plan.Vary.Has(plan.VaryWidth) || w.plan.Vary.Has(plan.VaryDPR) {
			return nil, true
		}
		if !set[w.variant] {
			set[w.variant] = true
			names = append(names, w.variant)
		}
	}
	return names, false
}
