package e2e

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"
)

// A fact is what a worked example says about the pixels of its result.
type fact func(t *testing.T, img image.Image)

// all joins facts.
func all(facts ...fact) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		for _, f := range facts {
			f(t, img)
		}
	}
}

// size is width and height.
type size struct{ w, h int }

// The coded sources, see coded.
var (
	plant = size{640, 865}
	cafe  = size{600, 600}
	car   = size{1920, 1280}
)

// spans checks that the picture shows the window x, y, w, h of a coded source.
func spans(source size, x, y, w, h float64) fact {
	return follows(source, func(u, v float64) (float64, float64) { return x + u*w, y + v*h })
}

// follows checks that the picture shows at each place, counted from 0 to 1 on both axes, the pixel of a coded source
// that where says.
func follows(source size, where func(u, v float64) (x, y float64)) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		b := img.Bounds()
		// The colour code has 256 steps, and the resampling blurs by a pixel of the result.
		across := 2*float64(source.w)/255 + float64(source.w)/float64(b.Dx())
		down := 2*float64(source.h)/255 + float64(source.h)/float64(b.Dy())
		for _, at := range probes(b) {
			gotX, gotY := place(img.At(at.X, at.Y), source.w, source.h)
			wantX, wantY := where((float64(at.X-b.Min.X)+0.5)/float64(b.Dx()), (float64(at.Y-b.Min.Y)+0.5)/float64(b.Dy()))
			if math.Abs(gotX-wantX) > across || math.Abs(gotY-wantY) > down {
				t.Errorf("pixel %v shows %s of the source, want %s", at, xy(gotX, gotY), xy(wantX, wantY))
			}
		}
	}
}

func xy(x, y float64) string { return fmt.Sprintf("(%.0f,%.0f)", x, y) }

// within checks a fact on the part of the picture inside of the window.
func within(x, y, w, h int, f fact) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		f(t, part(t, img, image.Rect(x, y, x+w, y+h)))
	}
}

// part returns the window r of a picture.
func part(t *testing.T, img image.Image, r image.Rectangle) image.Image {
	t.Helper()
	cutter, ok := img.(interface {
		SubImage(r image.Rectangle) image.Image
	})
	if !ok || !r.In(img.Bounds()) {
		t.Fatalf("a picture of type %T and %v has no part %v", img, img.Bounds(), r)
	}
	return cutter.SubImage(r)
}

// around checks that all outside of the window x, y, w, h is of the colour want, and nothing in it is.
func around(x, y, w, h int, want color.NRGBA) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		window := image.Rect(x, y, x+w, y+h)
		check := func(at image.Point) {
			same := color.NRGBAModel.Convert(img.At(at.X, at.Y)) == want
			if at.In(img.Bounds()) && same == at.In(window) {
				t.Errorf("pixel %v is %v; want the picture at %v and %v around it", at, img.At(at.X, at.Y), window, want)
			}
		}
		for _, at := range probes(img.Bounds()) {
			check(at)
		}
		// Both sides of each edge, in the middle of it.
		for _, at := range []image.Point{
			{x, y + h/2},
			{x - 1, y + h/2},
			{x + w - 1, y + h/2},
			{x + w, y + h/2},
			{x + w/2, y},
			{x + w/2, y - 1},
			{x + w/2, y + h - 1},
			{x + w/2, y + h},
		} {
			check(at)
		}
	}
}

// filled checks that the whole picture has one colour, but for so much in each channel.
func filled(want color.NRGBA, by int) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		for _, at := range probes(img.Bounds()) {
			got := color.NRGBAModel.Convert(img.At(at.X, at.Y)).(color.NRGBA)
			for _, d := range []int{
				int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B), int(got.A) - int(want.A),
			} {
				if d > by || d < -by {
					t.Errorf("pixel %v is %v, want %v ±%d", at, got, want, by)
					break
				}
			}
		}
	}
}

// probes are points on a grid over r, corners included.
func probes(r image.Rectangle) []image.Point {
	var points []image.Point
	for i := range min(9, r.Dx()) {
		for j := range min(9, r.Dy()) {
			points = append(points, image.Pt(r.Min.X+i*(r.Dx()-1)/max(1, min(8, r.Dx()-1)), r.Min.Y+j*(r.Dy()-1)/max(1, min(8, r.Dy()-1))))
		}
	}
	return points
}

// The badge has a red disc of radius 8 around (10,10), and nothing else: see writePicture.
func badgeOn(ground color.NRGBA, by int) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		b := img.Bounds()
		within(40*b.Dx()/158, 0, b.Dx()/2, b.Dy(), filled(ground, by))(t, img)
		within(7, 7, 5, 5, filled(color.NRGBA{0xcc, 0, 0, 255}, by))(t, img)
	}
}

// blurredBars checks the bars beside a picture in the middle third: they show it scaled up to cover everything, so a
// coded source gives their colours away; by so much they are brighter.
func blurredBars(source size, window image.Rectangle, brighter float64) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		b := img.Bounds()
		cover := max(float64(b.Dx())/float64(source.w), float64(b.Dy())/float64(source.h))
		left, top := (float64(source.w)*cover-float64(b.Dx()))/2, (float64(source.h)*cover-float64(b.Dy()))/2
		for _, at := range probes(b) {
			if at.In(window) {
				continue
			}
			x, y := (float64(at.X)+left)/cover, (float64(at.Y)+top)/cover
			want := color.NRGBA{uint8(min(255, max(0, 255*x/float64(source.w)+brighter))), uint8(min(255, max(0, 255*y/float64(source.h)+brighter))), uint8(128 + brighter), 255}
			within(at.X, at.Y, 1, 1, filled(want, 24))(t, img)
		}
	}
}

// smooth checks that neighbours in the window differ by at most so much in brightness, in steps of 255.
func smooth(window image.Rectangle, most int) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		if d := contrast(part(t, img, window)); d > most {
			t.Errorf("in %v brightness varies by %d of 255, want at most %d", window, d, most)
		}
	}
}

// sharp checks that brightness varies by at least so much.
func sharp(window image.Rectangle, least int) fact {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		if d := contrast(part(t, img, window)); d < least {
			t.Errorf("in %v brightness varies by %d of 255, want at least %d", window, d, least)
		}
	}
}

// contrast is the span of brightness in a picture.
func contrast(img image.Image) int {
	lowest, highest := 255, 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			v := int(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
			lowest, highest = min(lowest, v), max(highest, v)
		}
	}
	return highest - lowest
}
