package delivery

import (
	"context"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/transform"
)

// Memory is what the process remembers beside its stores: of originals, of work under way, of purges. All configs share
// one.
type Memory struct{}

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{} }

// Purge makes what matches be forgotten: in the stores, which it drops from in parallel, and in the process. What is being fetched or made
// at that moment is not kept. It returns how many entries were dropped from the store that had most.
func (m *Memory) Purge(ctx context.Context, match caches.Pattern, stores ...caches.Store) (int, error) {
	panic("not yet")
}

// Cache is the stage that remembers. It wraps Render.
type Cache struct {
	render *Render
	memory *Memory
}

// NewCache returns a Cache around the rendering by engine.
func NewCache(engine transform.Engine, m *Memory) *Cache {
	return &Cache{render: &Render{Engine: engine}, memory: m}
}

// Deliver implements [Deliverer].
func (c *Cache) Deliver(ctx context.Context, req *Request) (*Response, error) {
	return c.render.Deliver(ctx, req)
}

// Source returns the name of the original in stores: "<fingerprint>/<key>".
func (r *Request) Source() string { return r.Endpoint.Keeping.Fingerprint + "/" + r.Key }

// Variants returns the names under which stores may hold what the request's chain makes, for any client; nil where nothing
// is known of the original, of which there is then nothing to purge. all: the names can't be told, all variants of the original are meant.
func (c *Cache) Variants(ctx context.Context, req *Request) (names []string, all bool) {
	return nil, true
}
