package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

func TestFilesThatAnotherStoreIsWritingAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	a := open(t, Config{Dir: dir})
	body, feed := io.Pipe()
	kept := make(chan error, 1)
	go func() { kept <- a.Put(t.Context(), key(1), caches.Meta{}, body) }()
	if _, err := feed.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	b := open(t, Config{Dir: dir})
	<-b.scanned
	if files := drafted(t, dir); len(files) != 1 {
		t.Errorf("while one is written there are %v", files)
	}
	feed.Close()
	if err := <-kept; err != nil {
		t.Errorf("keeping what was being written: %v", err)
	}
	if !found(t, b, key(1)) {
		t.Error("what was written isn't there")
	}
}

func TestWhatNobodyFinishesIsRemoved(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		"of nobody/1":   0, // whose folder nobody has locked
		"of nobody/2":   2 * time.Hour,
		"an old file":   2 * time.Hour,
		"a recent file": 0,
	} {
		file, at := filepath.Join(dir, temporary, name), time.Now().Add(-age)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600), os.Chtimes(file, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	d := drafts{parent: filepath.Join(dir, temporary)}
	if f, err := d.create(); err != nil {
		t.Fatal(err)
	} else {
		defer f.Close()
	}
	d.sweep(time.Now())
	left, err := filepath.Glob(filepath.Join(dir, temporary, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("left are %v, %v; want the recent file and the folder that is in use", left, err)
	}
	if own := drafted(t, dir); len(own) != 1 {
		t.Errorf("of what is in use there are %v", own)
	}
}

func TestAStoreWhoseFolderWasEmptiedGoesOn(t *testing.T) {
	s := open(t, Config{})
	<-s.scanned
	put(t, s, key(1), "x")
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	put(t, s, key(2), "y")
	if !found(t, s, key(2)) || found(t, s, key(1)) {
		t.Error("after all was removed: want what was kept since, and nothing else")
	}
}

func TestAPutThatFailsLeavesNoFile(t *testing.T) {
	s := open(t, Config{MaxBytes: 1 << 20})
	if err := s.Put(t.Context(), key(1), caches.Meta{}, strings.NewReader(strings.Repeat("x", 1<<18))); !errors.Is(err, caches.ErrTooLarge) {
		t.Errorf("keeping a quarter of the store: %v", err)
	}
	if err := s.Put(t.Context(), key(1), caches.Meta{Info: make([]byte, maxMeta)}, strings.NewReader("x")); !errors.Is(err, caches.ErrTooLarge) {
		t.Errorf("keeping too much beside the bytes: %v", err)
	}
	if left := drafted(t, s.dir); len(left) > 0 {
		t.Errorf("these are left: %v", left)
	}
}
