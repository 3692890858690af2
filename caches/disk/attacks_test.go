package disk

import (
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
)

// attack 11: whatever entries are called, their files are called by hexadecimal digits within the folder, and no two of them share one.
func TestNamesOfEntriesNeverReachTheFileSystem(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "cache")
	s := open(t, Config{Dir: dir, MaxBytes: 64 << 20})
	var keys []caches.Key
	for _, name := range []string{
		"../../evil", "/etc/passwd", "a\x00b", "a\x00", "..", ".", "", `C:\evil`, strings.Repeat("x", 3000), "a/b", "a", "\n", "caf\u00e9", "cafe\u0301", "A", "x.entry", "-rf",
	} {
		for _, variant := range []string{"", "v", "../../evil", "\x00", "b", "record1", "original"} {
			keys = append(keys, caches.Key{Source: name, Variant: variant})
		}
	}
	// Where one part ends and the other begins counts, too.
	keys = append(keys, caches.Key{Source: "ab", Variant: "c"}, caches.Key{Source: "abc"}, caches.Key{Source: "f/a", Variant: "bc"}, caches.Key{Source: "f/ab", Variant: "c"})
	for _, k := range keys {
		put(t, s, k, k.Source+"|"+k.Variant)
	}
	for _, k := range keys {
		e, err := s.Get(t.Context(), k)
		if err != nil {
			t.Errorf("%.40q: %v", k, err)
			continue
		}
		body, err := io.ReadAll(e.Content)
		e.Content.Close()
		if err != nil || string(body) != k.Source+"|"+k.Variant {
			t.Errorf("%.40q holds %.40q, %v", k, body, err)
		}
	}
	usual := regexp.MustCompile(`^cache/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}\.entry$`)
	entries := 0
	err := filepath.WalkDir(outside, func(name string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() {
			return err
		}
		name, _ = filepath.Rel(outside, name)
		if strings.HasSuffix(name, extension) {
			entries++
			if !usual.MatchString(filepath.ToSlash(name)) {
				t.Errorf("there is a file %q", name)
			}
		}
		if !strings.HasPrefix(name, "cache"+string(filepath.Separator)) {
			t.Errorf("outside of the folder is %q", name)
		}
		return nil
	})
	if err != nil || entries != len(keys) {
		t.Errorf("%d entries have %d files: %v", len(keys), entries, err)
	}
}
