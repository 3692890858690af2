package folder

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestFolderConforms(t *testing.T) {
	var root string
	originstest.Run(t, originstest.Config{
		Seekable: true,
		New: func(t *testing.T, files map[string][]byte) origins.Origin {
			root = folderWith(t, files)
			return newOrigin(t, root)
		},
		Replace: func(t *testing.T, key string, content []byte) { replace(t, filepath.Join(root, key), content) },
	})
}

func TestFileSystemConforms(t *testing.T) {
	for _, tt := range []struct {
		name string
		root string
		wrap func(fs.FS) fs.FS
		seek bool
	}{
		{"with files that seek", ".", func(f fs.FS) fs.FS { return f }, true},
		{"with a root", "media/pictures", func(f fs.FS) fs.FS { return f }, true},
		{"with files that only read", ".", func(f fs.FS) fs.FS { return streams{f} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var files fstest.MapFS
			name := func(key string) string { return filepath.ToSlash(filepath.Join(tt.root, key)) }
			clock := time.Unix(1.7e9, 0)
			put := func(key string, content []byte) {
				clock = clock.Add(time.Nanosecond)
				files[name(key)] = &fstest.MapFile{Data: content, ModTime: clock}
			}
			originstest.Run(t, originstest.Config{
				Seekable: tt.seek,
				NoRanges: !tt.seek,
				New: func(t *testing.T, content map[string][]byte) origins.Origin {
					files = fstest.MapFS{}
					for key := range content {
						put(key, content[key])
					}
					o, err := NewFS(func() (fs.FS, error) { return tt.wrap(files), nil }, tt.root)
					if err != nil {
						t.Fatal(err)
					}
					return o
				},
				Replace: func(_ *testing.T, key string, content []byte) { put(key, content) },
			})
		})
	}
}

// streams is a file system whose files can't seek.
type streams struct{ fs.FS }

func (s streams) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.File }{f}, nil
}

