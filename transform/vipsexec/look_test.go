package vipsexec_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// lookGoldens are chains on pictures of 160×100, and what they look like.
var lookGoldens = []struct{ name, chain, source string }{
	{"turned-30", "rt-30,f-png", "picture"},
	{"turned-30-on-colour", "rt-30,bg-teal,f-png", "picture"},
	{"turned-30-on-translucent", "rt-30,bg-FF000050,f-png", "picture"},
	{"turned-cutout", "rt-N20,f-png", "cutout"},
	{"turned-90", "rt-90,f-png", "picture"},
	{"turned-270-flipped", "rt-N90,fl-v,f-png", "picture"},
	{"flipped", "fl-h,f-png", "picture"},
	{"rounded", "r-20,f-png", "picture"},
	{"rounded-max", "r-max,f-png", "picture"},
	{"rounded-unequal", "r-50_0_10_90,f-png", "picture"},
	{"rounded-on-colour", "r-20,bg-teal,f-png", "picture"},
	{"rounded-cutout", "r-30,f-png", "cutout"},
	{"border", "b-8_yellow,f-png", "picture"},
	{"border-rounded", "r-30,b-6_navy,f-png", "picture"},
	{"border-circle", "w-100,h-100,r-max,b-8_FF000050,bg-white,f-png", "picture"},
	{"border-cutout", "r-20_0_20_0,b-6_navy,f-png", "cutout"},
	{"opacity", "o-40,f-png", "picture"},
	{"opacity-on-colour", "o-50,bg-0000FF30,f-png", "picture"},
	{"opacity-cutout", "o-40,f-png", "cutout"},
	{"blurred", "bl-6,f-png", "picture"},
	{"blurred-cutout", "bl-10,f-png", "cutout"},
	{"blurred-much", "bl-100,f-png", "picture"},
	{"greyscale", "e-grayscale,f-png", "picture"},
	{"greyscale-cutout", "e-grayscale,f-png", "cutout"},
	{"contrast", "e-contrast,f-png", "pale"},
	{"contrast-cutout", "e-contrast,f-png", "pale cutout"},
	{"sharpened", "e-sharpen,f-png", "soft"},
	{"sharpened-much", "e-sharpen-100,f-png", "soft"},
	{"unsharp", "e-usm,f-png", "soft"},
	{"unsharp-wide", "e-usm-0-5-1-0.05,f-png", "soft"},
	{"unsharp-cutout", "e-usm-0-5-2-0,f-png", "cutout"},
	{"everything", "rt-N10,fl-v,e-contrast,bl-1,e-sharpen,r-20,b-6_navy,o-80,bg-white,f-png", "picture"},
}

func lookSources(t *testing.T) map[string][]byte {
	t.Helper()
	picture, cutout := transformtest.Picture(160, 100), transformtest.Cutout(160, 100)
	return map[string][]byte{
		"picture":     transformtest.PNG(picture),
		"cutout":      transformtest.PNG(cutout),
		"pale":        transformtest.PNG(pale(picture)),
		"pale cutout": transformtest.PNG(pale(cutout)),
		"soft":        transformtest.PNG(rendered(t, transformtest.PNG(picture), "bl-3,f-png")),
	}
}

// pale returns a picture of little contrast.
func pale(img *image.NRGBA) image.Image {
	out := image.NewNRGBA(img.Bounds())
	for i, v := range img.Pix {
		if out.Pix[i] = v; i%4 != 3 && img.Pix[i|3] > 0 {
			out.Pix[i] = 110 + v/5
		}
	}
	return out
}

