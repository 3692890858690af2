package memory

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caches/cachestest"
)

func fresh(tb testing.TB, maxBytes int64) *Store {
	tb.Helper()
	s, err := New(maxBytes)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestStoreConforms(t *testing.T) {
	cachestest.Run(t, func(t *testing.T) caches.Store { return fresh(t, 64<<20) })
}

func TestTheBoundHoldsAndWhatIsAskedForStays(t *testing.T) {
	const limit = 4 << 20
	s := fresh(t, limit)
	random := rand.New(rand.NewPCG(1, 2))
	popular := caches.Key{Source: "e/popular.jpg", Variant: "1"}
	for i := range 5_000 {
		k := caches.Key{Source: fmt.Sprintf("e/%d.jpg", i), Variant: "1"}
		if err := s.Put(t.Context(), k, caches.Meta{}, strings.NewReader(strings.Repeat("x", random.IntN(20_000)))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), popular); err != nil {
			if i > 4_000 {
				t.Fatalf("round %d: what is asked for all the time was dropped", i)
			}
			if err := s.Put(t.Context(), popular, caches.Meta{}, strings.NewReader("popular")); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.entries.CleanUp()
	got := s.Stats()
	if got.Bytes > limit || got.Bytes < limit/2 || got.Evicted == 0 {
		t.Errorf("after far more than it holds: %+v", got)
	}
}

func TestOneEntryMayTakeAnEighthOfIt(t *testing.T) {
	s := fresh(t, 1<<20)
	for _, tt := range []struct {
		size int
		want error
	}{{1 << 17, nil}, {1<<17 + 1, caches.ErrTooLarge}} {
		body := strings.NewReader(strings.Repeat("x", tt.size))
		for name, r := range map[string]io.Reader{"of known size": body, "of unknown size": io.MultiReader(strings.NewReader(strings.Repeat("x", tt.size)))} {
			if err := s.Put(t.Context(), caches.Key{Source: name}, caches.Meta{}, r); err != tt.want {
				t.Errorf("%d bytes %s: %v, want %v", tt.size, name, err, tt.want)
			}
		}
	}
}

// tight is a body whose Len is not how much it holds.
type tight struct{ io.Reader }

func (tight) Len() int { return 1 }

func TestNothingOfTheCallerIsTrustedOrShared(t *testing.T) {
	s := fresh(t, 1<<20)
	m := caches.Meta{Tags: []string{"a"}, Info: []byte("a")}
	if err := s.Put(t.Context(), caches.Key{Source: "e"}, m, tight{strings.NewReader("whole")}); err != nil {
		t.Fatal(err)
	}
	m.Tags[0], m.Info[0] = "b", 'b'
	e, err := s.Get(t.Context(), caches.Key{Source: "e"})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(e.Content); err != nil || string(body) != "whole" || e.Tags[0] != "a" || string(e.Info) != "a" {
		t.Errorf("kept were %q with %v and %q, %v", body, e.Tags, e.Info, err)
	}
}

// BenchmarkMemoryPerEntry reports what an entry takes beside its bytes and texts.
func BenchmarkMemoryPerEntry(b *testing.B) {
	for _, n := range []int{200_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				s := fresh(b, 4<<30)
				for i := range n {
					k := caches.Key{Source: fmt.Sprintf("endpoint/%08d.jpg", i), Variant: "0123456789abcdef"}
					if err := s.Put(b.Context(), k, caches.Meta{}, strings.NewReader("")); err != nil {
						b.Fatal(err)
					}
				}
				began := time.Now()
				if got, err := s.Purge(b.Context(), caches.Pattern{Source: "none/", Prefix: true}); got != 0 || err != nil {
					b.Fatal(got, err)
				}
				b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/purge")
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "bytes/entry")
				if got := s.Stats().Entries; got != int64(n) {
					b.Fatalf("it holds %d", got)
				}
			}
		})
	}
}
