package caches

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"sync"
)

// maxFill is the size up to which entries are in several tiers. Larger ones are in one alone.
const maxFill = 4 << 20

// Tiers returns one store made of several, nearest first. An entry is looked for in one after the other, and put into those
// before the one that has it; what is kept is put into all. An entry of more than 4 MiB is put into the farthest tier that
// takes it, and into no other: memory is for what is small, and what passes through is never held whole. A tier that fails
// is passed over: Get fails, and Put, where all do.
func Tiers(stores ...Store) Store {
	if len(stores) == 1 {
		return stores[0]
	}
	return &tiers{stores: stores, seed: maphash.MakeSeed()}
}

type tiers struct {
	stores []Store
	// How often things changed: what is filled in from before a change must not outlive it.
	purges changes
	puts   [256]changes // by the hash of the key
	seed   maphash.Seed
}

// changes counts changes of what one tier holds. What follows from the count before is done while it stays.
type changes struct {
	mu    sync.RWMutex
	count int64
}

func (c *changes) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
}

func (c *changes) now() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.count
}

// putsOf counts what was put under key, and a few others.
func (t *tiers) putsOf(key Key) *changes {
	return &t.puts[maphash.Comparable(t.seed, key)%uint64(len(t.puts))]
}

// Get implements [Store].
func (t *tiers) Get(ctx context.Context, key Key) (*Entry, error) {
	e, err := t.stores[0].Get(ctx, key)
	if err == nil {
		return e, nil
	}
	failure := err
	puts := t.putsOf(key)
	before := state{t.purges.now(), puts.now()}
	for i, s := range t.stores[1:] {
		e, err := s.Get(ctx, key)
		switch {
		case err == nil && e.Size <= maxFill:
			return t.fill(ctx, key, e, t.stores[:i+1], before)
		case err == nil:
			return e, nil
		case errors.Is(err, ErrMiss):
			failure = err // a miss outranks a tier that doesn't answer
		}
	}
	return nil, failure
}

// state is how often things had changed.
type state struct{ purges, puts int64 }

// fill puts an entry into nearer tiers, if nothing has changed since, and returns it, read whole.
func (t *tiers) fill(ctx context.Context, key Key, e *Entry, nearer []Store, since state) (*Entry, error) {
	body := make([]byte, e.Size)
	_, err := io.ReadFull(e.Content, body)
	e.Content.Close()
	if err != nil {
		return nil, ErrMiss
	}
	for _, s := range nearer {
		t.putSince(ctx, s, key, e.Meta, body, since)
	}
	return &Entry{Meta: e.Meta, Size: e.Size, Content: Bytes(body)}, nil
}

// putSince puts an entry into one tier, if nothing has changed since.
func (t *tiers) putSince(ctx context.Context, s Store, key Key, m Meta, body []byte, since state) {
	puts := t.putsOf(key)
	// Who changes something counts it before this tier is changed, and so comes after what is put here.
	t.purges.mu.RLock()
	defer t.purges.mu.RUnlock()
	puts.mu.RLock()
	defer puts.mu.RUnlock()
	if (state{t.purges.count, puts.count}) == since {
		_ = s.Put(ctx, key, m, bytes.NewReader(body)) // what can't be kept there is found farther away again
	}
}

// drop drops one entry of one tier, even for who has gone.
func (t *tiers) drop(ctx context.Context, s Store, key Key) {
	_, _ = s.Purge(context.WithoutCancel(ctx), Pattern{Source: key.Source, Variant: &key.Variant})
}

// Put implements [Store]. A tier that fails where another one doesn't no longer has what was there before.
func (t *tiers) Put(ctx context.Context, key Key, m Meta, body io.Reader) error {
	again, err := readAgain(body)
	if err != nil {
		return err
	}
	failures := make([]error, len(t.stores))
	kept := false
	// The farthest first, and counted before the next: what a reader fills in there meanwhile comes from farther away.
	for i := len(t.stores) - 1; i >= 0; i-- {
		if kept && again.large {
			failures[i] = ErrTooLarge
			continue
		}
		var body io.Reader
		if body, failures[i] = again.body(); failures[i] == nil {
			failures[i] = t.stores[i].Put(ctx, key, m, body)
		}
		kept = kept || failures[i] == nil
		t.putsOf(key).add()
	}
	if !kept {
		return failures[len(failures)-1]
	}
	for i := len(t.stores) - 1; i >= 0; i-- {
		if failures[i] != nil {
			t.drop(ctx, t.stores[i], key)
			t.putsOf(key).add()
		}
	}
	return nil
}

// Purge implements [Store]. It counts the entries of the tier that had most.
func (t *tiers) Purge(ctx context.Context, match Pattern) (n int, err error) {
	// The farthest may take long: the nearer ones are purged before it too.
	for _, s := range t.stores[:len(t.stores)-1] {
		purged, _ := s.Purge(ctx, match)
		n = max(n, purged)
	}
	// The farthest first, and counted before the next: what a reader fills in meanwhile comes from farther away.
	for i := len(t.stores) - 1; i >= 0; i-- {
		purged, failure := t.stores[i].Purge(ctx, match)
		n, err = max(n, purged), errors.Join(err, failure)
		t.purges.add()
	}
	return n, err
}

// Lock implements [Locker]: by the last tier that does. It fails where none does.
func (t *tiers) Lock(ctx context.Context, key Key) (unlock func(), err error) {
	for _, s := range slices.Backward(t.stores) {
		if locker, ok := s.(Locker); ok {
			return locker.Lock(ctx, key)
		}
	}
	return nil, errNoLocker
}

// errNoLocker is the error of tiers that are all this process's own.
var errNoLocker = errors.New("no tier is shared by machines")

// Stats implements [Store]. They are those of the last tier, which holds most.
func (t *tiers) Stats() Stats { return t.stores[len(t.stores)-1].Stats() }

// Bytes returns content that is held in memory.
func Bytes(b []byte) io.ReadSeekCloser { return held{bytes.NewReader(b)} }

type held struct{ *bytes.Reader }

func (held) Close() error { return nil }
