package transformtest

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// paintings checks the ops that paint colours, against models that compute one pixel at a time.
func (s suite) paintings(t *testing.T) {
	t.Run("shadow is the moved alpha in black", s.castsSharpShadows)
	t.Run("shadow is soft and as dark as it says", s.castsSoftShadows)
	t.Run("gradient is that of CSS", s.drawsGradients)
	t.Run("tint keeps lightness", s.tints)
	t.Run("replace shifts what is near", s.replaces)
	t.Run("replace finds the dominant colour", s.replacesTheDominant)
	t.Run("pictures of every number of channels", s.paintsOnEveryPicture)
	t.Run("frames are painted alike", s.paintsOnFrames)
}

// painted renders ops on a picture and returns the result.
func (s suite) painted(t *testing.T, src image.Image, ops ...plan.Op) image.Image {
	t.Helper()
	size := src.Bounds().Size()
	return s.pixels(t, s.render(t, PNG(src), still(plan.PNG, size.X, size.Y, append([]plan.Op{plan.Colour{}}, ops...)...)))
}

// composed returns front over back, both weighed by alpha: Porter and Duff's over.
func composed(front, back color.NRGBA) color.NRGBA {
	f, b := float64(front.A)/255, float64(back.A)/255
	a := f + b*(1-f)
	if a == 0 {
		return color.NRGBA{}
	}
	mix := func(front, back uint8) uint8 {
		return uint8(math.Round((float64(front)*f + float64(back)*b*(1-f)) / a))
	}
	return color.NRGBA{R: mix(front.R, back.R), G: mix(front.G, back.G), B: mix(front.B, back.B), A: uint8(math.Round(255 * a))}
}

// soft returns a picture whose alpha rises from left to right, with some of it missing.
func soft(width, height int) *image.NRGBA {
	img := Cutout(width, height)
	for y := range height {
		for x := range width {
			if i := img.PixOffset(x, y); img.Pix[i+3] > 0 {
				img.Pix[i+3] = uint8(255 * (x + 1) / width)
			}
		}
	}
	return img
}

func (s suite) castsSharpShadows(t *testing.T) {
	for _, src := range []*image.NRGBA{Cutout(60, 40), soft(60, 40)} {
		for _, shadow := range []plan.Shadow{
			{X: 6, Y: 3, Percent: 100}, {X: -9, Y: 0, Percent: 40}, {X: 0, Y: -40, Percent: 50}, {Percent: 30},
		} {
			want := image.NewNRGBA(src.Bounds())
			for y := range 40 {
				for x := range 60 {
					cast := src.NRGBAAt(x-shadow.X, y-shadow.Y).A // zero outside
					want.SetNRGBA(x, y, composed(src.NRGBAAt(x, y), color.NRGBA{A: uint8(math.Round(float64(cast) * float64(shadow.Percent) / 100))}))
				}
			}
			got := s.painted(t, src, shadow)
			if d := Compare(got, want); d.Worst > 0.6 {
				t.Errorf("%v: %v from what is expected", shadow, d)
			}
			for y := range 40 {
				for x := range 60 {
					if src.NRGBAAt(x, y).A == 255 && got.At(x, y) != color.Color(src.NRGBAAt(x, y)) {
						t.Fatalf("%v: the pixel at %d,%d became %v", shadow, x, y, got.At(x, y))
					}
				}
			}
		}
	}
}

func (s suite) castsSoftShadows(t *testing.T) {
	src := image.NewNRGBA(image.Rect(0, 0, 200, 120)) // the left half is there
	for y := range 120 {
		for x := range 100 {
			src.SetNRGBA(x, y, Blue)
		}
	}
	for _, sigma := range []float64{3, 10} {
		got := s.painted(t, src, plan.Shadow{X: 20, Sigma: sigma, Percent: 60})
		for x := 100; x < 200; x += 7 {
			share := 0.5 * (1 + math.Erf((120-float64(x)-0.5)/sigma/math.Sqrt2))
			want := color.NRGBA{A: uint8(math.Round(255 * 0.6 * share))}
			wantColor(t, got, x, 60, want, 5)
		}
		wantColor(t, got, 50, 60, Blue, 0)
	}
}

