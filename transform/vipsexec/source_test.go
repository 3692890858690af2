package vipsexec_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// islet is a drawing with nothing around it.
const islet = `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="80"><circle cx="60" cy="30" r="20" fill="#ff8c1e"/>
<rect x="30" y="50" width="40" height="12" fill="#283cd2"/></svg>`

func TestGoldenTrims(t *testing.T) {
	white, clear := color.NRGBA{R: 255, G: 255, B: 255, A: 255}, color.NRGBA{}
	framed := transformtest.Framed(160, 100, white, 40, 24, 64, 48)
	cutout := transformtest.Uniform(220, 160, clear)
	draw.Draw(cutout, image.Rect(20, 40, 180, 140), transformtest.Cutout(160, 100), image.Point{}, draw.Src)
	for _, tt := range []struct {
		name, chain string
		src         []byte
	}{
		{"trim-noise", "t-true,f-png", transformtest.PNG(transformtest.Noisy(framed))},
		{"trim-noise-too-low", "t-1,f-png", transformtest.PNG(transformtest.Noisy(framed))},
		{"trim-cutout", "t-true,f-png", transformtest.PNG(cutout)},
		{"trim-jpeg", "t-true,f-png", transformtest.JPEG(framed)},
		{"trim-turned-jpeg", "t-true,w-120,f-png", transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(framed, 6)), 6)},
		{"trim-after-padding", "w-200,h-150,cm-pad_resize,bg-teal:rt-10,bg-teal:t-true:b-6_navy,f-png", transformtest.JPEG(transformtest.Picture(160, 100))},
		{"trim-svg", "dn-144,t-true,bg-white,f-png", []byte(islet)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compareGolden(t, tt.name, rendered(t, tt.src, tt.chain))
		})
	}
}

func TestGoldenStills(t *testing.T) {
	e := newEngine(t)
	pic := transformtest.Picture(120, 80)
	for _, tt := range []struct {
		name, chain string
		src         []byte
	}{
		{"page-2-gif", "pg-2,f-png", transformtest.GIF(7, pic, transformtest.Stored(pic, 2), transformtest.Cutout(120, 80))},
		{"page-3-gif", "pg-3,f-png", transformtest.GIF(7, pic, transformtest.Stored(pic, 2), transformtest.Cutout(120, 80))},
		{"page-2-tiff", "pg-2,w-100,f-png", transformtest.TIFF(pic, transformtest.Picture(90, 160))},
		{"density-svg", "dn-144,f-png", []byte(transformtest.Drawing)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain, err := syntax.Parse(tt.chain)
			if err != nil {
				t.Fatal(err)
			}
			p, err := transformtest.Resolve(t, e, tt.src, chain, plan.Hints{Still: true}, plan.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, tt.name, decodePNG(t, render(t, e, tt.src, p).Bytes))
		})
	}
}

// TestTrimIsOfTheSamePictureInEveryStep compares a trim with the crop of what it is known to leave.
func TestTrimIsOfTheSamePictureInEveryStep(t *testing.T) {
	white := color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	src := transformtest.PNG(transformtest.Framed(160, 100, white, 40, 24, 64, 48))
	for _, tt := range []struct{ trim, crop string }{
		{"t-true,w-80,f-png", "w-160,h-100,cm-extract,x-40,y-24:w-80,f-png"},
		{"fl-h:t-true,f-png", "fl-h:w-160,h-100,cm-extract,x-64,y-24,f-png"},
		{"rt-90:t-true:w-50,h-50,f-png", "rt-90:w-100,h-160,cm-extract,x-48,y-40:w-50,h-50,f-png"},
		{"t-true:if-w_eq_160,e-grayscale,if-end:f-png", "w-160,h-100,cm-extract,x-40,y-24:e-grayscale,f-png"},
		{"if-ar_gt_1,t-true,if-end:f-png", "w-160,h-100,cm-extract,x-40,y-24,f-png"},
		{"t-true:b-9_red:t-true,f-png", "w-160,h-100,cm-extract,x-40,y-24,f-png"},
	} {
		got, want := rendered(t, src, tt.trim), rendered(t, src, tt.crop)
		if d := transformtest.Compare(got, want); got.Bounds() != want.Bounds() || d.Worst > 0 {
			t.Errorf("%s: %v of %v from %s, %v", tt.trim, got.Bounds().Size(), d, tt.crop, want.Bounds().Size())
		}
	}
}

