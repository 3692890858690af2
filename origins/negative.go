package origins

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Negative returns an Origin that remembers for ttl what o doesn't have, and says so without asking o again. Only
// NotExist is remembered, never a fault: an outage must end when it ends. At most entries misses are remembered, the
// least recently used go first; each takes some 200 bytes, however long the key is.
//
// A key that is asked for with another Query or Host is another object; a Range or a Validator makes no difference.
// The Origin is a [Forgetter], for whoever knows that the object is there now.
func Negative(o Origin, ttl time.Duration, entries int) Origin {
	if ttl <= 0 || entries <= 0 {
		return o
	}
	return &negative{origin: o, misses: newMemory[miss](ttl, entries)}
}

type negative struct {
	origin Origin
	misses *memory[miss]
}

// miss is what is remembered of a NotExist.
type miss struct {
	origin string // name of the one that said it
	at     time.Time
}

// Open asks the origin, unless it said lately that there is no such object.
func (n *negative) Open(ctx context.Context, req Request) (*Object, error) {
	id := identify(req)
	if m, ok := n.misses.recall(id); ok {
		ago := time.Since(m.at).Round(time.Second)
		return nil, &Error{Kind: NotExist, Origin: m.origin, Key: req.Key, Err: fmt.Errorf("no origin had it %v ago", ago)}
	}
	began := n.misses.told.Load()
	obj, err := n.origin.Open(ctx, req)
	if err == nil {
		return obj, nil
	}
	if KindOf(err) == NotExist {
		m := miss{at: time.Now()}
		if e, ok := errors.AsType[*Error](err); ok {
			m.origin = e.Origin
		}
		n.misses.remember(began, id, m)
	}
	return nil, err
}

// Forget makes the next request for the object of req ask the origin.
func (n *negative) Forget(req Request) {
	n.misses.forget(identify(req))
	forget([]Origin{n.origin}, req)
}

// Clear makes the next request for any object ask the origin.
func (n *negative) Clear() {
	n.misses.clear()
	clearAll([]Origin{n.origin})
}

// identity stands for an object in a memory whose entries must not grow with what clients send.
type identity [sha256.Size]byte

// identify returns the identity of the object that req names.
func identify(req Request) identity {
	var buf [512]byte // on the stack; longer names are the exception
	b := buf[:0]
	for _, part := range [...]string{req.Key, req.Query, req.Host} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// memory remembers something about objects, for a while. It is safe for concurrent use.
type memory[V any] struct {
	ttl     time.Duration
	entries *lru.Cache[identity, remembered[V]]
	told    atomic.Uint64 // how often to forget something
}

type remembered[V any] struct {
	value V
	until time.Time
}

// newMemory returns a memory of so many entries; both numbers are positive.
func newMemory[V any](ttl time.Duration, entries int) *memory[V] {
	cache, err := lru.New[identity, remembered[V]](entries)
	if err != nil {
		panic("origins: a memory needs entries: " + err.Error())
	}
	return &memory[V]{ttl: ttl, entries: cache}
}

func (m *memory[V]) recall(id identity) (value V, ok bool) {
	r, ok := m.entries.Get(id)
	if !ok || !time.Now().Before(r.until) {
		return value, false // what is too old stays until it is replaced, or is the least recently used
	}
	return r.value, true
}

// remember keeps what an answer says, unless there was something to forget since told was began, when it was asked for: the
// answer may be of the time before.
func (m *memory[V]) remember(began uint64, id identity, value V) {
	m.entries.Add(id, remembered[V]{value: value, until: time.Now().Add(m.ttl)})
	// Looked at afterwards: whoever is told later than this removes it.
	if m.told.Load() != began {
		m.entries.Remove(id)
	}
}

// drop removes what an answer has shown to be wrong, which says nothing about other answers.
func (m *memory[V]) drop(id identity) { m.entries.Remove(id) }

// forget removes what is not to be believed any more, nor what answers under way say.
func (m *memory[V]) forget(id identity) {
	m.told.Add(1)
	m.entries.Remove(id)
}

func (m *memory[V]) clear() {
	m.told.Add(1)
	m.entries.Purge()
}
