package vipsexec

import (
	"math"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// lab is a colour in CIE L*a*b* (1976) with the white of D65, as libvips has it.
type lab struct{ l, a, b float64 }

// whiteX and whiteZ are what libvips takes for the white of D65, where its Y is 1.
const (
	whiteX = 0.950470
	whiteZ = 1.088827
)

// The constants of CIE 15: below them, the cube root is a line.
const (
	labEdge  = 216.0 / 24389
	labSlope = 24389.0 / 27
)

// labOf converts an sRGB colour, whatever its opacity.
func labOf(c plan.Color) lab {
	r, g, b := srgbCurve(float64(c.R)/math.MaxUint8), srgbCurve(float64(c.G)/math.MaxUint8), srgbCurve(float64(c.B)/math.MaxUint8)
	f := func(v float64) float64 {
		if v > labEdge {
			return math.Cbrt(v)
		}
		return (labSlope*v + 16) / 116
	}
	x := f((0.4124*r + 0.3576*g + 0.1805*b) / whiteX)
	y := f(0.2126*r + 0.7152*g + 0.0722*b)
	z := f((0.0193*r + 0.1192*g + 0.9505*b) / whiteZ)
	return lab{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// linearRGB returns the colour in linear light of sRGB; what is not from 0 to 1 is beyond what sRGB has.
func (c lab) linearRGB() [3]float64 {
	f := func(v float64) float64 {
		if cube := v * v * v; cube > labEdge {
			return cube
		}
		return (116*v - 16) / labSlope
	}
	middle := (c.l + 16) / 116
	x, y, z := whiteX*f(middle+c.a/500), f(middle), whiteZ*f(middle-c.b/200)
	return [3]float64{
		3.2406*x - 1.5372*y - 0.4986*z,
		-0.9689*x + 1.8758*y + 0.0415*z,
		0.0557*x - 0.2040*y + 1.0570*z,
	}
}

// fitted returns the colour of the same lightness and hue in linear light of sRGB, with as much of its chroma as sRGB has.
func (c lab) fitted() [3]float64 {
	// The matrices are rounded, so white is a little beyond.
	const tolerance = 1e-3
	within := func(v [3]float64) bool {
		return min(v[0], v[1], v[2]) >= -tolerance && max(v[0], v[1], v[2]) <= 1+tolerance
	}
	rgb := c.linearRGB()
	if within(rgb) {
		return rgb
	}
	least, most := 0.0, 1.0
	for range 16 {
		middle := (least + most) / 2
		if rgb = (lab{c.l, middle * c.a, middle * c.b}).linearRGB(); within(rgb) {
			least = middle
		} else {
			most = middle
		}
	}
	return lab{c.l, least * c.a, least * c.b}.linearRGB()
}
