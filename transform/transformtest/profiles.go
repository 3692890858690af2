package transformtest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/csv"
	"image"
	"image/color"
	"io"
	"math"
	"strconv"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// profileCase is a file of patches and what it looks like.
type profileCase struct {
	name  string
	chart chart
	file  []byte
	looks func([]uint16) rgb // a patch's stored values in linear sRGB, by the reference
	kept  bool               // the profile can stay with the pixels
}

// profileCases are all the ways in which colours come. The references are computed in float64 from the very profile that
// is embedded, but for ink.
func profileCases(t *testing.T) []profileCase {
	srgb := curveTag(linear, 1024)
	colours, greys := latticeChart(3, 5, 18), latticeChart(1, 60, 0)
	var list []profileCase
	add := func(name string, c chart, file []byte, looks func([]uint16) rgb, kept bool) {
		list = append(list, profileCase{name, c, file, looks, kept})
	}
	for _, p := range []struct {
		name  string
		bytes []byte
	}{
		{"srgb v2", matrixProfile(srgbSpace, srgb)},
		{"srgb v4", asVersion4(matrixProfile(srgbSpace, formulaTag()))},
		{"display p3", File("displayp3.icc")},
		{"adobe rgb", File("adobergb.icc")},
		{"adobe rgb v2", matrixProfile(adobeSpace, gammaTag(563.0/256))},
		{"prophoto", matrixProfile(wideSpace, gammaTag(1.8))},
		{"rec2020", matrixProfile(rec2020Space, gammaTag(2.4))},
		{"linear light", matrixProfile(srgbSpace, []byte("curv\x00\x00\x00\x00\x00\x00\x00\x00"))},
	} {
		looks := through(t, p.bytes)
		bytesOf := depths(looks)
		add(p.name+", jpeg", colours, WithProfile(colours.jpeg(adobeAsIs), p.bytes), bytesOf, true)
		add(p.name+", png of 8 bits", colours, withPNGProfile(colours.png(8), p.bytes), bytesOf, true)
		add(p.name+", png of 16 bits", colours.deep(), withPNGProfile(colours.deep().png(16), p.bytes), looks, true)
		add(p.name+", tiff of 8 bits", colours, colours.tiff(8, p.bytes), bytesOf, true)
		add(p.name+", tiff of 16 bits", colours.deep(), colours.deep().tiff(16, p.bytes), looks, true)
	}
	for _, p := range []struct {
		name  string
		bytes []byte
	}{
		{"grey of gamma 2.2", greyProfile(gammaTag(563.0 / 256))},
		{"grey of dot gain 20%", greyProfile(curveTag(dotGain, 256))},
	} {
		looks := through(t, p.bytes)
		bytesOf := depths(looks)
		add(p.name+", jpeg", greys, WithProfile(greys.jpeg(noAdobe), p.bytes), bytesOf, true)
		add(p.name+", png of 8 bits", greys, withPNGProfile(greys.png(8), p.bytes), bytesOf, true)
		add(p.name+", png of 16 bits", greys.deep(), withPNGProfile(greys.deep().png(16), p.bytes), looks, true)
		add(p.name+", tiff of 16 bits", greys.deep(), greys.deep().tiff(16, p.bytes), looks, true)
		add(p.name+", png of 8 bits and alpha", greys.opaque(), withPNGProfile(greys.opaque().greyAlphaPNG(8), p.bytes), bytesOf, true)
		add(p.name+", png of 16 bits and alpha", greys.opaque(), withPNGProfile(greys.opaque().greyAlphaPNG(16), p.bytes), bytesOf, true)
	}
	plain := func(p []uint16) rgb {
		var v rgb
		for i := range v {
			v[i] = linear(float64(p[i%len(p)]) / 0xffff)
		}
		return v
	}
	grey := func(p []uint16) rgb { return plain(p[:1]) }
	add("rgb png of 8 bits", colours, colours.png(8), plain, false)
	add("rgb png of 16 bits", colours.deep(), colours.deep().png(16), plain, false)
	add("rgb tiff of 8 bits", colours, colours.tiff(8, nil), plain, false)
	add("rgb tiff of 16 bits", colours.deep(), colours.deep().tiff(16, nil), plain, false)
	add("rgb jpeg with adobe's mark", colours, colours.jpeg(adobeAsIs), plain, false)
	add("ycc jpeg with adobe's mark", colours, colours.ycc().jpeg(adobeYCC), plain, false)
	add("ycc jpeg without a mark", colours, colours.ycc().jpeg(noAdobe), plain, false)
	add("grey jpeg", greys, greys.jpeg(noAdobe), grey, false)
	add("grey png of 8 bits", greys, greys.png(8), grey, false)
	add("grey png of 16 bits", greys.deep(), greys.deep().png(16), grey, false)
	add("grey tiff of 8 bits", greys, greys.tiff(8, nil), grey, false)
	add("grey tiff of 16 bits", greys.deep(), greys.deep().tiff(16, nil), grey, false)
	add("grey png of 8 bits and alpha", greys.opaque(), greys.opaque().greyAlphaPNG(8), grey, false)
	add("grey png of 16 bits and alpha", greys.deep().opaque(), greys.deep().opaque().greyAlphaPNG(16), grey, false)
	add("grey tiff of 16 bits and alpha", greys.deep().opaque(), greys.deep().opaque().tiff(16, nil), grey, false)
	add("rgb tiff of floating point", colours, colours.tiff(32, nil), plain, false)
	add("rgb tiff of floating point with profile", colours, colours.tiff(32, File("displayp3.icc")), plain, false)
	add("rgb tiff with alpha and a fifth channel", colours.opaque().opaque(), colours.opaque().opaque().tiff(8, nil), plain, false)
	add("palette png", colours, PNG(colours.paletted()), plain, false)
	p3 := File("displayp3.icc")
	add("palette png of display p3", colours, withPNGProfile(PNG(colours.paletted()), p3), depths(through(t, p3)), true)
	add("profile that is none", colours, WithProfile(colours.jpeg(adobeAsIs), []byte("no profile at all")), plain, false)
	add("profile cut short", colours, withPNGProfile(colours.png(8), p3[:200]), plain, false)
	add("profile of ink on rgb", colours, withPNGProfile(colours.png(16), File("cgats001.icc")), plain, false)
	add("profile of rgb on grey", greys, withPNGProfile(greys.png(8), p3), grey, false)
	add("profile of grey on rgb", colours, withPNGProfile(colours.png(8), greyProfile(gammaTag(1))), plain, false)

	inks := latticeChart(4, 3, 15)
	printed, asPrint := inkReference(t)
	icc := File("cgats001.icc")
	add("cmyk jpeg, inverted as adobe does", inks, inks.inverted().jpeg(adobeAsIs), asPrint, false)
	add("cmyk jpeg, inverted, with profile", inks, WithProfile(inks.inverted().jpeg(adobeAsIs), icc), printed, false)
	add("cmyk jpeg without adobe's mark", inks, inks.inverted().jpeg(noAdobe), asPrint, false)
	add("cmyk jpeg without adobe's mark, with profile", inks, WithProfile(inks.inverted().jpeg(noAdobe), icc), printed, false)
	add("ycck jpeg", inks, inks.ycck().jpeg(adobeYCCK), asPrint, false)
	add("ycck jpeg with profile", inks, WithProfile(inks.ycck().jpeg(adobeYCCK), icc), printed, false)
	add("cmyk tiff", inks, inks.tiff(8, nil), asPrint, false)
	add("cmyk tiff with profile", inks, inks.tiff(8, icc), printed, false)
	add("cmyk tiff of 16 bits", inks, inks.tiff(16, nil), asPrint, false)
	add("cmyk tiff of 16 bits with profile", inks, inks.tiff(16, icc), printed, false)
	add("cmyk jpeg with a profile of rgb", inks, WithProfile(inks.inverted().jpeg(adobeAsIs), p3), asPrint, false)
	return list
}

