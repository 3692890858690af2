package syntax_test

import (
	"runtime"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// What Parse and String may cost at most, counted so that a busy machine changes nothing: so many allocations and bytes for
// each byte of the text, beside a few for messages.
const (
	allocationsPerByte, allocations = 2, 400
	memoryPerByte, memory           = 150, 32 << 10
)

// checkCost fails where parsing text, or writing it anew, allocates more than its length explains.
func checkCost(t *testing.T, text string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := syntax.Parse(text)
	if err != nil {
		_ = err.Error()
	} else {
		_ = c.String()
	}
	runtime.ReadMemStats(&after)
	if n, most := int(after.Mallocs-before.Mallocs), allocations+allocationsPerByte*len(text); n > most {
		t.Errorf("%.60q... of %d bytes: %d allocations, at most %d are allowed", text, len(text), n, most)
	}
	if n, most := int(after.TotalAlloc-before.TotalAlloc), memory+memoryPerByte*len(text); n > most {
		t.Errorf("%.60q... of %d bytes: %d bytes of memory, at most %d are allowed", text, len(text), n, most)
	}
}

func TestHostileChainsCostWhatTheirLengthExplains(t *testing.T) {
	for _, h := range chaintest.Hostiles() {
		t.Run(h.Name, func(t *testing.T) {
			if len(h.Text) > syntax.MaxText {
				t.Fatalf("%d bytes are never parsed", len(h.Text))
			}
			checkInvariants(t, h.Text)
			checkCost(t, h.Text)
		})
	}
}

// BenchmarkHostileChains shows what it takes to refuse, or to understand, the worst texts.
func BenchmarkHostileChains(b *testing.B) {
	for _, h := range chaintest.Hostiles() {
		b.Run(h.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c, err := syntax.Parse(h.Text); err != nil {
					_ = err.Error()
				} else {
					_ = c.String()
				}
			}
		})
	}
}
