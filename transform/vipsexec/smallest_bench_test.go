package vipsexec_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// cpuTime returns what the process has used, user and system: other than the time of the clock it doesn't depend on what
// else the machine does.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSmallest compares the smallest of several encodings with each of them alone.
func BenchmarkSmallest(b *testing.B) {
	src := photograph(4000, 3000)
	e := newEngine(b)
	avif, webp, jpg := plan.Output{Format: plan.AVIF, Quality: 80}, plan.Output{Format: plan.WebP, Quality: 80}, plan.Output{Format: plan.JPEG, Quality: 80}
	for _, width := range []int{400, 1600} {
		for _, tt := range []struct {
			name    string
			outputs []plan.Output
		}{
			{"jpeg", []plan.Output{jpg}},
			{"webp", []plan.Output{webp}},
			{"avif", []plan.Output{avif}},
			{"smallest of webp and jpeg", []plan.Output{webp, jpg}},
			{"smallest of avif, webp and jpeg", []plan.Output{avif, webp, jpg}},
		} {
			b.Run(fmt.Sprintf("%d px, %s", width, tt.name), func(b *testing.B) {
				for _, o := range tt.outputs {
					if !e.Writable().Has(o.Format) {
						b.Skipf("this libvips can't write %v", o.Format)
					}
				}
				height := width * 3 / 4
				p := plan.Plan{
					Load:   plan.Load{Format: plan.JPEG, Shrink: 1600 / width, Frames: 1},
					Ops:    []plan.Op{plan.Resize{Width: width, Height: height}, plan.Colour{}},
					Output: tt.outputs[0], Alternatives: tt.outputs[1:],
					Width: width, Height: height, Frames: 1,
				}
				before := cpuTime(b)
				for b.Loop() {
					if _, err := e.Render(b.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			})
		}
	}
}
