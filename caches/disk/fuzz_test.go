package disk

import (
	"bytes"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// written returns the bytes of an entry's file.
func written(tb testing.TB, key caches.Key, m caches.Meta, body string) []byte {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "entry"))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	if _, err := write(file, key, m, strings.NewReader(body), 1<<20, time.Unix(1, 0)); err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(file.Name())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// FuzzHead reads anything as the head of an entry: what is accepted is what would be written, to the byte, so that no other
// bytes mean the same, and a single bit that is turned over is found.
func FuzzHead(f *testing.F) {
	f.Add(written(f, caches.Key{Source: "s", Variant: "v"}, caches.Meta{}, "body"), uint16(3))
	f.Add([]byte(magic), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		// Checksums keep a fuzzer out; with a right one it gets to what is behind.
		if len(b) >= headSize {
			b = bytes.Clone(b)
			sum := crc32.Checksum(b[:headSize-4], castagnoli)
			copy(b[headSize-4:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
		}
		h, err := readHead(b)
		if err != nil {
			return
		}
		if h.start() < headSize || h.size() < h.start() {
			t.Fatalf("%+v: the body begins at %d and ends at %d", h, h.start(), h.size())
		}
		again := make([]byte, headSize)
		if h.put(again); !bytes.Equal(again, b[:headSize]) {
			t.Fatalf("%x is read as %+v, which is written as %x", b[:headSize], h, again)
		}
		again[int(at)/8%headSize] ^= 1 << (at % 8)
		if _, err := readHead(again); err == nil {
			t.Fatalf("bit %d of a head may be turned over", at)
		}
	})
}

// FuzzDescription reads anything as what is kept beside the bytes: what is accepted means what it would be written as.
func FuzzDescription(f *testing.F) {
	f.Add(describe(nil, caches.Key{Source: "https://example.com/a.jpg", Variant: "w-1"},
		caches.Meta{Stored: time.Unix(1, 2), Expires: time.Unix(3, 4), Tags: []string{"a", "", "b"}, Info: []byte("info")}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := readDescription(b)
		if err != nil {
			return
		}
		m := d.meta()
		again, err := readDescription(describe(nil, d.key(), m))
		if err != nil {
			t.Fatalf("%x is read and can't be written: %v", b, err)
		}
		if got := again.meta(); again.key() != d.key() || !got.Stored.Equal(m.Stored) || !got.Expires.Equal(m.Expires) ||
			!bytes.Equal(got.Info, m.Info) || strings.Join(got.Tags, "\x00") != strings.Join(m.Tags, "\x00") || len(got.Tags) != len(m.Tags) {
			t.Fatalf("%x is %v, %+v; written and read it is %v, %+v", b, d.key(), m, again.key(), got)
		}
		if !again.is(d.key()) {
			t.Fatalf("%x is not under its own key", b)
		}
	})
}
