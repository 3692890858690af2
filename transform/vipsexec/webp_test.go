package vipsexec_test

import (
	"bytes"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestWebPPromisesAlphaOnlyWhereItHasSome: Go's decoder, for one, refuses a VP8X chunk that promises alpha before a lossy
// picture without an ALPH chunk, which libwebp leaves out of opaque pictures.
func TestWebPPromisesAlphaOnlyWhereItHasSome(t *testing.T) {
	e := newEngine(t)
	cutout := transformtest.PNG(transformtest.Cutout(120, 80))
	inside, all := plan.Crop{X: 50, Y: 30, Width: 20, Height: 20}, plan.Crop{Width: 120, Height: 80}
	for _, tt := range []struct {
		name  string
		crop  plan.Crop
		out   plan.Output
		alpha bool
	}{
		{"the opaque inside of a cutout", inside, plan.Output{Format: plan.WebP, Quality: 80, KeepMetadata: true}, false},
		{"the whole cutout", all, plan.Output{Format: plan.WebP, Quality: 80, KeepMetadata: true}, true},
		{"the whole cutout, lossless", all, plan.Output{Format: plan.WebP, Lossless: true, KeepMetadata: true}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := render(t, e, cutout, plan.Plan{
				Load: plan.Load{Format: plan.PNG, Shrink: 1, Scale: 1, Frames: 1}, Ops: []plan.Op{tt.crop, plan.Colour{}},
				Output: tt.out, Width: tt.crop.Width, Height: tt.crop.Height, Frames: 1,
			}).Bytes
			if string(file[12:16]) != "VP8X" {
				t.Fatalf("the file begins with %q; without metadata there is no promise to look at", file[12:16])
			}
			if got := file[20]&0x10 != 0; got != tt.alpha {
				t.Errorf("alpha is promised: %v, want %v", got, tt.alpha)
			}
			if got := bytes.Contains(file, []byte("ALPH")); got != (tt.alpha && !tt.out.Lossless) {
				t.Errorf("there is an ALPH chunk: %v", got)
			}
		})
	}
}
