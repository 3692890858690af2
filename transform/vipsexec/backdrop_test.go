package vipsexec_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// greyCutout returns a PNG file of two channels, grey and alpha.
func greyCutout(t *testing.T) []byte {
	t.Helper()
	e, src := newEngine(t), transformtest.PNG(transformtest.Cutout(160, 100))
	file := render(t, e, src, planned(t, e, src, "e-grayscale,f-png")).Bytes
	if kind := file[25]; kind != 4 { // the colour type in the header: PNG specification, 11.2.2
		t.Fatalf("the PNG is of colour type %d, not grey with alpha", kind)
	}
	return file
}

// TestBackdropsAreOpaque puts pictures of every number of channels before every backdrop.
func TestBackdropsAreOpaque(t *testing.T) {
	sources := sceneSources(t)
	sources["grey cutout"] = greyCutout(t)
	for name, src := range sources {
		for _, bg := range []string{"blurred", "blurred_0_N50", "blurred_100", "dominant", "gradient_dominant", "gradient_dominant_4"} {
			for _, box := range []string{"w-240,h-100,cm-pad_resize", "w-40,h-100,cm-pad_resize", "w-160,h-100,cm-pad_resize", "w-400,h-1,cm-pad_resize_no_enlarge", "w-1,h-1,cm-pad_resize"} {
				chain := box + ",bg-" + bg + ",f-png"
				img := rendered(t, src, chain)
				for y := range img.Bounds().Dy() {
					for x := range img.Bounds().Dx() {
						if _, _, _, a := img.At(x, y).RGBA(); a != 0xffff {
							t.Fatalf("%s with %s: the pixel at %d,%d is %v", name, chain, x, y, img.At(x, y))
						}
					}
				}
			}
		}
	}
}

// TestLinesFillABackdrop covers canvases with lines: all of one would be longer than libvips lets a picture be.
func TestLinesFillABackdrop(t *testing.T) {
	red := color.NRGBA{R: 255, A: 255}
	for _, tt := range []struct {
		name          string
		width, height int
		chain         string
	}{
		{"that lies", 3000, 1, "w-3000,h-4000,cm-pad_resize,bg-blurred_0"},
		{"that stands", 1, 3000, "w-4000,h-3000,cm-pad_resize,bg-blurred_0"},
		{"that is blurred on a smaller canvas", 3000, 1, "w-3000,h-3000,cm-pad_resize,bg-blurred_100"},
		{"that lies, not enlarged", 3000, 1, "w-3100,h-4000,cm-pad_resize_no_enlarge,bg-blurred_1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := rendered(t, transformtest.PNG(transformtest.Uniform(tt.width, tt.height, red)), tt.chain+",f-png")
			for _, at := range []image.Point{{}, {X: img.Bounds().Dx() - 1}, {Y: img.Bounds().Dy() - 1}, img.Bounds().Max.Div(2)} {
				if c := color.NRGBAModel.Convert(img.At(at.X, at.Y)); c != red {
					t.Errorf("the pixel at %v is %v, want that of the line, %v", at, c, red)
				}
			}
		})
	}
}

// TestNoBackdropShowsInvisibleColours looks for the magenta that is invisible in the picture.
func TestNoBackdropShowsInvisibleColours(t *testing.T) {
	src := transformtest.PNG(transformtest.Cutout(160, 100))
	for _, chain := range []string{
		"w-240,h-100,cm-pad_resize,bg-blurred", "w-240,h-100,cm-pad_resize,bg-blurred_0", "w-240,h-100,cm-pad_resize,bg-dominant",
		"w-240,h-140,cm-pad_extract,bg-gradient_dominant_4", "w-240,h-100,cm-pad_resize,bg-gradient_dominant",
		"e-distort-p-30_0_160_25_130_80_0_100", "e-distort-p-0_0_700_0_700_500_0_400,bg-white", "e-distort-a-70", "e-distort-a-N300,bg-FF000050",
	} {
		wantNoMagenta(t, src, chain)
	}
}

