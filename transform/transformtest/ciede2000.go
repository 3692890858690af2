package transformtest

import (
	"image"
	"image/color"
	"math"
)

// Lab is a colour in CIE L*a*b*.
type Lab struct{ L, A, B float64 }

// CIEDE2000 returns the distance of two colours by the formula of CIE 142-2001, with all weights 1, as written down by
// Sharma, Wu and Dalal (2005). 1 is about the least that is seen side by side.
func CIEDE2000(p, q Lab) float64 {
	meanChroma := (math.Hypot(p.A, p.B) + math.Hypot(q.A, q.B)) / 2
	g := 0.5 * (1 - math.Sqrt(saturating(meanChroma)))
	a1, a2 := (1+g)*p.A, (1+g)*q.A
	c1, c2 := math.Hypot(a1, p.B), math.Hypot(a2, q.B)
	h1, h2 := hue(a1, p.B), hue(a2, q.B)

	turn, meanHue := h2-h1, h1+h2
	switch {
	case c1*c2 == 0:
		turn = 0
	case math.Abs(h1-h2) <= 180:
		meanHue /= 2
	default:
		turn -= math.Copysign(360, turn)
		if meanHue < 360 {
			meanHue += 360
		} else {
			meanHue -= 360
		}
		meanHue /= 2
	}
	l, c := (p.L+q.L)/2, (c1+c2)/2
	t := 1 - 0.17*cosine(meanHue-30) + 0.24*cosine(2*meanHue) + 0.32*cosine(3*meanHue+6) - 0.20*cosine(4*meanHue-63)
	sl := 1 + 0.015*(l-50)*(l-50)/math.Sqrt(20+(l-50)*(l-50))
	sc := 1 + 0.045*c
	sh := 1 + 0.015*c*t
	dl := (q.L - p.L) / sl
	dc := (c2 - c1) / sc
	dh := 2 * math.Sqrt(c1*c2) * math.Sin(turn/2*math.Pi/180) / sh
	bend := (meanHue - 275) / 25
	rotation := -2 * math.Sqrt(saturating(c)) * math.Sin(2*30*math.Exp(-bend*bend)*math.Pi/180)
	return math.Sqrt(dl*dl + dc*dc + dh*dh + rotation*dc*dh)
}

// saturating grows with the chroma from 0 to 1.
func saturating(chroma float64) float64 {
	c7 := math.Pow(chroma, 7)
	return c7 / (c7 + math.Pow(25, 7))
}

// hue returns an angle of 0 up to 360 degrees.
func hue(a, b float64) float64 {
	if a == 0 && b == 0 {
		return 0
	}
	return math.Mod(math.Atan2(b, a)*180/math.Pi+360, 360)
}

func cosine(degrees float64) float64 { return math.Cos(degrees * math.Pi / 180) }

// LabOf returns an opaque colour of sRGB in L*a*b*, relative to its white.
func LabOf(c color.Color) Lab {
	r, g, b, _ := c.RGBA()
	return rgb{linear(float64(r) / 0xffff), linear(float64(g) / 0xffff), linear(float64(b) / 0xffff)}.lab()
}

// MeanCIEDE2000 returns the mean over all pixels of two opaque pictures of the same size, in sRGB.
func MeanCIEDE2000(a, b image.Image) float64 {
	size := a.Bounds().Size()
	if size != b.Bounds().Size() {
		return math.Inf(1)
	}
	sum := 0.0
	for y := range size.Y {
		for x := range size.X {
			p, q := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y), b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y)
			sum += CIEDE2000(LabOf(p), LabOf(q))
		}
	}
	return sum / float64(size.X*size.Y)
}

// rgb is a colour in linear values of sRGB, 0…1 within its gamut.
type rgb [3]float64

// lab clips what sRGB can't show, as a picture of 8 bits does.
func (c rgb) lab() Lab {
	for i, v := range c {
		c[i] = min(max(v, 0), 1)
	}
	xyz := srgbToXYZ.times(c)
	for i, white := range srgbToXYZ.times(rgb{1, 1, 1}) {
		xyz[i] = cubeRoot(xyz[i] / white)
	}
	return Lab{116*xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])}
}

var srgbToXYZ = srgbSpace.toXYZ()

// cubeRoot is that of CIE L*a*b*, with a straight part near black.
func cubeRoot(t float64) float64 {
	if t > 216.0/24389 {
		return math.Cbrt(t)
	}
	return (24389.0/27*t + 16) / 116
}