// profiles checks that colours look as the reference says: mean CIEDE2000 below 1, as they are and through a resize, and
// that a profile which is kept still tells the truth.
func (s suite) profiles(t *testing.T) {
	const most = 1
	for _, c := range profileCases(t) {
		f := transform.Sniff(c.file)
		for _, shrink := range []int{1, 2} {
			w, h := c.chart.width()/shrink, c.chart.height()/shrink
			var ops []plan.Op
			if shrink > 1 {
				ops = append(ops, plan.Resize{Width: w, Height: h})
			}
			scale := map[int]string{1: "", 2: ", resized"}[shrink]
			t.Run(c.name+scale, func(t *testing.T) {
				img := s.render(t, c.file, still(f, w, h, append(ops, plan.Colour{})...))
				c.compare(t, s.pixels(t, img), shrink, most, srgbLight)
				wantProfile(t, s, img.Bytes, false)
			})
			t.Run(c.name+scale+", profile kept", func(t *testing.T) {
				img := s.render(t, c.file, to(still(f, w, h, append(ops, plan.Colour{KeepProfile: true})...), plan.Output{Format: plan.PNG, KeepProfile: true}))
				wantProfile(t, s, img.Bytes, c.kept)
				shown := srgbLight
				if kept := pngProfile(t, img.Bytes); kept != nil {
					shown = depths(through(t, kept)).of8bits
				}
				c.compare(t, s.pixels(t, img), shrink, most, shown)

				// In a format of three channels, where the profile is read back by the engine itself.
				img = s.render(t, c.file, to(still(f, w, h, append(ops, plan.Colour{KeepProfile: true})...), plan.Output{Format: plan.WebP, KeepProfile: true, Lossless: true}))
				wantProfile(t, s, img.Bytes, c.kept && !c.grey())
				c.compare(t, s.pixels(t, img), shrink, most, srgbLight)
			})
		}
	}
}

