// Package cachestest holds what every store must do, as a suite: see [Run].
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
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// Run checks that the stores which fresh makes do what a store must. Each is empty, has room for 32 MiB at least, and
// keeps what it is given until that is full.
func Run(t *testing.T, fresh func(t *testing.T) caches.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s caches.Store)
	}{
		{"what was kept is given back", givesBack},
		{"what was never kept is a miss", misses},
		{"the last one kept counts", replaces},
		{"odd names are names", namesAreKept},
		{"a broken body leaves what was there", brokenBodies},
		{"an ended context keeps nothing", endedContexts},
		{"what is past its time is a miss", expires},
		{"content can be sought in", seeks},
		{"an entry stays readable while it is replaced and purged", staysReadable},
		{"purging takes what is meant", purges},
		{"stats count", counts},
		{"many at once", manyAtOnce},
		{"what was there outlives bodies that break", bodiesThatBreak},
		{"big entries", bigEntries},
		{"tags are bytes", oddTags},
		{"purging by each combination", patterns},
		{"purging for who has gone", endedPurges},
		{"a time comes to an end", expiries},
		{"one key kept, asked for and purged at once", oneKey},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

// key returns a key of the suite.
func key(source, variant string) caches.Key { return caches.Key{Source: source, Variant: variant} }

func put(t *testing.T, s caches.Store, k caches.Key, m caches.Meta, body string) {
	t.Helper()
	if err := s.Put(t.Context(), k, m, strings.NewReader(body)); err != nil {
		t.Fatalf("keeping %v: %v", k, err)
	}
}

// get returns the content under k, and whether there is one.
func get(t *testing.T, s caches.Store, k caches.Key) (string, bool) {
	t.Helper()
	e, err := s.Get(t.Context(), k)
	if errors.Is(err, caches.ErrMiss) {
		return "", false
	}
	if err != nil {
		t.Fatalf("asking for %v: %v", k, err)
	}
	defer e.Content.Close()
	body, err := io.ReadAll(e.Content)
	if err != nil {
		t.Fatalf("reading %v: %v", k, err)
	}
	if int64(len(body)) != e.Size {
		t.Errorf("%v has %d bytes and says %d", k, len(body), e.Size)
	}
	return string(body), true
}

func want(t *testing.T, s caches.Store, k caches.Key, body string) {
	t.Helper()
	if got, ok := get(t, s, k); !ok || got != body {
		t.Errorf("%v: got %.40q, found %v; want %.40q", k, got, ok, body)
	}
}

func wantMiss(t *testing.T, s caches.Store, k caches.Key) {
	t.Helper()
	if got, ok := get(t, s, k); ok {
		t.Errorf("%v: got %.40q, want a miss", k, got)
	}
}

func givesBack(t *testing.T, s caches.Store) {
	m := caches.Meta{
		Stored:  time.Now().Round(0),
		Expires: time.Now().Add(time.Hour).Round(0),
		Tags:    []string{"shoes", "summer sale"},
		Info:    []byte("\x00\xffinfo"),
	}
	for _, size := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		k, body := key("e/a.jpg", fmt.Sprint(size)), strings.Repeat("ab", size/2)
		put(t, s, k, m, body)
		want(t, s, k, body)
		e, err := s.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		e.Content.Close()
		if !e.Stored.Equal(m.Stored) || !e.Expires.Equal(m.Expires) || !slices.Equal(e.Tags, m.Tags) || !bytes.Equal(e.Info, m.Info) {
			t.Errorf("got %+v beside the bytes, want %+v", e.Meta, m)
		}
	}
}

func misses(t *testing.T, s caches.Store) {
	put(t, s, key("e/a.jpg", "1"), caches.Meta{}, "x")
	for _, k := range []caches.Key{key("e/a.jpg", ""), key("e/a.jpg", "2"), key("e/a.jp", "1"), key("e/a.jpg1", ""), key("", "")} {
		wantMiss(t, s, k)
	}
}

func replaces(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "1")
	put(t, s, k, caches.Meta{Tags: []string{"old"}}, "a longer one")
	put(t, s, k, caches.Meta{Tags: []string{"new"}}, "short")
	want(t, s, k, "short")
	if n, err := s.Purge(t.Context(), caches.Pattern{Tag: "old"}); n != 0 || err != nil {
		t.Errorf("by the old tag %d were purged, %v; want none", n, err)
	}
	want(t, s, k, "short")
}

