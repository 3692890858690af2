package delivery

import (
	"cmp"
	"context"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// orStandIn answers with the file of a key, by deliver, and where no origin has that with the picture that stands in for it.
func orStandIn(ctx context.Context, req *Request, deliver byKey) (*Response, error) {
	resp, err := orUntouched(ctx, req, req.Key, deliver)
	if err == nil || origins.KindOf(err) != origins.NotExist || !isOrigins(err) {
		return resp, err
	}
	for _, standIn := range []string{defaultImage(req.chain()), req.Endpoint.DefaultImage} {
		if standIn == "" || standIn == req.Key {
			continue
		}
		if resp, failed := orUntouched(ctx, req, standIn, deliver); failed == nil {
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
