package vipsexec_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

var update = flag.Bool("update", false, "record what is rendered as golden; look at each file before committing it")

// golden is a picture that was looked at and found right.
type golden struct {
	name string
	src  []byte
	load plan.Load
	ops  []plan.Op
	w, h int
	out  plan.Output
}

func goldens() []golden {
	white := plan.Color{R: 255, G: 255, B: 255, A: 255}
	teal := plan.Color{R: 0, G: 128, B: 128, A: 255}
	pic := transformtest.PNG(transformtest.Picture(320, 200))
	cutout := transformtest.PNG(transformtest.Cutout(320, 200))
	half := plan.Resize{Width: 160, Height: 100}
	list := []golden{
		{name: "at-max", src: pic, ops: []plan.Op{half}, w: 160, h: 100},
		{name: "force", src: pic, ops: []plan.Op{plan.Resize{Width: 100, Height: 100}}, w: 100, h: 100},
		{name: "cover-centre", src: pic, ops: []plan.Op{half, plan.Crop{X: 30, Width: 100, Height: 100}}, w: 100, h: 100},
		{name: "extract-top-right", src: pic, ops: []plan.Op{plan.Crop{X: 200, Width: 120, Height: 90}}, w: 120, h: 90},
		{name: "smart-crop", src: pic, ops: []plan.Op{half, plan.SmartCrop{Width: 80, Height: 100}}, w: 80, h: 100},
		{name: "pad-colour", src: pic, ops: []plan.Op{half, plan.Embed{Y: 30, Width: 160, Height: 160, Background: teal}}, w: 160, h: 160},
		{name: "pad-transparent", src: pic, ops: []plan.Op{half, plan.Embed{X: 20, Width: 200, Height: 100}}, w: 200, h: 100},
		{name: "enlarged", src: transformtest.PNG(transformtest.Picture(64, 40)), ops: []plan.Op{plan.Resize{Width: 256, Height: 160}}, w: 256, h: 160},
		{name: "alpha", src: cutout, ops: []plan.Op{half}, w: 160, h: 100},
		{name: "alpha-flattened", src: cutout, ops: []plan.Op{half, plan.Flatten{Background: teal}}, w: 160, h: 100},
		{name: "alpha-on-translucent", src: cutout, ops: []plan.Op{half, plan.Flatten{Background: plan.Color{R: 128, A: 128}}}, w: 160, h: 100},
		{name: "grey", src: transformtest.PNG(greyPicture()), ops: []plan.Op{half}, w: 160, h: 100},
		{name: "cmyk", src: transformtest.File("cmyk.jpg"), w: 48, h: 32},
		{name: "cmyk-profile", src: transformtest.WithProfile(transformtest.File("cmyk.jpg"), transformtest.File("cmyk.icc")), w: 48, h: 32},
		{name: "display-p3", src: transformtest.WithProfile(transformtest.JPEG(transformtest.Picture(320, 200)), transformtest.File("displayp3.icc")), ops: []plan.Op{half}, w: 160, h: 100},
		{name: "adobe-rgb", src: transformtest.WithProfile(transformtest.JPEG(transformtest.Picture(320, 200)), transformtest.File("adobergb.icc")), ops: []plan.Op{half}, w: 160, h: 100},
		{name: "jpeg-shrunk", src: transformtest.JPEG(transformtest.Picture(1283, 801)), load: plan.Load{Shrink: 4}, ops: []plan.Op{half}, w: 160, h: 100},
		{name: "svg", src: []byte(transformtest.Drawing), load: plan.Load{Scale: 1.5}, ops: []plan.Op{plan.Resize{Width: 180, Height: 120}}, w: 180, h: 120},
		{name: "svg-view-box", src: []byte(transformtest.ViewBoxDrawing), w: 158, h: 33},
		{name: "low-jpeg", src: pic, ops: []plan.Op{half}, w: 160, h: 100, out: plan.Output{Format: plan.JPEG, Quality: 30, Progressive: true}},
		{name: "low-webp", src: cutout, ops: []plan.Op{half}, w: 160, h: 100, out: plan.Output{Format: plan.WebP, Quality: 30}},
		{name: "low-avif", src: cutout, ops: []plan.Op{half}, w: 160, h: 100, out: plan.Output{Format: plan.AVIF, Quality: 30}},
		{name: "low-jxl", src: cutout, ops: []plan.Op{half}, w: 160, h: 100, out: plan.Output{Format: plan.JXL, Quality: 30}},
		{name: "palette-png", src: cutout, ops: []plan.Op{half, plan.Flatten{Background: white}}, w: 160, h: 100, out: plan.Output{Format: plan.PNG, Palette: true, Quality: 60}},
	}
	for o := 1; o <= 8; o++ {
		upright := transformtest.Picture(320, 200)
		g := golden{name: "upright", src: transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(upright, o)), o), w: 160, h: 100}
		size := half
		if o >= 5 {
			size.Width, size.Height = size.Height, size.Width
		}
		g.ops = []plan.Op{size}
		if o > 1 {
			g.ops = append(g.ops, plan.Orient{Orientation: o})
		}
		list = append(list, g)
	}
	return list
}

