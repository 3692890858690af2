package disk

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/caches"
)

// likely is what stands beside an entry of the server.
var likely = caches.Meta{
	Stored:  time.Now(),
	Expires: time.Now().Add(time.Hour),
	Tags:    []string{"shoes", "summer"},
	Info:    []byte(`{"type":"image/webp","width":400,"height":300,"validator":"\"5f3a-18c2\""}`),
}

// hot returns a key of the length that the server's have.
func hot(n int) caches.Key {
	return caches.Key{Source: fmt.Sprintf("3f9a2c71d5e8/products/shoes/%08d.jpg", n), Variant: "8c1f0e6a52d7b394-41c09be7"}
}

// BenchmarkGet is a hit on a file that is known to be whole, up to the first byte.
func BenchmarkGet(b *testing.B) {
	s := open(b, Config{MinFree: 1e-9})
	<-s.scanned
	k := hot(1)
	if err := s.Put(b.Context(), k, likely, bytes.NewReader(make([]byte, 50_000))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		e, err := s.Get(b.Context(), k)
		if err != nil {
			b.Fatal(err)
		}
		e.Content.Close()
	}
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
}

// BenchmarkMiss is a question for what is not there.
func BenchmarkMiss(b *testing.B) {
	s := open(b, Config{MinFree: 1e-9})
	<-s.scanned
	k := hot(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(b.Context(), k); err == nil {
			b.Fatal("something was found")
		}
	}
}

// BenchmarkPut keeps entries of 50 KB.
func BenchmarkPut(b *testing.B) {
	for _, bb := range []struct {
		name string
		keys int
	}{{"anew", math.MaxInt}, {"in place of another", 1000}} {
		b.Run(bb.name, func(b *testing.B) {
			s := open(b, Config{MinFree: 1e-9, MaxBytes: 1 << 30})
			<-s.scanned
			body := bytes.NewReader(make([]byte, 50_000))
			b.ReportAllocs()
			before := cpuTime()
			for n := 0; b.Loop(); n++ {
				if _, err := body.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				if err := s.Put(b.Context(), hot(n%bb.keys), likely, body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
		})
	}
}
