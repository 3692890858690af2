package vipsexec_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"slices"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// framesOfMovie are pictures of 64×48 that differ in many ways: by a mirror, by colours, and by transparency.
func framesOfMovie() []image.Image {
	pic := transformtest.Picture(64, 48)
	bar := transformtest.Uniform(64, 48, color.NRGBA{G: 102, B: 153, A: 255})
	draw.Draw(bar, image.Rect(10, 0, 26, 48), image.NewUniform(color.NRGBA{R: 255, G: 204, A: 255}), image.Point{}, draw.Src)
	hole := transformtest.Uniform(64, 48, color.NRGBA{R: 204, A: 255})
	draw.Draw(hole, image.Rect(30, 10, 60, 40), image.Transparent, image.Point{}, draw.Src)
	return []image.Image{pic, transformtest.Stored(pic, 2), bar, hole}
}

// movieTimes are those of its frames, in milliseconds.
var movieTimes = []int{20, 70, 350, 1000}

// movieGIF returns them as a GIF that is seen three times.
func movieGIF(t *testing.T) []byte {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(transformtest.GIF(5, framesOfMovie()...)))
	if err != nil {
		t.Fatal(err)
	}
	g.LoopCount = 2
	for i, ms := range movieTimes {
		g.Delay[i] = ms / 10
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// movieChains do everything that makes sense of an animation, each alone and some together.
var movieChains = []string{
	"w-32", "w-30,h-30", "w-30,h-30,c-force", "w-30,h-30,c-at_max", "w-30,h-30,c-at_least", "w-160", "w-40,dpr-2", "w-0.5",
	"w-20,h-30,cm-extract", "w-20,h-20,cm-extract,x-5,y-6", "w-20,h-20,cm-extract,xc-32,yc-24", "w-20,h-20,fo-bottom_right",
	"w-50,h-50,cm-pad_resize,bg-00FFCC", "w-90,h-70,cm-pad_extract", "w-50,h-50,cm-pad_resize,bg-FFFFFF00", "bg-FF6600",
	"rt-90", "rt-180", "rt-N90", "rt-30,bg-336699", "rt-10", "fl-h", "fl-v", "fl-h_v",
	"r-10", "r-max,bg-white", "r-4_9_0_20", "b-4_FF0000", "r-8,b-3_0000FF", "o-50", "o-50,bg-FFFFFF",
	"bl-4", "bl-40", "e-grayscale", "e-sharpen-10", "e-usm-2-2-0.8-0.02", "w-40:rt-90:fl-h,r-5",
}

func resolveFor(t *testing.T, e transform.Engine, src []byte, chain string, formats ...plan.Format) (plan.Plan, error) {
	t.Helper()
	c, err := syntax.Parse(chain)
	if err != nil {
		t.Fatalf("%s: %v", chain, err)
	}
	return transformtest.Resolve(t, e, src, c, plan.Hints{Accept: plan.SetOf(plan.WebP), Formats: formats}, plan.Limits{})
}

// TestAnimationsGoThroughEveryOperation does to an animation what is done to a picture, and compares each frame with the
// same done to that frame alone. The times of frames and how often all are seen stay.
func TestAnimationsGoThroughEveryOperation(t *testing.T) {
	e := newEngine(t)
	asGIF := movieGIF(t)
	asWebP := render(t, e, asGIF, plan.Plan{
		Load: plan.Load{Format: plan.GIF, Frames: len(movieTimes)}, Ops: []plan.Op{plan.Colour{}},
		Output: plan.Output{Format: plan.WebP, Lossless: true}, Width: 64, Height: 48, Frames: len(movieTimes),
	}).Bytes
	stills := stillsOf(t, asGIF, len(movieTimes))
	for name, src := range map[string][]byte{"gif": asGIF, "webp": asWebP} {
		for _, out := range []plan.Format{plan.GIF, plan.WebP} {
			for _, chain := range movieChains {
				t.Run(name+" to "+out.String()+" "+chain, func(t *testing.T) {
					p, err := resolveFor(t, e, src, chain)
					if err != nil {
						t.Fatal(err)
					}
					if p.Frames != len(movieTimes) || len(p.Warnings) > 0 {
						t.Fatalf("the plan is of %d frames, with %q", p.Frames, p.Warnings)
					}
					p.Output = plan.Output{Format: out, Lossless: out == plan.WebP}
					img := render(t, e, src, p)
					times, plays := timing(t, img)
					if !slices.Equal(times, movieTimes) || plays != 3 {
						t.Errorf("frames are seen for %v ms, %d times; want %v, 3 times", times, plays, movieTimes)
					}
					for i, got := range stillsOf(t, img.Bytes, len(movieTimes)) {
						p, err := resolveFor(t, e, transformtest.PNG(stills[i]), chain+",f-png")
						if err != nil {
							t.Fatal(err)
						}
						want := decodePNG(t, render(t, e, transformtest.PNG(stills[i]), p).Bytes)
						mean := 0.05
						if out == plan.GIF {
							// A palette, dithered, where one bit of alpha makes more of a difference than colours.
							mean, got, want = 4, opaqueParts(got, want), opaqueParts(want, want)
						}
						if d := transformtest.Compare(got, want); d.Mean > mean {
							t.Errorf("frame %d is %v from the same done to it alone", i, d)
						}
					}
				})
			}
		}
	}
}

// opaqueParts returns img on white where like is opaque, and white elsewhere.
func opaqueParts(img, like image.Image) image.Image {
	out := transformtest.Uniform(img.Bounds().Dx(), img.Bounds().Dy(), color.White)
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			if _, _, _, a := like.At(x, y).RGBA(); a == 0xffff {
				out.Set(x, y, img.At(x, y))
			}
		}
	}
	return out
}

