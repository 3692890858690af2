package delivery

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// bus is a store that machines share.
type bus struct {
	shelves
	mu    sync.Mutex
	locks map[caches.Key]chan struct{}
}

func (b *bus) Lock(ctx context.Context, key caches.Key) (func(), error) {
	b.mu.Lock()
	if b.locks == nil {
		b.locks = map[caches.Key]chan struct{}{}
	}
	lock := b.locks[key]
	if lock == nil {
		lock = make(chan struct{}, 1)
		b.locks[key] = lock
	}
	b.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestMachinesThatShareAStoreMakeAResultOnce(t *testing.T) {
	for name, tiered := range map[string]bool{"alone": false, "behind memory": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared, engine := new(bus), &brush{delay: time.Second}
				var visitors sync.WaitGroup
				for range 5 {
					k := newKiosk(t, oneFile)
					k.engine, k.e.Keeping.Results = engine, caches.Store(shared)
					if tiered {
						k.e.Keeping.Results = caches.Tiers(new(shelves), shared)
					}
					k.restart()
					visitors.Go(func() {
						if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one: ") {
							t.Error(got)
						}
					})
				}
				visitors.Wait()
				if n := engine.painted(); n != 1 {
					t.Errorf("%d renders, want 1", n)
				}
			})
		})
	}
}
