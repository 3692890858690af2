package transformtest

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// ops checks each op by itself and the ways to load.
func (s suite) ops(t *testing.T) {
	t.Run("resize is exact", s.resizeIsExact)
	t.Run("a tall canvas is one frame", s.stillsStayStill)
	t.Run("crop keeps its window", func(t *testing.T) {
		pic := Picture(60, 40)
		got := s.pixels(t, s.render(t, PNG(pic), still(plan.PNG, 25, 17, plan.Crop{X: 35, Y: 2, Width: 25, Height: 17})))
		expect(t, got, cut(pic, 35, 2, 25, 17), 0)
	})
	t.Run("smart crop keeps what is salient", func(t *testing.T) {
		// The spot lies at 72 % of the width: in the right half.
		got := s.pixels(t, s.render(t, PNG(Picture(240, 80)), still(plan.PNG, 80, 80, plan.SmartCrop{Width: 80, Height: 80})))
		if !holds(got, color.NRGBA{R: 255, G: 210, B: 0, A: 255}, 25) {
			t.Error("the spot has been cut away")
		}
	})
	for o := 2; o <= 8; o++ {
		t.Run(fmt.Sprintf("orientation %d becomes upright", o), func(t *testing.T) {
			upright := Picture(60, 40)
			got := s.pixels(t, s.render(t, PNG(Stored(upright, o)), still(plan.PNG, 60, 40, plan.Orient{Orientation: o})))
			expect(t, got, upright, 0)
		})
	}
	t.Run("orientation after a resize", func(t *testing.T) {
		upright := Picture(300, 200)
		src := WithOrientation(JPEG(Stored(upright, 6)), 6)
		p := still(plan.JPEG, 60, 40, plan.Resize{Width: 40, Height: 60}, plan.Colour{}, plan.Orient{Orientation: 6})
		p.Load.Shrink = 2
		got := s.pixels(t, s.render(t, src, p))
		want := s.pixels(t, s.render(t, PNG(upright), still(plan.PNG, 60, 40, plan.Resize{Width: 60, Height: 40})))
		expect(t, got, want, 4)
	})
	for _, shrink := range []int{2, 4, 8} {
		t.Run(fmt.Sprintf("jpeg decoded at 1/%d", shrink), func(t *testing.T) {
			src := JPEG(Picture(803, 601)) // no multiple of 8
			p := still(plan.JPEG, 60, 45, plan.Resize{Width: 60, Height: 45})
			want := s.pixels(t, s.render(t, src, p))
			p.Load.Shrink = shrink
			expect(t, s.pixels(t, s.render(t, src, p)), want, 6)
		})
	}
	t.Run("webp decoded at half its size", func(t *testing.T) {
		p := still(plan.WebP, 20, 13, plan.Resize{Width: 20, Height: 13})
		want := s.pixels(t, s.render(t, File("still.webp"), p))
		p.Load.Scale = 0.5
		expect(t, s.pixels(t, s.render(t, File("still.webp"), p)), want, 12)
	})
	for _, scale := range []float64{0.25, 1, 1.234, 4} {
		t.Run(fmt.Sprintf("svg drawn at scale %v", scale), func(t *testing.T) {
			w, h := int(120*scale+0.5), int(80*scale+0.5)
			p := still(plan.SVG, w, h, plan.Resize{Width: w, Height: h}, plan.Colour{})
			p.Load.Scale = scale
			got := s.pixels(t, s.render(t, []byte(Drawing), p))
			wantColor(t, got, 1, 1, Red, 3)
			wantColor(t, got, w-2, h-2, Yellow, 3)
			wantColor(t, got, w/2, h-2, color.NRGBA{}, 0)
			if scale == 4 {
				// Drawn at this size, not enlarged: the edge of the red square is sharp.
				wantColor(t, got, 79, 40, Red, 1)
				wantColor(t, got, 80, 40, color.NRGBA{}, 1)
			}
		})
	}
	t.Run("ops see the result of the one before", func(t *testing.T) {
		pic := Picture(60, 40)
		got := s.pixels(t, s.render(t, PNG(pic), still(plan.PNG, 40, 40,
			plan.Crop{X: 20, Width: 40, Height: 40},
			plan.Crop{X: 10, Y: 10, Width: 30, Height: 30},
			plan.Embed{X: 10, Y: 10, Width: 40, Height: 40, Background: plan.Color{R: 9, G: 8, B: 7, A: 255}},
		)))
		want := Uniform(40, 40, color.NRGBA{R: 9, G: 8, B: 7, A: 255})
		draw.Draw(want, image.Rect(10, 10, 40, 40), pic, image.Pt(30, 10), draw.Src)
		expect(t, got, want, 0)
	})
}

