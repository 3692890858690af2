package main

import "math"

// Color is a colour in linear light, so that mixing and blurring behave as light does. Its primaries are those of sRGB,
// but in the Display-P3 picture, where they are P3's. Values above 1 are allowed until the picture is quantised.
type Color struct{ R, G, B float64 }

// Hex returns the colour written as 0xRRGGBB.
func Hex(rgb uint32) Color {
	return Color{toLinear(rgb >> 16 & 255), toLinear(rgb >> 8 & 255), toLinear(rgb & 255)}
}

// Scale returns c with its light multiplied by k.
func (c Color) Scale(k float64) Color { return Color{c.R * k, c.G * k, c.B * k} }

// Add returns the sum of two lights.
func (c Color) Add(d Color) Color { return Color{c.R + d.R, c.G + d.G, c.B + d.B} }

// Times returns c seen through, or reflected by, a surface of colour d.
func (c Color) Times(d Color) Color { return Color{c.R * d.R, c.G * d.G, c.B * d.B} }

// Mix returns the light that lies the fraction t of the way from c to d.
func (c Color) Mix(d Color, t float64) Color {
	return Color{c.R + (d.R-c.R)*t, c.G + (d.G-c.G)*t, c.B + (d.B-c.B)*t}
}

func toLinear(v uint32) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

func toCurve(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x <= 0.0031308:
		return x * 12.92
	}
	return 1.055*math.Pow(x, 1/2.4) - 0.055
}

// Ramp is a gradient through stops. It is mixed in Oklab, because a mix in linear light, or in sRGB, goes
// through grey between complementary colours: a sky from violet to orange would look dirty in the middle.
type Ramp struct {
	at   []float64
	labs [][3]float64
}

// NewRamp returns the gradient through the stops given as position, 0xRRGGBB, position, 0xRRGGBB ...
func NewRamp(stops ...float64) Ramp {
	var r Ramp
	for i := 0; i+1 < len(stops); i += 2 {
		r.at = append(r.at, stops[i])
		r.labs = append(r.labs, oklab(Hex(uint32(stops[i+1]))))
	}
	return r
}

// At returns the colour at position t; outside the stops it is the nearest stop's.
func (r Ramp) At(t float64) Color {
	last := len(r.at) - 1
	if t <= r.at[0] {
		return fromOklab(r.labs[0])
	}
	if t >= r.at[last] {
		return fromOklab(r.labs[last])
	}
	i := 0
	for t > r.at[i+1] {
		i++
	}
	f := (t - r.at[i]) / (r.at[i+1] - r.at[i])
	a, b := r.labs[i], r.labs[i+1]
	return fromOklab([3]float64{lerp(a[0], b[0], f), lerp(a[1], b[1], f), lerp(a[2], b[2], f)})
}

// oklab and fromOklab follow the matrices published by Björn Ottosson.
func oklab(c Color) [3]float64 {
	l := math.Cbrt(0.4122214708*c.R + 0.5363325363*c.G + 0.0514459929*c.B)
	m := math.Cbrt(0.2119034982*c.R + 0.6806995451*c.G + 0.1073969566*c.B)
	s := math.Cbrt(0.0883024619*c.R + 0.2817188376*c.G + 0.6299787005*c.B)
	return [3]float64{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func fromOklab(lab [3]float64) Color {
	l := lab[0] + 0.3963377774*lab[1] + 0.2158037573*lab[2]
	m := lab[0] - 0.1055613458*lab[1] - 0.0638541728*lab[2]
	s := lab[0] - 0.0894841775*lab[1] - 1.2914855480*lab[2]
	l, m, s = l*l*l, m*m*m, s*s*s
	return Color{
		max(0, 4.0767416621*l-3.3077115913*m+0.2309699292*s),
		max(0, -1.2684380046*l+2.6097574011*m-0.3413193965*s),
		max(0, -0.0041960863*l-0.7034186147*m+1.7076147010*s),
	}
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp(x float64) float64 { return min(max(x, 0), 1) }

// smooth is 0 below a, 1 above b and an S-curve between them; with a > b it falls instead of rising.
func smooth(a, b, x float64) float64 {
	t := clamp((x - a) / (b - a))
	return t * t * (3 - 2*t)
}