// planned resolves a chain for a picture.
func planned(t testing.TB, e transform.Engine, src []byte, text string) plan.Plan {
	t.Helper()
	chain, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := transformtest.Resolve(t, e, src, chain, plan.Hints{}, plan.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// rendered returns what a chain that ends in PNG makes of a picture.
func rendered(t *testing.T, src []byte, text string) image.Image {
	t.Helper()
	e := newEngine(t)
	return decodePNG(t, render(t, e, src, planned(t, e, src, text)).Bytes)
}

func TestGoldenLooks(t *testing.T) {
	sources := lookSources(t)
	for _, tt := range lookGoldens {
		t.Run(tt.name, func(t *testing.T) {
			compareGolden(t, "look-"+tt.name, rendered(t, sources[tt.source], tt.chain))
		})
	}
}

// TestTurnedPicturesHaveThePlannedSize compares plan's arithmetic with libvips': Render fails where they differ by more
// than a rounding.
func TestTurnedPicturesHaveThePlannedSize(t *testing.T) {
	e := newEngine(t)
	random := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		w, h := 1+random.IntN(200), 1+random.IntN(200)
		angle := fmt.Sprint(random.IntN(361))
		if random.IntN(2) == 0 {
			angle = fmt.Sprintf("N%.3f", 360*random.Float64())
		}
		src := transformtest.PNG(transformtest.Picture(w, h))
		img := rendered(t, src, "rt-"+angle+",f-png")
		if p := planned(t, e, src, "rt-"+angle+",f-png"); img.Bounds().Dx() != p.Width || img.Bounds().Dy() != p.Height {
			t.Errorf("%dx%d by %s: got %v, planned are %dx%d", w, h, angle, img.Bounds().Size(), p.Width, p.Height)
		}
	}
}

// TestNoLookMixesInvisibleColoursIn renders a picture whose invisible pixels are magenta, and looks for it.
func TestNoLookMixesInvisibleColoursIn(t *testing.T) {
	src := transformtest.PNG(transformtest.Cutout(160, 100))
	for _, chain := range []string{
		"rt-30", "rt-N1", "bl-2", "bl-30", "e-sharpen-100", "e-usm-0-5-3-0", "r-50", "r-max,b-5_teal", "e-contrast", "fl-h,rt-180,o-50",
		"rt-10,bl-3,e-sharpen,e-usm,r-10",
	} {
		wantNoMagenta(t, src, chain)
	}
}

// wantNoMagenta fails where a chain lets the invisible pixels of a [transformtest.Cutout] show.
func wantNoMagenta(t *testing.T, src []byte, chain string) {
	t.Helper()
	img := rendered(t, src, chain+",f-png")
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if c.A > 40 && c.R > 120 && c.B > 150 && int(c.R)+int(c.B)-2*int(c.G) > 250 {
				t.Fatalf("%s: the pixel at %d,%d is %v", chain, x, y, c)
			}
		}
	}
}

func TestLooksKeepWhatTheyShould(t *testing.T) {
	pic := transformtest.Picture(161, 101)
	src, cutout := transformtest.PNG(pic), transformtest.PNG(transformtest.Cutout(161, 101))
	blue := transformtest.PNG(transformtest.Uniform(61, 41, transformtest.Blue))
	for _, tt := range []struct {
		name, chain string
		src         []byte
		want        image.Image
		worst       float64
	}{
		{"four quarter turns are none", "rt-90:rt-90:rt-90:rt-90", src, pic, 0},
		{"three and one back", "rt-270:rt-N270", src, pic, 0},
		{"half a turn is both flips", "rt-180:fl-h_v", src, pic, 0},
		{"two flips are none", "fl-h:fl-v:fl-h_v", src, pic, 0},
		{"opacity leaves the colours", "o-50:bg-000000", blue, transformtest.Uniform(61, 41, color.NRGBA{R: 20, G: 30, B: 105, A: 255}), 0.6},
		{"opacity of the background is ignored", "o-50,bg-0000FF30", src, rendered(t, src, "o-50,bg-0000FF,f-png"), 0},
		{"a uniform picture stays when blurred", "bl-40", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0.2},
		{"and when blurred a little", "bl-1", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0},
		{"and when blurred at full size", "bl-15", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0},
		{"and when sharpened a little", "e-sharpen-100", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0},
		{"and when sharpened", "e-usm-0-9-5-0", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0},
		{"and when stretched", "e-contrast", blue, transformtest.Uniform(61, 41, transformtest.Blue), 0},
		{"a high threshold sharpens nothing", "e-usm-0-2-5-1", src, pic, 3},
		{"an amount of zero sharpens nothing", "e-usm-0-2-0-0", cutout, transformtest.Cutout(161, 101), 0},
		{"the full range is hardly stretched", "e-contrast", transformtest.PNG(ramp()), ramp(), 1.2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := transformtest.Compare(rendered(t, tt.src, tt.chain+",f-png"), tt.want)
			if d.Worst > tt.worst {
				t.Errorf("%v from what is expected; at most %.1f is allowed in the worst block", d, tt.worst)
			}
		})
	}
}

// ramp has every luminance from black to white.
func ramp() image.Image {
	img := image.NewGray(image.Rect(0, 0, 256, 8))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	return img
}

