package transformtest

import (
	"embed"

	"github.com/imageorigin/imageorigin/transform/plan"
)

//go:embed testdata/*.webp testdata/*.avif testdata/*.heic testdata/*.jxl testdata/*.tiff testdata/*.jpg testdata/*.icc testdata/*.csv
var testdata embed.FS

// File returns a file of testdata, which README.md there describes.
func File(name string) []byte {
	data, err := testdata.ReadFile("testdata/" + name)
	must(err)
	return data
}

// Drawing is an SVG of 120×80 like [Picture], without text, as fonts differ.
const Drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80">
<rect width="20" height="20" fill="#dc1e1e"/><rect x="100" width="20" height="20" fill="#1eaa3c"/>
<rect y="60" width="20" height="20" fill="#283cd2"/><rect x="100" y="60" width="20" height="20" fill="#f0d228"/>
<circle cx="86" cy="29" r="16" fill="#ff8c1e"/></svg>`

// ViewBoxDrawing is an SVG that has a size by its view box only, 158×33.
const ViewBoxDrawing = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 158 33"><rect width="79" height="33" fill="#f00"/></svg>`

// sample is a file and what its header says.
type sample struct {
	name   string
	bytes  []byte
	source plan.Source
}

// samples returns a picture of each kind.
func samples() []sample {
	still := func(f plan.Format, w, h int) plan.Source {
		s := plan.Source{Format: f, Width: w, Height: h, Orientation: 1, Frames: 1, Pages: 1}
		if f == plan.JPEG || f == plan.PNG || f == plan.TIFF || f == plan.SVG {
			s.Density = 72 // what libvips takes them for, and the TIFFs do tell
		}
		return s
	}
	with := func(s plan.Source, change func(*plan.Source)) plan.Source {
		change(&s)
		return s
	}
	alpha := func(s *plan.Source) { s.Alpha = true }
	pic := Picture(60, 40)
	return []sample{
		{"jpeg", JPEG(pic), still(plan.JPEG, 60, 40)},
		{"jpeg of a camera", WithOrientation(JPEG(pic), 6), with(still(plan.JPEG, 60, 40), func(s *plan.Source) { s.Orientation, s.Metadata = 6, true })},
		{"jpeg with profile", WithProfile(JPEG(pic), File("displayp3.icc")), with(still(plan.JPEG, 60, 40), func(s *plan.Source) { s.Profile, s.Metadata = true, true })},
		{"jpeg with a comment", WithSegment(JPEG(pic), 0xfe, []byte("by Zoe")), with(still(plan.JPEG, 60, 40), func(s *plan.Source) { s.Metadata = true })},
		{"jpeg with a film behind it", append(JPEG(pic), "ftypmp42"...), with(still(plan.JPEG, 60, 40), func(s *plan.Source) { s.Metadata = true })},
		{"cmyk jpeg", File("cmyk.jpg"), with(still(plan.JPEG, 48, 32), func(s *plan.Source) { s.CMYK = true })},
		{"png", PNG(pic), still(plan.PNG, 60, 40)},
		{"png with alpha", PNG(Cutout(60, 40)), with(still(plan.PNG, 60, 40), alpha)},
		{"png of 16 bits", PNG(deep(pic)), still(plan.PNG, 60, 40)},
		{"grey png", PNG(grey(pic)), still(plan.PNG, 60, 40)},
		{"png with text", pngText(PNG(pic)), with(still(plan.PNG, 60, 40), func(s *plan.Source) { s.Metadata = true })},
		{"gif", GIF(0, paletted(pic)), with(still(plan.GIF, 60, 40), alpha)},
		{"animated gif", GIF(7, pic, Stored(pic, 2), Uniform(60, 40, Blue)), with(still(plan.GIF, 60, 40), func(s *plan.Source) { s.Frames, s.Pages = 3, 3; s.Alpha = true })},
		{"webp", File("still.webp"), with(still(plan.WebP, 48, 32), func(s *plan.Source) { s.Metadata = true })},
		{"webp with alpha", File("alpha.webp"), with(still(plan.WebP, 48, 32), func(s *plan.Source) { s.Alpha, s.Metadata = true, true })},
		{"animated webp", File("animated.webp"), with(still(plan.WebP, 48, 32), func(s *plan.Source) { s.Frames, s.Pages, s.Metadata = 3, 3, true })},
		{"avif", File("still.avif"), still(plan.AVIF, 48, 32)},
		{"heic", File("still.heic"), still(plan.HEIC, 48, 32)},
		{"heic that its container turns", File("rotated.heic"), still(plan.HEIC, 32, 48)},
		{"heic that EXIF alone would turn", File("exif.heic"), with(still(plan.HEIC, 48, 32), func(s *plan.Source) { s.Metadata = true })},
		{"tiff", File("still.tiff"), still(plan.TIFF, 48, 32)},
		{"bigtiff", File("bigtiff.tiff"), still(plan.TIFF, 48, 32)},
		{"jxl", File("still.jxl"), with(still(plan.JXL, 48, 32), func(s *plan.Source) { s.Profile, s.Metadata = true, true })},
		{"svg", []byte(Drawing), with(still(plan.SVG, 120, 80), alpha)},
		{"svg of a view box", []byte(ViewBoxDrawing), with(still(plan.SVG, 158, 33), alpha)},
	}
}
