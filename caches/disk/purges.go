package disk

import (
	"context"
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
	Before  time.Time
	file    string      // that holds it; "" is none
	left    atomic.Bool // its caller doesn't go on with it
	foreign bool        // another process noted it
}

// hits reports whether an entry is purged. One that is written later than now was written by a clock that was wrong, and
// before the purge.
func (p *purge) hits(key caches.Key, tags []string, written int64, now time.Time) bool {
	return (written <= p.Before.UnixNano() || written > now.UnixNano()) && p.Fits(key, tags)
}

func hitBy(purges []*purge, key caches.Key, tags []string, written int64, now time.Time) bool {
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
	p := &purge{Pattern: caches.Pattern{Source: string(n.Source), Prefix: n.Prefix, Tag: string(n.Tag)}, Before: n.Before, file: file, foreign: true}
	if n.OneVariant {
		variant := string(n.Variant)
		p.Variant = &variant
	}
	return p
}

// purgeList holds the purges whose files are not all removed yet: those of this store, and those that other processes
// have noted in its folder.
type purgeList struct {
	mu     sync.Mutex
	dir    string
	drafts *drafts
	seen   time.Time // the folder's own time when it was read; zero: it is to be read again
	going  atomic.Pointer[[]*purge]
}

// load reads the list that processes before left in the store's folder.
func (l *purgeList) load(dir string, d *drafts, complain func(string, error)) {
	l.dir, l.drafts = filepath.Join(dir, purgesFolder), d
	l.going.Store(&[]*purge{})
	l.mu.Lock()
	defer l.mu.Unlock()
	failed := l.read(complain)
	list := slices.Clone(l.all())
	for _, p := range list {
		p.left.Store(true)
	}
	for _, file := range failed {
		// Better to forget everything than to serve what was purged.
		list = append(list, noted{Before: time.Now()}.purge(file))
	}
	l.going.Store(&list)
}

// lookEvery is how often the folder is looked at for purges of other processes.
const lookEvery = time.Second

// settled is the age from which on the time of a folder tells changes apart.
const settled = 2 * time.Second

// look reads the purges of other processes if there may be others than before.
func (l *purgeList) look(complain func(string, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	info, err := os.Stat(l.dir)
	if errors.Is(err, fs.ErrNotExist) && len(l.all()) == 0 {
		return
	}
	if err == nil && info.ModTime().Equal(l.seen) {
		return
	}
	l.seen = time.Time{}
	if failed := l.read(complain); len(failed) == 0 && err == nil && now.Sub(info.ModTime()) > settled {
		l.seen = info.ModTime()
	}
}

// read makes the list hold the purges that other processes have noted, and no longer those that they are done with. It
// returns the files that couldn't be read. The caller holds l.mu.
func (l *purgeList) read(complain func(string, error)) (failed []string) {
	files, err := os.ReadDir(l.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		complain("the list of purges can't be read", err)
		return nil
	}
	before := map[string]*purge{}
	list := []*purge{}
	for _, p := range l.all() {
		if p.foreign {
			before[p.file] = p
		} else {
			list = append(list, p)
			before[p.file] = nil
		}
	}
	for _, entry := range files {
		file := filepath.Join(l.dir, entry.Name())
		p, known := before[file]
		if !known {
			if p, err = readPurge(file, complain); err != nil {
				failed = append(failed, file)
			}
		}
		if p != nil {
			list = append(list, p)
		}
	}
	l.going.Store(&list)
	return failed
}

// readPurge reads the file of a purge; nil is one that was finished meanwhile.
func readPurge(file string, complain func(string, error)) (*purge, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		complain("a purge can't be read", err)
		return nil, err
	}
	var n noted
	if err := json.Unmarshal(data, &n); err != nil {
		// Better to forget everything than to serve what was purged.
		complain("the list of purges is damaged; everything is purged", err)
		n = noted{Before: time.Now()}
	}
	return n.purge(file), nil
}

// adopt makes purges of others, from before then, be finished here: their processes have ended, or can't.
func (l *purgeList) adopt(then time.Time) {
	for _, p := range l.all() {
		if p.foreign && p.Before.Before(then) {
			p.left.Store(true)
		}
	}
}

func (l *purgeList) all() []*purge { return *l.going.Load() }

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
	f, err := l.drafts.create()
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of what was not renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close(), os.MkdirAll(l.dir, 0o700)); err != nil {
		return err
	}
	// Of this process or of another, no two have the same name: folders of drafts have names of their own.
	file := filepath.Join(l.dir, fmt.Sprintf("%d-%s-%s", p.Before.UnixNano(), filepath.Base(filepath.Dir(f.Name())), filepath.Base(f.Name())))
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

// watchPurges obeys the purges of other processes, until ctx ends.
func (s *Store) watchPurges(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.purges.look(s.complain)
		}
	}
}
