package origins_test

import (
	"io"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// BenchmarkStack measures what the combinators add to an origin that answers from memory: opening, reading and closing
// 64 KiB. The difference between the rows is the price of the stack.
func BenchmarkStack(b *testing.B) {
	memory := originstest.Memory{"a.jpg": make([]byte, 64<<10)}
	breaker := origins.BreakerConfig{Failures: 5, Window: time.Minute}
	for _, bb := range []struct {
		name   string
		origin origins.Origin
	}{
		{"bare", streaming(memory)},
		{"stacked", stack(streaming(memory), breaker)},
		{"endpoint", origins.Negative(origins.LastGood([]origins.Origin{stack(streaming(memory), breaker)}, time.Minute, 1000), time.Minute, 1000)},
		{"miss remembered", origins.Negative(originstest.Memory{}, time.Hour, 1000)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				obj, err := bb.origin.Open(b.Context(), origins.Request{Key: "a.jpg"})
				if err != nil {
					continue
				}
				if _, err := io.Copy(io.Discard, obj.Body); err != nil {
					b.Fatal(err)
				}
				obj.Body.Close()
			}
		})
	}
}
