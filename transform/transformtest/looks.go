package transformtest

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// looks checks the ops that change how a picture looks: exactly where a model is simple, else by what must show.
func (s suite) looks(t *testing.T) {
	pic := Picture(60, 40)
	teal := plan.Color{G: 128, B: 128, A: 255}
	for _, tt := range []struct {
		name          string
		src           image.Image
		width, height int
		ops           []plan.Op
		want          image.Image
		worst         float64
	}{
		{"a quarter turn", pic, 40, 60, []plan.Op{plan.Rotate{Degrees: 90, Width: 40, Height: 60}}, Stored(pic, 8), 0},
		{"half a turn", pic, 60, 40, []plan.Op{plan.Rotate{Degrees: 180, Width: 60, Height: 40}}, Stored(pic, 3), 0},
		{"three quarters", pic, 40, 60, []plan.Op{plan.Rotate{Degrees: 270, Width: 40, Height: 60}}, Stored(pic, 6), 0},
		{"flip left to right", pic, 60, 40, []plan.Op{plan.Flip{Horizontal: true}}, Stored(pic, 2), 0},
		{"flip top to bottom", pic, 60, 40, []plan.Op{plan.Flip{Vertical: true}}, Stored(pic, 4), 0},
		{"flip both", pic, 60, 40, []plan.Op{plan.Flip{Horizontal: true, Vertical: true}}, Stored(pic, 3), 0},
		{"opacity", pic, 60, 40, []plan.Op{plan.Opacity{Percent: 40}}, faded(pic, 40), 0.5},
		{"opacity of a cutout", Cutout(60, 40), 60, 40, []plan.Op{plan.Opacity{Percent: 40}}, faded(Cutout(60, 40), 40), 0.5},
		{"rounded on a colour", pic, 60, 40, []plan.Op{plan.Round{Radii: plan.Radii{TopLeft: 20, BottomRight: 10}, Background: teal}}, rounded(pic, color.NRGBA{G: 128, B: 128, A: 255}), 3},
		{"rounded on nothing", pic, 60, 40, []plan.Op{plan.Round{Radii: plan.Radii{TopLeft: 20, BottomRight: 10}}}, rounded(pic, color.NRGBA{}), 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.pixels(t, s.render(t, PNG(tt.src), still(plan.PNG, tt.width, tt.height, append([]plan.Op{plan.Colour{}}, tt.ops...)...)))
			expect(t, got, tt.want, tt.worst)
		})
	}
	t.Run("an eighth of a turn", s.turnsOnCorners)
	t.Run("grey is grey and as bright", s.greys)
	t.Run("contrast reaches black and white", s.stretches)
	t.Run("blur spreads and unsharp undoes", s.blursAndSharpens)
}

// faded returns img with that much of its opacity.
func faded(img *image.NRGBA, percent int) image.Image {
	out := image.NewNRGBA(img.Bounds())
	copy(out.Pix, img.Pix)
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = uint8(math.Round(float64(out.Pix[i]) * float64(percent) / 100))
	}
	return out
}

// rounded returns img with a radius of 20 at the top left and 10 at the bottom right, computed from 64 places a pixel.
func rounded(img *image.NRGBA, ground color.NRGBA) image.Image {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	mask := image.NewAlpha(img.Bounds())
	for y := range h {
		for x := range w {
			inside := 0
			for i := range 64 {
				px, py := float64(x)+float64(i%8)/8+1.0/16, float64(y)+float64(i/8)/8+1.0/16
				qx, qy := float64(w)-px, float64(h)-py
				if (px > 20 || py > 20 || math.Hypot(20-px, 20-py) <= 20) && (qx > 10 || qy > 10 || math.Hypot(10-qx, 10-qy) <= 10) {
					inside++
				}
			}
			mask.SetAlpha(x, y, color.Alpha{A: uint8(inside * 255 / 64)})
		}
	}
	out := Uniform(w, h, ground)
	draw.DrawMask(out, out.Bounds(), img, image.Point{}, mask, image.Point{}, draw.Over)
	return out
}

