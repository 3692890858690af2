package origins

import (
	"context"
	"errors"
	"fmt"
)

// MissingOnDenied returns an Origin for a store whose credentials may read objects but not list them, and that
// therefore refuses what it doesn't have: a Denied that is Hidden becomes NotExist. Every other Denied stays one, so
// that a wrong key or a revoked permission is told as long as the store tells it apart.
func MissingOnDenied(o Origin) Origin {
	return OriginFunc(func(ctx context.Context, req Request) (*Object, error) {
		obj, err := o.Open(ctx, req)
		if err == nil {
			return obj, nil
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != Denied || !e.Hidden {
			return nil, err
		}
		// The cause stays as text only: nobody must find a refusal in the chain of what is just not there.
		missing := &Error{Kind: NotExist, Origin: e.Origin, Key: e.Key, Err: errTakenForMissing}
		if e.Err != nil {
			missing.Err = fmt.Errorf("%w: %v", errTakenForMissing, e.Err)
		}
		return nil, missing
	})
}

// errTakenForMissing says how a refusal became a NotExist.
var errTakenForMissing = errors.New("denied, which missing_on_denied takes for missing")
