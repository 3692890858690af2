package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// purgesFolder holds the purges that go on, each a file of its own, so that processes don't undo each other's.
const purgesFolder = "purges"

// maxPurges is how many may go on: readers compare each entry with all of them.
const maxPurges = 1000

// errManyPurges is the error of a purge that was refused.
var errManyPurges = errors.New("too many purges are unfinished")

// purge is a pattern, and of when: what was written afterwards stays.
type purge struct {
	caches.Pattern
	Before time.Time
	file   string      // that holds it; "" is none
	left   atomic.Bool // its caller doesn't go on with it
}

// hits reports whether an entry is purged. One that is written later than now was written by a clock that was wrong, and
// before the purge.
func (p *purge) hits(key caches.Key, tags []string, written, now time.Time) bool {
	return (!written.After(p.Before) || written.After(now)) && p.Fits(key, tags)
}

func hitBy(purges []*purge, key caches.Key, tags []string, written, now time.Time) bool {
	return slices.ContainsFunc(purges, func(p *purge) bool { return p.hits(key, tags, written, now) })
}

// covers reports whether q has nothing to do once p is done.
func (p *purge) covers(q *purge) bool {
	return !q.Before.After(p.Before) && p.Source == q.Source && p.Prefix == q.Prefix && p.Tag == q.Tag &&
		(p.Variant == nil || q.Variant != nil && *p.Variant == *q.Variant)
}

// noted is a purge as its file has it; bytes, for JSON's strings would change those that are not UTF-8.
type noted struct {
	Source, Variant, Tag []byte
	OneVariant, Prefix   bool
	Before               time.Time
}

func (p *purge) note() noted {
	n := noted{Source: []byte(p.Source), Tag: []byte(p.Tag), OneVariant: p.Variant != nil, Prefix: p.Prefix, Before: p.Before}
	if p.Variant != nil {
		n.Variant = []byte(*p.Variant)
	}
	return n
}

func (n noted) purge(file string) *purge {
	p := &purge{Pattern: caches.Pattern{Source: string(n.Source), Prefix: n.Prefix, Tag: string(n.Tag)}, Before: n.Before, file: file}
	p.left.Store(true)
	if n.OneVariant {
		variant := string(n.Variant)
		p.Variant = &variant
	}
	return p
}

// purgeList holds the purges whose files are not all removed yet.
type purgeList struct {
	mu    sync.Mutex
	dir   string
	going atomic.Pointer[[]*purge]
}

// load reads the list that the process before left in the store's folder.
func (l *purgeList) load(dir string, complain func(string, error)) {
	l.dir = dir
	list := []*purge{}
	defer func() { l.going.Store(&list) }()
	files, err := os.ReadDir(filepath.Join(dir, purgesFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		complain("the list of purges can't be read", err)
	}
	for _, entry := range files {
		file := filepath.Join(dir, purgesFolder, entry.Name())
		var n noted
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process has finished it
		}
		if err == nil {
			err = json.Unmarshal(data, &n)
		}
		if err != nil {
			// Better to forget everything than to serve what was purged.
			complain("the list of purges is damaged; everything is purged", err)
			n = noted{Before: time.Now()}
		}
		list = append(list, n.purge(file))
	}
}

func (l *purgeList) all() []*purge { return *l.going.Load() }

// hit reports whether an entry is purged.
func (l *purgeList) hit(key caches.Key, tags []string, written, now time.Time) bool {
	return hitBy(l.all(), key, tags, written, now)
}

// add notes a purge, on disk too, so that it outlives the process. Readers obey it even where that fails.
func (l *purgeList) add(p *purge) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, covered := []*purge{}, []*purge{}
	for _, q := range l.all() {
		if p.covers(q) {
			covered = append(covered, q)
		} else {
			list = append(list, q)
		}
	}
	if len(list) >= maxPurges {
		return errManyPurges
	}
	list = append(list, p)
	l.going.Store(&list)
	if err := l.write(p); err != nil {
		return err
	}
	for _, q := range covered {
		_ = q.strike()
	}
	return nil
}

// write makes the file of a purge.
func (l *purgeList) write(p *purge) error {
	data, err := json.Marshal(p.note())
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(l.dir, temporary), "*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of what was not renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close(), os.MkdirAll(filepath.Join(l.dir, purgesFolder), 0o700)); err != nil {
		return err
	}
	file := filepath.Join(l.dir, purgesFolder, fmt.Sprintf("%d-%s", p.Before.UnixNano(), filepath.Base(f.Name())))
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	p.file = file
	return nil
}

// strike removes the file of a purge.
func (p *purge) strike() error {
	if p.file == "" {
		return nil
	}
	if err := os.Remove(p.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// done drops a purge whose files are removed.
func (l *purgeList) done(p *purge) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(l.all()), func(q *purge) bool { return q == p })
	l.going.Store(&list)
	return p.strike()
}