// TestEveryKindOfFileCanBeTrimmed makes stills and animations of a chain with everything that is read from a file.
func TestEveryKindOfFileCanBeTrimmed(t *testing.T) {
	e := newEngine(t)
	white := color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	framed := transformtest.Framed(60, 40, white, 10, 10, 20, 20)
	sources := map[string][]byte{
		"jpeg": transformtest.JPEG(framed), "png": transformtest.PNG(framed), "grey": transformtest.PNG(greyOf(framed)),
		"p3":   transformtest.WithProfile(transformtest.JPEG(framed), transformtest.File("displayp3.icc")),
		"cmyk": transformtest.WithProfile(transformtest.File("cmyk.jpg"), transformtest.File("cmyk.icc")),
		"gif":  transformtest.GIF(7, framed, transformtest.Uniform(90, 70, white), transformtest.Cutout(90, 70)),
		"tiff": transformtest.TIFF(transformtest.Picture(31, 20), framed), "svg": []byte(transformtest.Drawing),
		"webp": transformtest.File("animated.webp"), "alpha": transformtest.File("alpha.webp"),
	}
	for name, src := range sources {
		for _, text := range []string{
			"t-true", "t-40,cp-true,md-true", "t-true,w-30,h-30,fo-auto,f-png", "dn-200,t-9:w-50:t-3,f-jpg", "dn-144,w-40,rt-30:t-true,f-webp",
			"e-contrast,t-true:if-ar_gt_1,t-5,bl-2,if-else,rt-90,if-end:f-png",
		} {
			chain, err := syntax.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, still := range []bool{false, true} {
				if still && name == "tiff" {
					chain = append(syntax.Chain{{Items: []syntax.Item{{Name: "pg", Value: syntax.Integer(2)}}}}, chain...)
				}
				p, err := transformtest.Resolve(t, e, src, chain, plan.Hints{Still: still, Accept: plan.SetOf(plan.WebP)}, plan.Limits{OutputPixels: 1 << 22})
				if err != nil || p.Original {
					if err != nil {
						t.Errorf("%s %q: %v", name, text, err)
					}
					continue
				}
				img := render(t, e, src, p)
				got, err := e.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
				if err != nil || got.Width != p.Width || got.Height != p.Height || still && got.Frames > 1 {
					t.Errorf("%s %q: got %+v, %v, planned are %dx%d", name, text, got, err, p.Width, p.Height)
				}
			}
		}
	}
}

func greyOf(img image.Image) image.Image {
	out := image.NewGray(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}

// TestAJPEGTellsItsDensityInTheFirstSegment reads the bytes of JFIF, as programs for print do.
func TestAJPEGTellsItsDensityInTheFirstSegment(t *testing.T) {
	e := newEngine(t)
	p := planned(t, e, transformtest.PNG(transformtest.Picture(60, 40)), "dn-300,f-jpg")
	file := render(t, e, transformtest.PNG(transformtest.Picture(60, 40)), p).Bytes
	want := append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x01\x2c\x01\x2c\x00\x00"), 0xff)
	if !bytes.HasPrefix(file, want) {
		t.Errorf("the file begins with % x, want % x", file[:len(want)], want)
	}
	if n := bytes.Count(file, []byte("JFIF\x00")); n != 1 {
		t.Errorf("there are %d such segments", n)
	}
	png := render(t, e, file, planned(t, e, file, "dn-idn_div_2,f-png")).Bytes
	at := bytes.Index(png, []byte("pHYs"))
	if at < 0 || binary.BigEndian.Uint32(png[at+4:]) != 5906 || png[at+12] != 1 { // 150 / 25.4 × 1000
		t.Errorf("the png tells no 5906 dots a metre: % x", png[:80])
	}
}
