package caddymodule

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// memoryFunc is a purger.
type memoryFunc func(ctx context.Context, match caches.Pattern, stores []caches.Store) (int, error)

func (f memoryFunc) Purge(ctx context.Context, match caches.Pattern, stores ...caches.Store) (int, error) {
	return f(ctx, match, stores)
}

// namedStore is a store that is only told apart from others.
type namedStore struct {
	caches.Store
	name string
}

func noStores() []caches.Store { return nil }

func TestPurgesForgetBeforeTheyDropAndCountAll(t *testing.T) {
	var order []string
	d := newDesk(memoryFunc(func(_ context.Context, match caches.Pattern, _ []caches.Store) (int, error) {
		order = append(order, patternsText([]caches.Pattern{match}))
		return 2, nil
	}), noStores)
	j, err := d.take(&purge{
		patterns: []caches.Pattern{{Source: "a"}, {Source: "b"}},
		misses:   []func(){func() { order = append(order, "misses") }},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-j.done
	if !slices.Equal(order, []string{"misses", "a", "b"}) || j.dropped != 4 || j.err != nil || !j.finished() {
		t.Errorf("got %v, %d, %v", order, j.dropped, j.err)
	}
}

func TestFewBroadPurgesRunAtOnceAndFewWait(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	gate := make(chan struct{})
	d := newDesk(memoryFunc(func(_ context.Context, match caches.Pattern, _ []caches.Store) (int, error) {
		if !match.Prefix {
			return 1, nil
		}
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		<-gate
		mu.Lock()
		running--
		mu.Unlock()
		return 1, nil
	}), noStores)
	broad := &purge{broad: true, patterns: []caches.Pattern{{Source: "a/", Prefix: true}}}
	var jobs []*job
	for range broadPurges + broadWaiting {
		j, err := d.take(broad)
		if err != nil {
			t.Fatalf("purge %d: %v", len(jobs)+1, err)
		}
		jobs = append(jobs, j)
	}
	if _, err := d.take(broad); !errors.Is(err, errPurgesBusy) {
		t.Errorf("one too many: got %v, want %v", err, errPurgesBusy)
	}
	narrow, err := d.take(&purge{patterns: []caches.Pattern{{Source: "a/b.jpg"}}})
	if err != nil {
		t.Fatal(err)
	}
	<-narrow.done // although all places of the broad ones are taken
	if jobs[0].finished() {
		t.Error("a purge that goes on is finished")
	}
	close(gate)
	for _, j := range jobs {
		<-j.done
	}
	if most > broadPurges {
		t.Errorf("%d ran at once, want at most %d", most, broadPurges)
	}
	if j, err := d.take(broad); err != nil {
		t.Errorf("when all are done: %v", err)
	} else {
		<-j.done
	}
}

func TestAPurgeEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(memoryFunc(func(ctx context.Context, _ caches.Pattern, _ []caches.Store) (int, error) {
			<-ctx.Done()
			return 3, ctx.Err()
		}), noStores)
		start := time.Now()
		j, err := d.take(&purge{broad: true, patterns: []caches.Pattern{{Tag: "x"}, {Tag: "y"}}})
		if err != nil {
			t.Fatal(err)
		}
		<-j.done
		if took := time.Since(start); took != broadTime || !errors.Is(j.err, context.DeadlineExceeded) || j.dropped != 3 {
			t.Errorf("got %v after %v with %d entries, want the deadline after %v", j.err, took, j.dropped, broadTime)
		}
	})
}

func TestStoresOfAConfigThatComesMeanwhileArePurgedToo(t *testing.T) {
	before, after := &namedStore{name: "before"}, &namedStore{name: "after"}
	started := []caches.Store{before}
	var seen [][]caches.Store
	d := newDesk(memoryFunc(func(_ context.Context, _ caches.Pattern, stores []caches.Store) (int, error) {
		seen = append(seen, stores)
		if len(seen) == 1 {
			started = []caches.Store{after} // the reload closes the one before
			return 1, errors.New("the store is closed")
		}
		return 5, nil
	}), func() []caches.Store { return started })
	j, err := d.take(&purge{patterns: []caches.Pattern{{Source: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	<-j.done
	if j.err != nil || j.dropped != 5 || len(seen) != 2 || seen[1][0] != after {
		t.Errorf("got %v, %d, %d purges", j.err, j.dropped, len(seen))
	}
}

func TestTheLastStopEndsAllPurges(t *testing.T) {
	begun := make(chan struct{}, broadPurges)
	d := newDesk(memoryFunc(func(ctx context.Context, _ caches.Pattern, _ []caches.Store) (int, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	}), noStores)
	var jobs []*job
	for range broadPurges + 2 {
		j, err := d.take(&purge{broad: true, patterns: []caches.Pattern{{Tag: "x"}}})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	for range broadPurges {
		<-begun
	}
	d.settle()
	for i, j := range jobs {
		if !j.finished() || !errors.Is(j.err, context.Canceled) {
			t.Errorf("purge %d: finished %v, %v", i, j.finished(), j.err)
		}
	}
}
