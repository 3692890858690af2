package disk

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestThoseWhoAskFirstAtOnceHaveTheFileReadOnce(t *testing.T) {
	for _, tt := range []struct {
		name    string
		damaged bool
	}{{"whole", false}, {"damaged", true}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			before := open(t, Config{Dir: dir})
			put(t, before, key(1), strings.Repeat("x", 100_000))
			path := before.path(idOf(key(1)))
			before.Close()
			if tt.damaged {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				b[len(b)-1] ^= 1
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, Config{Dir: dir})
			var reads, given atomic.Int64
			s.verify = func(f *os.File, h head) error {
				reads.Add(1)
				time.Sleep(50 * time.Millisecond)
				return verify(f, h)
			}
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if found(t, s, key(1)) {
						given.Add(1)
					}
				})
			}
			wg.Wait()
			want := int64(20)
			if tt.damaged {
				want = 0
			}
			if given.Load() != want || reads.Load() != 1 {
				t.Errorf("%d of 20 were given it, after %d readings; want %d and one", given.Load(), reads.Load(), want)
			}
		})
	}
}

func TestDescriptionsThatAreNotWholeAreRefused(t *testing.T) {
	whole := describe(nil, key(1), likely)
	d, err := readDescription(whole)
	if err != nil || !d.is(key(1)) || !d.stored.Equal(likely.Stored) || strings.Join(d.tags(), " ") != "shoes summer" || string(d.info) != string(likely.Info) {
		t.Fatalf("read is %+v, %v", d, err)
	}
	tags := len(describe(nil, key(1), likely)) - len("shoes") - len("summer") - 2
	for n := range whole {
		if n == tags || n == tags+1+len("shoes") {
			continue // it ends before a tag
		}
		if d, err := readDescription(whole[:n]); !errors.Is(err, errCorrupt) {
			t.Errorf("cut off after %d of %d bytes: %+v, %v", n, len(whole), d, err)
		}
	}
}