// stillsStayStill checks that a canvas three times as high as the picture on it isn't taken for three frames, which
// libvips tells apart by one number in the header.
func (s suite) stillsStayStill(t *testing.T) {
	black := plan.Color{A: 255}
	for _, f := range s.engine.Writable().Formats() {
		img := s.render(t, PNG(Picture(60, 40)), to(still(plan.PNG, 90, 180, plan.Resize{Width: 45, Height: 30}, plan.Colour{},
			plan.Embed{Y: 30, Width: 90, Height: 90, Background: black}, plan.Embed{Width: 90, Height: 180, Background: black}), plan.Output{Format: f}))
		got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
		if err != nil || got.Width != 90 || got.Height != 180 || got.Frames != 1 {
			t.Errorf("the %v is %dx%d in %d frames, %v; want 90x180 in one", f, got.Width, got.Height, got.Frames, err)
		}
	}
}

func (s suite) resizeIsExact(t *testing.T) {
	for _, src := range []image.Image{Picture(301, 203), Cutout(97, 311)} {
		file := PNG(src)
		for _, size := range [][2]int{{1, 1}, {1, 203}, {301, 1}, {2, 3}, {7, 5}, {33, 77}, {100, 67}, {150, 101}, {151, 102}, {199, 200}, {300, 202}, {301, 203}, {302, 204}, {333, 111}, {601, 407}, {640, 3}} {
			s.pixels(t, s.render(t, file, still(plan.PNG, size[0], size[1], plan.Resize{Width: size[0], Height: size[1]})))
		}
	}
	// And it is the whole picture that is scaled: corners stay corners.
	got := s.pixels(t, s.render(t, PNG(Picture(300, 200)), still(plan.PNG, 97, 71, plan.Resize{Width: 97, Height: 71})))
	for _, c := range []struct {
		x, y int
		want color.Color
	}{{1, 1, Red}, {95, 1, Green}, {1, 69, Blue}, {95, 69, Yellow}} {
		wantColor(t, got, c.x, c.y, c.want, 3)
	}
}

// cut returns a part of img with its corner at 0,0.
func cut(img image.Image, x, y, width, height int) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Bounds(), img, image.Pt(x, y), draw.Src)
	return out
}

// holds reports whether some pixel of img is near c.
func holds(img image.Image, c color.Color, by int) bool {
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if near(img.At(x, y), c, by) {
				return true
			}
		}
	}
	return false
}

