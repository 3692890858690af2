package transformtest

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// librsvg works alone: libvips asks it for a band of the picture and can neither stop it nor bound its memory meanwhile.
const drawsAlone = "librsvg draws to its end: nothing in its process stops it"

func svgBombs() []Bomb {
	drawing := func(name string, build func() string, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "svg: " + name, Format: plan.SVG, Bytes: func() []byte { return []byte(build()) }, Want: want, Pixels: 1_000_000}
	}
	alone := func(b Bomb) Bomb {
		b.Runaway = drawsAlone
		return b
	}
	const open = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1000" height="1000">`
	in := func(content string) func() string { return func() string { return open + content + "</svg>" } }
	filter := func(content string) func() string {
		return in(`<filter id="f" x="-1000000%" y="-1000000%" width="2000000%" height="2000000%">` + content + `</filter><rect width="1000" height="1000" filter="url(#f)"/>`)
	}
	return []Bomb{
		drawing("use of use of use, ten of each (10^12)", func() string { return manyUses(open, 12) }, broken, Served),
		alone(drawing("use of use of use, ten of each (10^5)", func() string { return manyUses(open, 5) }, broken, Served)),
		drawing("entities of entities (10^13)", func() string {
			var b strings.Builder
			b.WriteString(`<!DOCTYPE svg [<!ENTITY a0 "aaaaaaaaaa">`)
			for i := range 12 {
				fmt.Fprintf(&b, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
			}
			return b.String() + "]>" + open + "<text>&a12;</text></svg>"
		}, broken),
		drawing("one entity of 100 kB, 5,000 times", func() string {
			return `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 100_000) + `">]>` + open + "<text>" + strings.Repeat("&a;", 5_000) + "</text></svg>"
		}, broken),
		drawing("an entity of itself", func() string {
			return `<!DOCTYPE svg [<!ENTITY a "&b;"><!ENTITY b "&a;">]>` + open + "<text>&a;</text></svg>"
		}, broken),
		drawing("11 MB of elements", in(strings.Repeat(`<rect width="9" height="9"/>`, 400_000)), tooLarge),
		{
			// An element takes librsvg as much as 200 pixels take others.
			Number: 21, Name: "svg: 190,000 elements", Format: plan.SVG, Want: []Outcome{Served}, Pixels: 190_000 * 220,
			Bytes: func() []byte { return []byte(in(strings.Repeat(`<rect width="9" height="9"/>`, 190_000))()) },
		},
		drawing("11 MB of comment", in("<!--"+strings.Repeat("x", 11_000_000)+"-->"), broken, Served),
		drawing("11 MB of one path", in(`<path d="M0 0`+strings.Repeat("L9 9 0 9", 1_400_000)+`"/>`), broken, Served),
		drawing("100,000 groups in each other", in(strings.Repeat("<g>", 100_000)+strings.Repeat("</g>", 100_000)), broken, Served),
		drawing("200 groups in each other, each blended by itself", in(strings.Repeat(`<g opacity="0.99">`, 200)+`<rect width="9" height="9"/>`+strings.Repeat("</g>", 200)), broken, Served),
		drawing("1,000,000,000 x 1,000,000,000", func() string {
			return `<svg xmlns="http://www.w3.org/2000/svg" width="1000000000" height="1000000000"/>`
		}, Served, OverLimit, broken),
		drawing("100,000 x 1", func() string { return `<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="1"/>` }, Served, OverLimit, broken),
		drawing("no size and a view box of 1e308", func() string { return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e308 1e308"/>` }, OverLimit, broken),
		drawing("a size that is no number", func() string { return `<svg xmlns="http://www.w3.org/2000/svg" width="NaN" height="-1"/>` }, broken, Served, OverLimit),
		drawing("a size of 1e-300", func() string { return `<svg xmlns="http://www.w3.org/2000/svg" width="1e-300" height="1e-300"/>` }, broken, OverLimit, Served),
		alone(drawing("a blur of 1,000,000", filter(`<feGaussianBlur stdDeviation="1000000"/>`), Served, broken)),
		alone(drawing("100 blurs", filter(strings.Repeat(`<feGaussianBlur stdDeviation="100"/>`, 100)), Served, broken)),
		alone(drawing("turbulence of a billion octaves", filter(`<feTurbulence numOctaves="1000000000" baseFrequency="0.5"/>`), Served, broken)),
		alone(drawing("morphology of a radius of 1,000", filter(`<feMorphology operator="dilate" radius="1000"/>`), Served, broken)),
		alone(drawing("a convolution of 20 x 20", filter(`<feConvolveMatrix order="20" kernelMatrix="`+strings.Repeat("1 ", 400)+`"/>`), Served, broken)),
		drawing("a convolution of 100 x 100, at which librsvg aborts", filter(`<feConvolveMatrix order="100" kernelMatrix="`+strings.Repeat("1 ", 10_000)+`"/>`), broken),
		alone(drawing("1,000 offsets, merged", filter(strings.Repeat(`<feOffset dx="1"/>`, 1000)), Served, broken)),
		drawing("a filter that shows itself", in(`<filter id="f"><feImage xlink:href="#a"/></filter><rect id="a" width="9" height="9" filter="url(#f)"/>`), Served, broken),
		drawing("a use of itself", in(`<g id="a"><use xlink:href="#a"/></g>`), Served, broken),
		drawing("two uses of each other", in(`<g id="a"><use xlink:href="#b"/></g><g id="b"><use xlink:href="#a"/></g>`), Served, broken),
		drawing("a pattern of itself", in(`<pattern id="p" width="9" height="9"><rect width="9" height="9" fill="url(#p)"/></pattern><rect width="900" height="900" fill="url(#p)"/>`), Served, broken),
		alone(drawing("patterns of patterns", func() string { return patterns(open, 8) }, Served, broken)),
		drawing("a pattern of 0.0001", in(`<pattern id="p" width="0.0001" height="0.0001" patternUnits="userSpaceOnUse"><rect width="1" height="1"/></pattern><rect width="900" height="900" fill="url(#p)"/>`), Served, broken),
		drawing("a mask of itself", in(`<mask id="m"><rect width="9" height="9" mask="url(#m)"/></mask><rect width="900" height="900" mask="url(#m)"/>`), Served, broken),
		drawing("a clip path of itself", in(`<clipPath id="c" clip-path="url(#c)"><rect width="9" height="9"/></clipPath><rect width="900" height="900" clip-path="url(#c)"/>`), Served, broken),
		drawing("a marker of itself", in(`<marker id="m"><path d="M0 0L9 9" marker-start="url(#m)"/></marker><path d="M0 0L9 9" marker-start="url(#m)"/>`), Served, broken),
		drawing("a gradient of itself", in(`<linearGradient id="a" xlink:href="#a"/><rect width="900" height="900" fill="url(#a)"/>`), Served, broken),
		alone(drawing("dashes of 0.00001", in(`<path d="M0 0L1000 1000" stroke="#000" stroke-dasharray="0.00001"/>`), Served, broken)),
		alone(drawing("200,000 markers with 1,000 points each", in(`<marker id="m"><path d="M0 0`+strings.Repeat("L9 9", 1000)+`"/></marker><path d="M0 0`+strings.Repeat("L9 9", 200_000)+`" marker-mid="url(#m)"/>`), Served, broken)),
		drawing("a PNG of 2.5 gigapixels inside", in(inline("image/png", flatPNG(50000, 50000, 16, 6, false, []byte{0}))), Served, broken),
		{
			Number: 21, Name: "svg: a PNG of 100 megapixels inside", Format: plan.SVG, Want: []Outcome{Served, broken}, Pixels: 100_000_000,
			Bytes:   func() []byte { return []byte(in(inline("image/png", flatPNG(10000, 10000, 8, 6, false, nil)))()) },
			Runaway: "pictures inside a drawing are read by librsvg's own decoders, whatever their size",
		},
		alone(drawing("a PNG of 900 megapixels inside", in(inline("image/png", flatPNG(30000, 30000, 8, 0, false, nil))), Served, broken)),
		{
			Number: 21, Name: "svg: a convolution at which librsvg aborts, in a drawing inside", Format: plan.SVG, Want: []Outcome{Served, broken}, Pixels: 1_000_000,
			Bytes: func() []byte {
				inner := filter(`<feConvolveMatrix order="30" kernelMatrix="` + strings.Repeat("1 ", 900) + `"/>`)()
				return []byte(in(inline("image/svg+xml", []byte(inner)))())
			},
			Runaway: "a drawing inside a drawing is read by librsvg alone", Aborts: true,
		},
		drawing("a drawing inside a drawing inside", in(inline("image/svg+xml", []byte(open+inline("image/svg+xml", []byte(open+"</svg>"))+"</svg>"))), Served, broken),
		drawing("style rules by the thousand", in("<style>"+strings.Repeat("g g g g g g rect{fill:red}", 5000)+"</style>"+strings.Repeat("<g>", 50)+strings.Repeat("<rect/>", 500)+strings.Repeat("</g>", 50)), Served, broken),
	}
}

// manyUses returns a drawing in which a rectangle is shown 10^depth times.
func manyUses(open string, depth int) string {
	var b strings.Builder
	b.WriteString(open + `<defs><rect id="u0" width="1" height="1"/>`)
	for i := range depth {
		fmt.Fprintf(&b, `<g id="u%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use xlink:href="#u%d"/>`, i), 10))
	}
	fmt.Fprintf(&b, `</defs><use xlink:href="#u%d"/></svg>`, depth)
	return b.String()
}

// patterns returns a drawing of tiles, each of which is painted with smaller tiles.
func patterns(open string, depth int) string {
	var b strings.Builder
	b.WriteString(open + `<pattern id="p0" width="0.1" height="0.1"><rect width="900" height="900"/></pattern>`)
	for i := range depth {
		fmt.Fprintf(&b, `<pattern id="p%d" width="0.1" height="0.1"><rect width="900" height="900" fill="url(#p%d)"/></pattern>`, i+1, i)
	}
	fmt.Fprintf(&b, `<rect width="1000" height="1000" fill="url(#p%d)"/></svg>`, depth)
	return b.String()
}

// inline returns an element that shows a file within the drawing.
func inline(media string, file []byte) string {
	return `<image width="1000" height="1000" xlink:href="data:` + media + ";base64," + base64.StdEncoding.EncodeToString(file) + `"/>`
}
