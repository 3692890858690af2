// Package memory is the store that keeps entries in this process's memory, bounded in bytes.
package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/imageorigin/imageorigin/caches"
)

// overhead is what an entry takes beside its bytes, texts and tags: the structures of the cache and of this package.
// BenchmarkMemoryPerEntry measures it.
const overhead = 256

// tagOverhead is what a tag takes beside its text.
const tagOverhead = 16

// share is the part of the store that one entry may take at most, so that none drives out nearly all others.
const share = 8

// Store keeps entries in memory. Which ones it drops, when it is full, W-TinyLFU decides: those that are asked for rarely
// and were not asked for lately.
type Store struct {
	entries *otter.Cache[caches.Key, *item]
	limit   atomic.Int64
	bytes   atomic.Int64
	evicted atomic.Int64
	now     func() time.Time
}

type item struct {
	caches.Meta
	body []byte
}

// New returns a store that takes about maxBytes.
func New(maxBytes int64) (*Store, error) {
	if maxBytes < minSize {
		return nil, fmt.Errorf("a memory of %d bytes holds nothing; give it 1MiB or more", maxBytes)
	}
	s := &Store{now: time.Now}
	s.limit.Store(maxBytes)
	entries, err := otter.New(&otter.Options[caches.Key, *item]{
		// Weights are 32 bits wide in the cache: kibibytes, rounded up, reach far enough for any entry.
		MaximumWeight: uint64(maxBytes) / kibi,
		Weigher:       func(key caches.Key, it *item) uint32 { return uint32((it.size(key) + kibi - 1) / kibi) },
		OnAtomicDeletion: func(e otter.DeletionEvent[caches.Key, *item]) {
			s.bytes.Add(-e.Value.size(e.Key))
			if e.WasEvicted() {
				s.evicted.Add(1)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	s.entries = entries
	return s, nil
}

const kibi = 1 << 10

// size is what the entry takes.
func (it *item) size(key caches.Key) int64 {
	n := overhead + len(it.body) + len(it.Info) + len(key.Source) + len(key.Variant)
	for _, tag := range it.Tags {
		n += tagOverhead + len(tag)
	}
	return int64(n)
}

// Get implements [caches.Store]. The content is the store's own memory, which nobody changes: nothing is copied.
func (s *Store) Get(_ context.Context, key caches.Key) (*caches.Entry, error) {
	it, ok := s.entries.GetIfPresent(key)
	if !ok {
		return nil, caches.ErrMiss
	}
	if !it.Expires.IsZero() && !s.now().Before(it.Expires) {
		return nil, caches.ErrMiss // it goes when room is needed
	}
	return &caches.Entry{Meta: it.Meta, Size: int64(len(it.body)), Content: caches.Bytes(it.body)}, nil
}

// Put implements [caches.Store].
func (s *Store) Put(ctx context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	held, err := readAll(body, s.limit.Load()/share)
	switch {
	case errors.Is(err, caches.ErrTooLarge):
		return err
	case err != nil:
		return fmt.Errorf("keeping %s in memory: %w", key.Source, err)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	m.Tags, m.Info = slices.Clone(m.Tags), bytes.Clone(m.Info) // the caller may use its own again
	it := &item{m, held}
	s.bytes.Add(it.size(key))
	s.entries.Set(key, it)
	return nil
}

// readAll returns what body holds, of limit bytes at most, in memory that has no room left over.
func readAll(body io.Reader, limit int64) ([]byte, error) {
	size := -1
	switch body := body.(type) { // of others, Len may mean something else
	case *bytes.Reader:
		size = body.Len()
	case *bytes.Buffer:
		size = body.Len()
	case *strings.Reader:
		size = body.Len()
	}
	if int64(size) > limit {
		return nil, caches.ErrTooLarge
	}
	if size >= 0 {
		held := make([]byte, size)
		_, err := io.ReadFull(body, held)
		return held, err
	}
	held, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(held)) > limit {
		return nil, caches.ErrTooLarge
	}
	return bytes.Clone(held), err
}

// Purge implements [caches.Store]. It looks at every entry, unless the pattern names one.
func (s *Store) Purge(ctx context.Context, match caches.Pattern) (n int, err error) {
	if match.Source != "" && !match.Prefix && match.Variant != nil && match.Tag == "" {
		if _, dropped := s.entries.Invalidate(caches.Key{Source: match.Source, Variant: *match.Variant}); dropped {
			n = 1
		}
		return n, nil
	}
	for key, it := range s.entries.All() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if !match.Fits(key, it.Tags) {
			continue
		}
		if _, dropped := s.entries.Invalidate(key); dropped {
			n++
		}
	}
	return n, nil
}

// Stats implements [caches.Store].
func (s *Store) Stats() caches.Stats {
	return caches.Stats{
		Entries: int64(s.entries.EstimatedSize()),
		Bytes:   s.bytes.Load(),
		Limit:   s.limit.Load(),
		Evicted: s.evicted.Load(),
	}
}

// SetLimit changes what the store may take.
func (s *Store) SetLimit(maxBytes int64) {
	s.limit.Store(maxBytes)
	s.entries.SetMaximum(uint64(maxBytes) / kibi)
}

var _ caches.Store = (*Store)(nil)