func namesAreKept(t *testing.T, s caches.Store) {
	names := []string{
		"e/../../etc/passwd", "e//double", "e/ space", "e/100%.jpg", "e/100%25.jpg", "e/\x00nul", "e/\nline", "e/é", "e/e\u0301", "e/山.jpg",
		"e/" + strings.Repeat("long/", 300), "E/a", "e/a", "e/a/", "e/a/b", ".", "..", "e/a\\b", "CON", "e/\xff", "e/\xfe",
	}
	for i, name := range names {
		put(t, s, key(name, "v/../v"), caches.Meta{}, fmt.Sprint(i))
	}
	for i, name := range names {
		want(t, s, key(name, "v/../v"), fmt.Sprint(i))
	}
}

// failing gives a few bytes, then an error.
type failing struct{ left int }

var errBroken = errors.New("the line broke")

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errBroken
	}
	n := min(len(p), f.left)
	f.left -= n
	return n, nil
}

func brokenBodies(t *testing.T, s caches.Store) {
	k, fresh := key("e/a.jpg", "1"), key("e/b.jpg", "1")
	put(t, s, k, caches.Meta{}, "whole")
	for _, k := range []caches.Key{k, fresh} {
		if err := s.Put(t.Context(), k, caches.Meta{}, &failing{10_000}); !errors.Is(err, errBroken) {
			t.Errorf("keeping a body that breaks: %v, want %v", err, errBroken)
		}
	}
	wantMiss(t, s, fresh)
	want(t, s, k, "whole")
}

func endedContexts(t *testing.T, s caches.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := key("e/a.jpg", "1")
	if err := s.Put(ctx, k, caches.Meta{}, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("keeping something for who has gone: %v", err)
	}
	wantMiss(t, s, k)
}

func expires(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "1")
	put(t, s, k, caches.Meta{Expires: time.Now().Add(-time.Second)}, "x")
	wantMiss(t, s, k)
	put(t, s, k, caches.Meta{Expires: time.Now().Add(time.Hour)}, "y")
	want(t, s, k, "y")
}

func seeks(t *testing.T, s caches.Store) {
	k := key("e/a.jpg", "")
	put(t, s, k, caches.Meta{}, "0123456789")
	e, err := s.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Content.Close()
	for _, tt := range []struct {
		offset int64
		whence int
		want   string
	}{{3, io.SeekStart, "34"}, {2, io.SeekCurrent, "78"}, {-1, io.SeekEnd, "9"}, {0, io.SeekStart, "01"}} {
		if _, err := e.Content.Seek(tt.offset, tt.whence); err != nil {
			t.Fatal(err)
		}
		part := make([]byte, len(tt.want))
		if _, err := io.ReadFull(e.Content, part); err != nil || string(part) != tt.want {
			t.Errorf("sought to %d from %d: got %q, %v; want %q", tt.offset, tt.whence, part, err, tt.want)
		}
	}
	if n, err := e.Content.Seek(0, io.SeekEnd); n != e.Size || err != nil {
		t.Errorf("the end is at %d, %v; want %d", n, err, e.Size)
	}
}

