//go:build unix

package folder

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/imageorigin/imageorigin/origins"
)

func TestHoldsTellsWhatOpenWould(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("root/a/b.jpg", "one")
	write("outside.jpg", "two")
	o := newOrigin(t, root)
	obj, err := o.Open(t.Context(), origins.Request{Key: "a/b.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	v := origins.Validator{Origin: "any", ETag: obj.ETag, Modified: obj.Modified}
	holds := func(key string, want bool) {
		t.Helper()
		if got := o.Holds(key, v); got != want {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
	holds("a/b.jpg", true)
	holds("a/c.jpg", false)
	holds("a", false)
	holds("a/../a/b.jpg", false)
	if o.Holds("a/b.jpg", origins.Validator{Modified: obj.Modified}) {
		t.Error("a time alone is good to the second only")
	}
	write("root/a/b.jpg", "three")
	holds("a/b.jpg", false)

	if os.Getuid() != 0 { // a superuser may read all
		write("root/shut.jpg", "x")
		obj, err := o.Open(t.Context(), origins.Request{Key: "shut.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		obj.Body.Close()
		v = origins.Validator{ETag: obj.ETag}
		holds("shut.jpg", true)
		if err := os.Chmod(filepath.Join(root, "shut.jpg"), 0); err != nil {
			t.Fatal(err)
		}
		holds("shut.jpg", false)
	}
	files, err := NewFS(func() (fs.FS, error) { return fstest.MapFS{"b.jpg": {}}, nil }, ".")
	if err != nil {
		t.Fatal(err)
	}
	if files.Holds("b.jpg", v) {
		t.Error("a file system of another module can't tell")
	}
}

// BenchmarkHolds compares it with what it saves.
func BenchmarkHolds(b *testing.B) {
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.jpg"), []byte("one"), 0o644); err != nil {
		b.Fatal(err)
	}
	o, err := New(root)
	if err != nil {
		b.Fatal(err)
	}
	obj, err := o.Open(b.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		b.Fatal(err)
	}
	obj.Body.Close()
	v := origins.Validator{ETag: obj.ETag}
	b.Run("holds", func(b *testing.B) {
		for b.Loop() {
			if !o.Holds("a.jpg", v) {
				b.Fatal("it doesn't")
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := o.Open(b.Context(), origins.Request{Key: "a.jpg", Validator: v}); origins.KindOf(err) != origins.NotModified {
				b.Fatal(err)
			}
		}
	})
}
