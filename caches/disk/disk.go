// Package disk is the store that keeps entries as files below one folder, one file an entry, bounded in bytes and in
// entries. What it holds survives the process. Several processes may share the folder: each sees the entries of the
// others, and keeps its own account of the bounds. What one of them purges is a miss for the others when Purge returns,
// and a second after it began where that takes longer.
//
// Files appear under their names whole, by renaming; no fsync is waited for. After a loss of power a file may hold less
// than it should: its checksum is compared when it is first asked for after a start, by one for all who ask at once, and
// it is dropped. What a process was writing when it was killed is removed at the next start.
package disk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/imageorigin/imageorigin/caches"
)

// Config is what a Store is told. Dir is required.
type Config struct {
	Dir        string  // made if it is missing, for this user alone
	MaxBytes   int64   // that the files may take; 0 is 10 GiB
	MaxEntries int64   // files; 0 is one for each 4 KiB of MaxBytes
	MinFree    float64 // part of the file system that is left free; 0 is 0.05
	// Warn hears, at most once a minute, of what the store can't do: full and read-only disks, damaged files. nil is nobody.
	Warn func(message string, err error)
}

// The defaults of a Config.
const (
	DefaultMaxBytes = 10 << 30
	DefaultMinFree  = 0.05
)

// share is the part of the store that one entry may take at most.
const share = 8

// Store keeps entries as files. Close it.
type Store struct {
	dir     string
	minFree atomic.Uint64 // the bits of a float64
	warn    func(string, error)
	verify  func(*os.File, head) error
	limit   atomic.Int64
	index   *index
	purges  purgeList
	drafts  drafts
	now     func() time.Time

	checks     singleflight.Group // whether a file is whole
	gate       gate
	background context.Context // ends when the store is closed
	stop       context.CancelFunc
	running    sync.WaitGroup
	scanned    chan struct{} // closed when the folder was read once
	unfinished chan struct{} // holds something when a purge is left to finish
	lastWarn   atomic.Int64
}

// New opens the store below the folder, and begins to read which files are there; it serves them meanwhile.
func New(cfg Config) (*Store, error) {
	if cfg.Dir == "" {
		return nil, errors.New("the folder is missing; name one that belongs to this cache alone")
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.MaxBytes < minSize {
		return nil, fmt.Errorf("a cache of %d bytes holds nothing; give it 1MiB or more", cfg.MaxBytes)
	}
	if cfg.MinFree == 0 {
		cfg.MinFree = DefaultMinFree
	}
	s := &Store{dir: cfg.Dir, warn: cfg.Warn, verify: verify, now: time.Now}
	s.scanned, s.unfinished = make(chan struct{}), make(chan struct{}, 1)
	s.limit.Store(cfg.MaxBytes)
	s.SetMinFree(cfg.MinFree)
	var err error
	if s.index, err = newIndex(cfg.MaxBytes, cfg.MaxEntries, s.removeEvicted); err != nil {
		return nil, err
	}
	// A folder that can't be made or read is no reason not to start: the store misses, and warns.
	s.drafts.parent = filepath.Join(s.dir, temporary)
	if _, _, err := s.drafts.next(""); err != nil {
		s.complain("the folder can't be made", err)
	}
	s.purges.load(s.dir, &s.drafts, s.complain)
	s.background, s.stop = context.WithCancel(context.Background())
	s.running.Go(func() { s.keepHouse(s.background) })
	s.running.Go(func() { s.watchPurges(s.background) })
	return s, nil
}

// Close ends what goes on in the background. Entries that are open stay readable; apart from them, a closed store misses,
// keeps nothing and changes no file.
func (s *Store) Close() error {
	s.gate.close()
	s.stop()
	s.gate.inside.Wait()
	s.running.Wait()
	s.index.close()
	s.drafts.close()
	return nil
}

// id names the file of an entry: the first half is of the source, so that all variants of an original lie side by side.
type id [16]byte

func idOf(key caches.Key) id {
	source := sha256.Sum256([]byte(key.Source))
	both := sha256.Sum256(append(source[:], key.Variant...))
	return id(append(source[:8:8], both[:8]...))
}

// extension ends the names of entries; no other file is touched.
const extension = ".entry"

func (i id) folder() string {
	return filepath.Join(hex.EncodeToString(i[:1]), hex.EncodeToString(i[1:2]))
}

func (s *Store) path(i id) string {
	var name [2 * len(i)]byte
	hex.Encode(name[:], i[:])
	const sep = string(filepath.Separator)
	return s.dir + sep + string(name[:2]) + sep + string(name[2:4]) + sep + string(name[:]) + extension
}

// Get implements [caches.Store]. The content is a *Content.
func (s *Store) Get(_ context.Context, key caches.Key) (*caches.Entry, error) {
	if s.gate.shut.Load() {
		return nil, caches.ErrMiss
	}
	// Those that go on now: once they are done, the file may be open here still.
	going := s.purges.all()
	i := idOf(key)
	f, size, err := openFile(s.path(i))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.complain("a file can't be opened", err) // too many open files, say: it is still there, and still counts
			return nil, caches.ErrMiss
		}
		if s.index.knows(i) {
			s.reconcile(i)
		}
		return nil, caches.ErrMiss
	}
	entry, err := s.read(f, size, i, key, going)
	if err != nil {
		if errors.Is(err, errCorrupt) {
			s.complain("a damaged file was dropped", err)
		}
		if !errors.Is(err, caches.ErrMiss) {
			s.whileCurrent(i, f, func() { _ = s.removeLocked(i) })
		}
		f.Close()
		return nil, caches.ErrMiss
	}
	return entry, nil
}

