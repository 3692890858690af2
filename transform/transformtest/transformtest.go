// Package transformtest holds what every engine must do, as a suite: see [Run]. It also makes the pictures that the suite
// works on, and measures how different two pictures look.
package transformtest

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Run checks that e does what an engine must. Formats that e can't read, because its libraries were built without, are
// named in unread; those that it can't write it says itself.
func Run(t *testing.T, e transform.Engine, unread ...plan.Format) {
	s := suite{e, unread}
	for _, group := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"probe", s.probes},
		{"qualities", s.qualities},
		{"formats", s.formats},
		{"smallest", s.smallest},
		{"ops", s.ops},
		{"looks", s.looks},
		{"paintings", s.paintings},
		{"scenes", s.scenes},
		{"trim", s.trims},
		{"pages", s.pages},
		{"pdf", s.documents},
		{"density", s.densities},
		{"alpha", s.alpha},
		{"colour", s.colour},
		{"colour profiles", s.profiles},
		{"colour described", s.described},
		{"kept profiles", s.keptProfiles},
		{"gain maps", s.gainMaps},
		{"metadata", s.metadata},
		{"animation", s.animation},
		{"movies", s.movies},
		{"failures", s.failures},
		{"svg stays inside", s.drawings},
		{"context", s.contexts},
	} {
		t.Run(group.name, group.run)
	}
}

type suite struct {
	engine transform.Engine
	unread []plan.Format
}

// need skips a test of a format that the engine was said not to read.
func (s suite) need(t *testing.T, f plan.Format) {
	t.Helper()
	if slices.Contains(s.unread, f) {
		t.Skipf("the engine doesn't read %v", f)
	}
}

// needWriter skips a test of a format that the engine doesn't write.
func (s suite) needWriter(t *testing.T, f plan.Format) {
	t.Helper()
	if !s.engine.Writable().Has(f) {
		t.Skipf("the engine doesn't write %v", f)
	}
}

// still returns a plan for a picture of one frame: to PNG, which loses nothing.
func still(f plan.Format, width, height int, ops ...plan.Op) plan.Plan {
	return plan.Plan{
		Load:   plan.Load{Format: f, Shrink: 1, Scale: 1, Frames: 1},
		Ops:    ops,
		Output: plan.Output{Format: plan.PNG},
		Width:  width, Height: height, Frames: 1,
	}
}

// to changes the output of p.
func to(p plan.Plan, o plan.Output) plan.Plan {
	if o.Quality == 0 && !o.Lossless && o.Format != plan.PNG {
		o.Quality = 90
	}
	p.Output = o
	return p
}

// render executes p and checks what holds for all results.
func (s suite) render(t *testing.T, src []byte, p plan.Plan) *transform.Image {
	t.Helper()
	img, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p)
	if err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	if img.Width != p.Width || img.Height != p.Height || img.Frames != p.Frames || img.Format != p.Output.Format {
		t.Errorf("the result says %dx%d in %d frames as %v, want %dx%d in %d frames as %v", img.Width, img.Height, img.Frames, img.Format, p.Width, p.Height, p.Frames, p.Output.Format)
	}
	if f := transform.Sniff(img.Bytes); f != p.Output.Format {
		t.Errorf("the result's bytes are %v, want %v", f, p.Output.Format)
	}
	return img
}

// pixels returns the picture in img, as Go sees it.
func (s suite) pixels(t *testing.T, img *transform.Image) image.Image {
	t.Helper()
	var out image.Image
	var err error
	switch img.Format {
	case plan.JPEG:
		out, err = jpeg.Decode(bytes.NewReader(img.Bytes))
	case plan.PNG:
		out, err = png.Decode(bytes.NewReader(img.Bytes))
	case plan.GIF:
		out, err = gif.Decode(bytes.NewReader(img.Bytes))
	default:
		return s.pixels(t, s.render(t, img.Bytes, still(img.Format, img.Width, img.Height, plan.Colour{})))
	}
	if err != nil {
		t.Fatalf("the %v can't be read: %v", img.Format, err)
	}
	if size := out.Bounds().Size(); size != (image.Point{X: img.Width, Y: img.Height}) {
		t.Errorf("the %v has %v pixels, want %dx%d", img.Format, size, img.Width, img.Height)
	}
	return out
}

// expect compares got with want, which may differ by so much in the worst block.
func expect(t *testing.T, got, want image.Image, worst float64) {
	t.Helper()
	if d := Compare(got, want); d.Worst > worst {
		t.Errorf("%v from what is expected; at most %.1f is allowed in the worst block", d, worst)
	}
}

// near reports whether two colours differ by at most so much in each channel.
func near(got, want color.Color, by int) bool {
	g, w := color.NRGBAModel.Convert(got).(color.NRGBA), color.NRGBAModel.Convert(want).(color.NRGBA)
	for _, d := range []int{int(g.R) - int(w.R), int(g.G) - int(w.G), int(g.B) - int(w.B), int(g.A) - int(w.A)} {
		if d > by || d < -by {
			return false
		}
	}
	return true
}

// wantColor checks the pixel at x, y.
func wantColor(t *testing.T, img image.Image, x, y int, want color.Color, by int) {
	t.Helper()
	if got := img.At(x, y); !near(got, want, by) {
		t.Errorf("the pixel at %d,%d is %v, want %v ±%d", x, y, color.NRGBAModel.Convert(got), color.NRGBAModel.Convert(want), by)
	}
}
