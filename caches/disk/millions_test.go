package disk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// millions is how many entries [TestMillionsOfEntries] has: few, unless it is what somebody wants to measure.
var millions = flag.Int("entries", 3000, "how many entries the test of scale writes and finds again")

// readerFolder is where a child process of the test finds the entries, and readerEntries how many there are.
const (
	readerFolder  = "IMAGEORIGIN_TEST_READER_FOLDER"
	readerEntries = "IMAGEORIGIN_TEST_READER_ENTRIES"
)

// millionthKey names entries as the server does: three variants an original.
func millionthKey(n int) caches.Key {
	return caches.Key{
		Source:  fmt.Sprintf("3f9a2c71d5e8/shop%02d/%07d.jpg", n/3%50, n/3),
		Variant: [...]string{"record", "8c1f0e6a52d7b394-41c09be7", "d7b3948c1f0e6a52-41c09be7"}[n%3],
	}
}

func millionthConfig(dir string, entries int) Config {
	return Config{Dir: dir, MaxBytes: max(int64(entries)*2*block, 1<<20), MinFree: 1e-9}
}

// TestMillionsOfEntries writes entries, and has another process open the folder and find, serve and purge them. It says
// what that takes: go test -v -run Millions -entries 2000000 -timeout 60m ./caches/disk.
func TestMillionsOfEntries(t *testing.T) {
	dir := t.TempDir()
	began := time.Now()
	writeMillions(t, dir, *millions)
	took := time.Since(began)
	t.Logf("%d entries: written in %v, %v each", *millions, took.Round(time.Millisecond), took/time.Duration(*millions))

	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), readerFolder+"="+dir, readerEntries+"="+strconv.Itoa(*millions))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err = errors.Join(err, child.Start()); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		t.Log(lines.Text())
	}
	if err := child.Wait(); err != nil {
		t.Errorf("reading them in another process: %v", err)
	}
}

func writeMillions(t *testing.T, dir string, entries int) {
	t.Helper()
	s, err := New(millionthConfig(dir, entries))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const writers = 2
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			body := bytes.Repeat([]byte("0123456789"), 60)
			for n := w; n < entries; n += writers {
				m := caches.Meta{Stored: time.Now(), Tags: []string{fmt.Sprintf("t%d", n/3%1000)}}
				if err := s.Put(t.Context(), millionthKey(n), m, bytes.NewReader(body)); err != nil {
					t.Errorf("keeping %v: %v", millionthKey(n), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// readMillions is the other process. It returns what is wrong.
func readMillions(dir string, entries int) error {
	ctx := context.Background()
	before := heap()
	began := time.Now()
	s, err := New(millionthConfig(dir, entries))
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Printf("serves after %v\n", time.Since(began).Round(time.Microsecond))
	k := millionthKey(entries / 2)
	if _, err := timed("the first hit", func() error { return hitOn(ctx, s, k) }); err != nil {
		return err
	}
	during, err := hits(ctx, s, entries, func() bool {
		select {
		case <-s.scanned:
			return true
		default:
			return false
		}
	})
	if err != nil {
		return err
	}
	<-s.scanned
	fmt.Printf("the index is complete after %v\n", time.Since(began).Round(time.Millisecond))
	fmt.Printf("hits while it is built: %s\n", during)
	s.index.settle()
	stats := s.Stats()
	fmt.Printf("heap: %d bytes an entry, of %d; CPU so far %v\n", (heap()-before)/max(stats.Entries, 1), stats.Entries, cpuTime().Round(time.Millisecond))
	if stats.Entries != int64(entries) || stats.Evicted != 0 {
		return fmt.Errorf("the index has %d entries, and %d were evicted; want %d and none", stats.Entries, stats.Evicted, entries)
	}
	rounds := min(20_000, 2*entries)
	for _, what := range []string{"first hits", "hits"} {
		random := rand.New(rand.NewPCG(1, 2)) // the same ones again
		hits, err := hitsOf(ctx, s, func() int { return random.IntN(entries) }, func(n int) bool { return n == rounds })
		if err != nil {
			return err
		}
		fmt.Printf("%s afterwards: %s\n", what, hits)
	}
	return purgeMillions(ctx, s, entries)
}

// purgeMillions purges by all that one can purge by.
func purgeMillions(ctx context.Context, s *Store, entries int) error {
	record, left := "record", s.Stats().Entries
	for _, p := range []struct {
		name  string
		match caches.Pattern
	}{
		{"a variant of an original", caches.Pattern{Source: millionthKey(0).Source, Variant: &record}},
		{"an original", caches.Pattern{Source: millionthKey(1500).Source}},
		{"a tag, of a thousandth", caches.Pattern{Tag: "t7"}},
		{"a prefix, of a fiftieth", caches.Pattern{Source: "3f9a2c71d5e8/shop03/", Prefix: true}},
		{"everything", caches.Pattern{}},
	} {
		want := 0
		for n := range entries {
			if p.match.Fits(millionthKey(n), []string{fmt.Sprintf("t%d", n/3%1000)}) {
				want++
			}
		}
		var purged int
		took, err := timed("", func() (err error) { purged, err = s.Purge(ctx, p.match); return err })
		if err != nil {
			return err
		}
		left -= int64(purged)
		fmt.Printf("purging %s: %v for %d entries\n", p.name, took.Round(10*time.Microsecond), purged)
		if purged == 0 || purged > want || s.Stats().Entries != left {
			return fmt.Errorf("purging %s took %d of %d entries, and %d are left; want %d", p.name, purged, want, s.Stats().Entries, left)
		}
	}
	if left != 0 {
		return fmt.Errorf("%d entries are left behind", left)
	}
	return nil
}

// latencies are how long calls took.
type latencies []time.Duration

func (l latencies) String() string {
	if len(l) == 0 {
		return "none"
	}
	slices.Sort(l)
	at := func(part float64) time.Duration {
		return l[int(part*float64(len(l)-1))].Round(100 * time.Nanosecond)
	}
	return fmt.Sprintf("%d, median %v, 99 of 100 within %v, the slowest %v", len(l), at(0.5), at(0.99), at(1))
}

// hits asks for random entries, now and then, until done.
func hits(ctx context.Context, s *Store, entries int, done func() bool) (latencies, error) {
	return hitsOf(ctx, s, func() int { return rand.IntN(entries) }, func(int) bool {
		time.Sleep(time.Millisecond)
		return done()
	})
}

func hitsOf(ctx context.Context, s *Store, which func() int, done func(n int) bool) (l latencies, err error) {
	for n := 0; !done(n); n++ {
		k := millionthKey(which())
		took, err := timed("", func() error { return hitOn(ctx, s, k) })
		if err != nil {
			return l, err
		}
		l = append(l, took)
	}
	return l, nil
}

func hitOn(ctx context.Context, s *Store, k caches.Key) error {
	e, err := s.Get(ctx, k)
	if err != nil {
		return fmt.Errorf("asking for %v: %w", k, err)
	}
	return e.Content.Close()
}

func timed(what string, do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	took := time.Since(began)
	if what != "" {
		fmt.Printf("%s: %v\n", what, took.Round(time.Microsecond))
	}
	return took, err
}

// heap returns the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // finalizers of what was closed have run
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// readMillionsAndExit is what the other process does.
func readMillionsAndExit(dir string) {
	entries, err := strconv.Atoi(os.Getenv(readerEntries))
	if err = errors.Join(err, readMillions(dir, entries)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}