// whileCurrent calls do, with the lock of the entry, if f is still the file under its name.
func (s *Store) whileCurrent(i id, f *os.File, do func()) {
	if !s.gate.enter() {
		return
	}
	defer s.gate.leave()
	defer s.index.lock(i)()
	here, err := f.Stat()
	if err != nil {
		return
	}
	if there, err := os.Stat(s.path(i)); err == nil && os.SameFile(here, there) {
		do()
	}
}

// reconcile makes the index know of a file what is so.
func (s *Store) reconcile(i id) {
	if !s.gate.enter() {
		return
	}
	defer s.gate.leave()
	defer s.index.lock(i)()
	info, err := os.Lstat(s.path(i))
	switch {
	case err == nil:
		s.index.found(i, info.Size())
	case errors.Is(err, fs.ErrNotExist):
		s.index.forget(i)
	}
}

// errGone is the error of an entry that is there but is not to be given.
var errGone = errors.New("purged, or past its time")

// opened is an entry that is given, in one piece of memory.
type opened struct {
	entry   caches.Entry
	content Content
}

// read makes an entry of an open file, which has that size, unless one of the purges is about it.
func (s *Store) read(f *os.File, size int64, i id, key caches.Key, going []*purge) (*caches.Entry, error) {
	o, now := &opened{}, s.now()
	written, sum := int64(0), head{}
	err := inspect(f, size, func(h head, d described) error {
		switch {
		case !d.is(key): // two keys of one name, which nobody has seen yet
			return caches.ErrMiss
		case !d.expires.IsZero() && !now.Before(d.expires):
			return errGone
		}
		o.entry.Meta = d.meta()
		written, sum = h.written, h
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case hitBy(going, key, o.entry.Tags, written, now):
		return nil, errGone
	}
	known, whole := s.index.asked(i, written)
	if !whole {
		if err := s.check(i, f, sum); err != nil {
			return nil, err
		}
	} else if due(known, now) {
		s.whileCurrent(i, f, func() { s.index.touch(i, f, now) })
	}
	o.content = Content{file: f, start: sum.start(), size: sum.body}
	o.entry.Size, o.entry.Content = sum.body, &o.content
	return &o.entry, nil
}

// check verifies a file that was not asked for since the start. Those who ask for it at once wait for one to read it.
func (s *Store) check(i id, f *os.File, h head) error {
	flight := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(i[:], uint64(h.written)), h.bodySum)
	_, err, _ := s.checks.Do(string(flight), func() (any, error) {
		if _, whole := s.index.asked(i, h.written); whole {
			return nil, nil // one who was done when this one came
		}
		if err := s.verify(f, h); err != nil {
			return nil, err
		}
		s.whileCurrent(i, f, func() { s.index.use(i, h) })
		return nil, nil
	})
	return err
}

