package main

import (
	"bytes"
	"math"
)

// A CMYK profile of the usual kind weighs a megabyte. This one is computed from what every combination of full inks
// looks like on coated paper, which standards for offset printing state, and weighs 31 kB. It is good enough to
// see that a CMYK picture is understood, not to run a press.

// inkLab is the colour, in Lab, of each combination of solid inks; bit 0 is cyan, then magenta, yellow, black.
var inkLab = [16][3]float64{
	0: {95, 0, -2}, 1: {55, -37, -50}, 2: {48, 74, -3}, 4: {89, -5, 93},
	3: {24, 22, -46}, 5: {50, -65, 27}, 6: {47, 68, 48}, 7: {23, 0, 0},
	8: {16, 0, 0}, 9: {13, -3, -6}, 10: {12, 6, -1}, 12: {15, -1, 5},
	11: {9, 1, -5}, 13: {11, -5, 1}, 14: {11, 5, 4}, 15: {8, 0, 0},
}

const (
	yuleNielsen = 1.8  // how far light wanders within the paper before it comes out
	dotGain     = 0.14 // how much a 50 % tone spreads
)

// ink is the part of the paper that each of the four inks covers, 0 to 1.
type ink [4]float64

// printed returns the Lab colour, relative to the paper, of inks that cover so much (Neugebauer's equations).
func printed(c ink) [3]float64 {
	var sum [3]float64
	for combination := range 16 {
		weight := 1.0
		for i, part := range c {
			if combination>>i&1 == 0 {
				part = 1 - part
			}
			weight *= part
		}
		for k, x := range inkRoots[combination] {
			sum[k] += weight * x
		}
	}
	for k := range sum {
		sum[k] = math.Pow(sum[k], yuleNielsen) * d50[k]
	}
	return xyzToLab(sum)
}

var inkRoots = func() (roots [16][3]float64) {
	paper := labToXYZ(inkLab[0])
	for i, lab := range inkLab {
		for k, x := range labToXYZ(lab) {
			roots[i][k] = math.Pow(x/paper[k], 1/yuleNielsen)
		}
	}
	return roots
}()

// separate returns the inks that come closest to a Lab colour. Black takes the grey part of dark colours.
func separate(lab [3]float64) ink {
	dark := clamp((72 - lab[0]) / 66)
	grey := 1 / (1 + math.Pow(math.Hypot(lab[1], lab[2])/38, 2))
	c := ink{0.3, 0.3, 0.3, math.Pow(dark, 1.4) * grey}
	for range 60 {
		c = improve(c, lab)
	}
	return c
}

// improve takes one damped Gauss-Newton step with cyan, magenta and yellow.
func improve(c ink, want [3]float64) ink {
	const e, damping = 1e-4, 3.0
	is := printed(c)
	var slope [3][3]float64 // slope[i] is the change of Lab by ink i
	for i := range 3 {
		d := c
		d[i] += e
		for k, x := range printed(d) {
			slope[i][k] = (x - is[k]) / e
		}
	}
	var m [3][3]float64
	var right [3]float64
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				m[i][j] += slope[i][k] * slope[j][k]
			}
		}
		m[i][i] *= 1 + 0.01*damping
		m[i][i] += damping
		for k := range 3 {
			right[i] += slope[i][k] * (want[k] - is[k])
		}
	}
	for i, step := range solve(m, right) {
		c[i] = clamp(c[i] + 0.7*step)
	}
	return c
}

// solve is Cramer's rule.
func solve(m [3][3]float64, right [3]float64) (x [3]float64) {
	det := func(a [3][3]float64) float64 {
		return a[0][0]*(a[1][1]*a[2][2]-a[1][2]*a[2][1]) - a[0][1]*(a[1][0]*a[2][2]-a[1][2]*a[2][0]) + a[0][2]*(a[1][0]*a[2][1]-a[1][1]*a[2][0])
	}
	whole := det(m)
	for i := range x {
		part := m
		for row := range part {
			part[row][i] = right[row]
		}
		x[i] = det(part) / whole
	}
	return x
}

// pressProfile returns the profile, with tables from inks to Lab and back.
func pressProfile() []byte {
	const fromSteps, toSteps = 7, 17
	spread := func(tone float64) float64 { return tone + 4*dotGain*tone*(1-tone) }
	unspread := func(cover float64) float64 {
		b := 1 + 4*dotGain
		return (b - math.Sqrt(b*b-16*dotGain*cover)) / (8 * dotGain)
	}
	straight := func(x float64) float64 { return x }
	toLab := lut8(4, 3, fromSteps, spread, straight, func(in []float64) []float64 {
		lab := printed(ink(in))
		return []float64{lab[0] / 100, (lab[1] + 128) / 255, (lab[2] + 128) / 255}
	})
	toInk := lut8(3, 4, toSteps, straight, unspread, func(in []float64) []float64 {
		c := separate([3]float64{in[0] * 100, in[1]*255 - 128, in[2]*255 - 128})
		return c[:]
	})
	return iccProfile("prtr", "CMYK", "Lab ", []iccTag{
		{[]string{"desc"}, iccText("imageorigin example press, coated paper")},
		{[]string{"cprt"}, iccText("CC0")},
		{[]string{"wtpt"}, iccXYZ(labToXYZ(inkLab[0]))},
		{[]string{"A2B0", "A2B1", "A2B2"}, toLab},
		{[]string{"B2A0", "B2A1", "B2A2"}, toInk},
	})
}

// lut8 writes a table of eight-bit numbers: a curve for each input, a grid, a curve for each output.
func lut8(inputs, outputs, steps int, first, last func(float64) float64, value func(in []float64) []float64) []byte {
	var b bytes.Buffer
	b.WriteString("mft1\x00\x00\x00\x00")
	b.Write([]byte{byte(inputs), byte(outputs), byte(steps), 0})
	fixed(&b, 1, 0, 0, 0, 1, 0, 0, 0, 1)
	ramp := func(n int, f func(float64) float64) {
		for range n {
			for i := range 256 {
				b.WriteByte(round(255 * f(float64(i)/255)))
			}
		}
	}
	ramp(inputs, first)
	count := int(math.Pow(float64(steps), float64(inputs)) + 0.5)
	in := make([]float64, inputs)
	for n := range count {
		rest := n
		for i := inputs - 1; i >= 0; i-- { // the last input varies fastest
			in[i] = float64(rest%steps) / float64(steps-1)
			rest /= steps
		}
		for _, x := range value(in) {
			b.WriteByte(round(255 * clamp(x)))
		}
	}
	ramp(outputs, last)
	return b.Bytes()
}

func labToXYZ(lab [3]float64) [3]float64 {
	y := (lab[0] + 16) / 116
	var xyz [3]float64
	for i, t := range [3]float64{y + lab[1]/500, y, y - lab[2]/200} {
		if t > 6.0/29 {
			xyz[i] = d50[i] * t * t * t
		} else {
			xyz[i] = d50[i] * 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0/29)
		}
	}
	return xyz
}

func xyzToLab(xyz [3]float64) [3]float64 {
	var f [3]float64
	for i, x := range xyz {
		t := x / d50[i]
		if t > math.Pow(6.0/29, 3) {
			f[i] = math.Cbrt(t)
		} else {
			f[i] = t/(3*(6.0/29)*(6.0/29)) + 4.0/29
		}
	}
	return [3]float64{116*f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])}
}
