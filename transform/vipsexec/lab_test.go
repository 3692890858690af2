package vipsexec

import (
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestLabGoesThereAndBack(t *testing.T) {
	for _, tt := range []struct {
		c    plan.Color
		want lab // of CIE's formulas with the matrix of IEC 61966-2-1
	}{
		{plan.Color{A: 255}, lab{0, 0, 0}},
		{plan.Color{R: 255, G: 255, B: 255, A: 255}, lab{100, 0, 0}},
		{plan.Color{R: 255, A: 255}, lab{53.24, 80.09, 67.20}},
		{plan.Color{G: 255, A: 255}, lab{87.73, -86.18, 83.18}},
		{plan.Color{B: 255, A: 255}, lab{32.30, 79.19, -107.86}},
	} {
		got := labOf(tt.c)
		if math.Abs(got.l-tt.want.l)+math.Abs(got.a-tt.want.a)+math.Abs(got.b-tt.want.b) > 0.1 {
			t.Errorf("%v is %v, want %v", tt.c, got, tt.want)
		}
		for i, v := range got.linearRGB() {
			if want := srgbCurve(float64([]uint8{tt.c.R, tt.c.G, tt.c.B}[i]) / 255); math.Abs(v-want) > 0.002 {
				t.Errorf("%v comes back with channel %d of %.4f, want %.4f", tt.c, i, v, want)
			}
		}
	}
}

func TestColoursBeyondSRGBKeepLightnessAndHue(t *testing.T) {
	for _, c := range []lab{{0, 80, 60}, {100, -80, 60}, {50, 200, 10}, {97, 40, 67}, {3, 0, -107}} {
		rgb := c.fitted()
		if min(rgb[0], rgb[1], rgb[2]) < -0.0011 || max(rgb[0], rgb[1], rgb[2]) > 1.0011 {
			t.Errorf("%v is %v, beyond sRGB", c, rgb)
		}
		y := 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
		want := (lab{l: c.l}).linearRGB()
		if math.Abs(y-(0.2126*want[0]+0.7152*want[1]+0.0722*want[2])) > 0.002 {
			t.Errorf("%v has a luminance of %.4f", c, y)
		}
	}
}
