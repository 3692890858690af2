package delivery

import (
	"cmp"
	"context"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Render is the terminal stage: it opens the original, sees what it is, plans and renders. What is not a picture, or
// asked for as it is, streams through unchanged.
type Render struct {
	Engine transform.Engine
}

// Deliver implements [Deliverer].
func (s *Render) Deliver(ctx context.Context, req *Request) (*Response, error) {
	resp, err := s.deliver(ctx, req, req.Key)
	if err == nil || origins.KindOf(err) != origins.NotExist || !isOrigins(err) {
		return resp, err
	}
	for _, standIn := range []string{defaultImage(req.chain()), req.Endpoint.DefaultImage} {
		if standIn == "" || standIn == req.Key {
			continue
		}
		if resp, failed := s.deliver(ctx, req, standIn); failed == nil {
			resp.Missing = err
			return resp, nil
		}
	}
	return nil, err // the fault to tell is that of the file asked for
}

// defaultImage returns the key of the picture that stands in by the word of the chain (di), "" without one. What isn't
// there has no size that conditions could be about, so it counts in every branch.
func defaultImage(c syntax.Chain) (key string) {
	for _, step := range c {
		if path, ok := syntax.Get[syntax.Path](step, "di"); ok {
			key = string(path)
		}
		if step.If != nil {
			key = cmp.Or(defaultImage(step.If.Else), defaultImage(step.If.Then), key)
		}
	}
	return key
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
	format := transform.Sniff(src.head)
	if untouched := plan.WantsOriginal(req.Chain); untouched || format == plan.Unknown {
		if req.Still && !untouched {
			return nil, ErrNoStill
		}
		resp, err := src.passThrough()
		if err != nil {
			return nil, err
		}
		if format != plan.Unknown {
			resp.Image, resp.Format, resp.ContentType = true, format, format.MediaType()
		}
		resp.Unsupported = !untouched && len(req.Chain) > 0
		resp.Timing.Download = time.Since(start)
		return resp, nil
	}
	original, err := src.readAll(req.Endpoint.Limits.SourceSize)
	if err != nil {
		return nil, err
	}
	download := time.Since(start)
	resp, err := s.render(ctx, req, original, src.attributes)
	if err != nil {
		release(original)
		return nil, err
	}
	if resp.Transformed {
		release(original)
	}
	resp.Timing = Timing{Download: download, Transformation: time.Since(start) - download}
	return resp, nil
}

// render makes the answer from the whole original in memory.
func (s *Render) render(ctx context.Context, req *Request, original []byte, a origins.Attributes) (*Response, error) {
	file := req.original(original)
	facts, err := s.Engine.Probe(ctx, file)
	if err != nil {
		return nil, err
	}
	p, err := s.resolve(ctx, req, file, facts)
	if err != nil {
		return nil, err
	}
	resp := &Response{Origin: a, Modified: a.Modified, Image: true, Vary: p.Vary, Warnings: p.Warnings, Plan: p}
	if p.Original {
		resp.sendOriginal(original, facts.Format)
		return resp, nil
	}
	img, err := s.Engine.Render(ctx, transform.Inputs{Base: file}, p)
	if err != nil {
		return nil, err
	}
	if p.KeepsSmaller() && len(img.Bytes) >= len(original) {
		resp.sendOriginal(original, facts.Format)
		resp.Width, resp.Height = img.Width, img.Height
		return resp, nil
	}
	resp.Transformed = true
	resp.Format, resp.ContentType = img.Format, img.Format.MediaType()
	resp.Width, resp.Height = img.Width, img.Height
	resp.setBytes(img.Bytes)
	resp.ETag = variantETag(a, p.String()+s.Engine.Version(), img.Bytes)
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

// sendOriginal answers with the original's bytes, which are in memory.
func (r *Response) sendOriginal(original []byte, format plan.Format) {
	r.Format, r.ContentType = format, format.MediaType()
	r.setBytes(original)
	r.ETag = variantETag(r.Origin, "original", original)
}

func (r *Response) setBytes(b []byte) {
	r.Content, r.Size = newMemory(b), int64(len(b))
}
