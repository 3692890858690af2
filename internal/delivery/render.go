package delivery

import (
	"context"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Render is the terminal stage: it opens the original, sees what it is, plans and renders. What is not a picture, or
// asked for as it is, streams through unchanged.
type Render struct {
	Engine transform.Engine

	memory *Memory // holds budgets; nil: none holds
}

// Deliver implements [Deliverer].
func (s *Render) Deliver(ctx context.Context, req *Request) (*Response, error) {
	return orStandIn(ctx, req, s.deliver)
}

func (s *Render) deliver(ctx context.Context, req *Request, key string) (*Response, error) {
	ctx, clock := withDeadline(ctx, req.Endpoint.Limits.Timeout)
	src := &source{ctx: ctx, origin: req.Endpoint.Origin, request: originRequest(req, key)}
	resp, err := s.respond(ctx, req, src)
	for err != nil && src.pass() {
		resp, err = s.respond(ctx, req, src)
	}
	if err != nil {
		src.Close()
		err = clock.explain(err)
		clock.Close()
		return nil, err
	}
	clock.rest() // from here on the client sets the pace
	resp.Content = &closing{ReadSeekCloser: resp.Content, also: clock}
	return resp, nil
}

func originRequest(req *Request, key string) origins.Request {
	return origins.Request{Key: key, Query: req.Query, Host: req.Host, From: req.From}
}

func (s *Render) respond(ctx context.Context, req *Request, src *source) (*Response, error) {
	start := time.Now()
	if err := src.open(req.Range); err != nil {
		return nil, err
	}
	if req.refuses(src.attributes) {
		return nil, ErrPrivate
	}
	format := transform.Sniff(src.head)
	picture := req.shows(format, s.Engine.Readable())
	if untouched := plan.WantsOriginal(req.Chain); untouched || !picture {
		if req.wantsStill() {
			return nil, ErrNoStill
		}
		resp, err := src.passThrough()
		if err != nil {
			return nil, err
		}
		if picture {
			resp.Image, resp.Format, resp.ContentType = true, format, format.MediaType()
		}
		resp.Unsupported = !picture && !untouched && len(req.Chain) > 0
		resp.Timing.Download = time.Since(start)
		return resp, nil
	}
	original, err := src.readAll(req.Endpoint.Limits.SourceSize)
	if err != nil {
		return nil, err
	}
	defer release(original)
	download := time.Since(start)
	resp, err := s.render(ctx, req, req.source(src.request.Key), original, src.attributes)
	if err != nil {
		return nil, err
	}
	resp.Timing.Download, resp.Timing.Transformation = download, time.Since(start)-download-resp.Timing.Queue
	return resp, nil
}

// render makes the answer from the whole original in memory; source is its name in stores.
func (s *Render) render(ctx context.Context, req *Request, source string, original []byte, a origins.Attributes) (*Response, error) {
	file := req.original(original)
	facts, err := s.Engine.Probe(ctx, file)
	if err != nil {
		return nil, err
	}
	p, err := s.resolve(ctx, req, file, facts)
	if err != nil {
		return nil, err
	}
	if s.memory != nil && !p.Original {
		if err := s.memory.afford(req, source, RecipeHash(p)); err != nil {
			return nil, err
		}
	}
	resp := &Response{Origin: a, Modified: a.Modified, Image: true, Vary: p.Vary, Warnings: p.Warnings, Plan: p}
	made, err := paint(ctx, s.Engine, file, facts.Format, p)
	if err != nil {
		return nil, err
	}
	resp.Transformed, resp.Timing.Queue = !made.Original, made.queued
	resp.Format, resp.ContentType = made.Format, made.Format.MediaType()
	resp.Width, resp.Height = made.Width, made.Height
	resp.setBytes(made.bytes)
	recipe := "original"
	if resp.Transformed {
		recipe = p.Recipe() + s.Engine.Version()
	}
	resp.ETag = variantETag(a, recipe, made.bytes)
	return resp, nil
}

// Resolve returns what is to be done to an original of which these facts are known, by an engine that writes these formats.
// Its errors are those of [plan.Resolve].
func (r *Request) Resolve(sources plan.Sources, writable plan.Set) (plan.Plan, error) {
	e := r.Endpoint
	hints := plan.Hints{
		Accept: r.Accept, Width: r.Width, DPR: r.DPR, SaveData: r.SaveData, Still: r.Still,
		Formats: e.Formats, Smallest: e.Smallest, Quality: e.Quality, Exact: e.QualityExact, SaveQuality: e.SaveData,
		Rasterise: e.paintsAll(), Writable: writable,
	}
	p, err := plan.Resolve(r.chain(), sources, hints, e.Limits.Limits)
	return p, e.blame(err)
}

func (r *Response) setBytes(b []byte) {
	r.Content, r.Size = newMemory(b), int64(len(b))
}