func (s suite) drawsGradients(t *testing.T) {
	red, clear := plan.Color{R: 255, A: 255}, plan.Color{B: 255}
	half, teal := plan.Color{R: 250, G: 240, B: 30, A: 128}, plan.Color{G: 128, B: 128, A: 255}
	for _, size := range [][2]int{{60, 40}, {33, 71}, {1, 1}, {300, 2}} {
		for _, g := range []plan.Gradient{
			{Degrees: 0, From: red, To: teal, Length: float64(size[1])},
			{Degrees: 180, From: red, To: clear, Length: float64(size[1])},
			{Degrees: 90, From: half, To: teal, Length: 0.3 * float64(size[0])},
			{Degrees: 270, From: clear, To: half, Length: 500},
			{Degrees: 45, From: half, To: clear, Length: 50},
			{Degrees: 200.5, From: red, To: half, Length: 20},
			{Degrees: 315, From: teal, To: teal, Length: 1},
		} {
			for _, src := range []*image.NRGBA{Picture(size[0], size[1]), soft(size[0], size[1])} {
				want := image.NewNRGBA(src.Bounds())
				for y := range size[1] {
					for x := range size[0] {
						want.SetNRGBA(x, y, composed(gradientAt(g, x, y, size[0], size[1]), src.NRGBAAt(x, y)))
					}
				}
				if d := Compare(s.painted(t, src, g), want); d.Worst > 1 {
					t.Errorf("%v on %v: %v from what is expected", g, size, d)
				}
			}
		}
	}
}

// gradientAt returns the colour of a gradient, as CSS Images Module Level 3 has it, at the centre of a pixel.
func gradientAt(g plan.Gradient, x, y, width, height int) color.NRGBA {
	angle := g.Degrees * math.Pi / 180
	w, h := float64(width), float64(height)
	run := math.Abs(w*math.Sin(angle)) + math.Abs(h*math.Cos(angle))
	along := (float64(x)+0.5-w/2)*math.Sin(angle) - (float64(y)+0.5-h/2)*math.Cos(angle) + run/2
	at := min(along/g.Length, 1)
	from, to := float64(g.From.A)*(1-at), float64(g.To.A)*at
	a := from + to
	if a == 0 {
		return color.NRGBA{}
	}
	mix := func(f, t uint8) uint8 { return uint8(math.Round((float64(f)*from + float64(t)*to) / a)) }
	return color.NRGBA{R: mix(g.From.R, g.To.R), G: mix(g.From.G, g.To.G), B: mix(g.From.B, g.To.B), A: uint8(math.Round(a))}
}

func (s suite) tints(t *testing.T) {
	src := Cutout(80, 60)
	for _, c := range []plan.Color{{R: 128, G: 128, B: 128, A: 255}, {R: 204, G: 119, B: 34, A: 255}, {B: 255, A: 255}, {R: 255, A: 255}} {
		for _, percent := range []int{100, 60, 1} {
			got := s.painted(t, src, plan.Tint{Color: c, Percent: percent})
			worst := 0.0
			for y := range 60 {
				for x := range 80 {
					before, after := src.NRGBAAt(x, y), color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA)
					if before.A != after.A {
						t.Fatalf("the alpha at %d,%d became %d", x, y, after.A)
					}
					if before.A > 0 {
						l, _, _ := lab(before, 0)
						m, _, _ := lab(after, 0)
						worst = max(worst, math.Abs(l-m))
					}
				}
			}
			if worst > 0.6 {
				t.Errorf("tinted by %v, %d%%: lightness is off by %.2f", c, percent, worst)
			}
		}
	}
	// Where sRGB has it, the hue and chroma are those of the colour.
	for _, grey := range []uint8{100, 130, 160} {
		tan := color.NRGBA{R: 150, G: 120, B: 100, A: 255}
		got := s.painted(t, Uniform(9, 9, color.NRGBA{R: grey, G: grey, B: grey, A: 255}), plan.Tint{Color: plan.Color{R: 150, G: 120, B: 100, A: 255}, Percent: 100})
		_, a, b := lab(got.At(4, 4), 0)
		if _, wantA, wantB := lab(tan, 0); math.Hypot(a-wantA, b-wantB) > 1 {
			t.Errorf("grey of %d became a=%.1f b=%.1f, want %.1f and %.1f", grey, a, b, wantA, wantB)
		}
	}
}

