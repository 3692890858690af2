//go:build unix

package disk

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/caches"
)

func TestWhatIsNoFileBlocksNobody(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a pipe without a writer":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a link to an endless file":  func(path string) error { return os.Symlink("/dev/zero", path) },
		"a folder":                   func(path string) error { return os.Mkdir(path, 0o700) },
		"a link to nothing":          func(path string) error { return os.Symlink("nowhere", path) },
		"a link to itself, for ever": func(path string) error { return os.Symlink(filepath.Base(path), path) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{})
			path := s.path(idOf(key(1)))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			if _, err := s.purgeFile(idOf(key(1)), &purge{}); err != nil && name != "a link to itself, for ever" {
				t.Errorf("purging: %v", err)
			}
			if found(t, s, key(1)) {
				t.Error("it was given")
			}
			if _, err := s.Purge(t.Context(), caches.Pattern{}); err != nil {
				t.Errorf("purging everything: %v", err)
			}
			put(t, s, key(1), "x")
			if !found(t, s, key(1)) {
				t.Error("an entry can't be put in its place")
			}
		})
	}
}