func TestRoundedCornersAreSmoothAndExact(t *testing.T) {
	blue := transformtest.PNG(transformtest.Uniform(100, 60, transformtest.Blue))
	img := rendered(t, blue, "r-20,f-png")
	alpha := func(x, y int) int { return int(color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA).A) }
	if alpha(0, 0) != 0 || alpha(99, 59) != 0 || alpha(50, 0) != 255 || alpha(20, 0) < 250 || alpha(6, 6) != 255 {
		t.Errorf("corners %d %d, edges %d %d, inside %d", alpha(0, 0), alpha(99, 59), alpha(50, 0), alpha(20, 0), alpha(6, 6))
	}
	// The area of what is cut off is (4 - π) r².
	cut, partly := 0.0, 0
	for y := range 60 {
		for x := range 100 {
			a := alpha(x, y)
			cut += 1 - float64(a)/255
			if a > 0 && a < 255 {
				partly++
			}
			if a != alpha(99-x, y) || a != alpha(x, 59-y) {
				t.Fatalf("the corners are not alike at %d,%d", x, y)
			}
			if c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA); a > 30 && (c.B < 195 || c.R > 60) {
				t.Fatalf("the colour at %d,%d is %v", x, y, c)
			}
		}
	}
	if want := (4 - math.Pi) * 400; math.Abs(cut-want) > 4 || partly < 60 {
		t.Errorf("%.1f pixels are cut off, %d of them partly; want %.1f", cut, partly, want)
	}
}

func TestBlurIsAsWideAsItSays(t *testing.T) {
	edge := transformtest.Uniform(200, 20, color.NRGBA{A: 255})
	for y := range 20 {
		for x := 100; x < 200; x++ {
			edge.SetNRGBA(x, y, color.NRGBA{R: 255, G: 255, B: 255, A: 255})
		}
	}
	for _, n := range []int{4, 10, 15, 16, 40, 60} {
		img := rendered(t, transformtest.PNG(edge), fmt.Sprintf("bl-%d,f-png", n))
		sigma := float64(n) / 2
		for x := range 200 {
			want := 255 * 0.5 * (1 + math.Erf((float64(x)+0.5-100)/sigma/math.Sqrt2))
			if got := float64(color.NRGBAModel.Convert(img.At(x, 10)).(color.NRGBA).R); math.Abs(got-want) > 8 {
				t.Errorf("bl-%d: column %d is %.0f, want %.0f", n, x, got, want)
				break
			}
		}
	}
}

// TestLooksAreDoneToEveryFrame compares each frame with the same look of a still picture.
func TestLooksAreDoneToEveryFrame(t *testing.T) {
	e := newEngine(t)
	pic := transformtest.Picture(120, 80)
	frames := []image.Image{pic, transformtest.Stored(pic, 3), transformtest.Cutout(120, 80)}
	src := transformtest.GIF(7, frames...)
	for _, chain := range []string{
		"rt-90", "rt-N90,fl-v", "rt-20,bg-teal", "rt-20", "fl-h", "fl-v", "r-30", "r-max,bg-white", "b-6_navy", "r-20,b-6_navy", "o-50,bg-red",
		"bl-8", "e-grayscale", "e-sharpen-50", "e-usm", "e-grayscale,bl-3,r-5,b-2_red,bg-white",
	} {
		p := planned(t, e, src, chain)
		if p.Frames != 3 || p.Output.Format != plan.GIF {
			t.Fatalf("%s is planned as %v", chain, p)
		}
		file := render(t, e, src, p).Bytes
		movie, err := gif.DecodeAll(bytes.NewReader(file))
		if err != nil || !slices.Equal(movie.Delay, []int{7, 7, 7}) {
			t.Fatalf("%s: %v, the frames last %v", chain, err, movie.Delay)
		}
		got := strip(t, file)
		for i := range frames {
			want := rendered(t, transformtest.GIF(7, frames[i]), chain+",f-png")
			at := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
			for y := range p.Height {
				for x := range p.Width {
					at.Set(x, y, got.At(i*p.Width+x, y))
				}
			}
			// A palette of 256 colours and alpha of one bit move some; frames mixed up are far beyond.
			if d := transformtest.Compare(at, want); d.Mean > 6 {
				t.Errorf("%s: frame %d is %v from the still picture", chain, i, d)
			}
		}
	}
}
