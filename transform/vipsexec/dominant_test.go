package vipsexec

import (
	"bytes"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestTheMostFrequentColourIsFound(t *testing.T) {
	repeat := func(n int, pixel ...byte) []byte { return bytes.Repeat(pixel, n) }
	for _, tt := range []struct {
		name     string
		pixels   []byte
		channels int
		want     plan.Color
		found    bool
	}{
		{"nothing", nil, 3, plan.Color{}, false},
		{"one pixel", repeat(1, 10, 20, 30), 3, plan.Color{R: 10, G: 20, B: 30, A: 255}, true},
		{"the most counts", append(repeat(3, 200, 0, 0), repeat(4, 0, 0, 200)...), 3, plan.Color{B: 200, A: 255}, true},
		{"shades of one are counted together", append(append(repeat(3, 20, 128, 40), repeat(3, 24, 130, 43)...), repeat(5, 255, 255, 255)...), 3, plan.Color{R: 22, G: 129, B: 42, A: 255}, true},
		{"the invisible doesn't count", append(repeat(9, 255, 0, 255, 127), repeat(1, 1, 2, 3, 128)...), 4, plan.Color{R: 1, G: 2, B: 3, A: 255}, true},
		{"nothing is visible", repeat(9, 255, 0, 255, 0), 4, plan.Color{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, found := mostFrequent(tt.pixels, tt.channels); got != tt.want || found != tt.found {
				t.Errorf("got %v, %v; want %v, %v", got, found, tt.want, tt.found)
			}
		})
	}
}

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
			if want := linear(float64([]uint8{tt.c.R, tt.c.G, tt.c.B}[i]) / 255); math.Abs(v-want) > 0.002 {
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
