package caches

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync/atomic"
)

// maxFill is the size up to which an entry that a later tier has is put into those before it.
const maxFill = 4 << 20

// Tiers returns one store made of several, nearest first. An entry is looked for in one after the other, and put into those
// before the one that has it; what is kept is put into all. A tier that fails is passed over: Get fails, and Put, where all
// do.
func Tiers(stores ...Store) Store {
	if len(stores) == 1 {
		return stores[0]
	}
	return &tiers{stores: stores, seed: maphash.MakeSeed()}
}

type tiers struct {
	stores []Store
	// How often things changed: what is filled in from before a change must not outlive it.
	purges atomic.Int64
	puts   [1024]atomic.Int64 // by the hash of the key
	seed   maphash.Seed
}

// putsOf returns the count of what was put under key, and a few others.
func (t *tiers) putsOf(key Key) *atomic.Int64 {
	return &t.puts[maphash.Comparable(t.seed, key)%uint64(len(t.puts))]
}

// Get implements [Store].
func (t *tiers) Get(ctx context.Context, key Key) (*Entry, error) {
	changes := t.purges.Load() + t.putsOf(key).Load()
	var failure error
	for i, s := range t.stores {
		e, err := s.Get(ctx, key)
		switch {
		case err == nil && i > 0 && e.Size <= maxFill:
			return t.fill(ctx, key, e, i, changes)
		case err == nil:
			return e, nil
		case errors.Is(err, ErrMiss) || failure == nil:
			failure = err // a miss outranks a tier that doesn't answer
		}
	}
	return nil, failure
}

// fill puts an entry into the tiers before n and returns it, read whole.
func (t *tiers) fill(ctx context.Context, key Key, e *Entry, n int, changes int64) (*Entry, error) {
	body := make([]byte, e.Size)
	_, err := io.ReadFull(e.Content, body)
	e.Content.Close()
	if err != nil {
		return nil, ErrMiss
	}
	for _, s := range t.stores[:n] {
		// What can't be kept there is found here again.
		_ = s.Put(ctx, key, e.Meta, bytes.NewReader(body))
		if t.purges.Load()+t.putsOf(key).Load() != changes {
			t.drop(ctx, s, key)
		}
	}
	return &Entry{Meta: e.Meta, Size: e.Size, Content: Bytes(body)}, nil
}

// drop drops one entry of one tier, even for who has gone.
func (t *tiers) drop(ctx context.Context, s Store, key Key) {
	_, _ = s.Purge(context.WithoutCancel(ctx), Pattern{Source: key.Source, Variant: &key.Variant})
}

// Put implements [Store]. A tier that fails where another one doesn't no longer has what was there before.
func (t *tiers) Put(ctx context.Context, key Key, m Meta, body io.Reader) error {
	held, start, err := readOnce(body)
	if err != nil {
		return err
	}
	failures := make([]error, len(t.stores))
	kept := false
	// The farthest first, and counted before the next: what a reader fills in there meanwhile comes from farther away.
	for i := len(t.stores) - 1; i >= 0; i-- {
		if _, failures[i] = held.Seek(start, io.SeekStart); failures[i] == nil {
			failures[i] = t.stores[i].Put(ctx, key, m, held)
		}
		kept = kept || failures[i] == nil
		t.putsOf(key).Add(1)
	}
	if !kept {
		return failures[len(failures)-1]
	}
	for i := len(t.stores) - 1; i >= 0; i-- {
		if failures[i] != nil {
			t.drop(ctx, t.stores[i], key)
			t.putsOf(key).Add(1)
		}
	}
	return nil
}

// readOnce returns body as something that can be read again, from start.
func readOnce(body io.Reader) (again io.ReadSeeker, start int64, err error) {
	if again, ok := body.(io.ReadSeeker); ok {
		if start, err := again.Seek(0, io.SeekCurrent); err == nil { // pipes are files that can't
			return again, start, nil
		}
	}
	held, err := io.ReadAll(body)
	return bytes.NewReader(held), 0, err
}

// Purge implements [Store]. It counts the entries of the tier that had most.
func (t *tiers) Purge(ctx context.Context, match Pattern) (n int, err error) {
	t.purges.Add(1)
	// The farthest first: what a reader fills in meanwhile comes from there.
	for i := len(t.stores) - 1; i >= 0; i-- {
		purged, failure := t.stores[i].Purge(ctx, match)
		n, err = max(n, purged), errors.Join(err, failure)
	}
	return n, err
}

// Stats implements [Store]. They are those of the last tier, which holds most.
func (t *tiers) Stats() Stats { return t.stores[len(t.stores)-1].Stats() }

// Bytes returns content that is held in memory.
func Bytes(b []byte) io.ReadSeekCloser { return held{bytes.NewReader(b)} }

type held struct{ *bytes.Reader }

func (held) Close() error { return nil }
