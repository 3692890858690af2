package transformtest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// TIFF writes pages, which may differ in size, one behind the other: uncompressed RGB.
func TIFF(pages ...*image.NRGBA) []byte {
	le := binary.LittleEndian
	file := append([]byte("II*\x00"), 0, 0, 0, 0)
	link := 4 // where the place of the next directory goes
	for _, img := range pages {
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		depths := len(file)
		file = append(file, 8, 0, 8, 0, 8, 0)
		strip := len(file)
		for i := 0; i < len(img.Pix); i += 4 {
			file = append(file, img.Pix[i:i+3]...)
		}
		if len(file)%2 == 1 {
			file = append(file, 0)
		}
		le.PutUint32(file[link:], uint32(len(file)))
		entries := [][4]int{ // tag, type (3: 16 bits, 4: 32), count, value or its place
			{256, 4, 1, w},
			{257, 4, 1, h},
			{258, 3, 3, depths},
			{259, 3, 1, 1},
			{262, 3, 1, 2},
			{273, 4, 1, strip},
			{277, 3, 1, 3},
			{278, 4, 1, h},
			{279, 4, 1, 3 * w * h},
		}
		file = le.AppendUint16(file, uint16(len(entries)))
		for _, e := range entries {
			file = le.AppendUint16(le.AppendUint16(file, uint16(e[0])), uint16(e[1]))
			file = le.AppendUint32(le.AppendUint32(file, uint32(e[2])), uint32(e[3]))
		}
		link = len(file)
		file = append(file, 0, 0, 0, 0)
	}
	return file
}

// pages checks that each page of a file can be seen by itself.
func (s suite) pages(t *testing.T) {
	show := func(t *testing.T, src []byte, page, width, height int) image.Image {
		t.Helper()
		facts, err := s.engine.Probe(t.Context(), transform.Original{Bytes: src, Page: page})
		if err != nil {
			t.Fatal(err)
		}
		if facts.Page != page || facts.Width != width || facts.Height != height {
			t.Errorf("page %d is said to be page %d of %dx%d, want %dx%d", page, facts.Page, facts.Width, facts.Height, width, height)
		}
		p := still(facts.Format, width, height, plan.Colour{})
		p.Load.Page = page
		img := s.render(t, src, p)
		if got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes}); err != nil || got.Frames != 1 || got.Pages != 1 {
			t.Errorf("the still has %d frames, %d pages, %v", got.Frames, got.Pages, err)
		}
		return s.pixels(t, img)
	}
	t.Run("tiff of several sizes", func(t *testing.T) {
		s.need(t, plan.TIFF)
		sizes := [][2]int{{60, 40}, {31, 77}, {20, 20}}
		src := TIFF(Picture(60, 40), Picture(31, 77), Uniform(20, 20, Blue))
		for i, size := range sizes[:2] {
			expect(t, show(t, src, i, size[0], size[1]), Picture(size[0], size[1]), 0)
		}
		wantColor(t, show(t, src, 2, 20, 20), 10, 10, Blue, 0)
	})
	t.Run("gif that paints frames onto each other", func(t *testing.T) {
		part := image.NewPaletted(image.Rect(10, 0, 20, 10), color.Palette{Blue, Red})
		whole := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{Red, Blue})
		var b bytes.Buffer
		must(gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{whole, part}, Delay: []int{5, 5}}))
		wantColor(t, show(t, b.Bytes(), 0, 40, 30), 15, 5, Red, 0)
		second := show(t, b.Bytes(), 1, 40, 30)
		wantColor(t, second, 15, 5, Blue, 0)
		wantColor(t, second, 30, 20, Red, 0)
	})
	t.Run("animated webp", func(t *testing.T) {
		s.need(t, plan.WebP)
		wantColor(t, show(t, File("animated.webp"), 2, 48, 32), 24, 16, Blue, 12)
	})
	t.Run("beyond the last", func(t *testing.T) {
		for _, tt := range []struct {
			src   []byte
			pages int
		}{{TIFF(Picture(60, 40), Picture(31, 77)), 2}, {JPEG(Picture(60, 40)), 1}, {[]byte(Drawing), 1}, {GIF(7, Picture(9, 9), Picture(9, 9), Picture(9, 9)), 3}} {
			facts, err := s.engine.Probe(t.Context(), transform.Original{Bytes: tt.src, Page: 7})
			if err != nil || facts.Page != 0 || facts.Pages != tt.pages {
				t.Errorf("%v: got page %d of %d, %v; want the first of %d", facts.Format, facts.Page, facts.Pages, err, tt.pages)
			}
		}
	})
	t.Run("a look at a page", func(t *testing.T) {
		img := Framed(30, 20, color.White, 5, 6, 7, 8)
		src := TIFF(Picture(60, 40), img)
		l := lookAt(src, img, 1, 10)
		l.Load.Page = 1
		s.wantWindow(t, src, l, plan.Window{X: 5, Y: 6, Width: 30, Height: 20})
	})
}
