package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caches/cachestest"
)

func open(tb testing.TB, cfg Config) *Store {
	tb.Helper()
	if cfg.Dir == "" {
		cfg.Dir = tb.TempDir()
	}
	s, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func TestStoreConforms(t *testing.T) {
	cachestest.Run(t, func(t *testing.T) caches.Store { return open(t, Config{MaxBytes: 256 << 20}) })
}

func key(n int) caches.Key { return caches.Key{Source: fmt.Sprintf("e/%d.jpg", n), Variant: "1"} }

func put(tb testing.TB, s *Store, k caches.Key, body string) {
	tb.Helper()
	if err := s.Put(tb.Context(), k, caches.Meta{}, strings.NewReader(body)); err != nil {
		tb.Fatal(err)
	}
}

func found(tb testing.TB, s *Store, k caches.Key) bool {
	tb.Helper()
	e, err := s.Get(tb.Context(), k)
	if err != nil {
		return false
	}
	e.Content.Close()
	return true
}

func TestEntriesSurviveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for n := range 20 {
		put(t, s, key(n), strings.Repeat("x", 5000))
	}
	s.Close()
	again := open(t, Config{Dir: dir})
	for n := range 20 {
		if !found(t, again, key(n)) {
			t.Errorf("%v is gone", key(n))
		}
	}
	<-again.scanned
	if got := again.Stats(); got.Entries != 20 || got.Bytes != 20*8192 {
		t.Errorf("after reading the folder: %+v", got)
	}
}

func TestTheBoundsHold(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cfg     Config
		size    int
		entries int64
	}{
		{"of bytes", Config{MaxBytes: 4 << 20}, 10_000, 341},
		{"of entries", Config{MaxBytes: 4 << 20, MaxEntries: 50}, 10, 50},
		{"of entries, near what the bytes allow", Config{MaxBytes: 2 << 20, MaxEntries: 300}, 10, 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, tt.cfg)
			for n := range 600 {
				put(t, s, key(n), strings.Repeat("x", tt.size))
			}
			s.index.settle()
			if got := s.Stats(); got.Entries > tt.entries || got.Entries < tt.entries*2/3 || got.Bytes > tt.cfg.MaxBytes || got.Evicted == 0 {
				t.Errorf("after far more than it holds: %+v", got)
			}
			if files, size := onDisk(t, s.dir); int64(files) != s.Stats().Entries || size > tt.cfg.MaxBytes {
				t.Errorf("on disk are %d files of %d bytes, counted were %+v", files, size, s.Stats())
			}
		})
	}
}

// onDisk counts entries below dir.
func onDisk(t *testing.T, dir string) (files int, size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, extension) {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files, size = files+1, size+info.Size()
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v", path, info.Mode())
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, size
}

func TestDamagedFilesAreMissesAndGo(t *testing.T) {
	body := strings.Repeat("0123456789", 2000)
	for name, damage := range map[string]func([]byte) []byte{
		"cut off":              func(b []byte) []byte { return b[:len(b)-1] },
		"longer":               func(b []byte) []byte { return append(b, 'x') },
		"empty":                func([]byte) []byte { return nil },
		"a bit of the head":    func(b []byte) []byte { b[10] ^= 1; return b },
		"a bit beside":         func(b []byte) []byte { b[headSize+5] ^= 1; return b },
		"a bit of the body":    func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
		"zeros for the end":    func(b []byte) []byte { clear(b[len(b)-4096:]); return b },
		"another's file":       func([]byte) []byte { return []byte("GIF89a") },
		"another entry's file": nil,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, Config{Dir: dir})
			put(t, s, key(1), body)
			put(t, s, key(2), body)
			path := s.path(idOf(key(1)))
			s.Close()
			file, err := os.ReadFile(path)
			if damage != nil {
				file = damage(file)
			} else {
				file, err = os.ReadFile(s.path(idOf(key(2))))
			}
			if err := errors.Join(err, os.WriteFile(path, file, 0o600)); err != nil {
				t.Fatal(err)
			}
			again := open(t, Config{Dir: dir})
			if found(t, again, key(1)) {
				t.Error("it was served")
			}
			if !found(t, again, key(2)) {
				t.Error("the other one is gone")
			}
			put(t, again, key(1), "anew")
			if !found(t, again, key(1)) {
				t.Error("it can't be made anew")
			}
		})
	}
}

func TestDisksThatFailAreMisses(t *testing.T) {
	var warnings []error
	blocker := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Dir: filepath.Join(blocker, "cache"), Warn: func(_ string, err error) { warnings = append(warnings, err) }})
	if err := s.Put(t.Context(), key(1), caches.Meta{}, strings.NewReader("x")); err == nil {
		t.Error("it was kept where nothing can be written")
	}
	if found(t, s, key(1)) {
		t.Error("something was found")
	}
	if len(warnings) != 1 {
		t.Errorf("there were %d warnings, want one a minute: %v", len(warnings), warnings)
	}
}

func TestFullFileSystemsAreLeftAlone(t *testing.T) {
	s := open(t, Config{MinFree: 1}) // more than there is
	if err := s.Put(t.Context(), key(1), caches.Meta{}, strings.NewReader("x")); !errors.Is(err, errNoRoom) {
		t.Errorf("keeping something where no room is to be left: %v", err)
	}
}

func TestTwoProcessesShareAFolder(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, Config{Dir: dir}), open(t, Config{Dir: dir})
	put(t, a, key(1), "of a")
	if !found(t, b, key(1)) {
		t.Error("b doesn't see what a has kept")
	}
	put(t, b, key(1), "of b")
	e, err := a.Get(t.Context(), key(1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Content.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(e.Content); err != nil || got.String() != "of b" {
		t.Errorf("a has %q, %v", got.String(), err)
	}
	if n, err := b.Purge(t.Context(), caches.Pattern{}); n != 1 || err != nil {
		t.Errorf("b purged %d, %v", n, err)
	}
	if found(t, a, key(1)) {
		t.Error("a still has what b has purged")
	}
}

func TestPurgesAreFinishedAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	for n := range 10 {
		put(t, s, key(n), "x")
	}
	<-s.scanned
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Purge(ctx, caches.Pattern{Source: "e/", Prefix: true}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a purge whose caller has gone: %v", err)
	}
	if found(t, s, key(3)) {
		t.Error("readers still see what a purge that ended early was about")
	}
	put(t, s, key(3), "later")
	if !found(t, s, key(3)) {
		t.Error("what was kept after the purge is gone")
	}
	s.Close()
	again := open(t, Config{Dir: dir})
	<-again.scanned
	if files, _ := onDisk(t, dir); files != 1 {
		t.Errorf("%d files are left, want one", files)
	}
	if !found(t, again, key(3)) {
		t.Error("what was kept after the purge is gone after the restart")
	}
	if left, err := os.ReadDir(filepath.Join(dir, purgesFolder)); err == nil && len(left) > 0 {
		t.Errorf("these purges are still there: %v", left)
	}
}
