package delivery

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// sendOriginal answers with the original as it is: with a picture that is asked for so, or with what is no picture.
func (a *ask) sendOriginal(ctx context.Context, r *record) (*Response, error) {
	if resp, err := a.hitFile(ctx, r); resp != nil || err != nil {
		if resp != nil && a.holding != nil {
			resp.How.Hit, resp.How.Forward, resp.How.Collapsed = false, Expired, a.part == waited
		}
		return resp, err
	}
	if !r.Picture {
		return a.through()
	}
	o, err := a.originalOr(ctx, r, a.own(r))
	if _, large := errors.AsType[*plan.LimitError](err); large {
		return a.bypass(a.client, a.req, a.key) // it isn't held in memory
	}
	if err != nil {
		return nil, err
	}
	resp := a.fileResponse(r)
	resp.setBytes(o.file)
	resp.Content = &closing{ReadSeekCloser: resp.Content, also: closeFunc(func() { a.memory.share(o, -1) })}
	resp.Timing.Download = o.download
	resp.How = a.how(r, How{Forward: a.reason(), Stored: o.keepable(), Collapsed: a.part == waited})
	return resp, nil
}

// through streams what is no picture from its origin to the client.
func (a *ask) through() (*Response, error) {
	r := a.knownRecord()
	if a.req.Still && !plan.WantsOriginal(a.req.Chain) {
		return nil, ErrNoStill
	}
	if r != nil && a.keep.Files != nil && r.keepable() && !a.due {
		a.fill(r) // it was asked for before
	}
	if a.holding != nil && a.part == began {
		if src, stop := a.holding.open.take(); src != nil {
			return a.goOn(src, stop)
		}
	}
	resp, err := a.bypass(a.client, a.req, a.key)
	switch {
	case err != nil && isOrigins(err) && origins.KindOf(err) == origins.NotExist, err == nil && resp.Image:
		a.memory.drop(context.WithoutCancel(a.client), a.name, a.keep.records())
	}
	return resp, err
}

// goOn answers with a file that is open already.
func (a *ask) goOn(src *source, stop context.CancelFunc) (*Response, error) {
	unlink := context.AfterFunc(a.client, stop)
	end := closeFunc(func() {
		unlink()
		stop()
	})
	resp, err := src.passThrough()
	if err != nil {
		src.Close()
		end.Close()
		return nil, err
	}
	resp.Content = &closing{ReadSeekCloser: resp.Content, also: end}
	resp.Unsupported = len(a.req.Chain) > 0 && !plan.WantsOriginal(a.req.Chain)
	resp.Source, resp.How = a.name.source, How{Forward: a.reason()}
	resp.Timing.Download = time.Since(a.start)
	return resp, nil
}

// hitFile returns what a store has of the original itself; nil is nothing.
func (a *ask) hitFile(ctx context.Context, r *record) (*Response, error) {
	store, key := a.keep.Files, a.name.file()
	if r.Picture {
		store, key = a.keep.Originals, a.name.original()
	} else if a.req.Still && !plan.WantsOriginal(a.req.Chain) {
		return nil, ErrNoStill
	}
	if store == nil {
		return nil, nil
	}
	e, err := store.Get(ctx, key)
	if err != nil {
		return nil, nil
	}
	if string(e.Info) != r.Version {
		e.Content.Close()
		return nil, nil
	}
	resp := a.fileResponse(r)
	resp.Content, resp.Size = e.Content, e.Size
	resp.How = a.how(r, How{Hit: true})
	resp.Timing.Cache = time.Since(a.start)
	return resp, nil
}

// fileResponse returns the answer of the original itself, without its bytes.
func (a *ask) fileResponse(r *record) *Response {
	at := r.attributes(a.keep)
	resp := &Response{
		ContentType: at.ContentType, ETag: originalETag(at), Modified: at.Modified, Origin: at, Source: a.name.source,
		Unsupported: !r.Picture && len(a.req.Chain) > 0 && !plan.WantsOriginal(a.req.Chain),
	}
	if facts, ok := r.Facts[a.req.original(nil).Page]; ok {
		resp.Image, resp.Format, resp.ContentType = true, facts.Format, facts.Format.MediaType()
	}
	return resp
}

// fills bounds how many files are fetched at once only to be kept, and for how long each.
var fills = make(chan struct{}, 4)

const fillTime = time.Hour

// fill fetches the whole file and keeps it, in the background, unless too many are being fetched so.
func (a *ask) fill(r *record) {
	if a.memory.filling.busy(a.name) {
		return
	}
	select {
	case fills <- struct{}{}:
	default:
		return
	}
	again := *a
	again.holding = nil
	go func() {
		defer func() { <-fills }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(a.client), fillTime)
		defer cancel()
		_, _, _ = a.memory.filling.do(ctx, a.name, false, func(ctx context.Context) (struct{}, func(), error) {
			return struct{}{}, nil, again.fetchFile(ctx, r)
		})
	}()
}

// fetchFile keeps the whole file, if it is of the record's version.
func (a *ask) fetchFile(ctx context.Context, r *record) error {
	mark := a.memory.begin(a.name.source)
	defer a.memory.end(mark)
	src := &source{ctx: ctx, origin: a.req.Endpoint.Origin, request: originRequest(a.req, a.key)}
	if err := src.open(nil); err != nil {
		return err
	}
	if a.keep.newRecord(src.attributes, nil, time.Now()).Version != r.Version {
		src.Close()
		return errChanged
	}
	resp, err := src.passThrough()
	if err != nil {
		return err
	}
	defer resp.Close()
	meta := caches.Meta{Stored: time.Now(), Tags: r.tags(), Info: []byte(r.Version)}
	// Without Seek: each tier would read it from the origin anew.
	return a.memory.putFrom(ctx, a.keep.Files, a.name.file(), meta, struct{ io.Reader }{resp.Content}, mark)
}

// closeFunc is a function that is an io.Closer.
type closeFunc func()

func (f closeFunc) Close() error {
	f()
	return nil
}
