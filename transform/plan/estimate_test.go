package plan_test

import (
	"math"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// phone is what a phone takes.
var phone = plan.Source{Format: plan.JPEG, Width: 4000, Height: 3000, Orientation: 1, Frames: 1}

func resolved(t *testing.T, text string, s plan.Source, h plan.Hints) plan.Plan {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	h.Writable = everything.With(plan.JXL)
	p, err := plan.Resolve(c, plan.Sources{Base: s}, h, plan.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMemoryIsWhatDecoderOpsAndEncoderHold(t *testing.T) {
	large, whole := phone, phone
	large.Width, large.Height = 12000, 9000
	whole.Whole = 3
	cutout := plan.Source{Format: plan.PNG, Width: 4000, Height: 3000, Orientation: 1, Frames: 1, Alpha: true}
	webp := plan.Source{Format: plan.WebP, Width: 4000, Height: 3000, Orientation: 1, Frames: 1}
	movie := plan.Source{Format: plan.GIF, Width: 800, Height: 600, Orientation: 1, Frames: 40, Pages: 40, Alpha: true}
	for _, tt := range []struct {
		name        string
		text        string
		source      plan.Source
		least, most int64 // MiB
	}{
		{"a thumbnail, decoded small", "w-400,f-jpg", phone, 4, 10},
		{"one of a hundred megapixels", "w-400,f-jpg", large, 4, 12},
		{"one of a progressive file", "w-400,f-jpg", whole, 38, 45},
		{"a picture that goes by lines", "q-80,f-jpg", phone, 45, 75},
		{"turned", "rt-90,f-jpg", phone, 80, 110},
		{"turned and with a shape", "rt-90,r-max,bg-red,f-jpg", phone, 114, 145},
		{"a WebP", "q-80,f-webp", phone, 70, 95},
		{"a WebP with transparency", "q-80,f-webp", cutout, 260, 310},
		{"an AVIF", "q-50,f-avif", phone, 235, 270},
		{"a JPEG XL", "f-jxl", phone, 490, 520},
		{"a WebP that is decoded whole", "w-3000,f-jpg", webp, 110, 160},
		{"an animation", "w-400,f-webp", movie, 105, 135},
		{"one frame of it", "w-400,f-jpg", movie, 8, 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := resolved(t, tt.text, tt.source, plan.Hints{}).Memory; got < tt.least<<20 || got > tt.most<<20 {
				t.Errorf("%s of %v: %d MiB, want %d to %d", tt.text, tt.source, got>>20, tt.least, tt.most)
			}
		})
	}
}

// Of several encodings one is made after the other, from pixels that are held.
func TestTheSmallestOfSeveralHoldsThePixels(t *testing.T) {
	hints := plan.Hints{Accept: plan.SetOf(plan.AVIF, plan.WebP), Formats: []plan.Format{plan.AVIF, plan.WebP}}
	one := resolved(t, "w-2000", phone, hints)
	hints.Smallest = true
	several := resolved(t, "w-2000", phone, hints)
	if got, want := several.Memory-one.Memory, int64(2000*1500*3); got != want {
		t.Errorf("the smallest of %d files takes %d bytes more than one, want %d", len(several.Outputs()), got, want)
	}
	if several.Work <= one.Work {
		t.Errorf("the smallest takes %v, one file %v", several.Work, one.Work)
	}
}

func TestEstimatesAreNeverLessThanNothing(t *testing.T) {
	vast := plan.Source{Format: plan.SVG, Width: 10_000_000, Height: 10_000_000, Orientation: 1, Frames: 1}
	for _, text := range []string{"f-png", "f-avif,rt-3", "w-65535,h-65535,c-force,f-jxl"} {
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Resolve(c, plan.Sources{Base: vast}, plan.Hints{Writable: everything.With(plan.JXL)}, plan.Limits{})
		if err == nil && (p.Memory <= 0 || p.Work <= 0 || p.Memory > math.MaxInt64/2) {
			t.Errorf("%s: %d bytes, %v", text, p.Memory, p.Work)
		}
	}
	if p := resolved(t, "orig-true", phone, plan.Hints{}); p.Memory != 0 || p.Work != 0 || p.Slow() {
		t.Errorf("the original as it is: %d bytes, %v", p.Memory, p.Work)
	}
}

func TestSlowIsWhatWouldHoldUpTenOthers(t *testing.T) {
	movie := plan.Source{Format: plan.GIF, Width: 800, Height: 600, Orientation: 1, Frames: 40, Pages: 40}
	short := movie
	short.Frames, short.Pages = 5, 5
	for _, tt := range []struct {
		name   string
		text   string
		source plan.Source
		slow   bool
	}{
		{"a thumbnail", "w-400,f-jpg", phone, false},
		{"one as AVIF", "w-400,f-avif", phone, false},
		{"an AVIF for a screen", "w-1600,f-avif", phone, false},
		{"an AVIF of 12 megapixels", "q-50,f-avif", phone, true},
		{"a JPEG of 12 megapixels", "q-80,f-jpg", phone, false},
		{"a JPEG XL of 12 megapixels", "f-jxl", phone, true},
		{"a lossless WebP of 12 megapixels", "lo-true,f-webp", phone, true},
		{"a long animation", "w-400,f-webp", movie, true},
		{"a short one", "w-400,f-webp", short, false},
		{"one frame", "w-400,f-jpg", movie, false},
		{"a bend of 12 megapixels", "e-distort-a-45,bg-red,f-jpg", phone, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p := resolved(t, tt.text, tt.source, plan.Hints{}); p.Slow() != tt.slow {
				t.Errorf("%s takes about %v: slow is %v, want %v", tt.text, p.Work, p.Slow(), tt.slow)
			}
		})
	}
}

// Looks are remembered by their text, which estimates must not change.
func TestLooksAreEstimatedAndNamedWithoutThat(t *testing.T) {
	c, err := syntax.Parse("rt-90:t-true")
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Resolve(c, plan.Sources{Base: phone}, plan.Hints{Writable: everything}, plan.Limits{})
	unseen, ok := err.(*plan.Unseen)
	if !ok {
		t.Fatalf("got %v", err)
	}
	look := unseen.Look
	if mib := look.Memory >> 20; mib < 60 || mib > 100 || look.Work <= 0 {
		t.Errorf("a look at a turned picture: %d MiB, %v", mib, look.Work)
	}
	text := look.String()
	look.Memory, look.Work = 1, 2
	if look.String() != text {
		t.Errorf("the estimates are in %q", text)
	}
}

func TestTooMuchMemoryTellsWholeMebibytes(t *testing.T) {
	err := plan.TooMuchMemory(1<<30+1, 1<<30)
	if got := err.Error(); !strings.HasPrefix(got, "about 1,025 MiB of memory would be needed, and at most 1,024 MiB are allowed;") || !strings.HasSuffix(got, "(limit memory)") {
		t.Errorf("got %q", got)
	}
}