// TestScenesAreDoneToEveryFrame compares each frame with the same done to a still picture, but for colours that are
// those of the first frame.
func TestScenesAreDoneToEveryFrame(t *testing.T) {
	e := newEngine(t)
	pic := transformtest.Picture(120, 80)
	frames := []image.Image{pic, transformtest.Stored(pic, 3), transformtest.Cutout(120, 80)}
	src := transformtest.GIF(7, frames...)
	for _, chain := range []string{
		"w-200,h-80,cm-pad_resize,bg-blurred", "w-200,h-80,cm-pad_resize,bg-blurred_5_N30",
		// Heights of a multiple of what the header calls a page, on the way.
		"w-120,h-480,cm-pad_resize_no_enlarge,bg-blurred_0", "e-distort-p-0_0_546_0_546_300_9_300,bg-teal",
		"e-distort-p-30_0_120_25_110_80_0_70,bg-teal",
		"e-distort-p-30_0_120_25_110_80_0_70", "e-distort-a-60,bg-white", "e-distort-a-N60",
	} {
		p := planned(t, e, src, chain)
		if p.Frames != 3 || p.Output.Format != plan.GIF {
			t.Fatalf("%s is planned as %v", chain, p)
		}
		got := strip(t, render(t, e, src, p).Bytes)
		for i := range frames {
			want := rendered(t, transformtest.GIF(7, frames[i]), chain+",f-png")
			if d := transformtest.Compare(part(got, image.Rect(i*p.Width, 0, (i+1)*p.Width, p.Height)), want); d.Mean > 6 {
				t.Errorf("%s: frame %d is %v from the still picture", chain, i, d)
			}
		}
	}
}

// part returns a copy of a window.
func part(img image.Image, window image.Rectangle) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, window.Dx(), window.Dy()))
	for y := range window.Dy() {
		for x := range window.Dx() {
			out.Set(x, y, img.At(window.Min.X+x, window.Min.Y+y))
		}
	}
	return out
}

// TestDominantColoursDoNotFlicker makes an animation whose frames have borders of different colours.
func TestDominantColoursDoNotFlicker(t *testing.T) {
	e := newEngine(t)
	src := transformtest.GIF(7, transformtest.Uniform(60, 40, color.NRGBA{R: 255, A: 255}), transformtest.Uniform(60, 40, color.NRGBA{B: 255, A: 255}), transformtest.Cutout(60, 40))
	for _, bg := range []string{"dominant", "gradient_dominant", "gradient_dominant_4"} {
		p := planned(t, e, src, "w-100,h-40,cm-pad_resize,bg-"+bg)
		file := render(t, e, src, p).Bytes
		if movie, err := gif.DecodeAll(bytes.NewReader(file)); err != nil || len(movie.Image) != 3 {
			t.Fatalf("%s: %v", bg, err)
		}
		img := strip(t, file)
		for i := range 3 {
			for _, x := range []int{2, 97} {
				if c := color.NRGBAModel.Convert(img.At(i*100+x, 20)).(color.NRGBA); c.R < 240 || c.G > 15 || c.B > 15 || c.A < 255 {
					t.Errorf("%s: frame %d is %v beside the picture, want the red of the first", bg, i, c)
				}
			}
		}
		if c := color.NRGBAModel.Convert(img.At(150, 20)).(color.NRGBA); c.B < 240 {
			t.Errorf("%s: the second frame is %v, want its own blue", bg, c)
		}
	}
}

// TestBarsAreBlurredAndDarker is worked example 59 of the URL language.
func TestBarsAreBlurredAndDarker(t *testing.T) {
	pic := transformtest.Picture(600, 600)
	src := transformtest.PNG(pic)
	darker := rendered(t, src, "bg-blurred_25_N30,w-800,h-600,cm-pad_resize,f-png")
	plain := rendered(t, src, "bg-blurred_25,w-800,h-600,cm-pad_resize,f-png")
	if size := darker.Bounds().Size(); size != (image.Point{X: 800, Y: 600}) {
		t.Fatalf("the result is %v", size)
	}
	if d := transformtest.Compare(part(darker, image.Rect(100, 0, 700, 600)), pic); d.Worst > 0 {
		t.Errorf("the picture itself is changed: %v", d)
	}
	for _, at := range []image.Point{{X: 5, Y: 300}, {X: 60, Y: 590}, {X: 790, Y: 100}, {X: 710, Y: 450}} {
		d, p := color.NRGBAModel.Convert(darker.At(at.X, at.Y)).(color.NRGBA), color.NRGBAModel.Convert(plain.At(at.X, at.Y)).(color.NRGBA)
		for c, pair := range [3][2]uint8{{d.R, p.R}, {d.G, p.G}, {d.B, p.B}} {
			if want := max(int(pair[1])-30, 0); int(pair[0]) != want {
				t.Errorf("channel %d at %v is %d, without N30 %d", c, at, pair[0], pair[1])
			}
		}
	}
}