// turnsOnCorners checks direction, middle and corners of a turn that no pixel survives.
func (s suite) turnsOnCorners(t *testing.T) {
	for _, ground := range []color.NRGBA{{}, {G: 128, B: 128, A: 255}, {R: 255, A: 128}} {
		bg := plan.Color{R: ground.R, G: ground.G, B: ground.B, A: ground.A}
		got := s.pixels(t, s.render(t, PNG(Picture(80, 80)), still(plan.PNG, 113, 113, plan.Colour{}, plan.Rotate{Degrees: 45, Width: 113, Height: 113, Background: bg})))
		for _, at := range []struct {
			x, y int
			want color.Color
		}{
			{56, 8, Red}, {104, 56, Green}, {56, 104, Yellow}, {8, 56, Blue}, // clockwise: the top left comes to the top
			{2, 2, ground}, {110, 2, ground}, {110, 110, ground}, {2, 110, ground},
		} {
			wantColor(t, got, at.x, at.y, at.want, 3)
		}
	}
}

func (s suite) greys(t *testing.T) {
	for _, c := range []color.NRGBA{Red, Green, Blue, Yellow} {
		got := s.pixels(t, s.render(t, PNG(Uniform(9, 9, c)), still(plan.PNG, 9, 9, plan.Colour{}, plan.Grey{})))
		v := encoded(0.2126*linear(float64(c.R)/255) + 0.7152*linear(float64(c.G)/255) + 0.0722*linear(float64(c.B)/255))
		wantColor(t, got, 4, 4, color.NRGBA{R: v, G: v, B: v, A: 255}, 8) // engines round the weights, libvips to tenths
	}
}

func (s suite) stretches(t *testing.T) {
	pale := image.NewNRGBA(image.Rect(0, 0, 100, 40))
	for y := range 40 {
		for x := range 100 {
			v := uint8(80 + x)
			pale.SetNRGBA(x, y, color.NRGBA{R: v, G: v, B: v, A: 255})
			if y >= 20 { // invisible, and of the full range
				pale.SetNRGBA(x, y, color.NRGBA{R: uint8(x % 2 * 255)})
			}
		}
	}
	got := s.pixels(t, s.render(t, PNG(pale), still(plan.PNG, 100, 40, plan.Colour{}, plan.Contrast{})))
	wantColor(t, got, 0, 10, color.NRGBA{A: 255}, 3)
	wantColor(t, got, 99, 10, color.NRGBA{R: 255, G: 255, B: 255, A: 255}, 3)
	wantColor(t, got, 50, 10, color.NRGBA{R: 129, G: 129, B: 129, A: 255}, 4)
	if a := color.NRGBAModel.Convert(got.At(50, 30)).(color.NRGBA).A; a != 0 {
		t.Errorf("what was invisible has an alpha of %d", a)
	}
}

func (s suite) blursAndSharpens(t *testing.T) {
	pic := Picture(120, 80)
	render := func(ops ...plan.Op) image.Image {
		return s.pixels(t, s.render(t, PNG(pic), still(plan.PNG, 120, 80, append([]plan.Op{plan.Colour{}}, ops...)...)))
	}
	blurred := Compare(render(plan.Blur{Sigma: 2}), pic)
	if blurred.Worst < 10 {
		t.Errorf("blurred it is %v from the picture, too little", blurred)
	}
	if more := Compare(render(plan.Blur{Sigma: 12}), pic); more.Mean <= blurred.Mean {
		t.Errorf("blurred more it is %v from the picture, blurred less %v", more, blurred)
	}
	if again := Compare(render(plan.Blur{Sigma: 2}, plan.Unsharp{Sigma: 2, Amount: 1.5}), pic); again.Mean > 0.8*blurred.Mean {
		t.Errorf("blurred and sharpened it is %v from the picture, blurred alone %v", again, blurred)
	}
	expect(t, render(plan.Unsharp{Sigma: 2, Amount: 0}), pic, 0)
}
