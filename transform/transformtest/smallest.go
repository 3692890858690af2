package transformtest

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// qualities checks that the quality of a JPEG is read from its header, and of others is unknown.
func (s suite) qualities(t *testing.T) {
	for _, quality := range []int{1, 2, 10, 33, 50, 75, 80, 95, 100} {
		var file bytes.Buffer
		must(jpeg.Encode(&file, Picture(60, 40), &jpeg.Options{Quality: quality}))
		got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: file.Bytes()})
		if err != nil || got.Quality != quality {
			t.Errorf("a JPEG of quality %d: got %d, %v", quality, got.Quality, err)
		}
		img := s.render(t, PNG(Picture(60, 40)), to(still(plan.PNG, 60, 40), plan.Output{Format: plan.JPEG, Quality: quality}))
		got, err = s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
		if err != nil || got.Quality != quality {
			t.Errorf("a JPEG that the engine wrote at quality %d: got %d, %v", quality, got.Quality, err)
		}
	}
	for _, tt := range samples() {
		if tt.source.Format == plan.JPEG || slices.Contains(s.unread, tt.source.Format) {
			continue
		}
		if got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: tt.bytes}); err != nil || got.Quality != 0 {
			t.Errorf("%s: got quality %d, %v; want none", tt.name, got.Quality, err)
		}
	}
}

// grain returns a picture of noise, which compresses badly where nothing is lost.
func grain(width, height int) *image.NRGBA {
	random := rand.New(rand.NewPCG(3, 4))
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.IntN(256))
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

// smallest checks that the smallest of several encodings is returned, byte for byte what it is alone.
func (s suite) smallest(t *testing.T) {
	jpg, png := plan.Output{Format: plan.JPEG, Quality: 50}, plan.Output{Format: plan.PNG}
	webp, bad := plan.Output{Format: plan.WebP, Quality: 50}, plan.Output{Format: plan.JPEG, Quality: 99}
	small := plan.Resize{Width: 100, Height: 80}
	turned := []plan.Op{small, plan.Colour{}, plan.Rotate{Degrees: 90, Width: 80, Height: 100}}
	withProfile := func(o plan.Output) plan.Output {
		o.KeepMetadata, o.KeepProfile = true, true
		return o
	}
	photo := WithProfile(WithOrientation(JPEG(grain(200, 160)), 1), File("displayp3.icc"))
	for _, tt := range []struct {
		name    string
		src     []byte
		plan    plan.Plan
		outputs []plan.Output
		want    plan.Format
	}{
		{"noise is no PNG", PNG(grain(200, 160)), still(plan.PNG, 100, 80, small, plan.Colour{}), []plan.Output{png, jpg}, plan.JPEG},
		{"a plain area is", PNG(Uniform(200, 160, Blue)), still(plan.PNG, 100, 80, small, plan.Colour{}), []plan.Output{bad, png}, plan.PNG},
		{"the first of three", PNG(grain(200, 160)), still(plan.PNG, 100, 80, small, plan.Colour{}), []plan.Output{jpg, bad, png}, plan.JPEG},
		{"a source that is read once", JPEG(grain(200, 160)), still(plan.JPEG, 200, 160, plan.Colour{}), []plan.Output{png, webp, jpg}, plan.Unknown},
		{"turned", JPEG(grain(200, 160)), still(plan.JPEG, 80, 100, turned...), []plan.Output{png, webp, jpg}, plan.Unknown},
		{"transparency", PNG(Cutout(200, 160)), still(plan.PNG, 100, 80, small, plan.Colour{}), []plan.Output{webp, png}, plan.Unknown},
		{
			"metadata and a profile", photo, still(plan.JPEG, 100, 80, small, plan.Colour{KeepProfile: true}),
			[]plan.Output{withProfile(png), withProfile(webp), withProfile(jpg)},
			plan.Unknown,
		},
		{"equal ones", PNG(grain(200, 160)), still(plan.PNG, 100, 80, small, plan.Colour{}), []plan.Output{jpg, jpg}, plan.JPEG},
		{
			"an animation", GIF(7, Picture(60, 40), Stored(Picture(60, 40), 2), Uniform(60, 40, Blue)), frames(still(plan.GIF, 30, 20,
				plan.Resize{Width: 30, Height: 20}, plan.Colour{}), 3), []plan.Output{webp, {Format: plan.GIF}}, plan.Unknown,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var least *transform.Image
			for _, o := range tt.outputs {
				p := tt.plan
				p.Output = o
				if alone := s.render(t, tt.src, p); least == nil || len(alone.Bytes) < len(least.Bytes) {
					least = alone
				}
			}
			p := tt.plan
			p.Output, p.Alternatives = tt.outputs[0], tt.outputs[1:]
			got, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: tt.src}}, p)
			if err != nil {
				t.Fatal(err)
			}
			if got.Format != least.Format || got.Width != p.Width || got.Height != p.Height || got.Frames != p.Frames || !bytes.Equal(got.Bytes, least.Bytes) {
				t.Errorf("got %d bytes of %v, the smallest alone has %d of %v", len(got.Bytes), got.Format, len(least.Bytes), least.Format)
			}
			if tt.want != plan.Unknown && got.Format != tt.want {
				t.Errorf("got %v, want %v", got.Format, tt.want)
			}
		})
	}
}

// frames has p load and show that many.
func frames(p plan.Plan, n int) plan.Plan {
	p.Load.Frames, p.Frames = n, n
	return p
}
