package vipsexec_test

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestDistortionsThatMoveWholePixelsAreExact compares perspectives with the turns and flips that they amount to.
func TestDistortionsThatMoveWholePixelsAreExact(t *testing.T) {
	for name, src := range map[string][]byte{
		"picture": transformtest.PNG(transformtest.Picture(160, 100)), "cutout": transformtest.PNG(transformtest.Cutout(160, 100)),
	} {
		for _, tt := range []struct{ distortion, same string }{
			{"p-0_0_160_0_160_100_0_100", "fl-h:fl-h"},
			{"p-7_N5_167_N5_167_95_7_95", "fl-h:fl-h"},
			{"p-160_0_0_0_0_100_160_100", "fl-h"},
			{"p-0_100_160_100_160_0_0_0", "fl-v"},
			{"p-100_0_100_160_0_160_0_0", "rt-90"},
			{"p-160_100_0_100_0_0_160_0", "rt-180"},
		} {
			got := rendered(t, src, "e-distort-"+tt.distortion+",f-png")
			if d := transformtest.Compare(got, rendered(t, src, tt.same+",f-png")); d.Worst > 0 {
				t.Errorf("%s: %s is %v from %s", name, tt.distortion, d, tt.same)
			}
		}
	}
}

// TestBentPicturesHaveThePlannedSize bends pictures at random, to their extremes: Render fails where the size differs, and
// libvips would end the process if it were told of a point that is none.
func TestBentPicturesHaveThePlannedSize(t *testing.T) {
	e := newEngine(t)
	random := rand.New(rand.NewPCG(9, 10))
	bent := 0
	for bent < 300 {
		w, h := 1+random.IntN(120), 1+random.IntN(120)
		src := transformtest.PNG(transformtest.Picture(w, h))
		if random.IntN(2) == 0 {
			src = transformtest.PNG(transformtest.Cutout(w, h))
		}
		chain := fmt.Sprintf("e-distort-a-%.3f", 360*random.Float64())
		if random.IntN(3) > 0 {
			chain = "e-distort-p"
			for i := range 8 {
				chain += fmt.Sprintf("%c%d", "-_"[min(i, 1)], random.IntN(1+random.IntN(400)))
			}
		}
		c, err := syntax.Parse(chain + ",f-png")
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Probe(t.Context(), transform.Original{Bytes: src})
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Resolve(c, plan.Sources{Base: s}, plan.Hints{Writable: e.Writable()}, plan.Limits{})
		if err != nil {
			continue // no convex quadrilateral
		}
		bent++
		img := decodePNG(t, render(t, e, src, p).Bytes)
		if img.Bounds().Dx() != p.Width || img.Bounds().Dy() != p.Height {
			t.Errorf("%dx%d by %s: got %v, planned are %dx%d", w, h, chain, img.Bounds().Size(), p.Width, p.Height)
		}
	}
}

// TestWhatLiesOutsideOfABentPictureIsTheBackground looks at the corners of the canvas.
func TestWhatLiesOutsideOfABentPictureIsTheBackground(t *testing.T) {
	src := transformtest.PNG(transformtest.Picture(160, 100))
	for _, chain := range []string{"e-distort-p-80_0_160_50_80_100_0_50", "e-distort-a-250", "e-distort-a-N360"} {
		for bg, want := range map[string]color.NRGBA{"": {}, ",bg-teal": {G: 128, B: 128, A: 255}, ",bg-FF000050": {R: 255, A: 128}} {
			img := rendered(t, src, chain+bg+",f-png")
			b := img.Bounds()
			for _, at := range []image.Point{{}, {X: b.Dx() - 1}, {Y: b.Dy() - 1}, {X: b.Dx() - 1, Y: b.Dy() - 1}} {
				if got := color.NRGBAModel.Convert(img.At(at.X, at.Y)); got != want {
					t.Errorf("%s%s: the pixel at %v is %v, want %v", chain, bg, at, got, want)
				}
			}
		}
	}
}
