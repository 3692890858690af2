package disk

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// within waits until a claim is true, a few times as long as it may take.
func within(t *testing.T, most time.Duration, what string, claim func() bool) {
	t.Helper()
	for began := time.Now(); !claim(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 5*most {
			t.Fatalf("after five times %v not yet: %s", most, what)
		}
	}
}

func TestAPurgeOfAnotherProcessCountsBeforeItsFilesAreGone(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, Config{Dir: dir}), open(t, Config{Dir: dir})
	<-a.scanned
	<-b.scanned
	for n := range 3 {
		put(t, a, key(n), "old")
	}
	for round := range 3 { // the second and third begin right after the one before, which the folder's time may not tell
		going := &purge{Pattern: caches.Pattern{Source: "e/", Prefix: true}, Before: time.Now()}
		if err := a.purges.add(going); err != nil { // and no file is removed
			t.Fatal(err)
		}
		within(t, lookEvery, "what another process purges is a miss", func() bool { return !found(t, b, key(round)) })
		put(t, b, key(round), "new")
		if !found(t, b, key(round)) {
			t.Error("what was kept after the purge is gone")
		}
		if len(b.purges.all()) != 1 || b.purges.all()[0].left.Load() {
			t.Errorf("the other process' purges are %+v, want one that goes on", b.purges.all())
		}
		if err := a.purges.done(going); err != nil {
			t.Fatal(err)
		}
	}
	within(t, lookEvery, "a purge that is done no longer counts", func() bool { return len(b.purges.all()) == 0 })
}

func TestAPurgeWhoseProcessHasGoneIsFinishedByAnother(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, Config{Dir: dir}), open(t, Config{Dir: dir})
	<-b.scanned
	put(t, a, key(1), "old")
	if err := a.purges.add(&purge{Before: time.Now()}); err != nil {
		t.Fatal(err)
	}
	a.Close()
	b.purges.look(b.complain)
	b.purges.adopt(time.Now().Add(-time.Minute))
	b.finishPurges(t.Context())
	if files, _ := onDisk(t, dir); files != 1 {
		t.Errorf("a purge that began just now was finished by another: %d files", files)
	}
	b.purges.adopt(time.Now())
	b.finishPurges(t.Context())
	if files, _ := onDisk(t, dir); files != 0 {
		t.Errorf("%d files are left of what was purged", files)
	}
	if left, err := os.ReadDir(filepath.Join(dir, purgesFolder)); err != nil || len(left) > 0 {
		t.Errorf("these purges are still noted: %v, %v", left, err)
	}
}

func TestFewerEntriesMayBeSetWhileTheyAreThere(t *testing.T) {
	s := open(t, Config{MaxBytes: 4 << 20, MinFree: 1e-9})
	<-s.scanned
	for n := range 1000 {
		put(t, s, key(n), "x")
	}
	for range 5 {
		for n := range 50 {
			found(t, s, key(n*20))
			s.index.files.CleanUp() // it notes what was asked for
		}
	}
	s.SetLimits(4<<20, 100)
	within(t, time.Second, "no more are there than were set", func() bool {
		s.index.settle()
		files, _ := onDisk(t, s.dir)
		return s.Stats().Entries <= 100 && int64(files) == s.Stats().Entries
	})
	asked := 0
	for n := range 50 {
		if found(t, s, key(n*20)) {
			asked++
		}
	}
	if asked < 25 { // of all, a tenth is left
		t.Errorf("of 50 that were asked for %d are left", asked)
	}
	for n := 1000; n < 1300; n++ {
		put(t, s, key(n), "x")
	}
	s.index.settle()
	if got := s.Stats(); got.Entries > 100 || got.Entries < 66 {
		t.Errorf("with new ones there are %d, want about 100 and no more", got.Entries)
	}
	s.SetLimits(4<<20, 0)
	for n := 2000; n < 2300; n++ {
		put(t, s, key(n), "x")
	}
	s.index.settle()
	if got := s.Stats(); got.Entries < 300 {
		t.Errorf("with the bound lifted there are %d", got.Entries)
	}
}