// grey reports whether the patches have one colour channel.
func (c profileCase) grey() bool { return len(c.chart.patches[0]) < 3 }

// shown says what 8-bit pixels look like in linear sRGB.
type shown func(r, g, b uint8) rgb

func srgbLight(r, g, b uint8) rgb {
	return rgb{linear(float64(r) / 255), linear(float64(g) / 255), linear(float64(b) / 255)}
}

// compare measures the patches of got.
func (c profileCase) compare(t *testing.T, got image.Image, shrink int, most float64, look shown) {
	t.Helper()
	sum, worst, at := 0.0, 0.0, 0
	for i, patch := range c.chart.patches {
		x, y := c.chart.centre(i, shrink)
		r, g, b, _ := got.At(x, y).RGBA()
		d := CIEDE2000(look(uint8(r>>8), uint8(g>>8), uint8(b>>8)).lab(), c.looks(patch).lab())
		if sum += d; d > worst {
			worst, at = d, i
		}
	}
	mean := sum / float64(len(c.chart.patches))
	t.Logf("mean ΔE2000 %.2f, worst %.2f", mean, worst)
	if mean >= most {
		x, y := c.chart.centre(at, shrink)
		t.Errorf("mean ΔE2000 %.2f from the reference, want less than %v; the worst is %.2f, where %v became %v", mean, most, worst, c.chart.patches[at], got.At(x, y))
	}
}

// look is a reference by stored values.
type look func([]uint16) rgb

// through is the reference of a matrix or grey profile.
func through(t *testing.T, profile []byte) look {
	r, err := readRendering(profile)
	must(err)
	return func(p []uint16) rgb {
		var v [3]float64
		for i := range v {
			v[i] = float64(p[i%len(p)]) / 0xffff
		}
		return r.sRGB(v)
	}
}

// depths returns the reference for the bytes that a file of 8 bits holds.
func depths(l look) look {
	return func(p []uint16) rgb {
		b := make([]uint16, len(p))
		for i, v := range p {
			b[i] = v >> 8 * 257
		}
		return l(b)
	}
}

func (l look) of8bits(r, g, b uint8) rgb {
	return l([]uint16{uint16(r) * 257, uint16(g) * 257, uint16(b) * 257})
}

// dotGain is grey as a press prints it that adds a fifth at the middle: linear values by Murray and Davies.
func dotGain(v float64) float64 {
	ink := 1 - v
	return 1 - min(ink+4*0.2*ink*(1-ink), 1)
}