// alpha checks what becomes of transparency.
func (s suite) alpha(t *testing.T) {
	t.Run("a resize mixes no colour of transparent pixels in", func(t *testing.T) {
		// They are magenta in the cutout; none of its visible colours has as little green beside as much blue.
		got := s.pixels(t, s.render(t, PNG(Cutout(200, 150)), still(plan.PNG, 61, 47, plan.Resize{Width: 61, Height: 47})))
		for y := range 47 {
			for x := range 61 {
				c := color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA)
				if c.A > 40 && int(c.R)+int(c.B)-2*int(c.G) > 250 && c.B > 150 {
					t.Fatalf("the pixel at %d,%d is %v", x, y, c)
				}
			}
		}
		if c := color.NRGBAModel.Convert(got.At(0, 0)).(color.NRGBA); c.A != 0 {
			t.Errorf("the corner is %v, want it transparent", c)
		}
	})
	t.Run("flatten puts a colour behind", func(t *testing.T) {
		got := s.pixels(t, s.render(t, PNG(Cutout(60, 40)), still(plan.PNG, 60, 40, plan.Flatten{Background: plan.Color{R: 10, G: 200, B: 90, A: 255}})))
		want := Uniform(60, 40, color.NRGBA{R: 10, G: 200, B: 90, A: 255})
		draw.Draw(want, want.Bounds(), Cutout(60, 40), image.Point{}, draw.Over)
		expect(t, got, want, 0.5)
	})
	t.Run("flatten with a translucent colour keeps the rest of the transparency", func(t *testing.T) {
		got := s.pixels(t, s.render(t, PNG(Cutout(60, 40)), still(plan.PNG, 60, 40, plan.Flatten{Background: plan.Color{R: 10, G: 200, B: 90, A: 128}})))
		wantColor(t, got, 0, 0, color.NRGBA{R: 10, G: 200, B: 90, A: 128}, 2)
		wantColor(t, got, 20, 20, Cutout(60, 40).At(20, 20), 2)
	})
	t.Run("flatten leaves opaque pictures alone", func(t *testing.T) {
		got := s.pixels(t, s.render(t, PNG(Picture(60, 40)), still(plan.PNG, 60, 40, plan.Flatten{Background: plan.Color{R: 10, A: 128}})))
		expect(t, got, Picture(60, 40), 0)
	})
	embed := func(bg plan.Color) plan.Op { return plan.Embed{X: 5, Y: 7, Width: 80, Height: 60, Background: bg} }
	for _, tt := range []struct {
		name   string
		src    image.Image
		bg     plan.Color
		canvas color.Color
	}{
		{"embed on a colour", Picture(60, 40), plan.Color{R: 250, G: 20, B: 3, A: 255}, color.NRGBA{R: 250, G: 20, B: 3, A: 255}},
		{"embed on a translucent colour", Picture(60, 40), plan.Color{R: 250, G: 20, B: 3, A: 77}, color.NRGBA{R: 250, G: 20, B: 3, A: 77}},
		{"embed on nothing", Picture(60, 40), plan.Color{}, color.NRGBA{}},
		{"embed transparency on a colour", Cutout(60, 40), plan.Color{R: 250, G: 20, B: 3, A: 255}, color.NRGBA{R: 250, G: 20, B: 3, A: 255}},
		{"embed grey on a colour", grey(Picture(60, 40)), plan.Color{R: 250, G: 20, B: 3, A: 255}, color.NRGBA{R: 250, G: 20, B: 3, A: 255}},
		{"embed grey on a translucent colour", grey(Picture(60, 40)), plan.Color{R: 250, G: 20, B: 3, A: 100}, color.NRGBA{R: 250, G: 20, B: 3, A: 100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.pixels(t, s.render(t, PNG(tt.src), still(plan.PNG, 80, 60, plan.Colour{}, embed(tt.bg))))
			want := Uniform(80, 60, tt.canvas)
			draw.Draw(want, image.Rect(5, 7, 65, 47), tt.src, image.Point{}, draw.Src)
			expect(t, got, want, 0.5)
		})
	}
	t.Run("embed cuts what lies outside of its canvas", func(t *testing.T) {
		got := s.pixels(t, s.render(t, PNG(Picture(60, 40)), still(plan.PNG, 50, 60, plan.Embed{X: -5, Y: 10, Width: 50, Height: 60, Background: plan.Color{A: 255}})))
		want := Uniform(50, 60, color.NRGBA{A: 255})
		draw.Draw(want, image.Rect(0, 10, 50, 50), Picture(60, 40), image.Pt(5, 0), draw.Src)
		expect(t, got, want, 0)
	})
}
