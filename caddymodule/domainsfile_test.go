package caddymodule

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// listFile is a domains file that a test changes, and what reads it.
type listFile struct {
	t    *testing.T
	path string
	rt   *router
	file *domainsFile
	logs *observer.ObservedLogs
	days int
	lost bool // whether the file is gone
}

func newListFile(t *testing.T, text string) *listFile {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	l := &listFile{t: t, path: filepath.Join(t.TempDir(), "domains"), rt: bindings(t, "img.example.com"), logs: logs}
	l.write(text)
	var err error
	if l.file, err = openDomainsFile(l.path, l.rt, zap.New(core)); err != nil {
		t.Fatal(err)
	}
	return l
}

// write writes the file as of a day later than the last time.
func (l *listFile) write(text string) {
	l.t.Helper()
	if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.days++
	at := time.Date(2001, 2, l.days, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(l.path, at, at); err != nil {
		l.t.Fatal(err)
	}
}

// expect looks after the file and judges which endpoint a.example.net is bound to, and what the log has since the last time.
func (l *listFile) expect(when, endpoint string, logged ...string) {
	l.t.Helper()
	for range 3 {
		l.file.look()
	}
	if got := nameOf(l.rt.bound("a.example.net")); got != endpoint {
		l.t.Errorf("%s: a.example.net belongs to %q, want %q", when, got, endpoint)
	}
	wrong := len(logged) > 0 && !strings.Contains(logged[len(logged)-1], "read again")
	if got := (&App{domains: l.file}).status().DomainsFile; (got.Error != "") != (wrong || len(logged) == 0 && l.lost) || got.Path != l.path {
		l.t.Errorf("%s: the status is %+v", when, got)
	}
	if got := nameOf(l.rt.bound("img.example.com")); got != "shop" {
		l.t.Errorf("%s: the domain of the config belongs to %q", when, got)
	}
	entries := l.logs.TakeAll()
	if len(entries) != len(logged) {
		l.t.Fatalf("%s: the log has %+v, want %q", when, entries, logged)
	}
	for i, e := range entries {
		said := e.Message
		if err, ok := e.ContextMap()["error"].(string); ok {
			said += ": " + err
		}
		if !strings.Contains(said, logged[i]) {
			l.t.Errorf("%s: the log says %q, want %q", when, said, logged[i])
		}
		if wrong := strings.Contains(e.Message, "stays in force"); wrong != (e.Level == zapcore.ErrorLevel) {
			l.t.Errorf("%s: %q is logged at %v", when, said, e.Level)
		}
	}
}

func TestADomainsFileThatChangesIsReadAgain(t *testing.T) {
	l := newListFile(t, "a.example.net shop")
	l.expect("at first", "shop")
	l.write("a.example.net default")
	l.expect("changed", "default", "the domains file was read again")
	l.write("# none left")
	l.expect("emptied", "", "read again")
	l.write("a.example.net shop\nb.example.net shpo")
	l.expect("with a mistake", "", `domains_file `+l.path+`: line 2: endpoint "shpo" is not declared; declared: default, shop`)
	l.write("a.example.net shop\nimg.example.com default")
	l.expect("with another mistake", "", `line 2: "img.example.com" belongs to endpoint "shop" already, by its option domains`)
	l.write("a.example.net shop\nb.example.net shop")
	l.expect("corrected", "shop", "read again")
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	l.lost = true
	l.expect("gone", "shop", "the domains file can't be read; the last good list stays in force")
	l.expect("still gone", "shop")
	l.lost = false
	l.write("a.example.net default")
	l.expect("back", "default", "read again")
}

func TestADomainsFileThatIsReplacedIsReadAgain(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	l.expect("at first", "default")
	other := l.path + ".new"
	if err := os.WriteFile(other, []byte("a.example.net shop # \n"), 0o600); err != nil { // as long as the first
		t.Fatal(err)
	}
	at := time.Date(2001, 2, l.days, 0, 0, 0, 0, time.UTC) // and as old
	if err := os.Chtimes(other, at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, l.path); err != nil {
		t.Fatal(err)
	}
	l.expect("replaced", "shop", "read again")
}

func TestADomainsFileBehindALinkIsReadAgain(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	dir := filepath.Dir(l.path)
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("a.example.net shop"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", l.path); err != nil {
		t.Fatal(err)
	}
	l.expect("a link to another file", "shop", "read again")
}

func TestAFileThatIsBeingWrittenIsLeftAlone(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	l.expect("at first", "default")
	for _, text := range []string{"a.exam", "a.example.net sh", "a.example.net shop"} {
		l.write(text)
		l.file.look() // the next one finds another state
	}
	if got := nameOf(l.rt.bound("a.example.net")); got != "default" || l.logs.Len() > 0 {
		t.Errorf("half-written it was read: %q, %+v", got, l.logs.All())
	}
	l.expect("whole", "shop", "read again")
}

func TestWhatWasWrittenWhileItWasReadNeverComesIntoForce(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	l.expect("at first", "default")
	looked, err := os.Stat(l.path)
	if err != nil {
		t.Fatal(err)
	}
	l.write("# the first half of a list")
	if err := l.file.load(looked); !errors.Is(err, errBeingWritten) {
		t.Errorf("got %v, want that it was changed", err)
	}
	if got := nameOf(l.rt.bound("a.example.net")); got != "default" {
		t.Errorf("the half list is in force: %q", got)
	}
	l.write("a.example.net shop")
	l.expect("whole", "shop", "read again")
}

func TestAFileThatCouldntBeReadIsTriedAgainThoughItStaysTheSame(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/mem, a regular file that no user can read from its beginning")
	}
	l := newListFile(t, "a.example.net default")
	l.expect("at first", "default")
	path := l.path
	l.path, l.file.path, l.lost = "/proc/self/mem", "/proc/self/mem", true
	l.expect("unreadable", "default", "the domains file can't be read; the last good list stays in force: domains_file /proc/self/mem: ")
	l.expect("still unreadable", "default")
	if l.file.last != nil {
		t.Error("it is taken for judged, and wouldn't be read again until it changes")
	}
	l.path, l.file.path, l.lost = path, path, false
	l.expect("readable", "default", "read again")
}

