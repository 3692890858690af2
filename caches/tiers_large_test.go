package caches_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
)

// zeroes gives so many bytes, and then an error, io.EOF for an end; it can't go back.
type zeroes struct {
	left int64
	end  error
}

func (z *zeroes) Read(p []byte) (int, error) {
	n := int(min(z.left, int64(len(p))))
	clear(p[:n])
	z.left -= int64(n)
	if n == 0 {
		return 0, z.end
	}
	return n, nil
}

// pit is a store that counts what it is given and holds nothing.
type pit struct {
	deaf
	taken int64
}

func (p *pit) Put(_ context.Context, _ caches.Key, _ caches.Meta, body io.Reader) (err error) {
	p.taken, err = io.Copy(io.Discard, body)
	return err
}

func TestWhatIsLargeIsNeverHeldWhole(t *testing.T) {
	const size = 1 << 30
	far := &pit{}
	all := caches.Tiers(inMemory(t), far)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := all.Put(t.Context(), caches.Key{Source: "e/film.mp4"}, caches.Meta{}, &zeroes{size, io.EOF}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if far.taken != size {
		t.Errorf("the last tier was given %d bytes of %d", far.taken, size)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("passing on a body of %d MiB took %d MiB of memory", size>>20, took>>20)
	}
}

// withoutSeeking hides that a body can go back.
type withoutSeeking struct{ io.Reader }

func TestEntriesOfMoreThanFourMebibytesAreInTheFarthestTierAlone(t *testing.T) {
	const most = 4 << 20
	for _, tt := range []struct {
		name string
		size int
		near bool
	}{{"the most that is small", most, true}, {"a byte more", most + 1, false}, {"far more", 7 << 20, false}} {
		for kind, body := range map[string]func(string) io.Reader{
			"that goes back": func(s string) io.Reader { return strings.NewReader(s) },
			"read once":      func(s string) io.Reader { return withoutSeeking{strings.NewReader(s)} },
		} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				near, far := inMemory(t), onDisk(t)
				all := caches.Tiers(near, far)
				k, content := caches.Key{Source: "e/a.jpg"}, strings.Repeat("x", tt.size)
				for _, s := range []string{"what was there before", content} {
					if err := all.Put(t.Context(), k, caches.Meta{}, body(s)); err != nil {
						t.Fatal(err)
					}
				}
				e, err := near.Get(t.Context(), k)
				if (err == nil) != tt.near {
					t.Errorf("the near tier: %v; want it there: %v", err, tt.near)
				}
				if err == nil {
					e.Content.Close()
				}
				if got, err := io.ReadAll(opened(t, all, k)); err != nil || string(got) != content {
					t.Errorf("there are %d bytes, %v; want %d", len(got), err, tt.size)
				}
			})
		}
	}
}

func TestALargeEntryGoesToTheFarthestTierThatTakesIt(t *testing.T) {
	all := caches.Tiers(onDisk(t), onDisk(t), deaf{})
	k, content := caches.Key{Source: "e/a.jpg"}, strings.Repeat("x", 5<<20)
	if err := all.Put(t.Context(), k, caches.Meta{}, withoutSeeking{strings.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(opened(t, all, k)); err != nil || string(got) != content {
		t.Errorf("there are %d bytes, %v", len(got), err)
	}
}

func TestALargeBodyThatBreaksLeavesWhatWasThere(t *testing.T) {
	errBroken := errors.New("the line broke")
	near, far := inMemory(t), onDisk(t)
	all := caches.Tiers(near, far)
	k := caches.Key{Source: "e/a.jpg"}
	if err := all.Put(t.Context(), k, caches.Meta{}, strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{1 << 20, 5 << 20} {
		if err := all.Put(t.Context(), k, caches.Meta{}, &zeroes{at, errBroken}); !errors.Is(err, errBroken) {
			t.Errorf("keeping a body that breaks after %d bytes: %v", at, err)
		}
		for name, s := range map[string]caches.Store{"near": near, "far": far} {
			if got, err := io.ReadAll(opened(t, s, k)); err != nil || string(got) != "whole" {
				t.Errorf("after a body broke at %d the %s tier has %d bytes, %v", at, name, len(got), err)
			}
		}
	}
}
