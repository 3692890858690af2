package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Cache is the stage that remembers. What is known of an original is a small record, which says how long it counts; what
// was made of it lies under a name that tells the original's version and the plan. So a changed original makes all that
// was made of it be missed, and one answer of its origin renews it all.
//
// What can't be remembered is rendered as [Render] does.
type Cache struct {
	engine  transform.Engine
	render  *Render
	memory  *Memory
	recipes *lru.Cache[recipeOf, *recipe]
}

// maxRecipes is how many recipes a Cache remembers, of about a kibibyte each.
const maxRecipes = 1 << 14

// maxRecipe bounds the text of a chain and the original's name: recipes of more are made at each request.
const maxRecipe = 1 << 10

// NewCache returns a Cache around the rendering by engine.
func NewCache(engine transform.Engine, m *Memory) *Cache {
	return &Cache{
		engine: engine, render: &Render{Engine: engine, memory: m}, memory: m,
		recipes: newLRU[recipeOf, *recipe](maxRecipes),
	}
}

// Deliver implements [Deliverer].
func (c *Cache) Deliver(ctx context.Context, req *Request) (*Response, error) {
	return orStandIn(ctx, req, c.deliver)
}

func (c *Cache) deliver(ctx context.Context, req *Request, key string) (*Response, error) {
	if plan.WantsOriginal(req.Chain) && req.Endpoint.Keeping.Originals == nil {
		return c.bypass(ctx, req, key)
	}
	if req.Endpoint.Keeping.records() == nil || len(key) > maxKey {
		if err := c.memory.shed.enter(); err != nil {
			return nil, err
		}
		defer c.memory.shed.leave()
		return c.bypass(ctx, req, key)
	}
	a := c.ask(req, key)
	a.client = ctx
	a.known = c.memory.recall(ctx, a.name, a.keep.records())
	if resp, err := a.quick(ctx); resp != nil || err != nil {
		return resp, err
	}
	return a.slow(ctx)
}

// bypass answers without remembering anything.
func (c *Cache) bypass(ctx context.Context, req *Request, key string) (*Response, error) {
	resp, err := c.render.deliver(ctx, req, key)
	if err == nil {
		resp.How = How{Forward: Bypass}
		resp.Source = req.source(key) // caches in front may keep it all the same
	}
	return resp, err
}

// records returns where what is known of originals is kept; nil where nothing is.
func (k *Keeping) records() caches.Store {
	for _, store := range []caches.Store{k.Results, k.Originals, k.Files} {
		if store != nil {
			return store
		}
	}
	return nil
}

// quick answers from what is known, if nobody needs to be waited for. Neither a response nor an error: that can't be done.
func (a *ask) quick(ctx context.Context) (*Response, error) {
	r := a.knownRecord()
	if r == nil {
		return nil, nil
	}
	if !a.shows(r) && a.keep.Files == nil && !a.req.wantsStill() {
		return a.through(ctx) // its origin is asked anyway
	}
	watched := a.watched(r)
	unseen, said := !watched && !r.knows(a.req.Versions), a.askLocals(ctx, r)
	l, age := r.life(a.keep), a.start.Sub(r.Checked)
	a.due = unseen || said == moved || said == silent && !r.Attributes.Degraded || age >= l.fresh && !watched
	a.anew = a.due && (unseen || said == moved || l.fresh <= 0)
	switch {
	case !a.due:
		resp, err := a.hit(ctx, r)
		if resp != nil && watched && age >= watchTime {
			a.due = true
			a.renewBehind(ctx)
		}
		return resp, err
	case said == moved:
		return nil, nil
	case age < l.ifError && a.start.Before(a.known.quiet):
		return a.hit(ctx, r)
	case unseen:
		return nil, nil
	case age < l.stale:
		resp, err := a.hit(ctx, r)
		if resp != nil {
			a.renewBehind(ctx)
		}
		return resp, err
	}
	return nil, nil
}

// slow answers by asking the origins and by making what is missing, together with all others who want it.
func (a *ask) slow(ctx context.Context) (*Response, error) {
	if limit := a.left(); limit > 0 {
		// What the request waits for ends by itself in that time, and then tells more.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit+grace)
		defer cancel()
	}
	a.miss = &miss{shed: &a.memory.shed}
	defer a.miss.end()
	defer a.letGo()
	resp, err := a.answer(ctx)
	switch {
	case err == nil || isOrigins(err):
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		err = a.gone(ctx)
	case plan.WantsOriginal(a.req.Chain) && isUnreadable(err):
		return a.bypass(a.client, a.req, a.key)
	}
	return resp, err
}

const grace = 100 * time.Millisecond

// gone is the error of a request that waits no longer.
func (a *ask) gone(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &transform.Error{Kind: transform.Timeout, Op: "waiting for the result", Err: &lateError{"not done", a.req.Endpoint.Limits.Timeout}}
	}
	return a.unanswered(ctx)
}

// unanswered is the error of a request that waits no longer for an origin.
func (a *ask) unanswered(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &origins.Error{Kind: origins.Timeout, Key: a.key, Err: &lateError{"no answer", a.req.Endpoint.Limits.Timeout}}
	}
	return &origins.Error{Kind: origins.Canceled, Key: a.key, Err: context.Cause(ctx)}
}

// letGo gives up what the request shares.
func (a *ask) letGo() {
	if a.holding != nil {
		a.memory.share(a.holding, -1)
		a.holding = nil
	}
}

// take shares o with the request, in place of what it shared.
func (a *ask) take(o *original) {
	a.letGo()
	a.holding = o
}

// maxTries bounds how often a request begins anew because the original changed under it.
const maxTries = 4

