package transformtest

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Distance says how different two pictures look, in CIE ΔE (1976): about 2.3 is the least that is seen, 10 is plain at a
// glance.
type Distance struct {
	Mean  float64 // over all pixels
	Worst float64 // the mean of the worst block of 8×8 pixels
}

// String returns both figures.
func (d Distance) String() string { return fmt.Sprintf("ΔE %.2f, worst block %.2f", d.Mean, d.Worst) }

// Compare returns the distance of two pictures of the same size; of different sizes it is infinite. Transparent parts
// are seen on black and on white, and the worse counts.
func Compare(a, b image.Image) Distance {
	if a.Bounds().Size() != b.Bounds().Size() {
		return Distance{math.Inf(1), math.Inf(1)}
	}
	const block = 8
	var d Distance
	width, height := a.Bounds().Dx(), a.Bounds().Dy()
	for top := 0; top < height; top += block {
		for left := 0; left < width; left += block {
			sum, pixels := 0.0, 0
			for y := top; y < min(top+block, height); y++ {
				for x := left; x < min(left+block, width); x++ {
					p, q := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y), b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y)
					sum += max(deltaE(p, q, 0), deltaE(p, q, 1))
					pixels++
				}
			}
			d.Mean += sum
			d.Worst = max(d.Worst, sum/float64(pixels))
		}
	}
	d.Mean /= float64(width * height)
	return d
}

// deltaE returns the distance of two colours on a ground of the given lightness.
func deltaE(p, q color.Color, ground float64) float64 {
	l1, a1, b1 := lab(p, ground)
	l2, a2, b2 := lab(q, ground)
	return math.Sqrt((l1-l2)*(l1-l2) + (a1-a2)*(a1-a2) + (b1-b2)*(b1-b2))
}

func lab(c color.Color, ground float64) (l, a, b float64) {
	// RGBA is premultiplied, so what is behind shines through by the rest.
	r16, g16, b16, a16 := c.RGBA()
	behind := ground * (1 - float64(a16)/0xffff)
	r, g, bl := linear(float64(r16)/0xffff+behind), linear(float64(g16)/0xffff+behind), linear(float64(b16)/0xffff+behind)
	// sRGB to XYZ, relative to D65.
	x := (0.4124*r + 0.3576*g + 0.1805*bl) / 0.9505
	y := 0.2126*r + 0.7152*g + 0.0722*bl
	z := (0.0193*r + 0.1192*g + 0.9505*bl) / 1.089
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	return 116*f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))
}

// linear undoes sRGB's transfer curve.
func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// encoded applies sRGB's transfer curve and returns a byte.
func encoded(v float64) uint8 { return uint8(math.Round(curved(v) * 255)) }

// encodedDeep is the same in 16 bits.
func encodedDeep(v float64) uint16 { return uint16(math.Round(curved(v) * 0xffff)) }

// curved applies sRGB's transfer curve to light, which it clips.
func curved(v float64) float64 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}