func TestAFileThatWasJustWrittenIsReadTwice(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	l.expect("at first", "default")
	if err := os.Chtimes(l.path, time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	file, err := openDomainsFile(l.path, l.rt, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(l.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path, []byte("a.example.net shop   "), 0o600); err != nil { // as long as it was
		t.Fatal(err)
	}
	if err := os.Chtimes(l.path, time.Time{}, info.ModTime()); err != nil { // in the same tick
		t.Fatal(err)
	}
	l.file = file
	l.expect("written again in the same tick", "shop")
}

func TestTheWatchLooksOnceASecondUntilItIsEnded(t *testing.T) {
	l := newListFile(t, "a.example.net default")
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		file, err := openDomainsFile(l.path, l.rt, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		file.watch()
		time.Sleep(10 * time.Second)
		l.write("a.example.net shop")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := nameOf(l.rt.bound("a.example.net")); got != "shop" || logs.Len() == 0 {
			t.Errorf("three seconds after a change it belongs to %q; the log has %+v", got, logs.All())
		}
		file.close()
		file.close()
		l.write("a.example.net default")
		time.Sleep(time.Minute)
		if got := nameOf(l.rt.bound("a.example.net")); got != "shop" {
			t.Errorf("after the end it was read again: %q", got)
		}
	})
}

func TestADomainsFileThatCantBeReadStopsTheLoad(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("a.example.net shop\n\nb.example.net\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxDomainsFile+1); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "missing"), "there is no such file; create it: an empty one is a list of no domains"},
		{"a folder", dir, "that is no file; name the file itself"},
		{"a device", os.DevNull, "that is no file; name the file itself"},
		{"too large", large, "it is larger than 256 MiB; bind what the domains have in common by a wildcard"},
		{"a mistake", wrong, `line 3: "b.example.net" is not a domain and the name of an endpoint; write them as in img.example.com shop`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openDomainsFile(tt.path, bindings(t), zap.NewNop())
			if want := "domains_file " + tt.path + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