func (a *ask) answer(ctx context.Context) (*Response, error) {
	err := errChanged
	for range maxTries {
		var r *record
		var resp *Response
		if r, resp, err = a.current(ctx); resp != nil || err != nil {
			return resp, err
		}
		if a.req.refuses(r.Attributes) {
			return nil, ErrPrivate
		}
		if resp, err = a.make(ctx, r); !errors.Is(err, errChanged) {
			return resp, err
		}
		a.letGo()
		a.known, a.due = a.memory.recall(ctx, a.name, a.keep.records()), false
		a.reload = a.known != nil && a.known.Version == r.Version // what came isn't remembered
	}
	return nil, &origins.Error{Kind: origins.Unknown, Key: a.key, Err: fmt.Errorf("%w, %d times", err, maxTries)}
}

// current returns the record of the original as it is now. If the origins can't tell and there is something that may be
// sent all the same, that is the response.
func (a *ask) current(ctx context.Context) (*record, *Response, error) {
	before := a.knownRecord()
	if before != nil && !a.due && !a.reload {
		return before, nil, nil
	}
	if err := a.memory.flawed(a.flaw()); err != nil && !a.due {
		return nil, nil, err
	}
	conditional := before
	if conditional != nil && (a.reload || !a.has(ctx, before)) {
		conditional = nil // its bytes are needed anyway
	}
	for {
		o, how, err := a.fetch(ctx, conditional, a.anew)
		if err != nil {
			if resp := a.stale(ctx, before, err); resp != nil {
				return nil, resp, nil
			}
			if a.takeKept(ctx, before, err) {
				return before, nil, nil
			}
			return nil, nil, err
		}
		if a.anew && o.Checked.Before(a.start) {
			a.memory.share(o, -1)
			continue
		}
		a.part = how
		a.take(o)
		break
	}
	if a.holding.worse {
		if resp := a.stale(ctx, before, nil); resp != nil {
			return nil, resp, nil
		}
	}
	r := a.holding.record
	if v := a.req.Versions; v != "" && !r.knows(v) && !a.holding.worse {
		r = a.memory.improve(a.name, r, func(r *record) *record { return r.withSeen(v) })
		if r.keepable() {
			a.keepRecord(context.WithoutCancel(ctx), a.holding.mark)
		}
	}
	return r, nil, nil
}

// stale returns what may be sent although its origin was due to be asked and can't be; nil is nothing.
func (a *ask) stale(ctx context.Context, r *record, err error) *Response {
	if !a.lasts(r, err) {
		return nil
	}
	resp, _ := a.hit(ctx, r)
	if resp != nil {
		// However fresh its record is: the request, or a local file, says that there is something newer.
		resp.How.TTL = min(resp.How.TTL, -time.Second)
	}
	return resp
}

// lasts reports whether what comes of an original may be sent although its origin could not be asked, or was not, for too
// much is under way, or has something worse.
func (a *ask) lasts(r *record, err error) bool {
	return r != nil && (err == nil || isFault(err) || errors.Is(err, ErrBusy)) && a.start.Sub(r.Checked) < r.life(a.keep).ifError
}

// takeKept takes the original from its store, to have made of it what is asked for although its origin can't be asked.
func (a *ask) takeKept(ctx context.Context, r *record, err error) bool {
	if !a.lasts(r, err) || !a.shows(r) || errors.Is(err, ErrBusy) {
		return false
	}
	o := a.kept(ctx, r)
	if o == nil {
		return false
	}
	a.stuck = true
	a.take(o)
	return true
}

// has reports whether what is asked for can be sent if the original is still the same.
func (a *ask) has(ctx context.Context, r *record) bool {
	resp, err := a.hit(ctx, r)
	if resp != nil {
		resp.Close()
	}
	return resp != nil || err != nil
}

// renewBehind asks the origins, and makes what is asked for anew if need be, while the request is answered with what
// there is.
func (a *ask) renewBehind(ctx context.Context) {
	if a.start.Before(a.known.quiet) || a.memory.renewal.busy(a.name) {
		return
	}
	again := *a
	ctx = context.WithoutCancel(ctx)
	again.client, again.part, again.holding = ctx, began, nil
	go func() {
		_, _, _ = a.memory.renewal.do(ctx, a.name, false, func(ctx context.Context) (struct{}, func(), error) {
			resp, err := again.slow(ctx)
			if resp != nil {
				resp.Close()
			}
			return struct{}{}, nil, err
		})
	}()
}

// hit returns what a store has of what is asked for; neither that nor an error where it hasn't.
func (a *ask) hit(ctx context.Context, r *record) (*Response, error) {
	if !a.shows(r) || plan.WantsOriginal(a.req.Chain) {
		return a.hitFile(ctx, r)
	}
	w, err := a.recipe(r)
	if _, pixels := errors.AsType[*plan.Unseen](err); pixels || errors.Is(err, errUnseen) || a.keep.Results == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e, err := a.keep.Results.Get(ctx, caches.Key{Source: a.name.source, Variant: w.variant})
	if err != nil {
		return nil, nil
	}
	var made result
	if err := made.describe(e.Info); err != nil {
		e.Content.Close()
		return nil, nil
	}
	resp := a.response(r, w, &made)
	resp.Content, resp.Size = e.Content, e.Size
	resp.How = a.how(r, How{Hit: true})
	resp.Timing.Cache = time.Since(a.start)
	return resp, nil
}

// how completes how a response came about with what the record says.
func (a *ask) how(r *record, h How) How {
	h.Known, h.Stuck = true, a.stuck
	if !a.due && a.watched(r) {
		return h // asked a moment ago
	}
	h.Age = max(a.start.Sub(r.Checked), 0)
	h.TTL = r.life(a.keep).fresh - h.Age
	h.Age += r.Attributes.Age
	return h
}
