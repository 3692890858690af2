package remote

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Client holds the client of a store's library, which is made when it is first needed, and made anew when what it is
// made of has changed: some look for credentials on the network while they are made, and an origin must not keep a
// server from starting. An attempt that fails is made again at the next call. The zero value is useful once Make is
// set.
type Client[Settings comparable, T any] struct {
	// Make makes the client. Its context ends with nobody's request: the client is for all of them.
	Make func(ctx context.Context, s Settings) (T, error)

	mu     sync.Mutex
	made   *made[Settings, T] // nil before the first
	flight singleflight.Group // no lock is held while a client is made
}

type made[Settings comparable, T any] struct {
	settings Settings
	client   T
}

// Get returns the client for s, or why it can't be made. It waits no longer than ctx.
func (c *Client[Settings, T]) Get(ctx context.Context, s Settings) (T, error) {
	for {
		if m := c.current(); m != nil && m.settings == s {
			return m.client, nil
		}
		select {
		case result := <-c.flight.DoChan("", func() (any, error) { return nil, c.make(context.WithoutCancel(ctx), s) }):
			// The flight may have been another caller's, with other settings: then it is our turn.
			if result.Err != nil {
				var none T
				return none, result.Err
			}
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
	}
}

// Forget lets the next Get make a client, whether or not its settings have changed: what the current one has been given
// on the way isn't valid any more.
func (c *Client[Settings, T]) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = nil
}

func (c *Client[Settings, T]) current() *made[Settings, T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made
}

func (c *Client[Settings, T]) make(ctx context.Context, s Settings) error {
	// A flight may have ended between the look of our caller and our own.
	if m := c.current(); m != nil && m.settings == s {
		return nil
	}
	client, err := c.Make(ctx, s)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = &made[Settings, T]{s, client}
	return nil
}
