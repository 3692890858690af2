package e2e

import (
	"bytes"
	"image"
	"image/color"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// readsPDF are the global options of a server that reads PDF beside all else.
const readsPDF = "\timageorigin {\n\t\tengine vips {\n\t\t\tinputs jpeg png gif webp avif heic tiff svg jxl pdf\n\t\t}\n\t}"

// inks are the colours of the pages of a document, one after the other.
var inks = []color.NRGBA{
	{0xc0, 0, 0, 0xff}, {0, 0xa0, 0, 0xff}, {0, 0, 0xc0, 0xff}, {0xc0, 0xa0, 0, 0xff}, {0, 0xa0, 0xc0, 0xff}, {0xc0, 0, 0xc0, 0xff},
}

// writeDocument writes a PDF of six pages of 300×200 points, the left half of each of its colour, and the last turned.
func writeDocument(t *testing.T, file string) []byte {
	t.Helper()
	pages := make([]transformtest.PDFPage, len(inks))
	for i, ink := range inks {
		pages[i] = transformtest.PDFPage{Width: 300, Height: 200, Boxes: []transformtest.PDFBox{{Width: 150, Height: 200, Color: ink}}}
	}
	pages[5].Rotate = 90
	pages[3].Text = "the fourth page of a document"
	document := transformtest.PDF(pages...)
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestPagesOfADocument(t *testing.T) {
	dir := t.TempDir()
	document := writeDocument(t, filepath.Join(dir, "file.pdf"))
	damaged, locked := document[:len(document)/2], transformtest.EncryptedPDF(transformtest.Page(60, 40))
	for name, content := range map[string][]byte{"half.pdf": damaged, "locked.pdf": locked, "disguised.jpg": document} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	white := color.NRGBA{0xff, 0xff, 0xff, 0xff}
	halves := func(left, right color.NRGBA) fact {
		return func(t *testing.T, img image.Image) {
			t.Helper()
			w, h := img.Bounds().Dx(), img.Bounds().Dy()
			within(0, 0, w/2-2, h*3/4, filled(left, 6))(t, img)
			within(w/2+2, 0, w/2-2, h*3/4, filled(right, 6))(t, img)
		}
	}
	base := serveWith(t, readsPDF, dir, "error_status native")
	for _, w := range []worked{
		{note: "the first page", file: "file.pdf/ik-thumbnail.jpg", chain: "f-png", size: size{300, 200}, format: "png", pixels: halves(inks[0], white)},
		{note: "the second", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-2", size: size{300, 200}, pixels: halves(inks[1], white)},
		{note: "the fourth, which has text", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-4,w-900", size: size{900, 600}, pixels: halves(inks[3], white)},
		{note: "the last, turned", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-6:rt-270", size: size{300, 200}, pixels: halves(inks[5], white)},
		{note: "sharp where it is large", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-3,w-3000", size: size{3000, 2000}, pixels: all(halves(inks[2], white), sharp(image.Rect(1497, 100, 1503, 1900), 180))},
		{note: "by density", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-3,dn-144", size: size{600, 400}, pixels: halves(inks[2], white)},
		{note: "by any name", file: "disguised.jpg/ik-thumbnail.jpg", chain: "pg-2,w-30", size: size{30, 20}},
		{note: "of no such page", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-7", status: 400, answer: []string{"Ik-Error", "EINVAL - pg: there is no page 7; the file has 6 pages"}},
		{note: "half a document", file: "half.pdf/ik-thumbnail.jpg", chain: "w-30", status: 422, answer: []string{"Ik-Error", "EDECODE"}},
		{note: "a document with a password", file: "locked.pdf/ik-thumbnail.jpg", chain: "w-30", status: 415, answer: []string{"Ik-Error", "EINVAL"}},
	} {
		t.Run(w.note, func(t *testing.T) {
			if w.pixels != nil && !strings.Contains(w.chain, "f-") {
				w.chain += ",f-png"
			}
			for _, url := range forms(base, w.chain, w.file) {
				w.check(t, dir, base, url)
			}
		})
	}
	for name, want := range map[string][]byte{"file.pdf": document, "half.pdf": damaged, "locked.pdf": locked} {
		got := ask(t, base+"/"+name)
		if got.status != http.StatusOK || !bytes.Equal(got.body, want) || got.header.Get("Content-Type") != "application/pdf" {
			t.Errorf("%s: got %d %s, %d bytes of %d", name, got.status, got.header.Get("Content-Type"), len(got.body), len(want))
		}
		part := ask(t, base+"/"+name, "Range", "bytes=10-19")
		if part.status != http.StatusPartialContent || !bytes.Equal(part.body, want[10:20]) {
			t.Errorf("%s: a range got %d %q", name, part.status, part.body)
		}
	}
	if got := ask(t, base+"/tr:w-30/file.pdf"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("a document with a transformation: got %d, want it told that it is no picture", got.status)
	}
}

func TestADocumentIsNoPictureUnlessThatIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	document := writeDocument(t, filepath.Join(dir, "file.pdf"))
	base := serve(t, dir, "")
	if got := ask(t, base+"/tr:pg-2/file.pdf/ik-thumbnail.jpg"); got.status != http.StatusBadRequest || !strings.Contains(got.header.Get("Ik-Error"), "inputs") {
		t.Errorf("got %d %q, want a 400 that names the option", got.status, got.header.Get("Ik-Error"))
	}
	for _, url := range []string{"/file.pdf", "/tr:w-30,f-png/file.pdf", "/tr:orig-true/file.pdf/ik-thumbnail.jpg"} {
		if !bytes.Equal(get(t, base+url), document) {
			t.Errorf("%s: the body is not the document", url)
		}
	}
}

func TestAWatermarkIsOnPagesAndNotOnTheDocument(t *testing.T) {
	dir := t.TempDir()
	document := writeDocument(t, filepath.Join(dir, "file.pdf"))
	base := serveWith(t, readsPDF, dir, "always b-10_black,f-png")
	for _, url := range []string{"/file.pdf", "/tr:w-30/file.pdf"} {
		if !bytes.Equal(get(t, base+url), document) {
			t.Errorf("%s: the body is not the document", url)
		}
	}
	img, _, err := image.Decode(bytes.NewReader(get(t, base+"/tr:pg-2/file.pdf/ik-thumbnail.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got != image.Pt(320, 220) {
		t.Errorf("the page is %v, want 320x220 with its frame", got)
	}
	around(10, 10, 300, 200, black)(t, img)
	if got := ask(t, base+"/tr:orig-true/file.pdf/ik-thumbnail.jpg"); got.status != http.StatusForbidden {
		t.Errorf("the original: got %d, want 403 as for pictures", got.status)
	}
}