func (s suite) replaces(t *testing.T) {
	from, to := plan.Color{R: 180, G: 60, B: 50, A: 255}, plan.Color{R: 40, G: 110, B: 160, A: 255}
	strip := image.NewNRGBA(image.Rect(0, 0, 256, 3)) // from the colour on, away from it
	for x := range 256 {
		for y := range 3 {
			strip.SetNRGBA(x, y, color.NRGBA{R: 180 - uint8(x/3), G: 60 + uint8(x/2), B: 50 + uint8(x/2), A: uint8(255 - 100*y)})
		}
	}
	for _, tolerance := range []int{0, 10, 35, 100} {
		got := s.painted(t, strip, plan.Replace{To: to, From: from, Tolerance: tolerance})
		l0, a0, b0 := lab(strip.At(0, 0), 0)
		l1, a1, b1 := lab(color.NRGBA{R: to.R, G: to.G, B: to.B, A: 255}, 0)
		for x := range 256 {
			before := strip.NRGBAAt(x, 0)
			l, a, b := lab(before, 0)
			inner, outer := 0.8*float64(tolerance), max(1.2*float64(tolerance), 1)
			away := math.Sqrt((l-l0)*(l-l0) + (a-a0)*(a-a0) + (b-b0)*(b-b0))
			share := min(max((outer-away)/(outer-inner), 0), 1)
			after := color.NRGBAModel.Convert(got.At(x, 0)).(color.NRGBA)
			lAfter, aAfter, bAfter := lab(after, 0)
			if off := math.Sqrt(math.Pow(l+share*(l1-l0)-lAfter, 2) + math.Pow(a+share*(a1-a0)-aAfter, 2) + math.Pow(b+share*(b1-b0)-bAfter, 2)); off > 2 && !atTheEdge(after) {
				t.Errorf("tolerance %d, distance %.1f: %v became %v, off by %.1f", tolerance, away, before, after, off)
			}
			if away > outer && !near(after, before, 1) {
				t.Errorf("tolerance %d, distance %.1f: %v became %v", tolerance, away, before, after)
			}
			if at := color.NRGBAModel.Convert(got.At(x, 1)).(color.NRGBA); at.A != 155 {
				t.Fatalf("alpha became %d", at.A)
			}
		}
		wantColor(t, got, 0, 0, color.NRGBA{R: to.R, G: to.G, B: to.B, A: 255}, 1)
	}
}

// atTheEdge reports whether c may have been cut off because sRGB ends there.
func atTheEdge(c color.NRGBA) bool { return min(c.R, c.G, c.B) == 0 || max(c.R, c.G, c.B) == 255 }

