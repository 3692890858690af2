package transformtest

import (
	"context"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Framed returns [Picture], width × height, on a ground of so much more on each side.
func Framed(width, height int, ground color.Color, left, top, right, bottom int) *image.NRGBA {
	out := Uniform(left+width+right, top+height+bottom, ground)
	draw.Draw(out, image.Rect(left, top, left+width, top+height), Picture(width, height), image.Point{}, draw.Src)
	return out
}

// Noisy returns img, whose ground is of one colour, with single pixels of another one on it, and with all of it a little
// uneven.
func Noisy(img *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(img.Bounds())
	copy(out.Pix, img.Pix)
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	ground := img.NRGBAAt(0, 0)
	for y := range h {
		for x := range w {
			if out.NRGBAAt(x, y) != ground || x+y == 0 {
				continue
			}
			uneven := uint8((7*x + 13*y) % 5)
			out.SetNRGBA(x, y, color.NRGBA{R: ground.R - uneven, G: ground.G - uneven, B: ground.B - uneven, A: ground.A})
			if x%11 == 5 && y%9 == 4 {
				out.SetNRGBA(x, y, Blue)
			}
		}
	}
	return out
}

// differing returns the window of what differs from the top left pixel: in opacity, or in a colour as far as it is seen.
func differing(frames []image.Image, threshold int) plan.Window {
	corner := color.NRGBAModel.Convert(frames[0].At(0, 0)).(color.NRGBA)
	box := image.Rectangle{}
	for _, img := range frames {
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				apart := max(c.A, corner.A) - min(c.A, corner.A)
				for _, pair := range [][2]uint8{{c.R, corner.R}, {c.G, corner.G}, {c.B, corner.B}} {
					if corner.A > 0 {
						apart = max(apart, uint8(int(max(pair[0], pair[1])-min(pair[0], pair[1]))*int(c.A)/255))
					}
				}
				if int(apart) > threshold {
					box = box.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
	}
	if box.Empty() {
		box = frames[0].Bounds()
	}
	return plan.Window{X: box.Min.X, Y: box.Min.Y, Width: box.Dx(), Height: box.Dy()}
}

// lookAt returns the look at a file before any op but the conversion of colours.
func lookAt(src []byte, img image.Image, frames, threshold int) plan.Look {
	return plan.Look{
		Load: plan.Load{Format: transform.Sniff(src), Shrink: 1, Scale: 1, Frames: frames},
		Ops:  []plan.Op{plan.Colour{}}, Width: img.Bounds().Dx(), Height: img.Bounds().Dy(),
		Frames: frames, Threshold: threshold,
	}
}

// trims checks what a trim leaves: exactly, where what differs is two pixels wide or more.
func (s suite) trims(t *testing.T) {
	white, clear := color.NRGBA{R: 255, G: 255, B: 255, A: 255}, color.NRGBA{R: 255, B: 255}
	framed := Framed(60, 40, white, 10, 20, 30, 5)
	cutout := Uniform(90, 60, clear)
	draw.Draw(cutout, image.Rect(12, 7, 70, 50), Picture(58, 43), image.Point{}, draw.Src)
	magenta := Uniform(90, 60, clear) // of the colour that is invisible around it
	draw.Draw(magenta, image.Rect(12, 7, 70, 50), image.NewUniform(color.NRGBA{R: 255, B: 255, A: 255}), image.Point{}, draw.Src)
	holed := Framed(60, 40, white, 10, 10, 10, 10)
	draw.Draw(holed, image.Rect(10, 10, 70, 50), image.NewUniform(color.NRGBA{}), image.Point{}, draw.Src)
	faint := Uniform(50, 40, white)
	draw.Draw(faint, image.Rect(8, 9, 20, 30), image.NewUniform(color.NRGBA{R: 255, G: 255, B: 235, A: 255}), image.Point{}, draw.Src)
	grey := image.NewGray(framed.Bounds())
	draw.Draw(grey, grey.Bounds(), framed, image.Point{}, draw.Src)

	for _, tt := range []struct {
		name      string
		src       []byte
		img       image.Image
		threshold int
		want      plan.Window // zero: what the model finds
	}{
		{name: "a border", src: PNG(framed), img: framed, threshold: 10, want: plan.Window{X: 10, Y: 20, Width: 60, Height: 40}},
		{name: "grey", src: PNG(grey), img: grey, threshold: 10},
		{name: "16 bits", src: PNG(deep(framed)), img: framed, threshold: 10},
		{name: "a cutout", src: PNG(cutout), img: cutout, threshold: 10, want: plan.Window{X: 12, Y: 7, Width: 58, Height: 43}},
		{name: "a cutout of the invisible colour", src: PNG(magenta), img: magenta, threshold: 10, want: plan.Window{X: 12, Y: 7, Width: 58, Height: 43}},
		{name: "an ellipse", src: PNG(Cutout(120, 80)), img: Cutout(120, 80), threshold: 10},
		{name: "a hole in what is opaque", src: PNG(holed), img: holed, threshold: 10, want: plan.Window{X: 10, Y: 10, Width: 60, Height: 40}},
		{name: "below the threshold", src: PNG(faint), img: faint, threshold: 20, want: plan.Window{Width: 50, Height: 40}},
		{name: "above the threshold", src: PNG(faint), img: faint, threshold: 19, want: plan.Window{X: 8, Y: 9, Width: 12, Height: 21}},
		{name: "noise", src: PNG(Noisy(framed)), img: framed, threshold: 10},
		{name: "one colour", src: PNG(Uniform(30, 20, Red)), img: Uniform(30, 20, Red), threshold: 1, want: plan.Window{Width: 30, Height: 20}},
		{name: "nothing visible", src: PNG(Uniform(30, 20, clear)), img: Uniform(30, 20, clear), threshold: 1, want: plan.Window{Width: 30, Height: 20}},
		{name: "a pixel", src: PNG(Uniform(1, 1, Red)), img: Uniform(1, 1, Red), threshold: 1, want: plan.Window{Width: 1, Height: 1}},
		{name: "no border", src: PNG(Picture(60, 40)), img: Picture(60, 40), threshold: 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if model := differing([]image.Image{tt.img}, tt.threshold); want == (plan.Window{}) {
				want = model
			} else if want != model {
				t.Fatalf("the model finds %+v", model)
			}
			s.wantWindow(t, tt.src, lookAt(tt.src, tt.img, 1, tt.threshold), want)
		})
	}
	t.Run("jpeg", func(t *testing.T) {
		img := Framed(64, 48, white, 16, 24, 32, 8) // in whole blocks: of the picture, only colours of half the resolution are in the border
		s.wantWindow(t, JPEG(img), lookAt(JPEG(img), img, 1, 10), plan.Window{X: 15, Y: 23, Width: 66, Height: 50}, 2)
	})
	t.Run("cmyk", func(t *testing.T) {
		src := File("cmyk.jpg") // red in the corner at the top left: nothing to trim
		s.wantWindow(t, src, lookAt(src, image.NewGray(image.Rect(0, 0, 48, 32)), 1, 10), plan.Window{Width: 48, Height: 32})
	})
	t.Run("behind other ops", func(t *testing.T) {
		l := lookAt(PNG(framed), image.NewGray(image.Rect(0, 0, 130, 200)), 1, 10)
		l.Ops = []plan.Op{plan.Resize{Width: 200, Height: 130}, plan.Colour{}, plan.Rotate{Degrees: 90, Width: 130, Height: 200}}
		s.wantWindow(t, PNG(framed), l, plan.Window{X: 9, Y: 19, Width: 82, Height: 122}, 2)
	})
	t.Run("all frames", s.trimsAnimations)
	t.Run("a vector", func(t *testing.T) {
		const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="60"><rect x="20" y="10" width="30" height="40" fill="#123"/></svg>`
		s.wantWindow(t, []byte(svg), lookAt([]byte(svg), image.NewGray(image.Rect(0, 0, 100, 60)), 1, 10), plan.Window{X: 20, Y: 10, Width: 30, Height: 40})
	})
	t.Run("half a picture", func(t *testing.T) {
		src := JPEG(framed)
		_, err := s.engine.Look(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src[:len(src)/2]}}, lookAt(src, framed, 1, 10))
		s.wantKind(t, "look", err, transform.Broken)
	})
	t.Run("ended before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.engine.Look(ctx, transform.Inputs{Base: transform.Original{Bytes: PNG(framed)}}, lookAt(PNG(framed), framed, 1, 10))
		s.wantKind(t, "look", err, transform.Canceled)
	})
}

// trimsAnimations checks that what moves is kept wherever it goes, and that the first frame decides what the ground is.
func (s suite) trimsAnimations(t *testing.T) {
	frame := func(ground color.Color, x, y int) image.Image {
		img := Uniform(80, 60, ground)
		draw.Draw(img, image.Rect(x, y, x+10, y+10), image.NewUniform(color.NRGBA{R: 204, A: 255}), image.Point{}, draw.Src)
		return img
	}
	white := color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	moves := GIF(7, frame(white, 10, 10), frame(white, 40, 20), Uniform(80, 60, white))
	s.wantWindow(t, moves, lookAt(moves, image.NewGray(image.Rect(0, 0, 80, 60)), 3, 10), plan.Window{X: 10, Y: 10, Width: 40, Height: 20})
	s.wantWindow(t, moves, lookAt(moves, image.NewGray(image.Rect(0, 0, 80, 60)), 1, 10), plan.Window{X: 10, Y: 10, Width: 10, Height: 10})
	clear := GIF(7, frame(color.NRGBA{}, 30, 5), frame(color.NRGBA{}, 60, 45))
	s.wantWindow(t, clear, lookAt(clear, image.NewGray(image.Rect(0, 0, 80, 60)), 2, 10), plan.Window{X: 30, Y: 5, Width: 40, Height: 50})
	blinks := GIF(7, frame(white, 10, 10), frame(color.NRGBA{B: 255, A: 255}, 10, 10))
	s.wantWindow(t, blinks, lookAt(blinks, image.NewGray(image.Rect(0, 0, 80, 60)), 2, 10), plan.Window{Width: 80, Height: 60})
}

// wantWindow checks what a look finds, to so many pixels.
func (s suite) wantWindow(t *testing.T, src []byte, l plan.Look, want plan.Window, by ...int) {
	t.Helper()
	got, err := s.engine.Look(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, l)
	if err != nil {
		t.Fatalf("%v\n%v", err, l)
	}
	most := 0
	for _, n := range by {
		most = n
	}
	for _, d := range []int{got.X - want.X, got.Y - want.Y, got.Width - want.Width, got.Height - want.Height} {
		if d > most || d < -most {
			t.Fatalf("got %+v, want %+v ±%d\n%v", got, want, most, l)
		}
	}
}
