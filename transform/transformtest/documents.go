package transformtest

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// paper is what pages are drawn on.
var paper = color.NRGBA{R: 255, G: 255, B: 255, A: 255}

// documents checks that each page of a PDF can be seen, on white, as large and as sharp as is asked for. An engine that
// doesn't read PDF has nothing to show.
func (s suite) documents(t *testing.T) {
	if !s.engine.Readable().Has(plan.PDF) {
		return
	}
	document := PDF(Page(200, 100), Page(80, 120), PDFPage{Width: 120, Height: 60, Rotate: 90, Boxes: Page(120, 60).Boxes},
		PDFPage{Width: 300, Height: 60, Text: "Hello, paper"})
	t.Run("header", func(t *testing.T) {
		for page, size := range [][2]int{{200, 100}, {80, 120}, {60, 120}, {300, 60}} {
			got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: document, Page: page})
			want := plan.Source{Format: plan.PDF, Width: size[0], Height: size[1], Orientation: 1, Frames: 1, Pages: 4, Page: page, Density: 72}
			if err != nil || got != want {
				t.Errorf("page %d: got %+v, %v, want %+v", page, got, err, want)
			}
		}
		got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: document, Page: 4})
		if err != nil || got.Page != 0 || got.Width != 200 || got.Pages != 4 {
			t.Errorf("beyond the last page: got %+v, %v, want the first", got, err)
		}
	})
	for _, tt := range []struct {
		name, chain   string
		width, height int
		corners       [4]color.NRGBA // top left, top right, bottom left, bottom right
	}{
		{"the first page at its own size", "f-png", 200, 100, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"the second", "pg-2,f-png", 80, 120, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"a turned one", "pg-3,f-png", 60, 120, [4]color.NRGBA{Blue, Red, Yellow, Green}},
		{"as small as is asked for", "w-50,f-png", 50, 25, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"as large as is asked for", "w-1000,f-png", 1000, 500, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"distorted", "w-100,h-300,c-force,f-png", 100, 300, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"as fine as is asked for", "dn-144,pg-2,f-png", 160, 240, [4]color.NRGBA{Red, Green, Blue, Yellow}},
		{"and turned again", "rt-90,f-png", 100, 200, [4]color.NRGBA{Blue, Red, Yellow, Green}},
		{"as JPEG", "w-100,f-jpg,q-95", 100, 50, [4]color.NRGBA{Red, Green, Blue, Yellow}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.page(t, document, tt.chain)
			w, h := got.Bounds().Dx(), got.Bounds().Dy()
			if w != tt.width || h != tt.height {
				t.Fatalf("got %dx%d, want %dx%d", w, h, tt.width, tt.height)
			}
			inset := min(w, h) / 20
			for i, at := range []image.Point{{inset, inset}, {w - 1 - inset, inset}, {inset, h - 1 - inset}, {w - 1 - inset, h - 1 - inset}} {
				wantColor(t, got, at.X, at.Y, tt.corners[i], 12)
			}
			wantColor(t, got, w/2, h/2, paper, 2)
		})
	}
	t.Run("what grows is drawn, not enlarged", func(t *testing.T) {
		got := s.page(t, document, "w-2000,f-png") // the boxes end at 200 pixels
		for _, x := range []int{197, 202} {
			want := paper
			if x < 200 {
				want = Red
			}
			wantColor(t, got, x, 20, want, 40)
		}
	})
	t.Run("text", func(t *testing.T) {
		got := s.page(t, document, "pg-4,w-900,f-png")
		if ink := dark(got, image.Rect(30, 80, 500, 180)); ink < 1500 || ink > 20_000 {
			t.Errorf("%d pixels of a line of text are dark; libvips and poppler need a font for it", ink)
		}
		if ink := dark(got, image.Rect(0, 0, 900, 60)); ink > 0 {
			t.Errorf("%d pixels above the text are dark", ink)
		}
	})
	t.Run("no transparency", func(t *testing.T) {
		img := s.render(t, document, still(plan.PDF, 200, 100, plan.Colour{}))
		facts, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
		if err != nil || facts.Alpha {
			t.Errorf("got %+v, %v; a page hides what is behind it", facts, err)
		}
	})
	t.Run("a trim takes the margin", func(t *testing.T) {
		src := PDF(PDFPage{Width: 200, Height: 100, Boxes: []PDFBox{{20, 10, 50, 30, Blue}}})
		s.wantWindow(t, src, lookAt(src, image.NewGray(image.Rect(0, 0, 200, 100)), 1, 10), plan.Window{X: 20, Y: 10, Width: 50, Height: 30})
	})
	t.Run("every format", func(t *testing.T) {
		for _, f := range s.engine.Writable().Formats() {
			s.pixels(t, s.render(t, document, to(still(plan.PDF, 40, 20, plan.Resize{Width: 40, Height: 20}, plan.Colour{}), plan.Output{Format: f})))
		}
	})
	t.Run("pages of a fraction of a point and slivers", func(t *testing.T) {
		for _, p := range []PDFPage{{Width: 595.28, Height: 841.89}, {Width: 100.4, Height: 50.6}, {Width: 2, Height: 4000}, {Width: 3000, Height: 1}} {
			src := PDF(p)
			facts, err := s.engine.Probe(t.Context(), transform.Original{Bytes: src})
			if err != nil || math.Abs(float64(facts.Width)-p.Width) > 1 || math.Abs(float64(facts.Height)-p.Height) > 1 {
				t.Errorf("%gx%g: got %+v, %v", p.Width, p.Height, facts, err)
				continue
			}
			for _, chain := range []string{"w-1,f-png", "h-1,f-png", "w-7,h-5,f-png", "dn-1,f-png", "dn-300,w-50,h-50,f-png"} {
				s.page(t, src, chain)
			}
		}
	})
	t.Run("many pages", func(t *testing.T) {
		pages := make([]PDFPage, 1000)
		for i := range pages {
			pages[i] = PDFPage{Width: 20, Height: 20}
		}
		pages[999] = Page(40, 40)
		wantColor(t, s.page(t, PDF(pages...), "pg-1000,f-png"), 2, 2, Red, 2)
	})
	for _, tt := range []struct {
		name string
		src  []byte
		want transform.Kind
	}{
		{"encrypted", EncryptedPDF(Page(200, 100)), transform.Unsupported},
		{"no pages", PDF(), transform.Broken},
		{"a mark alone", []byte("%PDF-1.4\n"), transform.Broken},
		{"noise", []byte("%PDF-1.4\n" + strings.Repeat("noise ", 100) + "%%EOF"), transform.Broken},
		{"that begins like a drawing", bytes.Replace(document, []byte("%PDF-1.4\n"), []byte("%PDF-1.4\n%"+Drawing+"\n"), 1), transform.Broken},
		{"cut off", document[:len(document)-20], transform.Broken},
		{"half of it", document[:len(document)/2], transform.Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: tt.src}}, still(plan.PDF, 200, 100, plan.Colour{}))
			s.wantKind(t, "render", err, tt.want)
			if tt.want == transform.Unsupported && !strings.Contains(err.Error(), "encrypted") {
				t.Errorf("%q doesn't say that it is encrypted", err)
			}
		})
	}
}

// page renders the still picture that a chain makes of a document.
func (s suite) page(t *testing.T, src []byte, text string) image.Image {
	t.Helper()
	chain, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Resolve(t, s.engine, src, chain, plan.Hints{Still: true}, plan.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s.pixels(t, s.render(t, src, p))
}

// dark counts the pixels of a part of a picture that are nearer to black than to white.
func dark(img image.Image, in image.Rectangle) (n int) {
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if grey := color.GrayModel.Convert(img.At(x, y)).(color.Gray); grey.Y < 128 {
				n++
			}
		}
	}
	return n
}