// stillsOf returns the frames of an animation, as libvips decodes them.
func stillsOf(t *testing.T, src []byte, frames int) []image.Image {
	t.Helper()
	params := vips.NewImportParams()
	params.NumPages.Set(-1)
	roll, err := vips.LoadImageFromBuffer(src, params)
	if err != nil {
		t.Fatal(err)
	}
	defer roll.Close()
	if roll.Pages() != frames {
		t.Fatalf("there are %d frames, want %d", roll.Pages(), frames)
	}
	if err := errors.Join(roll.ToColorSpace(vips.InterpretationSRGB), roll.AddAlpha()); err != nil {
		t.Fatal(err)
	}
	pixels, err := roll.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	stills := make([]image.Image, frames)
	for i := range stills {
		img := image.NewNRGBA(image.Rect(0, 0, roll.Width(), roll.Height()/frames))
		copy(img.Pix, pixels[i*len(img.Pix):])
		stills[i] = img
	}
	return stills
}

// timing reads how long frames are seen, in milliseconds, and how often all are.
func timing(t *testing.T, img *transform.Image) (times []int, plays int) {
	t.Helper()
	if img.Format == plan.GIF {
		g, err := gif.DecodeAll(bytes.NewReader(img.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range g.Delay {
			times = append(times, 10*d)
		}
		return times, g.LoopCount + 1
	}
	for at := 12; at+8 <= len(img.Bytes); {
		size := int(binary.LittleEndian.Uint32(img.Bytes[at+4:]))
		switch data := img.Bytes[at+8:][:size]; string(img.Bytes[at : at+4]) {
		case "ANIM":
			plays = int(binary.LittleEndian.Uint16(data[4:]))
		case "ANMF":
			times = append(times, int(data[12])|int(data[13])<<8|int(data[14])<<16)
		}
		at += 8 + size + size&1
	}
	return times, plays
}

// TestNoOperationStopsAnAnimationUnseen goes through chains of all kinds, the examples of the parameters among them: an
// animation stays one, or the client is told why not.
func TestNoOperationStopsAnAnimationUnseen(t *testing.T) {
	e := newEngine(t)
	src := movieGIF(t)
	chains := slices.Concat(movieChains, []string{
		"q-30", "f-jpg", "f-png", "f-avif", "f-auto", "f-orig", "f-gif", "f-webp,lo-true", "f-jpg,pr-true", "md-true", "cp-true", "md-true,cp-true,w-20", "orig-true",
		"fo-auto,w-20,h-20", "cm-extract,fo-auto,w-20,h-20", "e-contrast", "e-contrast,rt-20,r-max,o-20", "f-png,lo-true,w-20",
	})
	for _, parameter := range syntax.Parameters() {
		if parameter.Example != "" && parameter.Missing == "" {
			chains = append(chains, parameter.Example)
		}
	}
	for _, chain := range chains {
		p, err := resolveFor(t, e, src, chain)
		if err != nil {
			limit, wrong := (*plan.LimitError)(nil), (*syntax.Error)(nil)
			if !errors.As(err, &limit) && !errors.As(err, &wrong) {
				t.Errorf("%s: %v is no error for the client", chain, err)
			}
			continue
		}
		if p.Original {
			continue
		}
		if p.Frames != len(movieTimes) && len(p.Warnings) == 0 && !asksForAStill(t, chain) {
			t.Errorf("%s: the plan is of %d frames without a warning", chain, p.Frames)
		}
		img := render(t, e, src, p)
		got, err := e.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
		if err != nil || (got.Frames > 1) != (p.Frames > 1) {
			t.Errorf("%s: the result has %d frames, %v; planned are %d", chain, got.Frames, err, p.Frames)
		}
	}
}

// asksForAStill reports whether a chain names a page or a format without animation.
func asksForAStill(t *testing.T, chain string) bool {
	t.Helper()
	c, err := syntax.Parse(chain)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range c {
		if _, paged := step.Item("pg"); paged {
			return true
		}
		switch f, _ := syntax.Get[syntax.Word](step, "f"); f {
		case "jpg", "png", "avif", "jxl":
			return true
		}
	}
	return false
}