func staysReadable(t *testing.T, s caches.Store) {
	k, body := key("e/a.jpg", "1"), strings.Repeat("old ", 50_000)
	put(t, s, k, caches.Meta{}, body)
	open := make([]*caches.Entry, 2)
	for i := range open {
		var err error
		if open[i], err = s.Get(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		defer open[i].Content.Close()
	}
	put(t, s, k, caches.Meta{}, strings.Repeat("new ", 60_000))
	if got, err := io.ReadAll(open[0].Content); err != nil || string(got) != body {
		t.Errorf("after it was replaced the old one reads as %.20q, %v", got, err)
	}
	if _, err := s.Purge(t.Context(), caches.Pattern{}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(open[1].Content); err != nil || string(got) != body {
		t.Errorf("after it was purged the old one reads as %.20q, %v", got, err)
	}
	wantMiss(t, s, k)
}

func purges(t *testing.T, s caches.Store) {
	all := []caches.Key{
		key("e/a.jpg", ""), key("e/a.jpg", "1"), key("e/a.jpg", "2"), key("e/a.jpg.bak", "1"), key("e/ab/c.jpg", "1"), key("f/a.jpg", "1"),
	}
	original, one := "", "1"
	for _, tt := range []struct {
		name  string
		match caches.Pattern
		gone  []int
	}{
		{"an original with all variants", caches.Pattern{Source: "e/a.jpg"}, []int{0, 1, 2}},
		{"a variant", caches.Pattern{Source: "e/a.jpg", Variant: &one}, []int{1}},
		{"the original alone", caches.Pattern{Source: "e/a.jpg", Variant: &original}, []int{0}},
		{"a prefix", caches.Pattern{Source: "e/a", Prefix: true}, []int{0, 1, 2, 3, 4}},
		{"an endpoint", caches.Pattern{Source: "e/", Prefix: true}, []int{0, 1, 2, 3, 4}},
		{"a tag", caches.Pattern{Tag: "even"}, []int{0, 2, 4}},
		{"a tag that is not UTF-8", caches.Pattern{Tag: "od\xe9"}, []int{1, 3, 5}},
		{"a tag below a prefix", caches.Pattern{Source: "e/a.jpg", Prefix: true, Tag: "even"}, []int{0, 2}},
		{"nothing", caches.Pattern{Source: "g/", Prefix: true}, nil},
		{"everything", caches.Pattern{}, []int{0, 1, 2, 3, 4, 5}},
	} {
		for i, k := range all {
			put(t, s, k, caches.Meta{Tags: []string{"all", []string{"even", "od\xe9"}[i%2]}}, fmt.Sprint(i))
		}
		n, err := s.Purge(t.Context(), tt.match)
		if err != nil || n != len(tt.gone) {
			t.Errorf("%s: %d were purged, %v; want %d", tt.name, n, err, len(tt.gone))
		}
		for i, k := range all {
			if slices.Contains(tt.gone, i) {
				wantMiss(t, s, k)
			} else {
				want(t, s, k, fmt.Sprint(i))
			}
		}
	}
}

func counts(t *testing.T, s caches.Store) {
	if got := s.Stats(); got.Entries != 0 || got.Bytes != 0 {
		t.Errorf("an empty store has %+v", got)
	}
	body := strings.Repeat("x", 10_000)
	for i := range 10 {
		put(t, s, key("e/a.jpg", fmt.Sprint(i)), caches.Meta{}, body)
	}
	put(t, s, key("e/a.jpg", "0"), caches.Meta{}, body)
	if got := s.Stats(); got.Entries != 10 || got.Bytes < 100_000 || got.Bytes > 200_000 {
		t.Errorf("ten entries of 10,000 bytes are %+v", got)
	}
	if _, err := s.Purge(t.Context(), caches.Pattern{}); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats(); got.Entries != 0 || got.Bytes != 0 {
		t.Errorf("a purged store has %+v", got)
	}
}

// manyAtOnce has many readers, writers and purgers on few keys: what is read is always whole, and of that key.
func manyAtOnce(t *testing.T, s caches.Store) {
	const workers, rounds, keys = 8, 200, 5
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				n := (w*7 + i) % keys
				k, unit := key("e/a.jpg", fmt.Sprint(n)), fmt.Sprintf("%d,", n)
				switch {
				case w == 0 && i%20 == 0:
					if _, err := s.Purge(t.Context(), caches.Pattern{Source: "e/a.jpg"}); err != nil {
						t.Error(err)
					}
				case (w+i)%3 == 0:
					if err := s.Put(t.Context(), k, caches.Meta{}, strings.NewReader(strings.Repeat(unit, 100*(i+1)))); err != nil {
						t.Error(err)
					}
				default:
					e, err := s.Get(t.Context(), k)
					if errors.Is(err, caches.ErrMiss) {
						continue
					}
					if err != nil {
						t.Error(err)
						continue
					}
					got, err := io.ReadAll(e.Content)
					e.Content.Close()
					if err != nil || int64(len(got)) != e.Size || strings.Trim(string(got), unit) != "" {
						t.Errorf("read %d bytes of %d, %v: %.20q", len(got), e.Size, err, got)
					}
				}
			}
		})
	}
	wg.Wait()
}