func (s suite) replacesTheDominant(t *testing.T) {
	const width, height = 400, 90
	src := Uniform(width, height, color.NRGBA{R: 240, G: 80, B: 70, A: 255}) // a third
	for y := range height {
		for x := range width {
			switch {
			case x < 100: // more of it than of anything, but invisible
				src.SetNRGBA(x, y, color.NRGBA{R: 255, B: 255})
			case x < 280: // the most: green of two shades
				src.SetNRGBA(x, y, color.NRGBA{R: 36, G: uint8(150 + x%2*2), B: 68, A: 255})
			}
		}
	}
	got := s.painted(t, src, plan.Replace{To: plan.Color{R: 40, G: 60, B: 210, A: 255}, Tolerance: 20, Dominant: true})
	wantColor(t, got, 200, 40, color.NRGBA{R: 40, G: 60, B: 210, A: 255}, 4)
	wantColor(t, got, 350, 40, color.NRGBA{R: 240, G: 80, B: 70, A: 255}, 0)
	nothing := image.NewNRGBA(image.Rect(0, 0, 20, 10))
	if a := color.NRGBAModel.Convert(s.painted(t, nothing, plan.Replace{To: plan.Color{A: 255}, Dominant: true, Tolerance: 100}).At(5, 5)).(color.NRGBA).A; a != 0 {
		t.Errorf("where nothing is visible, alpha became %d", a)
	}
}

// everyPainting has each op once.
var everyPainting = []plan.Op{
	plan.Tint{Color: plan.Color{R: 204, G: 119, B: 34, A: 255}, Percent: 70},
	plan.Replace{To: plan.Color{R: 40, G: 60, B: 210, A: 255}, Tolerance: 40, Dominant: true},
	plan.Replace{To: plan.Color{R: 40, G: 60, B: 210, A: 255}, From: plan.Color{R: 128, G: 128, B: 128, A: 255}, Tolerance: 40},
	plan.Shadow{X: 4, Y: 3, Sigma: 1, Percent: 70},
	plan.Gradient{Degrees: 60, From: plan.Color{R: 255, A: 200}, To: plan.Color{B: 255}, Length: 50},
}

// paintsOnEveryPicture compares a grey picture of one channel or two with the same in three or four.
func (s suite) paintsOnEveryPicture(t *testing.T) {
	for _, op := range everyPainting {
		for _, src := range []*image.NRGBA{Picture(60, 40), soft(60, 40)} {
			inColour := image.NewNRGBA(src.Bounds())
			one := grey(src)
			for y := range 40 {
				for x := range 60 {
					v := one.(*image.Gray).GrayAt(x, y).Y
					inColour.SetNRGBA(x, y, color.NRGBA{R: v, G: v, B: v, A: src.NRGBAAt(x, y).A})
				}
			}
			var got image.Image
			if src.Opaque() {
				got = s.painted(t, one, op)
			} else {
				got = s.painted(t, inColour, plan.Grey{}, op) // Go writes no PNG of two channels
			}
			if d := Compare(got, s.painted(t, inColour, op)); d.Worst > 1.5 {
				t.Errorf("%v on grey is %v from the same in three channels", op, d)
			}
		}
	}
}

// paintsOnFrames compares each frame of an animation with the same picture alone.
func (s suite) paintsOnFrames(t *testing.T) {
	frames := []image.Image{Cutout(60, 40), Stored(Cutout(60, 40), 2), Cutout(60, 40)}
	src := GIF(7, frames...)
	for _, op := range everyPainting {
		p := still(plan.GIF, 60, 40, plan.Colour{}, op)
		p.Load.Frames, p.Frames = 3, 3
		got := s.frames(t, s.render(t, src, to(p, plan.Output{Format: plan.WebP, Lossless: true})))
		for i, frame := range frames {
			// The animation is looked at as a GIF, whose alpha has one bit, on a ground of its own.
			want := s.painted(t, paletted(frame), op)
			off, seen := 0.0, 0
			for y := range 40 {
				for x := range 60 {
					g, w := color.NRGBAModel.Convert(got.images[i].At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
					if g.A == 255 && w.A == 255 {
						off += deltaE(g, w, 0)
						seen++
					}
				}
			}
			if seen < 60*40/3 || off/float64(seen) > 6 {
				t.Errorf("%v: frame %d is ΔE %.1f from the picture alone, by %d pixels", op, i, off/float64(seen), seen)
			}
		}
		if fmt.Sprint(got.delays) != "[7 7 7]" {
			t.Errorf("%v: the frames last %v", op, got.delays)
		}
	}
}
