package delivery

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// sendOriginal answers with the original as it is: with a picture that is asked for so, or with what is no picture.
func (a *ask) sendOriginal(ctx context.Context, r *record) (*Response, error) {
	if resp, err := a.hitFile(ctx, r); resp != nil || err != nil {
		if resp != nil && a.holding != nil {
			resp.How.Hit, resp.How.Forward, resp.How.Collapsed = false, a.reason(), a.part == waited
		}
		return resp, err
	}
	if !a.shows(r) {
		return a.through(ctx)
	}
	o, err := a.originalOr(ctx, r, a.own(r))
	if err != nil {
		return nil, err
	}
	resp := a.fileResponse(r)
	resp.setBytes(o.file)
	resp.Content = &closing{ReadSeekCloser: resp.Content, also: closeFunc(sync.OnceFunc(func() { a.memory.share(o, -1) }))}
	resp.Timing.Download = o.download
	resp.How = a.how(r, How{Forward: a.reason(), Stored: o.keepable(), Collapsed: a.part == waited})
	return resp, nil
}

// isUnreadable reports whether err says that an original can't be looked at; it can be sent all the same.
func isUnreadable(err error) bool {
	_, large := errors.AsType[*plan.LimitError](err)
	return large || isFlaw(err)
}

// through streams what is no picture from its origin to the client.
func (a *ask) through(ctx context.Context) (*Response, error) {
	r := a.knownRecord()
	if a.req.wantsStill() {
		return nil, ErrNoStill
	}
	if r != nil && a.keep.Files != nil && r.keepable() && !a.due {
		a.fill(r) // it was asked for before
	}
	if a.holding != nil && a.part == began {
		if src, stop := a.holding.open.take(); src != nil {
			resp, err := a.goOn(ctx, src, stop)
			if err == nil {
				return resp, nil
			}
			if ctx.Err() != nil {
				return nil, a.unanswered(ctx)
			}
		}
	}
	resp, err := a.bypass(a.client, a.req, a.key)
	switch {
	case err != nil && isOrigins(err) && origins.KindOf(err) == origins.NotExist, err == nil && resp.Image:
		a.drop(a.client)
	}
	return resp, err
}

// goOn answers with a file that is open already. Until something is promised to the client, it may take as long as ctx.
func (a *ask) goOn(ctx context.Context, src *source, stop context.CancelFunc) (*Response, error) {
	unlink, late := context.AfterFunc(a.client, stop), context.AfterFunc(ctx, stop)
	defer late()
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
	if a.shows(r) {
		store, key = a.keep.Originals, a.name.original()
	} else if a.req.wantsStill() {
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
	at := r.attributes(a.keep, a.key)
	resp := &Response{
		ContentType: at.ContentType, ETag: originalETag(at), Modified: at.Modified, Origin: at, Source: a.name.source,
		Unsupported: !a.shows(r) && len(a.req.Chain) > 0 && !plan.WantsOriginal(a.req.Chain),
	}
	if a.shows(r) {
		resp.Image, resp.Format, resp.ContentType = true, r.Format, r.Format.MediaType()
	}
	return resp
}

// fills bounds how many files are fetched at once only to be kept, and for how long each.
var fills = make(chan struct{}, 4)

const (
	fillTime  = time.Hour
	fillPause = 10 * time.Minute // until a file is tried again that could not be kept: it may be too large for the store
)

// fill fetches the whole file and keeps it, in the background, unless too many are being fetched so.
func (a *ask) fill(r *record) {
	if a.memory.filling.busy(a.name) || a.memory.flawed(a.name.flaw(fileFlaw)) != nil {
		return
	}
	again := *a
	again.holding = nil
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(again.client), fillTime)
		defer cancel()
		_, _, _ = a.memory.filling.do(ctx, again.name, false, func(ctx context.Context) (struct{}, func(), error) {
			select {
			case fills <- struct{}{}:
				defer func() { <-fills }()
				return struct{}{}, nil, again.fetchFile(ctx, r)
			default:
				return struct{}{}, nil, nil
			}
		})
	}()
}

// fileFlaw names why a file that is no picture isn't kept.
const fileFlaw = "file"

// fetchFile keeps the whole file, if it is of the record's version.
func (a *ask) fetchFile(ctx context.Context, r *record) (err error) {
	mark := a.memory.begin(a.name.source)
	defer a.memory.end(mark)
	defer func() {
		if err != nil {
			a.memory.blame(a.name.flaw(fileFlaw), flaw{err, time.Now().Add(fillPause)}, mark)
		}
	}()
	src := &source{ctx: ctx, origin: a.req.Endpoint.Origin, request: originRequest(a.req, a.key)}
	if err := src.open(nil); err != nil {
		return err
	}
	if a.keep.newRecord(src.attributes, r.Format, nil, time.Now()).Version != r.Version {
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
