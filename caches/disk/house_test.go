package disk

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

func TestTheIndexKnowsWhatIsThereWhateverGoesOnAtOnce(t *testing.T) {
	s := open(t, Config{MaxBytes: 1 << 20, MinFree: 1e-9})
	<-s.scanned
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			for range 400 {
				k := key(random.IntN(60))
				switch n := random.IntN(40); {
				case n == 0:
					_, _ = s.Purge(t.Context(), caches.Pattern{Source: k.Source})
				case n == 1:
					_ = s.scan(t.Context())
				case n < 20:
					body := strings.Repeat("x", random.IntN(60_000))
					_ = s.Put(t.Context(), k, caches.Meta{Expires: time.Now().Add(time.Duration(random.IntN(20)) * time.Millisecond)}, strings.NewReader(body))
				default:
					found(t, s, k)
				}
			}
		})
	}
	wg.Wait()
	s.index.settle()
	size := int64(0)
	files := int64(0)
	_ = s.walk(t.Context(), func(_ id, info os.FileInfo) error {
		files, size = files+1, size+int64(blocks(info.Size()))*block
		return nil
	})
	if got := s.Stats(); got.Entries != files || got.Bytes != size || size > 1<<20 {
		t.Errorf("there are %d files of %d bytes, counted were %+v", files, size, got)
	}
}

func TestManyEvictionsTakeFewGoroutines(t *testing.T) {
	s := open(t, Config{MaxBytes: 16 << 20})
	for n := range 2000 {
		put(t, s, key(n), "x")
	}
	before := runtime.NumGoroutine()
	s.SetLimits(1<<20, 0)
	if after := runtime.NumGoroutine(); after > before+10 {
		t.Errorf("dropping %d files runs %d goroutines more", 2000-256, after-before)
	}
	s.index.settle()
	if files, _ := onDisk(t, s.dir); files > 256 {
		t.Errorf("%d files are left", files)
	}
}

func TestWhatAnotherProcessRemovedNoLongerCounts(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, Config{Dir: dir}), open(t, Config{Dir: dir})
	for n := range 5 {
		put(t, a, key(n), "x")
	}
	if n, err := b.Purge(t.Context(), caches.Pattern{}); n != 5 || err != nil {
		t.Fatalf("b purged %d, %v", n, err)
	}
	if err := a.scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.Stats(); got.Entries != 0 || got.Bytes != 0 {
		t.Errorf("after they were removed a counts %+v", got)
	}
}

func TestWhatHasShrunkForOthersGrowsAgain(t *testing.T) {
	s := open(t, Config{MaxBytes: 1 << 20, MinFree: 1e-9})
	s.index.files.SetMaximum(0)
	put(t, s, key(1), "x")
	s.index.settle()
	if !found(t, s, key(1)) {
		t.Error("with room again, nothing is kept")
	}
}

func TestWhatIsPurgedIsGoneWhereTheClockWentBack(t *testing.T) {
	s := open(t, Config{})
	<-s.scanned
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	put(t, s, key(1), "x")
	s.now = time.Now
	if n, err := s.Purge(t.Context(), caches.Pattern{}); n != 1 || err != nil {
		t.Errorf("%d were purged, %v", n, err)
	}
}

// unreadable puts what can't be read, even by the superuser, in place of a folder, and returns what undoes it.
func unreadable(t *testing.T, folder string) (undo func()) {
	t.Helper()
	err := os.Rename(folder, folder+".aside")
	if err = errors.Join(err, os.Symlink(filepath.Base(folder), folder)); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.Remove(folder), os.Rename(folder+".aside", folder)); err != nil {
			t.Error(err)
		}
	}
}

func TestAPurgeThatDidNotReachAllFilesIsNotDone(t *testing.T) {
	for _, match := range []caches.Pattern{{}, {Source: key(1).Source}} {
		t.Run(fmt.Sprintf("%+v", match), func(t *testing.T) {
			s := open(t, Config{})
			<-s.scanned
			s.stop()
			s.running.Wait() // nothing is finished in the background, while the folder is neither here nor there
			put(t, s, key(1), "x")
			i := idOf(key(1))
			undo := unreadable(t, filepath.Join(s.dir, hex.EncodeToString(i[:1])))
			if found(t, s, key(1)) || s.Stats().Entries != 1 {
				t.Errorf("what can't be opened just now counts as %+v", s.Stats())
			}
			if _, err := s.Purge(t.Context(), match); err == nil {
				t.Error("it says that it is done")
			}
			undo()
			if found(t, s, key(1)) {
				t.Error("what was purged is back")
			}
		})
	}
}

func TestEachPurgeIsNotedForItself(t *testing.T) {
	dir := t.TempDir()
	var a, b, both purgeList
	for _, l := range []*purgeList{&a, &b} {
		l.load(dir, &drafts{parent: filepath.Join(dir, temporary)}, func(string, error) {})
	}
	one, other := "1", "\xff"
	now := time.Now()
	left := &purge{Pattern: caches.Pattern{Source: "e/\xff", Prefix: true, Variant: &other, Tag: "caf\xe9"}, Before: now}
	ended := &purge{Pattern: caches.Pattern{Source: "e/\xff", Prefix: true, Variant: &one, Tag: "caf\xe9"}, Before: now}
	ofB := &purge{Pattern: caches.Pattern{Tag: "x"}, Before: now}
	if err := errors.Join(a.add(left), a.add(ended), b.add(ofB), b.done(ofB), a.done(ended)); err != nil {
		t.Fatal(err)
	}
	both.load(dir, nil, func(_ string, err error) { t.Error(err) })
	list := both.all()
	if len(list) != 1 || !list[0].covers(left) || !left.covers(list[0]) {
		t.Errorf("of the one that is unfinished a new process finds %d: %+v", len(list), list)
	}
}

func TestUnfinishedPurgesAreNotWithoutNumber(t *testing.T) {
	var l purgeList
	dir := t.TempDir()
	l.load(dir, &drafts{parent: filepath.Join(dir, temporary)}, func(string, error) {})
	for n := range maxPurges {
		if err := l.add(&purge{Pattern: caches.Pattern{Tag: fmt.Sprint(n)}, Before: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.add(&purge{Pattern: caches.Pattern{Tag: "more"}, Before: time.Now()}); !errors.Is(err, errManyPurges) {
		t.Errorf("one more: %v", err)
	}
	if err := l.add(&purge{Pattern: caches.Pattern{Tag: "1"}, Before: time.Now()}); err != nil {
		t.Errorf("one that takes the place of its like: %v", err)
	}
}
