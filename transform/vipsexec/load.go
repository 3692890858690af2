package vipsexec

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// open opens src as l says, without decoding more than its header.
func open(src []byte, l plan.Load) (*vips.ImageRef, error) {
	format := transform.Sniff(src)
	op := "decoding " + format.String()
	if format == plan.Unknown {
		return nil, failed(transform.Unsupported, "decoding", errors.New("not a picture of a known format"))
	}
	if !vips.IsTypeSupported(vipsTypes[format]) {
		return nil, failed(transform.Unsupported, op, errors.New("this libvips was built without it"))
	}
	if l.Format != format && l.Format != plan.Unknown {
		return nil, failed(transform.Internal, op, fmt.Errorf("the plan expects %v", l.Format))
	}

	if err := affordable(format, src); err != nil {
		return nil, err
	}

	// FailOnError makes a truncated JPEG or PNG an error; the other loaders have no such option in govips.
	p := vips.NewImportParams()
	p.Access.Set(vips.AccessSequential)
	switch format {
	case plan.JPEG:
		if l.Shrink > 1 {
			p.JpegShrinkFactor.Set(l.Shrink)
		}
	case plan.WebP:
		if l.Scale > 0 && l.Scale != 1 {
			p.WebpScaleFactor.Set(l.Scale)
		}
	case plan.SVG, plan.PDF:
		if format == plan.SVG {
			src = presentable(src)
		} else if err := checkPDF(src); err != nil {
			return nil, err
		}
		if l.Scale > 0 && l.Scale != 1 {
			// govips takes whole dots per inch only, 72 being the drawing's own size, or the page's: at least as large as asked.
			p.Density.Set(max(int(math.Ceil(72*l.Scale-1e-9)), 1))
		}
	}
	if l.Frames > 1 {
		p.NumPages.Set(l.Frames)
	}
	if l.Page > 0 {
		p.Page.Set(l.Page)
	}
	img, err := vips.LoadImageFromBuffer(src, p)
	if errors.Is(err, vips.ErrUnsupportedImageFormat) {
		err = errors.New("its beginning alone looks like one") // govips looks closer at short files and SVG
	}
	if err != nil {
		return nil, refusedInput(format, op, src, err)
	}
	if format == plan.PDF {
		return onPaper(img)
	}
	return img, nil
}

// presentable returns an SVG that govips knows for one: it looks for "<svg" in the first 1024 bytes, where drawing
// programs often have a long comment or document type.
func presentable(src []byte) []byte {
	if bytes.Contains(src[:min(len(src), 1024)], []byte("<svg")) {
		return src
	}
	// The XML declaration, if any, must stay first.
	at := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	if bytes.HasPrefix(src[at:], []byte("<?xml")) {
		at += bytes.Index(src[at:], []byte("?>")) + 2
	}
	return bytes.Join([][]byte{src[:at], src[at:]}, []byte("<!--<svg-->"))
}
