package cachestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// bodiesThatBreak checks that what was there stays, wherever a body breaks, and whether it could go back.
func bodiesThatBreak(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "1")
	put(t, s, k, caches.Meta{Tags: []string{"old"}, Info: []byte("old")}, "whole")
	for _, after := range []int{0, 1, 4096, 200_000} {
		for name, body := range map[string]io.Reader{
			"read once": io.MultiReader(strings.NewReader(strings.Repeat("x", after)), iotest.ErrReader(errBroken)),
			"sought in": &breaking{strings.NewReader(strings.Repeat("x", after))},
		} {
			if err := s.Put(t.Context(), k, caches.Meta{Tags: []string{"new"}}, body); !errors.Is(err, errBroken) {
				t.Errorf("keeping a body, %s, that breaks after %d bytes: %v, want %v", name, after, err, errBroken)
			}
			want(t, s, k, "whole")
		}
	}
	if n, err := s.Purge(t.Context(), caches.Pattern{Tag: "new"}); n != 0 || err != nil {
		t.Errorf("by a tag of what was never kept %d were purged, %v", n, err)
	}
	if n, err := s.Purge(t.Context(), caches.Pattern{Tag: "old"}); n != 1 || err != nil {
		t.Errorf("by the tag of what is there %d were purged, %v", n, err)
	}
}

// breaking can go back, and never ends well.
type breaking struct{ *strings.Reader }

func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

// WriteTo hides that of strings.Reader, which would not break.
func (b *breaking) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{b})
}

// bigEntries keeps what is larger than any buffer, in pieces of odd sizes.
func bigEntries(t *testing.T, s caches.Store) {
	block := make([]byte, 1<<20)
	for n := range block {
		block[n] = byte(n * n >> 3)
	}
	for _, size := range []int{128<<10 - 1, 128 << 10, 128<<10 + 1, 300_001, 1 << 20, 3<<20 + 7} {
		k, body := key("e/film.mp4", fmt.Sprint(size)), bytes.Repeat(block, size>>20+1)[:size]
		for name, r := range map[string]io.Reader{
			"whole":                   bytes.NewReader(body),
			"in halves":               iotest.HalfReader(bytes.NewReader(body)),
			"its end with its last":   iotest.DataErrReader(bytes.NewReader(body)),
			"read once":               io.MultiReader(bytes.NewReader(body)),
			"with nothing in between": io.MultiReader(bytes.NewReader(body[:7]), strings.NewReader(""), bytes.NewReader(body[7:])),
		} {
			if err := s.Put(t.Context(), k, caches.Meta{}, r); err != nil {
				t.Fatalf("keeping %d bytes, %s: %v", size, name, err)
			}
			if got, ok := get(t, s, k); !ok || got != string(body) {
				t.Errorf("%d bytes, %s: got %d, found %v", size, name, len(got), ok)
			}
		}
	}
}

// oddTags has tags that are not what one would call a word.
func oddTags(t *testing.T, s caches.Store) {
	tags := []string{"\x00", "\xff\xfe", "a,b", `"`, "\n", "é", "e\u0301", " ", strings.Repeat("long", 2000), "Tag", "tag"}
	for n, tag := range tags {
		put(t, s, key("e/a.jpg", fmt.Sprint(n)), caches.Meta{Tags: []string{"all", tag, tag}}, tag)
	}
	for n, tag := range tags {
		e, err := s.Get(t.Context(), key("e/a.jpg", fmt.Sprint(n)))
		if err != nil {
			t.Fatalf("with the tag %.20q: %v", tag, err)
		}
		e.Content.Close()
		if !slices.Equal(e.Tags, []string{"all", tag, tag}) {
			t.Errorf("the tags of one with %.20q are %.40q", tag, e.Tags)
		}
		if n, err := s.Purge(t.Context(), caches.Pattern{Tag: tag}); n != 1 || err != nil {
			t.Errorf("by the tag %.20q %d were purged, %v; want one", tag, n, err)
		}
	}
}

