package caches_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caches/cachestest"
	"github.com/imageorigin/imageorigin/caches/disk"
	"github.com/imageorigin/imageorigin/caches/memory"
)

func inMemory(t *testing.T) caches.Store {
	t.Helper()
	s, err := memory.New(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onDisk(t *testing.T) caches.Store {
	t.Helper()
	s, err := disk.New(disk.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// deaf is a store whose every call fails.
type deaf struct{}

var errDeaf = errors.New("the store doesn't answer")

func (deaf) Get(context.Context, caches.Key) (*caches.Entry, error)        { return nil, errDeaf }
func (deaf) Put(context.Context, caches.Key, caches.Meta, io.Reader) error { return errDeaf }
func (deaf) Purge(context.Context, caches.Pattern) (int, error)            { return 0, nil }
func (deaf) Stats() caches.Stats                                           { return caches.Stats{} }

func TestTiersConform(t *testing.T) {
	for name, fresh := range map[string]func(t *testing.T) caches.Store{
		"memory and disk":        func(t *testing.T) caches.Store { return caches.Tiers(inMemory(t), onDisk(t)) },
		"one that never answers": func(t *testing.T) caches.Store { return caches.Tiers(deaf{}, inMemory(t)) },
		"one alone":              func(t *testing.T) caches.Store { return caches.Tiers(inMemory(t)) },
	} {
		t.Run(name, func(t *testing.T) { cachestest.Run(t, fresh) })
	}
}

func TestTiersFillThoseBefore(t *testing.T) {
	near, far := inMemory(t), inMemory(t)
	k := caches.Key{Source: "e/a.jpg", Variant: "1"}
	if err := far.Put(t.Context(), k, caches.Meta{Tags: []string{"x"}}, strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	e, err := caches.Tiers(near, far).Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Content.Close()
	for what, content := range map[string]io.Reader{"what the tiers gave": e.Content, "what the near one holds now": opened(t, near, k)} {
		if body, err := io.ReadAll(content); err != nil || string(body) != "body" {
			t.Errorf("%s is %q, %v", what, body, err)
		}
	}
}

func opened(t *testing.T, s caches.Store, k caches.Key) io.Reader {
	t.Helper()
	e, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Content.Close() })
	return e.Content
}

// purging is a store that is purged by somebody else right after it gave an entry.
type purging struct {
	caches.Store
	purge func()
}

func (p purging) Get(ctx context.Context, k caches.Key) (*caches.Entry, error) {
	e, err := p.Store.Get(ctx, k)
	p.purge()
	return e, err
}

func TestWhatIsPurgedWhileItIsFilledInIsNotKept(t *testing.T) {
	near, far := inMemory(t), inMemory(t)
	k := caches.Key{Source: "e/a.jpg", Variant: "1"}
	if err := far.Put(t.Context(), k, caches.Meta{}, strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	var all caches.Store
	all = caches.Tiers(near, purging{far, func() {
		if _, err := all.Purge(t.Context(), caches.Pattern{}); err != nil {
			t.Error(err)
		}
	}})
	if e, err := all.Get(t.Context(), k); err == nil {
		e.Content.Close()
	}
	if _, err := near.Get(t.Context(), k); !errors.Is(err, caches.ErrMiss) {
		t.Errorf("the near tier holds what was purged: %v", err)
	}
}

func TestWhatIsKeptWhileAnOlderOneIsFilledInCounts(t *testing.T) {
	near, far := inMemory(t), inMemory(t)
	k := caches.Key{Source: "e/a.jpg", Variant: "1"}
	if err := far.Put(t.Context(), k, caches.Meta{}, strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	var all caches.Store
	all = caches.Tiers(near, purging{far, func() {
		if err := all.Put(t.Context(), k, caches.Meta{}, strings.NewReader("new")); err != nil {
			t.Error(err)
		}
	}})
	if e, err := all.Get(t.Context(), k); err == nil {
		e.Content.Close()
	}
	if got, err := io.ReadAll(opened(t, all, k)); err != nil || string(got) != "new" {
		t.Errorf("after a new one was kept there is %q, %v", got, err)
	}
}

func TestATierThatCantTakeTheNewOneDropsTheOld(t *testing.T) {
	near, err := memory.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	all := caches.Tiers(near, inMemory(t))
	k := caches.Key{Source: "e/a.jpg", Variant: "1"}
	for _, body := range []string{"old", strings.Repeat("new", 100_000)} {
		if err := all.Put(t.Context(), k, caches.Meta{}, strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(opened(t, all, k)); err != nil || string(got) != body {
			t.Errorf("there is %.10q, %v; want %.10q", got, err, body)
		}
	}
}

func TestTiersKeepABodyFromWhereItStands(t *testing.T) {
	all := caches.Tiers(inMemory(t), inMemory(t))
	k, body := caches.Key{Source: "e/a.jpg"}, strings.NewReader("headbody")
	if _, err := body.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := all.Put(t.Context(), k, caches.Meta{}, body); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(opened(t, all, k)); err != nil || string(got) != "body" {
		t.Errorf("there is %q, %v", got, err)
	}
}

// brittle is a store whose Put panics.
type brittle struct{ deaf }

func (brittle) Get(context.Context, caches.Key) (*caches.Entry, error) { return nil, caches.ErrMiss }

func (brittle) Put(context.Context, caches.Key, caches.Meta, io.Reader) error { panic("put") }

func TestATierThatPanicsBlocksNobody(t *testing.T) {
	far := inMemory(t)
	k := caches.Key{Source: "e/a.jpg", Variant: "1"}
	if err := far.Put(t.Context(), k, caches.Meta{}, strings.NewReader("body")); err != nil {
		t.Fatal(err)
	}
	all := caches.Tiers(brittle{}, far)
	func() {
		defer func() { _ = recover() }() // as servers do
		_, _ = all.Get(t.Context(), k)
		t.Error("the near tier was not filled")
	}()
	purged := make(chan int, 1)
	go func() {
		n, _ := all.Purge(t.Context(), caches.Pattern{Source: k.Source})
		purged <- n
	}()
	select {
	case n := <-purged:
		if n != 1 {
			t.Errorf("%d entries were purged, want 1", n)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("purging waits for the tier that panicked")
	}
}
