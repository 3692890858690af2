package transformtest

import (
	"fmt"
	"image/color"
	"strings"
)

// PDFPage is a page of a document: boxes on white, and a line of text.
type PDFPage struct {
	Width, Height float64 // points, of which an inch has 72, before Rotate
	Rotate        int     // degrees by which it is turned clockwise when shown: 0, 90, 180, 270
	Boxes         []PDFBox
	Text          string // in Helvetica of 24 points, black, its base line beginning at 10, 10 from the bottom left
}

// PDFBox is a filled box, measured from the top left corner of the page before it is turned.
type PDFBox struct {
	X, Y, Width, Height float64
	Color               color.NRGBA
}

// Page returns a page of width × height points with a box of a fifth of the shorter side in each corner, of the colours of
// [Picture], the rest being white.
func Page(width, height float64) PDFPage {
	side := min(width, height) / 5
	return PDFPage{Width: width, Height: height, Boxes: []PDFBox{
		{0, 0, side, side, Red},
		{width - side, 0, side, side, Green},
		{0, height - side, side, side, Blue},
		{width - side, height - side, side, side, Yellow},
	}}
}

// PDF writes a document of pages.
func PDF(pages ...PDFPage) []byte { return pdfFile(false, pages) }

// EncryptedPDF writes a document that says it is encrypted, and that no password opens.
func EncryptedPDF(pages ...PDFPage) []byte { return pdfFile(true, pages) }

func pdfFile(encrypted bool, pages []PDFPage) []byte {
	const before = 3 // catalogue, list of pages, font
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", before+1+2*i)
	}
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(pages), kids.String()),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
	for i, p := range pages {
		content := p.content()
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %g %g]/Rotate %d/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>",
				p.Width, p.Height, p.Rotate, before+2+2*i),
			fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(content), content))
	}
	also := ""
	if encrypted {
		objects = append(objects, fmt.Sprintf("<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>", strings.Repeat("41", 32), strings.Repeat("42", 32)))
		id := strings.Repeat("5a", 16)
		also = fmt.Sprintf("/Encrypt %d 0 R/ID[<%s><%s>]", len(objects), id, id)
	}
	file := []byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	places := make([]int, 0, len(objects))
	for i, object := range objects {
		places = append(places, len(file))
		file = fmt.Appendf(file, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := len(file)
	file = fmt.Appendf(file, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, place := range places {
		file = fmt.Appendf(file, "%010d 00000 n \n", place)
	}
	return fmt.Appendf(file, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, also, start)
}

// content returns what paints the page.
func (p PDFPage) content() string {
	var b strings.Builder
	for _, box := range p.Boxes {
		c := box.Color
		fmt.Fprintf(&b, "%.4f %.4f %.4f rg %g %g %g %g re f\n", float64(c.R)/255, float64(c.G)/255, float64(c.B)/255,
			box.X, p.Height-box.Y-box.Height, box.Width, box.Height)
	}
	if p.Text != "" {
		fmt.Fprintf(&b, "0 0 0 rg BT /F 24 Tf 10 10 Td (%s) Tj ET\n", p.Text)
	}
	return b.String()
}
