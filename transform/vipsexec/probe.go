package vipsexec

import (
	"strings"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func probe(src []byte, page int) (plan.Source, error) {
	img, err := open(src, plan.Load{})
	if err != nil {
		return plan.Source{}, err
	}
	defer img.Close()

	pages := pagesOf(transform.Sniff(src), img)
	if page < 0 || page >= pages {
		page = 0
	}
	if page > 0 {
		if img, err = open(src, plan.Load{Page: page}); err != nil { // pages of a TIFF or PDF differ in everything
			return plan.Source{}, err
		}
		defer img.Close()
	}

	s := plan.Source{
		Format:      transform.Sniff(src),
		Width:       img.Width(),
		Height:      img.Height(),
		Orientation: 1,
		Frames:      1,
		Alpha:       img.HasAlpha(),
		CMYK:        img.Interpretation() == vips.InterpretationCMYK,
		Profile:     img.HasICCProfile(),
		Pages:       pages,
		Page:        page,
		Density:     densityOf(img),
	}
	switch s.Format {
	case plan.HEIC, plan.AVIF, plan.JXL:
		// Their containers say how to turn the picture, and the decoders obey; an EXIF orientation beside that is void.
	default:
		if o := img.Orientation(); o >= 1 && o <= 8 {
			s.Orientation = o
		}
	}
	if s.Format.Animated() {
		s.Frames = pages
	}
	if s.Format == plan.JPEG {
		s.Quality = qualityOf(src)
	}
	s.Whole = wholeOf(s.Format, src)
	s.Metadata = s.Profile || hasMetadata(img) || extras(s.Format, src)
	return s, nil
}

// pagesOf counts what can be shown one by one. Of other containers than these the main picture alone is read.
func pagesOf(f plan.Format, img *vips.ImageRef) int {
	if f == plan.TIFF || f == plan.PDF || f.Animated() {
		return max(img.Pages(), 1)
	}
	return 1
}

// hasMetadata reports whether libvips found something that a person or a program wrote into the file.
func hasMetadata(img *vips.ImageRef) bool {
	for _, field := range img.GetFields() {
		switch field {
		case "exif-data", "xmp-data", "iptc-data", "photoshop-data", "image-description", "gif-comment":
			return true
		}
		if strings.HasPrefix(field, "png-comment-") {
			return true
		}
	}
	return false
}
