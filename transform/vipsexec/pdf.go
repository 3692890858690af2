package vipsexec

import (
	"bytes"
	"errors"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// pdfEnd is how far from the end of a PDF its mark may stand (ISO 32000-1 annex H.3, note 18).
const pdfEnd = 1024

// pdfComplete looks for the mark at the end of a PDF. Without it poppler guesses what the document is.
func pdfComplete(src []byte) bool {
	return bytes.Contains(src[max(0, len(src)-pdfEnd):], []byte("%%EOF"))
}

// checkPDF refuses a PDF that govips takes for something else: it looks for drawings in the first 1024 bytes, and for PDF last.
func checkPDF(src []byte) error {
	if vips.DetermineImageType(src) != vips.ImageTypePDF {
		return failed(transform.Broken, "decoding pdf", errors.New("its beginning looks like another format as well"))
	}
	return nil
}

// errEncrypted is the error of a PDF that opens with a password alone.
var errEncrypted = errors.New("the PDF is encrypted, and opens with a password only")

// refusedInput is the error of a file that can't be opened, for which libvips gave the cause.
func refusedInput(f plan.Format, op string, src []byte, cause error) *transform.Error {
	switch {
	case !isOpen(f):
		return failed(transform.Internal, op, cause) // the engine was closed meanwhile
	case f == plan.PDF && bytes.Contains(src, []byte("/Encrypt")):
		return failed(transform.Unsupported, op, errEncrypted)
	}
	return failed(transform.Broken, op, cause)
}

// onPaper puts white behind a page. libvips paints one on white, and says that it had transparency.
func onPaper(img *vips.ImageRef) (*vips.ImageRef, error) {
	if !img.HasAlpha() {
		return img, nil
	}
	if err := img.Flatten(&vips.Color{R: 255, G: 255, B: 255}); err != nil {
		img.Close()
		return nil, failed(transform.Broken, "decoding pdf", err)
	}
	return img, nil
}
