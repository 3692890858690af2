package delivery

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/imageorigin/imageorigin/caches"
)

// Memory is what the process remembers beside its stores: originals that were asked for lately, work under way, purges. All
// configs share one.
type Memory struct {
	known   *lru.Cache[name, known]
	flaws   *lru.Cache[string, flaw]
	fetches flights[fetch, *original]
	looks   flights[look, seen]
	results flights[making, *result]
	renewal flights[name, struct{}]
	filling flights[name, struct{}]

	shed     Shed
	spending spending

	mu     sync.Mutex
	held   map[name]*original // those that are being looked at
	marks  map[*mark]struct{} // of what is being read
	purges int64              // how many began, and ended, and how often a record was dropped

	// By the name of the original, for as long as its record is written to a store: the latest is to be the last one.
	// Each is a lock that holds one; it is held while a store takes its time.
	writers [256]chan struct{}
	seed    maphash.Seed
}

// Bounds of a Memory. A record takes about a kibibyte, and its name up to four: some origins have a file under any name.
const (
	maxKey     = 4 << 10 // bytes; of longer ones nothing is remembered
	maxRecords = 1 << 14
	maxFlaws   = 1 << 12
)

// name is the name of an original.
type name struct {
	source string // Request.Source
	aside  string // stands for Query and Host where they count; "" where not
}

func (n name) record() caches.Key { return caches.Key{Source: n.source, Variant: recordForm + n.aside} }
func (n name) original() caches.Key {
	return caches.Key{Source: n.source, Variant: "original" + n.aside}
}
func (n name) file() caches.Key { return caches.Key{Source: n.source, Variant: "file" + n.aside} }

// flaw names why nothing can be made of the original; variant is what, "" is anything.
func (n name) flaw(variant string) string { return n.source + "\x00" + n.aside + "\x00" + variant }

// recordForm changes with the form of records, and when originals are to be looked at anew.
const recordForm = "record2"

// known is a record, and what of it concerns this process alone.
type known struct {
	*record
	quiet time.Time // until then its origin isn't asked again: it could not be a moment ago
}

// flaw is why nothing can be made of an original.
type flaw struct {
	err   error
	until time.Time
}

// mark is put on what is read from an origin or a store, so that a purge reaches it.
type mark struct {
	source string
	purged bool // under the lock of Memory
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	m := &Memory{held: map[name]*original{}, marks: map[*mark]struct{}{}, seed: maphash.MakeSeed()}
	m.known = newLRU[name, known](maxRecords)
	m.flaws = newLRU[string, flaw](maxFlaws)
	m.fetches.share = m.share
	m.spending.of = newLRU[spender, []spent](maxSpenders)
	for i := range m.writers {
		m.writers[i] = make(chan struct{}, 1)
	}
	return m
}

// Shed returns what bounds the misses under way.
func (m *Memory) Shed() *Shed { return &m.shed }

func newLRU[K comparable, V any](size int) *lru.Cache[K, V] {
	cache, err := lru.New[K, V](size)
	if err != nil {
		panic("delivery: " + err.Error())
	}
	return cache
}

// Purge makes what matches be forgotten: in the stores, in parallel, and in the process. What is being fetched or made at
// that moment is not kept. It returns how many entries were dropped from the store that had most.
func (m *Memory) Purge(ctx context.Context, match caches.Pattern, stores ...caches.Store) (int, error) {
	m.forget(match)
	m.settle()
	counts, failures := make([]int, len(stores)), make([]error, len(stores))
	var purging sync.WaitGroup
	for i, store := range stores {
		purging.Go(func() {
			counts[i], _, failures[i] = unhurt(ctx, func(ctx context.Context) (n int, _ func(), err error) {
				n, err = store.Purge(ctx, match)
				return n, nil, err
			})
		})
	}
	purging.Wait()
	m.forget(match) // what was read from the stores meanwhile
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	return most, errors.Join(failures...)
}

// forget makes what matches be forgotten in the process. Of work under way it isn't told which variant or tag it will be
// of: all of the original's, and with a tag everybody's, is taken to be meant.
func (m *Memory) forget(match caches.Pattern) {
	meant := func(source string) bool {
		return caches.Pattern{Source: match.Source, Prefix: match.Prefix}.Fits(caches.Key{Source: source}, nil)
	}
	m.mu.Lock()
	m.purges++
	for mark := range m.marks {
		if meant(mark.source) {
			mark.purged = true
		}
	}
	for n := range m.held {
		if meant(n.source) {
			delete(m.held, n) // who looks at it goes on
		}
	}
	m.mu.Unlock()
	m.fetches.desert(func(f fetch) bool { return meant(f.source) })
	m.looks.desert(func(l look) bool { return meant(l.source) })
	m.results.desert(func(k making) bool { return meant(k.Source) })
	m.renewal.desert(func(n name) bool { return meant(n.source) })
	m.filling.desert(func(n name) bool { return meant(n.source) })
	m.flaws.Purge()
	var names []name
	for _, n := range m.known.Keys() {
		if k, ok := m.known.Peek(n); ok && meant(n.source) && match.Fits(n.record(), k.tags()) {
			names = append(names, n)
		}
	}
	m.mu.Lock() // against who is about to put back what it has looked up there
	defer m.mu.Unlock()
	for _, n := range names {
		m.known.Remove(n)
	}
}

