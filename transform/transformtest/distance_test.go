package transformtest_test

import (
	"image/color"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/transformtest"
)

func TestDistanceIsThatOfCIELab(t *testing.T) {
	grey := func(v uint8) color.Color { return color.NRGBA{R: v, G: v, B: v, A: 255} }
	for _, tt := range []struct {
		name string
		a, b color.Color
		want float64
	}{
		{"the same", transformtest.Red, transformtest.Red, 0},
		{"black and white", grey(0), grey(255), 100},
		{"middle grey, L* 53.6", grey(128), grey(0), 53.6},
		{"pure red and pure green", color.NRGBA{R: 255, A: 255}, color.NRGBA{G: 255, A: 255}, 170.6},
		{"nothing and white: seen on black", color.NRGBA{}, grey(255), 100},
		{"what can't be seen", color.NRGBA{R: 255, B: 255}, color.NRGBA{G: 255}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := transformtest.Compare(transformtest.Uniform(9, 9, tt.a), transformtest.Uniform(9, 9, tt.b))
			if math.Abs(got.Mean-tt.want) > 0.2 || math.Abs(got.Worst-tt.want) > 0.2 {
				t.Errorf("%v and %v: got %v, want %.1f", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

func TestDistanceTellsTheWorstBlock(t *testing.T) {
	a, b := transformtest.Uniform(32, 32, color.Black), transformtest.Uniform(32, 32, color.Black)
	for y := range 8 {
		for x := range 8 {
			b.Set(16+x, 8+y, color.White)
		}
	}
	if got := transformtest.Compare(a, b); math.Abs(got.Worst-100) > 0.2 || math.Abs(got.Mean-100.0/16) > 0.1 {
		t.Errorf("got %v, want the mean of one block in sixteen", got)
	}
	if got := transformtest.Compare(a, transformtest.Uniform(32, 31, color.Black)); !math.IsInf(got.Mean, 1) {
		t.Errorf("pictures of different sizes: got %v", got)
	}
}

func TestStoredPicturesAreDistinct(t *testing.T) {
	upright := transformtest.Picture(40, 40)
	for a := 1; a <= 8; a++ {
		for b := 1; b < a; b++ {
			if d := transformtest.Compare(transformtest.Stored(upright, a), transformtest.Stored(upright, b)); d.Worst < 20 {
				t.Errorf("orientations %d and %d look alike: %v", a, b, d)
			}
		}
	}
}