// Put implements [caches.Store].
func (s *Store) Put(ctx context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.room(); err != nil {
		return err
	}
	err := s.put(ctx, key, m, body)
	if err != nil && !errors.Is(err, caches.ErrTooLarge) && isFault(err) {
		s.complain("an entry can't be written", err)
	}
	return err
}

// isFault reports whether err is the file system's, not that of the body.
func isFault(err error) bool {
	_, file := errors.AsType[*fs.PathError](err)
	_, renaming := errors.AsType[*os.LinkError](err)
	return file || renaming
}

func (s *Store) put(ctx context.Context, key caches.Key, m caches.Meta, body io.Reader) error {
	i := idOf(key)
	f, err := s.draft()
	if err != nil {
		return err
	}
	h, err := write(f, key, m, body, s.limit.Load()/share, s.now())
	err = errors.Join(err, f.Close())
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = s.publish(i, f.Name(), h)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	s.index.help() // who writes faster than files are removed takes part
	return nil
}

// draft makes a file to write an entry into.
func (s *Store) draft() (*os.File, error) {
	if !s.gate.enter() {
		return nil, errClosed
	}
	defer s.gate.leave()
	return s.drafts.create()
}

// publish gives a file that is written the name of its entry.
func (s *Store) publish(i id, from string, h head) error {
	if !s.gate.enter() {
		return errClosed // since it was begun to be written
	}
	defer s.gate.leave()
	defer s.index.lock(i)()
	path := s.path(i)
	if err := os.Rename(from, path); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Rename(from, path); err != nil {
			return err
		}
	}
	s.index.use(i, h)
	return nil
}

// removeEvicted deletes the file of an entry that the index dropped, unless it was written anew meanwhile.
func (s *Store) removeEvicted(i id, was file) {
	defer s.index.lock(i)()
	// The one that is evicted may still be seen: evictions are told of before they are over.
	if now, known := s.index.files.GetEntryQuietly(i); !known || now.Value == was {
		_ = s.removeLocked(i)
	}
}

// removeLocked deletes an entry, whose lock the caller holds.
func (s *Store) removeLocked(i id) error {
	if err := os.Remove(s.path(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.complain("a file can't be removed", err)
		return err
	}
	s.index.forget(i)
	return nil
}

// Stats implements [caches.Store]. Right after the start it counts what was found so far.
func (s *Store) Stats() caches.Stats {
	return caches.Stats{
		Entries: s.index.entries.Load(),
		Bytes:   s.index.bytes.Load(),
		Limit:   s.limit.Load(),
		Evicted: s.index.evicted.Load(),
	}
}

// SetLimits changes the bounds, as in [Config]. What is too much then goes in the background.
func (s *Store) SetLimits(maxBytes, maxEntries int64) {
	if !s.gate.enter() {
		return
	}
	defer s.gate.leave()
	s.limit.Store(maxBytes)
	if s.index.bound(maxBytes, maxEntries) {
		s.running.Go(func() { s.index.weighAgain(s.background) })
	}
}

// SetMinFree changes the part of the file system that is left free.
func (s *Store) SetMinFree(part float64) { s.minFree.Store(math.Float64bits(part)) }

// complain warns, at most once a minute.
func (s *Store) complain(message string, err error) {
	if s.warn == nil {
		return
	}
	now, last := s.now().UnixNano(), s.lastWarn.Load()
	if since := now - last; since >= 0 && since < int64(time.Minute) || !s.lastWarn.CompareAndSwap(last, now) {
		return
	}
	s.warn(message, err)
}

var _ caches.Store = (*Store)(nil)