func greyPicture() image.Image {
	img := image.NewGray(image.Rect(0, 0, 320, 200))
	draw.Draw(img, img.Bounds(), transformtest.Picture(320, 200), image.Point{}, draw.Src)
	return img
}

func TestGoldenImages(t *testing.T) {
	e := newEngine(t)
	for i, g := range goldens() {
		t.Run(fmt.Sprintf("%02d %s", i, g.name), func(t *testing.T) {
			if g.out.Format == plan.Unknown {
				g.out = plan.Output{Format: plan.PNG}
			}
			if !e.Writable().Has(g.out.Format) {
				t.Skipf("this libvips doesn't write %v", g.out.Format)
			}
			g.load.Format, g.load.Frames = transform.Sniff(g.src), 1
			p := plan.Plan{Load: g.load, Ops: append([]plan.Op{}, g.ops...), Output: g.out, Width: g.w, Height: g.h, Frames: 1}
			p.Ops = append(p.Ops, plan.Colour{})
			img := render(t, e, g.src, p)
			if g.out.Format != plan.PNG {
				img = render(t, e, img.Bytes, plan.Plan{Load: plan.Load{Format: g.out.Format}, Ops: []plan.Op{plan.Colour{}}, Output: plan.Output{Format: plan.PNG}, Width: g.w, Height: g.h, Frames: 1})
			}
			compareGolden(t, g.name, decodePNG(t, img.Bytes))
		})
	}
	t.Run("animation", func(t *testing.T) {
		pic := transformtest.Picture(120, 80)
		src := transformtest.GIF(7, pic, transformtest.Stored(pic, 2), transformtest.Cutout(120, 80))
		img := render(t, e, src, plan.Plan{
			Load: plan.Load{Format: plan.GIF, Frames: 3}, Ops: []plan.Op{plan.Resize{Width: 81, Height: 54}, plan.Colour{}},
			Output: plan.Output{Format: plan.WebP, Quality: 90}, Width: 81, Height: 54, Frames: 3,
		})
		img = render(t, e, img.Bytes, plan.Plan{
			Load: plan.Load{Format: plan.WebP, Frames: 3}, Output: plan.Output{Format: plan.GIF}, Width: 81, Height: 54, Frames: 3,
		})
		compareGolden(t, "animation", strip(t, img.Bytes))
	})
}

// strip returns the frames of a GIF side by side, as they are seen.
func strip(t *testing.T, file []byte) image.Image {
	t.Helper()
	g, err := gif.DecodeAll(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	w, h := g.Config.Width, g.Config.Height
	out, canvas := image.NewNRGBA(image.Rect(0, 0, w*len(g.Image), h)), image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, frame := range g.Image {
		draw.Draw(canvas, frame.Bounds(), frame, frame.Bounds().Min, draw.Over)
		draw.Draw(out, image.Rect(i*w, 0, (i+1)*w, h), canvas, image.Point{}, draw.Src)
		if g.Disposal[i] == gif.DisposalBackground {
			draw.Draw(canvas, frame.Bounds(), image.NewUniform(color.Transparent), image.Point{}, draw.Src)
		}
	}
	return out
}

func compareGolden(t *testing.T, name string, got image.Image) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".png")
	if *update {
		if err := os.WriteFile(path, transformtest.PNG(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// What other versions of the libraries may change; nobody sees it.
	if d := transformtest.Compare(got, decodePNG(t, file)); d.Mean > 1 || d.Worst > 5 {
		t.Errorf("%v from %s", d, path)
	}
}

func render(t testing.TB, e transform.Engine, src []byte, p plan.Plan) *transform.Image {
	t.Helper()
	img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p)
	if err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	return img
}

func decodePNG(t *testing.T, file []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