// folderWith returns a folder with files. Beside it lies secret.txt.
func folderWith(t *testing.T, files map[string][]byte) string {
	t.Helper()
	outside := t.TempDir()
	root := filepath.Join(outside, "root")
	write(t, filepath.Join(outside, "secret.txt"), "secret")
	write(t, filepath.Join(outside, "root-secret", "secret.txt"), "secret")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for key, content := range files {
		write(t, filepath.Join(root, filepath.FromSlash(key)), string(content))
	}
	return root
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replace writes a file until its time differs: the clock of a file system may stand still for some milliseconds, in
// which no person saves twice.
func replace(t *testing.T, name string, content []byte) {
	t.Helper()
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	for {
		write(t, name, string(content))
		after, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if !after.ModTime().Equal(before.ModTime()) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func newOrigin(t *testing.T, root string) *Origin {
	t.Helper()
	o, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// kind returns how opening key fails, and fails the test if it doesn't.
func kind(t *testing.T, o origins.Origin, key string) origins.Kind {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: key})
	if err == nil {
		content, _ := io.ReadAll(obj.Body)
		obj.Body.Close()
		t.Fatalf("%q: opened, with %q in it", key, content)
	}
	return origins.KindOf(err)
}

func content(t *testing.T, o origins.Origin, key string) string {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	text, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRootMustBeAFolder(t *testing.T) {
	root := folderWith(t, map[string][]byte{"file": nil})
	for _, tt := range []struct{ name, root, want string }{
		{"missing", filepath.Join(root, "missing"), "there is no folder"},
		{"a file", filepath.Join(root, "file"), "is a file"},
		{"below a file", filepath.Join(root, "file", "x"), "looking at root"},
	} {
		if _, err := New(tt.root); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	for _, bad := range []string{"/srv", "../x", "a/../../x"} {
		if _, err := NewFS(nil, bad); err == nil {
			t.Errorf("root %q in a file system: accepted", bad)
		}
	}
}

func TestFolderThatWentAwayIsNoAbsence(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": []byte("a")})
	o := newOrigin(t, root)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if got := kind(t, o, "a.jpg"); got != origins.Unreachable {
		t.Errorf("got %v, want unreachable", got)
	}
	folder, err := NewFS(func() (fs.FS, error) { return nil, errors.New("no such file system") }, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := kind(t, folder, "a.jpg"); got != origins.Unreachable {
		t.Errorf("without its file system: got %v, want unreachable", got)
	}
}

func TestReleaseBehindALinkIsSeenAtOnce(t *testing.T) {
	first := folderWith(t, map[string][]byte{"a.jpg": []byte("first")})
	second := folderWith(t, map[string][]byte{"a.jpg": []byte("second")})
	current := filepath.Join(t.TempDir(), "current")
	link(t, first, current)
	o := newOrigin(t, current)
	if got := content(t, o, "a.jpg"); got != "first" {
		t.Fatalf("got %q, want first", got)
	}
	next := current + ".next"
	link(t, second, next)
	if err := os.Rename(next, current); err != nil {
		t.Fatal(err)
	}
	if got := content(t, o, "a.jpg"); got != "second" {
		t.Errorf("got %q, want second", got)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func TestLinksStayInside(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": []byte("inside"), "sub/b.jpg": []byte("inside")})
	at := func(name string) string { return filepath.Join(root, name) }
	link(t, "a.jpg", at("good"))
	link(t, "../a.jpg", at("sub/good"))
	link(t, "sub", at("good-folder"))
	link(t, "../secret.txt", at("up"))
	link(t, filepath.Join(filepath.Dir(root), "secret.txt"), at("absolute"))
	link(t, "..", at("up-folder"))
	link(t, "../root-secret", at("sibling"))
	link(t, "/", at("slash"))
	link(t, "up", at("chain"))
	link(t, "loop", at("loop"))
	link(t, "nowhere", at("dangling"))
	o := newOrigin(t, root)
	for _, key := range []string{"good", "sub/good", "good-folder/b.jpg"} {
		if got := content(t, o, key); got != "inside" {
			t.Errorf("%q: got %q, want inside", key, got)
		}
	}
	for _, tt := range []struct {
		key  string
		want origins.Kind
	}{
		{"up", origins.Denied},
		{"absolute", origins.Denied},
		{"up-folder/secret.txt", origins.Denied},
		{"sibling/secret.txt", origins.Denied},
		{"slash/etc/passwd", origins.Denied},
		{"chain", origins.Denied},
		{"up-folder", origins.Denied},
		{"loop", origins.NotExist},
		{"dangling", origins.NotExist},
	} {
		if got := kind(t, o, tt.key); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.key, got, tt.want)
		}
	}
}

func TestLinkSwappedInDuringLookupsNeverLeadsOut(t *testing.T) {
	root := folderWith(t, map[string][]byte{"real/secret.txt": []byte("public")})
	folder := filepath.Join(root, "folder")
	stop := make(chan struct{})
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for targets := []string{"real", "../root-secret"}; ; targets[0], targets[1] = targets[1], targets[0] {
			select {
			case <-stop:
				return
			default:
			}
			if err := os.Symlink(targets[0], folder+".next"); err == nil {
				os.Rename(folder+".next", folder)
			}
		}
	}()
	defer func() { close(stop); <-swapped }()
	o := newOrigin(t, root)
	for range 3000 {
		obj, err := o.Open(t.Context(), origins.Request{Key: "folder/secret.txt"})
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(obj.Body)
		obj.Body.Close()
		if string(text) != "public" {
			t.Fatalf("read %q", text)
		}
	}
}

func TestFileThatShrinksWhileReadFails(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": make([]byte, 1000)})
	obj, err := newOrigin(t, root).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	if err := os.Truncate(filepath.Join(root, "a.jpg"), 10); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(obj.Body)
	if len(got) != 10 || !errors.Is(err, io.ErrUnexpectedEOF) || origins.KindOf(err) != origins.Unreachable {
		t.Errorf("got %d bytes and %v, want 10 and an unexpected end", len(got), err)
	}
}

func TestFileThatGrowsWhileReadKeepsItsSize(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": make([]byte, 1000)})
	obj, err := newOrigin(t, root).Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	write(t, filepath.Join(root, "a.jpg"), strings.Repeat("x", 2000))
	if got, err := io.ReadAll(obj.Body); int64(len(got)) != obj.Size || err != nil {
		t.Errorf("got %d bytes and %v, want %d", len(got), err, obj.Size)
	}
}

func TestFilesWithoutATimeHaveNoValidator(t *testing.T) {
	for _, modified := range []time.Time{{}, time.Unix(0, 0), time.Unix(1, 0)} {
		files := fstest.MapFS{"a.jpg": &fstest.MapFile{Data: []byte("a"), ModTime: modified}}
		o, err := NewFS(func() (fs.FS, error) { return files, nil }, "")
		if err != nil {
			t.Fatal(err)
		}
		obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg", Validator: origins.Validator{Modified: time.Now()}})
		if err != nil {
			t.Fatal(err)
		}
		obj.Body.Close()
		if obj.ETag != "" || !obj.Modified.IsZero() {
			t.Errorf("modified %v: got ETag %q, time %v, want none", modified, obj.ETag, obj.Modified)
		}
	}
}

func TestDateDecidesWhereThereIsNoETag(t *testing.T) {
	root := folderWith(t, map[string][]byte{"a.jpg": []byte("a")})
	at := time.Unix(1.7e9, 5e8)
	if err := os.Chtimes(filepath.Join(root, "a.jpg"), at, at); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		known time.Time
		fresh bool
	}{{at.Truncate(time.Second), true}, {at.Add(time.Hour), true}, {at.Add(-time.Second), false}} {
		obj, err := newOrigin(t, root).Open(t.Context(), origins.Request{Key: "a.jpg", Validator: origins.Validator{Modified: tt.known}})
		if err == nil {
			obj.Body.Close()
		}
		if fresh := origins.KindOf(err) == origins.NotModified && err != nil; fresh != tt.fresh {
			t.Errorf("known as of %v: got %v, want not modified: %v", tt.known, err, tt.fresh)
		}
	}
}

func TestContentTypesDoNotDependOnTheMachine(t *testing.T) {
	for key, want := range map[string]string{
		"a.jpg": "image/jpeg", "a.JPG": "image/jpeg", "a.b.webp": "image/webp", "a.avif": "image/avif", "a.heic": "image/heic",
		"a.jxl": "image/jxl", "a.svg": "image/svg+xml", "a.mp4": "video/mp4", "a.mov": "video/quicktime", "a.pdf": "application/pdf",
		"folder.jpg/a": "", "noextension": "", ".jpg": "image/jpeg", "a.": "", "a.never-heard-of": "",
	} {
		if got := contentType(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestBodyServesRangesThroughNetHTTP(t *testing.T) {
	o := origins.Named(newOrigin(t, folderWith(t, map[string][]byte{"a.mp4": []byte("0123456789")})), "o", "")
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	r := httptest.NewRequest(http.MethodGet, "/a.mp4", nil)
	r.Header.Set("Range", "bytes=-3")
	w := httptest.NewRecorder()
	http.ServeContent(w, r, "a.mp4", obj.Modified, obj.Body.(io.ReadSeeker))
	if w.Code != http.StatusPartialContent || w.Body.String() != "789" {
		t.Errorf("got %d %q, want 206 789", w.Code, w.Body)
	}
}