// inkReference returns what ink looks like by cgats001.icc and by the profile that libvips has built in: recorded with
// littlecms' own tool, see README.md of testdata.
func inkReference(t *testing.T) (cgats, builtin func([]uint16) rgb) {
	rows, err := csv.NewReader(bytes.NewReader(File("cmyk-reference.csv"))).ReadAll()
	must(err)
	table := map[[4]uint16][6]float64{}
	for _, row := range rows[1:] {
		var key [4]uint16
		for i := range key {
			v, err := strconv.Atoi(row[i])
			must(err)
			key[i] = uint16(v)
		}
		var values [6]float64
		for i := range values {
			v, err := strconv.ParseFloat(row[4+i], 64)
			must(err)
			values[i] = linear(v / 255)
		}
		table[key] = values
	}
	find := func(p []uint16) [6]float64 {
		v, found := table[[4]uint16{p[0] >> 8, p[1] >> 8, p[2] >> 8, p[3] >> 8}]
		if !found {
			t.Fatalf("there is no reference for %v", p)
		}
		return v
	}
	return func(p []uint16) rgb { v := find(p); return rgb{v[0], v[1], v[2]} },
		func(p []uint16) rgb { v := find(p); return rgb{v[3], v[4], v[5]} }
}

// deep returns the chart with values between those of 8 bits.
func (c chart) deep() chart {
	out := chart{}
	for i, p := range c.patches {
		var patch []uint16
		for j, v := range p {
			patch = append(patch, min(v, 0xffff-128)+uint16((37*i+59*j)%128))
		}
		out.patches = append(out.patches, patch)
	}
	return out
}

// opaque returns the chart with an alpha channel.
func (c chart) opaque() chart {
	return c.mapped(func(p []uint16) []uint16 { return append(p, 0xffff) })
}

// inverted returns the chart as Adobe stores ink: as what is left of the light.
func (c chart) inverted() chart {
	return c.mapped(func(p []uint16) []uint16 {
		for i := range p {
			p[i] = 0xffff - p[i]
		}
		return p
	})
}

// ycc returns a chart of RGB as JPEG stores it.
func (c chart) ycc() chart {
	return c.mapped(func(p []uint16) []uint16 {
		r, g, b := float64(p[0])/257, float64(p[1])/257, float64(p[2])/257
		y := 0.299*r + 0.587*g + 0.114*b
		for i, v := range []float64{y, 128 + (b-y)/1.772, 128 + (r-y)/1.402} {
			p[i] = 257 * uint16(math.Round(min(max(v, 0), 255)))
		}
		return p
	})
}

// ycck returns a chart of ink as Adobe stores it in YCCK: the inverse of the inverted colours as YCC, and black inverted.
func (c chart) ycck() chart {
	inks := c.ycc()
	return inks.mapped(func(p []uint16) []uint16 {
		p[3] = 0xffff - p[3]
		return p
	})
}

// mapped returns a chart with other values.
func (c chart) mapped(change func([]uint16) []uint16) chart {
	out := chart{}
	for _, p := range c.patches {
		out.patches = append(out.patches, change(append([]uint16(nil), p...)))
	}
	return out
}

// paletted returns a chart of RGB with a palette of its patches.
func (c chart) paletted() image.Image {
	img := image.NewPaletted(image.Rect(0, 0, c.width(), c.height()), nil)
	places := map[[3]uint8]uint8{}
	for y := range c.height() {
		for x := range c.width() {
			p := c.at(x, y)
			key := [3]uint8{uint8(p[0] >> 8), uint8(p[1] >> 8), uint8(p[2] >> 8)}
			place, known := places[key]
			if !known {
				place = uint8(len(img.Palette))
				places[key] = place
				img.Palette = append(img.Palette, color.NRGBA{R: key[0], G: key[1], B: key[2], A: 255})
			}
			img.SetColorIndex(x, y, place)
		}
	}
	return img
}

// pngProfile returns the profile in a PNG, nil if there is none.
func pngProfile(t *testing.T, file []byte) []byte {
	t.Helper()
	for at := 8; at+8 <= len(file); {
		size := int(binary.BigEndian.Uint32(file[at:]))
		if string(file[at+4:at+8]) == "iCCP" {
			data := file[at+8:][:size]
			data = data[bytes.IndexByte(data, 0)+2:]
			z, err := zlib.NewReader(bytes.NewReader(data))
			must(err)
			profile, err := io.ReadAll(z)
			must(err)
			return profile
		}
		at += 12 + size
	}
	return nil
}