// settle waits until no record is being written that was purged meanwhile: who reads one in the moment before its writer
// takes it back would have what was purged.
func (m *Memory) settle() {
	for _, lock := range m.writers {
		lock <- struct{}{}
		<-lock
	}
}

// begin marks what is going to be read. The caller ends it.
func (m *Memory) begin(source string) *mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := &mark{source: source}
	m.marks[k] = struct{}{}
	return k
}

func (m *Memory) end(k *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks, k)
}

// purged reports whether what is marked was purged meanwhile.
func (m *Memory) purged(k *mark) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return k.purged
}

// recall returns what is known of an original, from the store where the process doesn't know; nil is nothing.
func (m *Memory) recall(ctx context.Context, n name, store caches.Store) *known {
	if k, ok := m.known.Get(n); ok {
		return &k
	}
	m.mu.Lock()
	purges := m.purges
	m.mu.Unlock()
	r := readRecord(ctx, n, store)
	if r == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := known{record: r}
	if purges == m.purges { // else it may be one that was purged
		m.known.ContainsOrAdd(n, k)
	}
	return &k
}

// readRecord returns the record that a store has; nil is none.
func readRecord(ctx context.Context, n name, store caches.Store) *record {
	e, err := store.Get(ctx, n.record())
	if err != nil {
		return nil
	}
	defer e.Content.Close()
	data, err := io.ReadAll(io.LimitReader(e.Content, maxRecord))
	if err != nil {
		return nil
	}
	r, err := decodeRecord(data)
	if err != nil {
		return nil // of another version of this program
	}
	if r.Checked.After(time.Now()) {
		r.Checked = time.Time{} // by a clock that was wrong; it would count for who knows how long
	}
	return r
}

// maxRecord bounds the text of a record.
const maxRecord = 1 << 20

// learn remembers a record in the process, unless what it was read from was purged, or the origin was asked later and
// answered sooner.
func (m *Memory) learn(n name, r *record, k *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if latest, ok := m.known.Peek(n); !k.purged && (!ok || !latest.Checked.After(r.Checked)) {
		m.known.Add(n, known{record: r})
	}
}

// blame remembers why nothing can be made of an original, unless what was tried was purged.
func (m *Memory) blame(what string, f flaw, k *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !k.purged {
		m.flaws.Add(what, f)
	}
}

// improve adds to a record what was found out about the same version.
func (m *Memory) improve(n name, r *record, add func(*record) *record) *record {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.known.Peek(n); ok && k.Version == r.Version {
		k.record = add(k.record)
		m.known.Add(n, k)
	}
	return add(r)
}

// writing lets one write the record of an original at a time, until it calls done.
func (m *Memory) writing(n name) (done func()) {
	lock := m.writers[maphash.Comparable(m.seed, n)%uint64(len(m.writers))]
	lock <- struct{}{}
	return func() { <-lock }
}

// postpone has an original's origin left alone until then.
func (m *Memory) postpone(n name, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.known.Peek(n); ok {
		k.quiet = until
		m.known.Add(n, k)
	}
}

// put keeps an entry, unless what it was made of was purged before that is over. What can't be kept is made again.
func (m *Memory) put(ctx context.Context, store caches.Store, key caches.Key, meta caches.Meta, body []byte, k *mark) {
	_ = m.putFrom(ctx, store, key, meta, bytes.NewReader(body), k)
}

func (m *Memory) putFrom(ctx context.Context, store caches.Store, key caches.Key, meta caches.Meta, body io.Reader, k *mark) error {
	if m.purged(k) {
		return nil
	}
	err := store.Put(ctx, key, meta, body)
	if m.purged(k) {
		_, _ = store.Purge(context.WithoutCancel(ctx), caches.Pattern{Source: key.Source, Variant: &key.Variant})
	}
	return err
}

// drop forgets what is known of an original.
func (m *Memory) drop(ctx context.Context, n name, store caches.Store) {
	defer m.writing(n)()
	variant := n.record().Variant
	_, _ = store.Purge(context.WithoutCancel(ctx), caches.Pattern{Source: n.source, Variant: &variant})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known.Remove(n)
	m.purges++ // for who has read it from the store meanwhile
}

// flawed returns why nothing can be made of what is called so; nil where that isn't known.
func (m *Memory) flawed(what string) error {
	f, ok := m.flaws.Get(what)
	if !ok || !time.Now().Before(f.until) {
		return nil
	}
	return f.err
}
