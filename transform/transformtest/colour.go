package transformtest

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// space is an RGB space: its transfer curve, and the way from its linear values to those of sRGB.
type space struct {
	profile string
	curve   func(float64) float64
	matrix  [3][3]float64
}

var (
	displayP3 = space{"displayp3.icc", linear, [3][3]float64{
		{1.2249401, -0.2249404, 0}, {-0.0420569, 1.0420571, 0}, {-0.0196376, -0.0786361, 1.0982735},
	}}
	adobeRGB = space{"adobergb.icc", func(v float64) float64 { return math.Pow(v, 563.0/256) }, [3][3]float64{
		{1.3983557, -0.3983557, 0}, {0, 1, 0}, {0, -0.0429290, 1.0429290},
	}}
)

// sRGB converts a colour of the space; what sRGB can't show is clipped.
func (s space) sRGB(c color.NRGBA) color.NRGBA {
	in := [3]float64{s.curve(float64(c.R) / 255), s.curve(float64(c.G) / 255), s.curve(float64(c.B) / 255)}
	var out [3]uint8
	for i, row := range s.matrix {
		out[i] = encoded(row[0]*in[0] + row[1]*in[1] + row[2]*in[2])
	}
	return color.NRGBA{R: out[0], G: out[1], B: out[2], A: 255}
}

// colour checks that results are sRGB of 8 bits whatever the source is.
func (s suite) colour(t *testing.T) {
	patches := []color.NRGBA{
		{R: 180, G: 120, B: 90, A: 255},
		{R: 90, G: 160, B: 120, A: 255},
		{R: 200, G: 190, B: 60, A: 255},
		{R: 60, G: 70, B: 160, A: 255},
		{R: 128, G: 128, B: 128, A: 255},
		{R: 255, G: 255, B: 255, A: 255},
		{A: 255},
		{R: 250, G: 20, B: 20, A: 255},
		{R: 20, G: 240, B: 30, A: 255},
	}
	for _, from := range []space{displayP3, adobeRGB} {
		for _, c := range patches {
			t.Run(fmt.Sprintf("%s %d,%d,%d", from.profile, c.R, c.G, c.B), func(t *testing.T) {
				src := WithProfile(JPEG(Uniform(16, 16, c)), File(from.profile))
				img := s.render(t, src, still(plan.JPEG, 16, 16, plan.Colour{}))
				wantColor(t, s.pixels(t, img), 8, 8, from.sRGB(c), 3)
				wantProfile(t, s, img.Bytes, false)
			})
		}
	}
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.WebP, plan.AVIF} {
		t.Run("a profile kept in "+f.String()+" leaves the pixels alone", func(t *testing.T) {
			s.needWriter(t, f)
			c := patches[0]
			src := WithProfile(JPEG(Uniform(16, 16, c)), File("displayp3.icc"))
			img := s.render(t, src, to(still(plan.JPEG, 16, 16, plan.Colour{KeepProfile: true}), plan.Output{Format: f, KeepProfile: true}))
			wantProfile(t, s, img.Bytes, true)
			// Read as P3 again, they are the colour that the profile means.
			got := s.pixels(t, s.render(t, img.Bytes, still(f, 16, 16, plan.Colour{})))
			wantColor(t, got, 8, 8, displayP3.sRGB(c), 5)
		})
	}
	t.Run("a broken profile is ignored", func(t *testing.T) {
		for _, profile := range [][]byte{[]byte("no profile at all"), File("cmyk.icc"), File("displayp3.icc")[:200]} {
			src := WithProfile(JPEG(Uniform(16, 16, patches[0])), profile)
			wantColor(t, s.pixels(t, s.render(t, src, still(plan.JPEG, 16, 16, plan.Colour{}))), 8, 8, patches[0], 2)
		}
	})
	t.Run("cmyk without profile is seen as print", func(t *testing.T) {
		got := s.pixels(t, s.render(t, File("cmyk.jpg"), still(plan.JPEG, 48, 32, plan.Colour{})))
		if d := Compare(got, Picture(48, 32)); d.Mean > 5 { // the blue corner is beyond what ink can do
			t.Errorf("%v from what was printed", d)
		}
		wantColor(t, got, 3, 3, Red, 30)
		wantColor(t, got, 44, 28, Yellow, 30)
		got = s.pixels(t, s.render(t, File("cyan.jpg"), still(plan.JPEG, 16, 16, plan.Colour{})))
		if c := color.NRGBAModel.Convert(got.At(8, 8)).(color.NRGBA); c.R > 60 || c.G < 130 || c.G > 190 || c.B < 200 {
			t.Errorf("pure cyan is %v, want the colour of ink", c)
		}
	})
	t.Run("cmyk with a profile is seen through it", func(t *testing.T) {
		for _, keep := range []bool{false, true} {
			src := WithProfile(File("cyan.jpg"), File("cmyk.icc"))
			got := s.pixels(t, s.render(t, src, still(plan.JPEG, 16, 16, plan.Colour{KeepProfile: keep})))
			wantColor(t, got, 8, 8, color.NRGBA{G: 255, B: 255, A: 255}, 4)
		}
	})
	t.Run("cmyk with a damaged profile is seen as print", func(t *testing.T) {
		damaged := append(bytes.Clone(File("cmyk.icc")[:272]), make([]byte, 2000)...) // read well, but not to be linked
		got := s.pixels(t, s.render(t, WithProfile(File("cyan.jpg"), damaged), still(plan.JPEG, 16, 16, plan.Colour{})))
		asPrint := s.pixels(t, s.render(t, File("cyan.jpg"), still(plan.JPEG, 16, 16, plan.Colour{})))
		expect(t, got, asPrint, 0.5)
	})
	t.Run("16 bits become 8", func(t *testing.T) {
		for _, keep := range []bool{false, true} {
			img := s.render(t, PNG(deep(Cutout(60, 40))), still(plan.PNG, 60, 40, plan.Colour{KeepProfile: keep}))
			expect(t, s.pixels(t, img), Cutout(60, 40), 0.5)
			if depth := img.Bytes[24]; depth != 8 {
				t.Errorf("the png has %d bits", depth)
			}
		}
	})
	t.Run("grey stays grey", func(t *testing.T) {
		got := s.pixels(t, s.render(t, PNG(grey(Picture(60, 40))), still(plan.PNG, 30, 20, plan.Resize{Width: 30, Height: 20}, plan.Colour{})))
		want := s.pixels(t, s.render(t, PNG(grey(Picture(60, 40))), still(plan.PNG, 30, 20, plan.Resize{Width: 30, Height: 20})))
		expect(t, got, want, 0)
	})
}
