package disk

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// scanEvery is how often the folder is read again: other processes write there too.
const scanEvery = 30 * time.Minute

// keepHouse reads the folder, at the start and now and then, until ctx ends.
func (s *Store) keepHouse(ctx context.Context) {
	for first := true; ; first = false {
		s.drafts.sweep(s.now())
		s.purges.adopt(s.now().Add(-scanEvery))
		s.finishPurges(ctx)
		if s.scan(ctx) == nil && first {
			close(s.scanned)
		}
		again := time.After(scanEvery + time.Duration(rand.Int64N(int64(scanEvery/10))))
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-s.unfinished:
				s.finishPurges(ctx)
			case <-again:
				waiting = false
			}
		}
	}
}

// scan makes the index know what is there.
func (s *Store) scan(ctx context.Context) error {
	files := int64(0)
	// What can't be read was complained of.
	_ = s.walk(ctx, func(i id, info fs.FileInfo) error {
		files++
		if !s.index.agrees(i, info.Size()) {
			s.reconcile(i)
		}
		s.index.help()
		return nil
	})
	if s.index.entries.Load() <= files {
		return ctx.Err()
	}
	// Another process has removed some.
	for i := range s.index.files.Keys() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.reconcile(i)
	}
	return ctx.Err()
}

// walk calls do for each entry's file, those of a folder in the order of their times, oldest first. It goes on after
// failures, and returns one of them.
func (s *Store) walk(ctx context.Context, do func(i id, info fs.FileInfo) error) error {
	outer := make([]byte, 256)
	for n := range outer {
		outer[n] = byte(n)
	}
	// Each process in an order of its own, so that two that start together don't drop the same entries.
	rand.Shuffle(len(outer), func(i, j int) { outer[i], outer[j] = outer[j], outer[i] })
	var failure error
	for _, first := range outer {
		folder := filepath.Join(s.dir, hex.EncodeToString([]byte{first}))
		inner, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.complain("a folder can't be read", err)
			failure = err
		}
		for _, second := range inner {
			if err := ctx.Err(); err != nil {
				return err
			}
			if second.Type().IsRegular() {
				continue // nobody's folder
			}
			if err := s.walkFolder(filepath.Join(folder, second.Name()), do); err != nil {
				failure = err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return failure
}

func (s *Store) walkFolder(folder string, do func(i id, info fs.FileInfo) error) error {
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.complain("a folder can't be read", err)
		return err
	}
	infos := make([]fs.FileInfo, 0, len(list))
	for _, entry := range list {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	var failure error
	for _, info := range infos {
		i, ok := readID(info.Name())
		if !ok || filepath.Join(s.dir, i.folder()) != folder {
			continue // nobody's file
		}
		if err := do(i, info); err != nil {
			failure = err
		}
	}
	return failure
}

func readID(name string) (i id, ok bool) {
	text, ok := strings.CutSuffix(name, extension)
	if !ok || len(text) != 2*len(i) {
		return i, false
	}
	_, err := hex.Decode(i[:], []byte(text))
	return i, err == nil
}

// errNoRoom is the error of a Put that would leave less than the least free.
var errNoRoom = errors.New("the file system is nearly full")

// room makes sure that the file system has room, and makes some where it hasn't.
func (s *Store) room() error {
	total, free, err := space(s.dir)
	if err != nil {
		return nil // writing will tell
	}
	limit, held := s.limit.Load(), int64(s.index.files.WeightedSize())*grain
	spare := int64(free) - int64(math.Float64frombits(s.minFree.Load())*float64(total))
	if spare >= 0 {
		if now := int64(s.index.files.GetMaximum()) * grain; now < limit/grain*grain && held+spare > now {
			s.index.files.SetMaximum(uint64(min(limit, held+spare) / grain)) // it has shrunk before
		}
		return nil
	}
	// What is being removed already may be enough.
	if s.index.pending() == 0 {
		s.complain("the file system is nearly full; the cache shrinks", errNoRoom)
		s.index.files.SetMaximum(uint64(max(held-max(-spare, held/20), 0) / grain))
	}
	return errNoRoom
}

// Purge implements [caches.Store]. Entries that match are gone for readers at once; the files go one after the other. A
// purge that ends early, by its context, a failure or the process, is finished in the background later.
func (s *Store) Purge(ctx context.Context, match caches.Pattern) (n int, err error) {
	if s.gate.shut.Load() {
		return 0, errClosed
	}
	p := &purge{Pattern: match, Before: s.now()}
	if match.Source != "" && !match.Prefix {
		if n, err = s.purgeSource(p); err == nil {
			return n, nil
		}
	}
	if err := s.purges.add(p); errors.Is(err, errManyPurges) {
		return n, err
	} else if err != nil {
		s.complain("a purge can't be noted; it is lost if the process ends", err)
	}
	swept, err := s.sweep(ctx, p)
	if err != nil {
		p.left.Store(true)
		select {
		case s.unfinished <- struct{}{}:
		default:
		}
		return n + swept, err
	}
	return n + swept, s.purges.done(p)
}

// purgeSource drops the variants of one original, which lie in one folder.
func (s *Store) purgeSource(p *purge) (n int, err error) {
	source := idOf(caches.Key{Source: p.Source})
	err = s.walkFolder(filepath.Join(s.dir, source.folder()), func(i id, _ fs.FileInfo) error {
		if [8]byte(i[:8]) != [8]byte(source[:8]) {
			return nil
		}
		dropped, err := s.purgeFile(i, p)
		n += dropped
		return err
	})
	return n, err
}

// sweep drops all entries that purges are about.
func (s *Store) sweep(ctx context.Context, purges ...*purge) (n int, err error) {
	err = s.walk(ctx, func(i id, _ fs.FileInfo) error {
		dropped, err := s.purgeFile(i, purges...)
		n += dropped
		return err
	})
	return n, err
}

// purgeFile drops an entry if one of the purges is about it, and returns how many it dropped.
func (s *Store) purgeFile(i id, purges ...*purge) (int, error) {
	if !s.gate.enter() {
		return 0, errClosed
	}
	defer s.gate.leave()
	defer s.index.lock(i)() // or it were another's file that is removed
	f, size, err := openFile(s.path(i))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	hit := false
	err = inspect(f, size, func(h head, d described) error {
		hit = hitBy(purges, d.key(), d.tags(), h.written, s.now())
		return nil
	})
	f.Close()
	switch {
	case errors.Is(err, errCorrupt):
		return 0, nil // nobody is given it
	case err != nil:
		return 0, err
	case !hit:
		return 0, nil
	}
	if err := s.removeLocked(i); err != nil {
		return 0, err
	}
	return 1, nil
}

// finishPurges goes on with those that ended early, in this process or the one before.
func (s *Store) finishPurges(ctx context.Context) {
	list := slices.DeleteFunc(slices.Clone(s.purges.all()), func(p *purge) bool { return !p.left.Load() })
	if len(list) == 0 {
		return
	}
	if _, err := s.sweep(ctx, list...); err != nil {
		return // readers go on to obey them
	}
	for _, p := range list {
		if err := s.purges.done(p); err != nil {
			s.complain("a purge can't be struck off", err)
		}
	}
}
