package delivery

import (
	"context"
	"errors"
	"io"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// byKey delivers the file of a key, be it that of the request or of a picture that stands in for it.
type byKey func(ctx context.Context, req *Request, key string) (*Response, error)

// orUntouched answers by deliver, and where the engine fails, at endpoints that want that, with the original as it is.
func orUntouched(ctx context.Context, req *Request, key string, deliver byKey) (*Response, error) {
	resp, err := deliver(ctx, req, key)
	if err == nil || !req.mayBeUntouched(err) {
		return resp, err
	}
	again := *req
	again.Chain = asItIs
	original, failed := deliver(ctx, &again, key)
	if failed != nil {
		return nil, err // the fault to tell is that of the picture asked for
	}
	if !original.mayShow() || original.confine(req.Endpoint.Limits.SourceSize) != nil {
		original.Close()
		return nil, err
	}
	original.Failed, original.Vary = err, plan.VaryAccept|plan.VaryOf(req.chain())
	original.Warnings = append(original.Warnings, "the transformation failed, and the original is sent as it is")
	return original, nil
}

// asItIs is the transformation that sends originals as they are.
var asItIs = func() syntax.Chain {
	c, err := syntax.Parse("orig-true")
	if err != nil {
		panic("delivery: " + err.Error())
	}
	return c
}()

// mayBeUntouched reports whether the request may be answered with the original where err stands in the way of what it asks
// for: where the engine failed, and not where it has too much to do or a limit forbids it. What is always done to pictures
// is never left out, and who asks for the still picture of a file never gets the file.
func (r *Request) mayBeUntouched(err error) bool {
	if !r.Endpoint.Untouched || len(r.Endpoint.Always) > 0 || r.Still || plan.WantsOriginal(r.Chain) || isOrigins(err) {
		return false
	}
	e, ok := errors.AsType[*transform.Error](err)
	if !ok {
		return false
	}
	switch e.Kind {
	case transform.Internal, transform.Broken, transform.Timeout:
		return true
	}
	return false
}

// mayShow reports whether an original may stand in for what could not be made of it: it is a picture, in which no browser
// finds anything to run, and its origin doesn't call it private. Whoever may see a private one transformed, by a name or a
// signature, may not see it as it is.
func (r *Response) mayShow() bool {
	return r.Image && r.Format != plan.SVG && !r.Origin.Private
}

// errOver is the error of content of more bytes than are allowed.
var errOver = errors.New("the content has too many bytes")

// confine makes sure that the content has no more than limit bytes; 0 is no limit. What has no known size is read for that.
func (r *Response) confine(limit int64) error {
	if limit <= 0 || r.Size >= 0 && r.Size <= limit {
		return nil
	}
	if r.Size > limit {
		return errOver
	}
	content, err := io.ReadAll(io.LimitReader(r.Content, limit+1))
	if err != nil {
		return err
	}
	if int64(len(content)) > limit {
		return errOver
	}
	r.Content.Close()
	r.setBytes(content)
	return nil
}
