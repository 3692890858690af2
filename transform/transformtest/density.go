package transformtest

import (
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// densities checks that dots per inch are written and found again, whatever else is kept.
func (s suite) densities(t *testing.T) {
	src := WithProfile(WithOrientation(JPEG(Picture(60, 40)), 1), File("displayp3.icc"))
	for _, o := range []plan.Output{
		{Format: plan.JPEG},
		{Format: plan.JPEG, Progressive: true},
		{Format: plan.JPEG, KeepMetadata: true},
		{Format: plan.JPEG, KeepProfile: true},
		{Format: plan.JPEG, KeepMetadata: true, KeepProfile: true},
		{Format: plan.PNG},
		{Format: plan.PNG, Palette: true, Quality: 50},
		{Format: plan.PNG, KeepMetadata: true},
	} {
		for _, dpi := range []int{2, 72, 300, 1200} {
			o.Density = dpi
			img := s.render(t, src, to(still(plan.JPEG, 60, 40, plan.Colour{KeepProfile: o.KeepProfile}), o))
			got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got.Density-float64(dpi)) > 0.05 {
				t.Errorf("%v: %g dots per inch were found", o, got.Density)
			}
			if got.Profile != o.KeepProfile || got.Metadata != (o.KeepMetadata || o.KeepProfile) {
				t.Errorf("%v: got %+v: the density changed what is kept", o, got)
			}
			s.pixels(t, img)
		}
	}
	t.Run("an SVG as large as that", func(t *testing.T) {
		p := still(plan.SVG, 240, 160, plan.Colour{}, plan.Resize{Width: 240, Height: 160})
		p.Load.Scale = 2
		p.Output.Density = 144
		got := s.pixels(t, s.render(t, []byte(Drawing), p))
		wantColor(t, got, 20, 20, Red, 3)
		wantColor(t, got, 220, 140, Yellow, 3)
	})
}
