package transformtest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// probes checks what Probe finds in the header of each kind of file.
func (s suite) probes(t *testing.T) {
	for _, tt := range samples() {
		t.Run(tt.name, func(t *testing.T) {
			s.need(t, tt.source.Format)
			got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: tt.bytes})
			if err != nil {
				t.Fatal(err)
			}
			got.Quality = 0 // see qualities
			if got != tt.source {
				t.Errorf("got  %+v\nwant %+v", got, tt.source)
			}
		})
	}
	for o := 1; o <= 8; o++ {
		src := WithOrientation(JPEG(Stored(Picture(60, 40), o)), o)
		got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: src})
		if err != nil {
			t.Fatal(err)
		}
		if w, h := got.Upright(); got.Orientation != o || w != 60 || h != 40 {
			t.Errorf("orientation %d: got %d and %dx%d upright, want 60x40", o, got.Orientation, w, h)
		}
	}
	src := WithOrientation(JPEG(Picture(60, 40)), 9)
	if got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: src}); err != nil || got.Orientation != 1 {
		t.Errorf("orientation 9, which doesn't exist: got %d and %v, want 1", got.Orientation, err)
	}
}

// formats checks that everything that is read can become everything that is written.
func (s suite) formats(t *testing.T) {
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.WebP, plan.GIF} {
		if !s.engine.Writable().Has(f) {
			t.Errorf("%v is not written; every engine must", f)
		}
	}
	if s.engine.Version() == "" {
		t.Error("the engine has no version")
	}
	for _, progressive := range []bool{false, true} {
		img := s.render(t, PNG(Picture(60, 40)), to(still(plan.PNG, 60, 40), plan.Output{Format: plan.JPEG, Progressive: progressive}))
		if got := bytes.Contains(img.Bytes, []byte("\xff\xc2")); got != progressive { // the marker of a progressive frame
			t.Errorf("the jpeg is progressive: %v, want %v", got, progressive)
		}
	}
	lossless := s.render(t, PNG(Picture(60, 40)), to(still(plan.PNG, 60, 40), plan.Output{Format: plan.WebP, Lossless: true}))
	expect(t, s.pixels(t, lossless), Picture(60, 40), 0)
	for _, f := range []plan.Format{plan.JPEG, plan.WebP, plan.AVIF, plan.JXL} {
		if !s.engine.Writable().Has(f) {
			continue
		}
		low := s.render(t, PNG(Picture(200, 150)), to(still(plan.PNG, 200, 150), plan.Output{Format: f, Quality: 30}))
		high := s.render(t, PNG(Picture(200, 150)), to(still(plan.PNG, 200, 150), plan.Output{Format: f, Quality: 95}))
		if len(low.Bytes) >= len(high.Bytes) {
			t.Errorf("%v of quality 30 has %d bytes, of quality 95 %d", f, len(low.Bytes), len(high.Bytes))
		}
	}
	for _, tt := range samples() {
		for _, f := range s.engine.Writable().Formats() {
			t.Run(tt.name+" to "+f.String(), func(t *testing.T) {
				s.need(t, tt.source.Format)
				ops := []plan.Op{plan.Resize{Width: 24, Height: 18}, plan.Colour{}}
				if !f.Alpha() {
					ops = append(ops, plan.Flatten{Background: plan.Color{R: 255, G: 255, B: 255, A: 255}})
				}
				p := to(still(tt.source.Format, 24, 18, ops...), plan.Output{Format: f})
				s.pixels(t, s.render(t, tt.bytes, p))
			})
		}
	}
}

// failures checks that what can't be read is told apart: what is no picture, and what is a damaged one.
func (s suite) failures(t *testing.T) {
	pdf := transform.Broken
	if !s.engine.Readable().Has(plan.PDF) {
		pdf = transform.Unsupported
	}
	for _, tt := range []struct {
		name  string
		bytes string
		want  transform.Kind
	}{
		{"nothing", "", transform.Unsupported},
		{"text", "hello, world", transform.Unsupported},
		{"html with a drawing", "<html><body><svg/></body></html>", transform.Unsupported},
		{"bmp", "BM" + strings.Repeat("\x00", 100), transform.Unsupported},
		{"pdf", "%PDF-1.4\n" + strings.Repeat("0", 100), pdf},
		{"ppm", "P6\n1 1\n255\nabc", transform.Unsupported},
		{"jpeg 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n" + strings.Repeat("\x00", 100), transform.Unsupported},
		{"jpeg of one byte more than its mark", "\xff\xd8\xff\xe0", transform.Broken},
		{"jpeg of noise", "\xff\xd8\xff" + strings.Repeat("noise", 50), transform.Broken},
		{"png of a header", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", transform.Broken},
		{"gif of a header", "GIF89a\x01\x00\x01\x00", transform.Broken},
		{"webp of a header", "RIFF\x10\x00\x00\x00WEBPVP8 ", transform.Broken},
		{"tiff of a header", "II*\x00\x08\x00\x00\x00\x00\x00\x00\x00", transform.Broken},
		{"avif of a header", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif", transform.Broken},
		{"heic of a header", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", transform.Broken},
		{"jxl of a header", "\xff\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", transform.Broken},
		{"svg without an end", "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect", transform.Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.need(t, transform.Sniff([]byte(tt.bytes)))
			_, err := s.engine.Probe(t.Context(), transform.Original{Bytes: []byte(tt.bytes)})
			s.wantKind(t, "probe", err, tt.want)
			p := still(transform.Sniff([]byte(tt.bytes)), 10, 10, plan.Resize{Width: 10, Height: 10})
			_, err = s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: []byte(tt.bytes)}}, p)
			s.wantKind(t, "render", err, tt.want)
		})
	}
	for _, tt := range samples() {
		if tt.source.Format == plan.SVG {
			continue // not binary: its case is above
		}
		t.Run("half of "+tt.name, func(t *testing.T) {
			s.need(t, tt.source.Format)
			p := still(tt.source.Format, 10, 10, plan.Resize{Width: 10, Height: 10}, plan.Colour{})
			_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: tt.bytes[:len(tt.bytes)/2]}}, p)
			s.wantKind(t, "render", err, transform.Broken)
		})
	}
	t.Run("longer than the format can be", func(t *testing.T) {
		p := to(still(plan.PNG, 16384, 1, plan.Resize{Width: 16384, Height: 1}), plan.Output{Format: plan.WebP})
		_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: PNG(Picture(60, 40))}}, p)
		s.wantKind(t, "render", err, transform.TooLarge)
	})
	t.Run("a result of another size than planned is never given out", func(t *testing.T) {
		for _, p := range []plan.Plan{
			still(plan.PNG, 30, 21, plan.Resize{Width: 30, Height: 20}),
			still(plan.PNG, 60, 40, plan.Crop{X: 50, Width: 20, Height: 20}),
		} {
			_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: PNG(Picture(60, 40))}}, p)
			s.wantKind(t, "render", err, transform.Internal)
		}
	})
}

func (s suite) wantKind(t *testing.T, what string, err error, want transform.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one of kind %v", what, want)
		return
	}
	if got := transform.KindOf(err); got != want {
		t.Errorf("%s: %v is of kind %v, want %v", what, err, got, want)
	}
	if text := err.Error(); strings.ContainsAny(text, "\n\t") || strings.Contains(text, "goroutine") {
		t.Errorf("%s: the error is more than a line: %q", what, text)
	}
}
