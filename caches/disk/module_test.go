package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caches/cachestest"
)

func provision(t *testing.T, m *Module) error {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	return errors.Join(m.Provision(ctx), m.Named("big"))
}

func provisioned(t *testing.T, m *Module) *Module {
	t.Helper()
	if err := provision(t, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func cleanUp(t *testing.T, m *Module) {
	t.Helper()
	if err := m.Cleanup(); err != nil {
		t.Error(err)
	}
}

func TestModuleConforms(t *testing.T) {
	cachestest.Run(t, func(t *testing.T) caches.Store {
		m := provisioned(t, &Module{Dir: t.TempDir()})
		t.Cleanup(func() { cleanUp(t, m) })
		return m
	})
}

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "disk", `{}`},
		{"a folder", `disk "/var/my cache"`, `{"dir":"/var/my cache"}`},
		{
			"a block", "disk {env.CACHE} {\n max_size 20GiB\n max_entries 1000\n min_free 2.5%\n}",
			`{"dir":"{env.CACHE}","max_size":21474836480,"max_entries":1000,"min_free":2.5}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Module
			if err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text)); err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(&m); string(got) != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestCaddyfileMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"two folders", "disk /var/my cache", "a folder is one argument, not 2; put a path with spaces in quotes, at Testfile:1"},
		{"an empty folder", `disk ""`, "the folder is empty"},
		{"a home", "disk ~", `dir: "~": only shells know what ~ is; write the whole path, or {env.HOME}, at Testfile:1`},
		{"the folder above", "disk ..", `dir: ".." holds other files; name a folder that belongs to this cache alone`},
		{"too small", "disk {\n max_size 1KB\n}", "max_size: a cache of 1000 bytes holds nothing; give it 1MiB or more, at Testfile:2"},
		{"no percentage", "disk {\n min_free much\n}", `min_free: "much" is not a percentage above 0 and below 100; write it as 5 or 0.5, at Testfile:2`},
		{"no number", "disk {\n min_free NaN\n}", `min_free: "NaN" is not a percentage`},
		{"no percentage at all", "disk {\n min_free\n}", "wrong number of arguments; write min_free <percent>, at Testfile:2"},
		{"unknown word", "disk {\n size 1GiB\n}", `unknown option "size"; expected max_size, max_entries or min_free`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestProvisionNamesMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_CACHE_DIR", "/")
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"a file", Module{Dir: file}, "is a file; name a folder, which is made if it is missing"},
		{"below a file", Module{Dir: filepath.Join(file, "cache")}, "can't be made, something above it is a file; correct the path"},
		{"here", Module{Dir: "."}, "name a folder that belongs to this cache alone"},
		{"by a placeholder", Module{Dir: "{env.TEST_CACHE_DIR}"}, "name a folder that belongs to this cache alone"},
		{"unknown placeholder", Module{Dir: "{env.TEST_CACHE_DIR_UNSET}"}, "dir:"},
		{"too small", Module{Dir: "/x", MaxSize: -1}, "max_size:"},
		{"negative entries", Module{Dir: "/x", MaxEntries: -1}, "max_entries:"},
		{"all free", Module{Dir: "/x", MinFree: 100}, "min_free: 100 is no percentage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provision(t, &tt.m); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
			cleanUp(t, &tt.m)
		})
	}
}

func TestTheDefaultsAreThoseOfTheManual(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	m := provisioned(t, new(Module))
	defer cleanUp(t, m)
	want := Config{Dir: filepath.Join(home, "caddy", "imageorigin", "cache"), MaxBytes: 10 << 30, MinFree: 0.05}
	got := m.config
	got.Warn = nil
	if fmt.Sprint(got) != fmt.Sprint(want) || m.Place() != want.Dir {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAConfigThatIsOnlyLookedAtMakesNoFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	m := provisioned(t, &Module{Dir: dir})
	if got := m.Stats(); got != (caches.Stats{Limit: DefaultMaxBytes}) {
		t.Errorf("got %+v", got)
	}
	cleanUp(t, m)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if _, err := m.Get(t.Context(), caches.Key{Source: "a"}); !errors.Is(err, errClosed) {
		t.Errorf("after the end it opens again: %v", err)
	}
}

func TestConfigsShareTheStoreOfAFolder(t *testing.T) {
	dir := t.TempDir()
	first := provisioned(t, &Module{Dir: dir, MaxSize: 8 << 20, MinFree: 1})
	first.Rule()
	k := caches.Key{Source: "e/a.jpg"}
	if err := first.Put(t.Context(), k, caches.Meta{}, strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	second := provisioned(t, &Module{Dir: filepath.Join(dir, "..", filepath.Base(dir)) + "/", MaxSize: 4 << 20, MinFree: 2})
	if first.shared != second.shared {
		t.Fatal("the same folder, written otherwise, has another store")
	}
	inForce := func(when string, limit int64, minFree float64) {
		t.Helper()
		store := first.shared.store.Load()
		if got := store.Stats().Limit; got != limit {
			t.Errorf("%s: the limit is %d, want %d", when, got, limit)
		}
		if got := math.Float64frombits(store.minFree.Load()); got != minFree {
			t.Errorf("%s: %v is left free, want %v", when, got, minFree)
		}
	}
	inForce("before the second config is in force", 8<<20, 0.01)
	second.Rule()
	inForce("when it is", 4<<20, 0.02)
	first.Rule()
	inForce("when it failed to start", 8<<20, 0.01)
	cleanUp(t, first)
	e, err := second.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Content.Close()
	if body, err := io.ReadAll(e.Content); err != nil || string(body) != "body" {
		t.Errorf("got %q, %v", body, err)
	}
	cleanUp(t, second)
	if !first.shared.closed {
		t.Error("the store is still open though nobody has it")
	}
}

func TestAFolderThatCantBeMadeMissesAndWarnsWithTheRemedy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 300)) // no file system has such names, whoever asks
	m := provisioned(t, &Module{Dir: dir})
	defer cleanUp(t, m)
	core, said := observer.New(zap.WarnLevel)
	m.logger = zap.New(core)
	m.Rule()
	if err := m.Put(t.Context(), caches.Key{Source: "a"}, caches.Meta{}, strings.NewReader("x")); err == nil {
		t.Error("an entry was written")
	}
	if _, err := m.Get(t.Context(), caches.Key{Source: "a"}); !errors.Is(err, caches.ErrMiss) {
		t.Errorf("got %v, want a miss", err)
	}
	if said.Len() != 1 {
		t.Fatalf("it warned %d times, want once a minute", said.Len())
	}
	warning := said.All()[0]
	fields := warning.ContextMap()
	for field, want := range map[string]string{"cache": "big", "folder": dir, "what": "the folder can't be made"} {
		if fields[field] != want {
			t.Errorf("field %s: got %v, want %s", field, fields[field], want)
		}
	}
	if fields["error"] == nil || fields["remedy"] == "" {
		t.Errorf("cause or remedy is missing: %v", fields)
	}
}

func TestRemediesFitTheirCauses(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}, "give this user the right to write"},
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.EROFS}, "a file system that can be written"},
		{&fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, "make room"},
		{errNoRoom, "make room"},
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.EMFILE}, "raise the limit of open files"},
		{fmt.Errorf("reading: %w", errCorrupt), "the file is made anew"},
		{io.ErrUnexpectedEOF, "see what the cause says"},
	} {
		if got := remedy(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: got %q, want %q in it", tt.err, got, tt.want)
		}
	}
}