// patterns purges by each combination of what a pattern can say.
func patterns(t *testing.T, s caches.Store) {
	type entry struct {
		key  caches.Key
		tags []string
	}
	var all []entry
	for _, source := range []string{"e/a", "e/a.jpg", "e/b", ""} {
		for _, variant := range []string{"", "1"} {
			for _, tags := range [][]string{nil, {"x"}, {"y", "x"}} {
				all = append(all, entry{key(source, variant+strings.Repeat("+", len(tags))), tags})
			}
		}
	}
	for _, e := range all {
		put(t, s, e.key, caches.Meta{Tags: e.tags}, "x")
	}
	original, one, plus := "", "1", "+"
	for _, source := range []string{"", "e/a", "g"} {
		for _, prefix := range []bool{false, true} {
			for _, variant := range []*string{nil, &original, &one, &plus} {
				for _, tag := range []string{"", "x", "y"} {
					match := caches.Pattern{Source: source, Prefix: prefix, Variant: variant, Tag: tag}
					gone := 0
					for _, e := range all {
						if match.Fits(e.key, e.tags) {
							gone++
						}
					}
					if n, err := s.Purge(t.Context(), match); n != gone || err != nil {
						t.Errorf("%+v: %d were purged, %v; want %d", match, n, err, gone)
					}
					for _, e := range all {
						_, ok := get(t, s, e.key)
						if ok == match.Fits(e.key, e.tags) {
							t.Errorf("%+v: %v with %v is there: %v", match, e.key, e.tags, ok)
						}
						if !ok {
							put(t, s, e.key, caches.Meta{Tags: e.tags}, "x")
						}
					}
				}
			}
		}
	}
}

// endedPurges checks that a purge for who has gone does all of it or says so, and that the next one does the rest.
func endedPurges(t *testing.T, s caches.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 20 {
		put(t, s, key("e/a.jpg", fmt.Sprint(n)), caches.Meta{}, "x")
	}
	e, err := s.Get(ctx, key("e/a.jpg", "1"))
	switch {
	case err == nil:
		e.Content.Close()
	case !errors.Is(err, context.Canceled) && !errors.Is(err, caches.ErrMiss):
		t.Errorf("asking for one who has gone: %v", err)
	}
	if _, err := s.Purge(ctx, caches.Pattern{Source: "e/", Prefix: true}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("purging for one who has gone: %v", err)
	} else if err == nil {
		wantMiss(t, s, key("e/a.jpg", "1"))
	}
	if _, err := s.Purge(t.Context(), caches.Pattern{Source: "e/", Prefix: true}); err != nil {
		t.Errorf("purging again: %v", err)
	}
	for n := range 20 {
		wantMiss(t, s, key("e/a.jpg", fmt.Sprint(n)))
	}
}

// expiries checks that what expires is given until then, and that what is past it neither hides nor hinders.
func expiries(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "1")
	soon := time.Now().Add(200 * time.Millisecond)
	put(t, s, k, caches.Meta{Expires: soon}, "x")
	if got, ok := get(t, s, k); ok && got != "x" || !ok && time.Now().Before(soon) {
		t.Errorf("before its time there is %q, %v", got, ok)
	}
	time.Sleep(time.Until(soon) + time.Millisecond)
	wantMiss(t, s, k)
	put(t, s, k, caches.Meta{}, "y")
	want(t, s, k, "y")
	put(t, s, k, caches.Meta{Expires: time.Now().Add(-time.Hour)}, "z")
	wantMiss(t, s, k)
	if _, err := s.Purge(t.Context(), caches.Pattern{}); err != nil {
		t.Errorf("purging what is past its time: %v", err)
	}
}

// oneKey has one key kept, asked for and purged at once. Once a purge is over, nobody is given what was kept before it
// began.
func oneKey(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "1")
	var kept, purged atomic.Int64 // generations: the last that was begun to be kept, and the last that is surely gone
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	again := func(do func()) {
		wg.Go(func() {
			for ctx.Err() == nil {
				do()
			}
		})
	}
	// One writer, or an older one of two could end last.
	again(func() {
		n := kept.Add(1)
		if err := s.Put(t.Context(), k, caches.Meta{}, strings.NewReader(fmt.Sprintf("%09d%s", n, strings.Repeat("x", int(n%5)*2000)))); err != nil {
			t.Error(err)
		}
	})
	for _, match := range []caches.Pattern{{Source: k.Source, Variant: &k.Variant}, {Source: "e/", Prefix: true}} {
		again(func() {
			before := kept.Load() - 1 // the last may be kept only now
			if _, err := s.Purge(t.Context(), match); err != nil {
				t.Error(err)
			}
			for was := purged.Load(); was < before && !purged.CompareAndSwap(was, before); was = purged.Load() {
			}
			time.Sleep(time.Millisecond)
		})
	}
	for range 3 {
		again(func() {
			gone := purged.Load()
			got, ok := get(t, s, k)
			if !ok {
				return
			}
			var n int64
			if _, err := fmt.Sscanf(got[:min(9, len(got))], "%d", &n); err != nil || n <= gone || len(got) != 9+int(n%5)*2000 {
				t.Errorf("got %d bytes, %.12q, %v; generation %d is purged", len(got), got, err, gone)
			}
		})
	}
	wg.Wait()
}
