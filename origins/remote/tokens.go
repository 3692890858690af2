package remote

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	tokenTimeout = 30 * time.Second // of fetching a token, for all who wait for it; each of them has an end of its own
	renewEarly   = 3 * time.Minute  // before a token ends, so that nobody waits for the next one
	lastMoment   = 10 * time.Second // before a token ends: what is sent now is looked at later, by another clock
	renewPause   = 10 * time.Second // after a renewal that brought nothing that lasts, while there is a good token
)

// Token is what a request says to show who sends it.
type Token struct {
	Value string
	Ends  time.Time // zero: never
}

// lasts reports whether there is a token that is good for d.
func (t *Token) lasts(d time.Duration) bool {
	return t != nil && (t.Ends.IsZero() || time.Until(t.Ends) > d)
}

// Tokens hands out the token of an identity. One is fetched at a time, by nobody's request, so that all who need it can
// wait for it and each can leave: libraries let those who wait hang on the one who fetches. The zero value is useful
// once Fetch is set.
type Tokens struct {
	// Fetch fetches a token. Its error goes to all who wait, and is not changed by any of them.
	Fetch func(ctx context.Context) (Token, error)

	current atomic.Pointer[Token] // nil before the first
	again   atomic.Int64          // Unix time in nanoseconds before which a token that is good isn't renewed
	flight  singleflight.Group
}

// Get returns a token. It waits no longer than ctx, and not at all while there is a good one.
func (t *Tokens) Get(ctx context.Context) (string, error) {
	token := t.current.Load()
	good := token.lasts(lastMoment)
	if token.lasts(renewEarly) || good && time.Now().UnixNano() < t.again.Load() {
		return token.Value, nil
	}
	next := t.flight.DoChan("", func() (any, error) { return t.fetch(context.WithoutCancel(ctx)) })
	if good {
		return token.Value, nil
	}
	select {
	case result := <-next:
		if result.Err != nil {
			return "", result.Err
		}
		return result.Val.(*Token).Value, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (t *Tokens) fetch(ctx context.Context) (*Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	token, err := t.Fetch(ctx)
	if err == nil && token.Value == "" {
		err = errors.New("there is no token in the answer")
	}
	if err != nil || !token.lasts(renewEarly) {
		t.again.Store(time.Now().Add(renewPause).UnixNano())
	}
	if err != nil {
		return nil, err
	}
	t.current.Store(&token)
	return &token, nil
}

// Forget lets the next Get fetch a token if the current one is value, which isn't taken any more.
func (t *Tokens) Forget(value string) {
	if token := t.current.Load(); token != nil && token.Value == value {
		t.current.CompareAndSwap(token, nil)
	}
}
