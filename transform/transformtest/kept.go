package transformtest

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// keptProfiles checks what a kept profile must survive: ops that bring colours of their own, and formats that have no
// place for it.
func (s suite) keptProfiles(t *testing.T) {
	// Dark in this profile, so that taking it for sRGB shows.
	const value = 128
	icc := greyProfile(gammaTag(3))
	look := through(t, icc).of8bits
	want := encodedColor(look(value, value, value))
	src := withPNGProfile(PNG(grey(Uniform(40, 40, color.NRGBA{R: value, G: value, B: value, A: 255}))), icc)
	red := plan.Color{R: 255, A: 255}
	for _, tt := range []struct {
		name string
		out  plan.Output
		ops  []plan.Op
		kept bool
		w    int
	}{
		{name: "grey in png", out: plan.Output{Format: plan.PNG}, kept: true},
		{name: "grey in jpeg", out: plan.Output{Format: plan.JPEG, Quality: 95}, kept: true},
		{name: "grey in webp", out: plan.Output{Format: plan.WebP, Lossless: true}},
		{name: "grey in avif", out: plan.Output{Format: plan.AVIF, Quality: 95}},
		{name: "grey in a palette", out: plan.Output{Format: plan.PNG, Palette: true, Quality: 90}},
		{name: "grey on a colour", out: plan.Output{Format: plan.PNG}, ops: []plan.Op{plan.Embed{X: 0, Y: 0, Width: 60, Height: 40, Background: red}}, w: 60},
		{name: "grey on a colour in jpeg", out: plan.Output{Format: plan.JPEG, Quality: 95}, ops: []plan.Op{plan.Embed{X: 0, Y: 0, Width: 60, Height: 40, Background: red}}, w: 60},
		{name: "grey with colours taken out", out: plan.Output{Format: plan.PNG}, ops: []plan.Op{plan.Grey{}}, kept: true},
		{name: "grey with round corners", out: plan.Output{Format: plan.PNG}, ops: []plan.Op{plan.Round{Radii: plan.Radii{TopLeft: 5}, Background: red}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.needWriter(t, tt.out.Format)
			tt.out.KeepProfile = true
			w := max(tt.w, 40)
			img := s.render(t, src, to(still(plan.PNG, w, 40, append([]plan.Op{plan.Colour{KeepProfile: true}}, tt.ops...)...), tt.out))
			wantProfile(t, s, img.Bytes, tt.kept)
			// Read with the profile that it has, if any.
			got := s.pixels(t, s.render(t, img.Bytes, still(tt.out.Format, w, 40, plan.Colour{})))
			wantColor(t, got, 20, 20, want, 3)
		})
	}
	t.Run("16 bits of p3 with alpha", func(t *testing.T) {
		p3 := File("displayp3.icc")
		c := color.NRGBA64{R: 0xc000, G: 0x6000, B: 0x4000, A: 0x8000}
		img := image.NewNRGBA64(image.Rect(0, 0, 40, 40))
		draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
		want := encodedColor(through(t, p3)([]uint16{c.R, c.G, c.B}))
		want.A = 128
		src := withPNGProfile(PNG(img), p3)
		for _, size := range []int{40, 20} {
			for _, keep := range []bool{false, true} {
				got := s.render(t, src, to(still(plan.PNG, size, size, plan.Resize{Width: size, Height: size}, plan.Colour{KeepProfile: keep}), plan.Output{Format: plan.PNG, KeepProfile: keep}))
				wantProfile(t, s, got.Bytes, keep)
				wantColor(t, s.pixels(t, s.render(t, got.Bytes, still(plan.PNG, size, size, plan.Colour{}))), size/2, size/2, want, 2)
			}
		}
	})
}

// encodedColor returns light of sRGB as a colour of 8 bits.
func encodedColor(c rgb) color.NRGBA {
	return color.NRGBA{R: encoded(c[0]), G: encoded(c[1]), B: encoded(c[2]), A: 255}
}
