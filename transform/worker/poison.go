package worker

import (
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

// How originals become poison.
const (
	poisonStrikes = 2 // failures of a worker in a row
	poisonShort   = time.Minute
	poisonLong    = 10 * time.Minute
	poisonEntries = 1000
)

// poison remembers originals that cost workers: those that did so twice in a row are refused for a minute, and twice as
// long each time that they do it again.
type poison struct {
	now  func() time.Time
	seed maphash.Seed

	mu      sync.Mutex
	entries map[original]*record
	lengths map[int]int // of how many entries; an original of another length needs no hash
}

// original names the bytes of one.
type original struct {
	length int
	hash   uint64
}

type record struct {
	strikes int
	refused time.Duration // how long, the last time
	until   time.Time     // refused till then; where it isn't, when it failed last
	cause   transform.Error
}

func newPoison(now func() time.Time) *poison {
	return &poison{now: now, seed: maphash.MakeSeed(), entries: map[original]*record{}, lengths: map[int]int{}}
}

func (p *poison) name(b []byte) original { return original{len(b), maphash.Bytes(p.seed, b)} }

// suspects reports whether an original of the length is remembered.
func (p *poison) suspects(length int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lengths[length] > 0
}

// refuse returns an error of the kind of the last failure where the original must not be given to a worker now.
func (p *poison) refuse(b []byte) error {
	if !p.suspects(len(b)) {
		return nil
	}
	name, now := p.name(b), p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.entries[name]
	if r == nil || r.strikes < poisonStrikes || !now.Before(r.until) {
		return nil
	}
	return &transform.Error{Kind: r.cause.Kind, Op: r.cause.Op, Err: fmt.Errorf("%w; that is %d times now, so it is not tried again for %s",
		r.cause.Err, r.strikes, r.until.Sub(now).Round(time.Second))}
}

// blame notes that an original has cost a worker.
func (p *poison) blame(b []byte, cause transform.Error) {
	name, now := p.name(b), p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.entries[name]
	if r == nil {
		p.expire(now)
		r = new(record)
		p.entries[name] = r
		p.lengths[name.length]++
	}
	r.strikes++
	r.cause = cause
	r.until = now
	if r.strikes >= poisonStrikes {
		r.refused = min(max(2*r.refused, poisonShort), poisonLong)
		r.until = now.Add(r.refused)
	}
}

// acquit forgets an original that came to its result.
func (p *poison) acquit(b []byte) {
	if !p.suspects(len(b)) {
		return
	}
	name := p.name(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(name)
}

// count returns how many originals are refused.
func (p *poison) count() (n int) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.entries {
		if r.strikes >= poisonStrikes && now.Before(r.until) {
			n++
		}
	}
	return n
}

// expire makes place for one more: what has been quiet for long goes, and where that is not enough the quietest. The
// caller holds the lock.
func (p *poison) expire(now time.Time) {
	var quietest original
	var since time.Time
	for name, r := range p.entries {
		if now.Sub(r.until) > poisonLong {
			p.forget(name)
			continue
		}
		if since.IsZero() || r.until.Before(since) {
			quietest, since = name, r.until
		}
	}
	if len(p.entries) >= poisonEntries {
		p.forget(quietest)
	}
}

func (p *poison) forget(name original) {
	if p.entries[name] == nil {
		return
	}
	delete(p.entries, name)
	if p.lengths[name.length]--; p.lengths[name.length] == 0 {
		delete(p.lengths, name.length)
	}
}
