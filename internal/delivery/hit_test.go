package delivery

import (
	"bytes"
	"io"
	"testing"
	"time"

	ram "github.com/imageorigin/imageorigin/caches/memory"
)

// BenchmarkHit is what a result costs that is in memory.
func BenchmarkHit(b *testing.B) {
	store, err := ram.New(64 << 20)
	if err != nil {
		b.Fatal(err)
	}
	e := &Endpoint{Origin: newDepot(map[string]string{"a.jpg": "one"}), Limits: Limits{Timeout: time.Minute}, Keeping: Keeping{
		Fingerprint: "f", Results: store, Origins: []string{"depot"}, MaxAge: time.Hour,
	}}
	cache := NewCache(new(brush), NewMemory())
	req := &Request{Endpoint: e, Key: "shoes/a.jpg", Chain: chain(b, "w-300,h-200:r-20")}
	e.Origin.(*depot).files["shoes/a.jpg"] = string(bytes.Repeat([]byte("x"), 50<<10))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		resp, err := cache.Deliver(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		if i > 1000 && !resp.How.Hit {
			b.Fatal("it is no hit")
		}
		_, _ = io.Copy(io.Discard, resp.Content)
		resp.Close()
	}
}
