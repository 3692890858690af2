package memory

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caches/cachestest"
)

// provisioned returns m as the host has it, in a config of its own that ends with the test.
func provisioned(t *testing.T, m *Module, name string) *Module {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	if err := m.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	if err := m.Named(name); err != nil {
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
		m := provisioned(t, &Module{MaxSize: 64 << 20}, t.Name())
		t.Cleanup(func() { cleanUp(t, m) })
		return m
	})
}

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "memory", `{}`},
		{"a size", "memory {\n max_size 512MiB\n}", `{"max_size":536870912}`},
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

func TestMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an argument", "memory 512MiB", "takes no arguments; its size stands in a block, as max_size 512MiB, at Testfile:1"},
		{"too small", "memory {\n max_size 1KB\n}", "max_size: a memory of 1000 bytes holds nothing; give it 1MiB or more, at Testfile:2"},
		{"unknown word", "memory {\n dir /x\n}", `unknown option "dir"; expected max_size, at Testfile:2`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	if err := (&Module{MaxSize: -1}).Provision(caddy.Context{}); err == nil || !strings.Contains(err.Error(), "give it 1MiB or more") {
		t.Errorf("a negative size: got %v", err)
	}
}

func TestTheDefaultIsTheSmallerOf256MiBAndAnEighth(t *testing.T) {
	gib := func(n uint64) func() (uint64, error) { return func() (uint64, error) { return n << 30, nil } }
	unknown := func() (uint64, error) { return 0, errors.New("unknown") }
	for _, tt := range []struct {
		name  string
		known []func() (uint64, error)
		want  int64
	}{
		{"a large machine", []func() (uint64, error){unknown, gib(64)}, 256 << 20},
		{"a small machine", []func() (uint64, error){unknown, gib(1)}, 128 << 20},
		{"a small container on a large machine", []func() (uint64, error){gib(1), gib(64)}, 128 << 20},
		{"a container that may have more than there is", []func() (uint64, error){gib(64), gib(1)}, 128 << 20},
		{"nobody knows", []func() (uint64, error){unknown, unknown}, 256 << 20},
		{"next to nothing", []func() (uint64, error){func() (uint64, error) { return 4 << 20, nil }}, 1 << 20},
	} {
		if got := sizeFor(tt.known...); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	m := provisioned(t, new(Module), t.Name())
	defer cleanUp(t, m)
	if limit := m.Stats().Limit; limit < 1<<20 || limit > 256<<20 {
		t.Errorf("on this machine: got %d", limit)
	}
}

func TestCachesOfOneNameAreOneStoreUntilTheLastGoes(t *testing.T) {
	first := provisioned(t, &Module{MaxSize: 8 << 20}, t.Name())
	first.Rule()
	other := provisioned(t, &Module{MaxSize: 8 << 20}, t.Name()+" of another name")
	defer cleanUp(t, other)
	k := caches.Key{Source: "e/a.jpg"}
	if err := first.Put(t.Context(), k, caches.Meta{}, strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get(t.Context(), k); !errors.Is(err, caches.ErrMiss) {
		t.Errorf("another cache has it, too: %v", err)
	}
	second := provisioned(t, &Module{MaxSize: 4 << 20}, t.Name())
	if got := second.Stats().Limit; got != 8<<20 {
		t.Errorf("before the second config is in force the limit is %d", got)
	}
	second.Rule()
	cleanUp(t, first)
	e, err := second.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(e.Content); err != nil || string(body) != "body" {
		t.Errorf("got %q, %v", body, err)
	}
	if got := second.Stats().Limit; got != 4<<20 {
		t.Errorf("the limit is %d, want that of the second config", got)
	}
	cleanUp(t, second)
	third := provisioned(t, &Module{MaxSize: 8 << 20}, t.Name())
	defer cleanUp(t, third)
	if _, err := third.Get(t.Context(), k); !errors.Is(err, caches.ErrMiss) {
		t.Errorf("a cache that nobody had any more is still there: %v", err)
	}
}
