package main

import "math"

// The balloons at sunrise, in portrait format: a fleet rising over hills that stand in the morning mist.

var morningSky = NewRamp(
	0.00, 0x2f6fa3, 0.16, 0x5a9dbd, 0.32, 0x97c6c8, 0.46, 0xd3dcc4, 0.56, 0xf6dcae, 0.64, 0xf8c389, 0.72, 0xf4a474)

const (
	morningSunU = 0.135
	morningSunV = 0.655
)

func paintMorning(p *Picture) {
	p.Fill(func(u, v float64) Color {
		d := math.Hypot(u-morningSunU, v-morningSunV)
		away := u - morningSunU
		return morningSky.At(v - 0.10*away*away).
			Add(Hex(0xffc070).Scale(0.20 * math.Exp(-d*5))).
			Add(Hex(0xffe8bc).Scale(0.45 * math.Exp(-d*15)))
	})
	morningClouds(p)
	p.Glow(Everything, func(u, v float64) Color {
		d := disc(u, v, morningSunU, morningSunV, 0.026)
		return Hex(0xfff0d0).Scale(0.75 * edge(d, 0.003))
	})
	morningHills(p)
	morningFleet(p)
	morningMeadow(p)
}

func morningClouds(p *Picture) {
	n := Noise(211)
	p.Over(Box{0, 0, math.Inf(1), 0.62}, func(u, v float64) (Color, float64) {
		bend := 0.25 * n.Fractal(u*2, v*4, 3)
		f := (n + 20).Fractal(u*2.4+bend, v*11+bend*2+u*1.2, 6)
		body := smooth(0.02, 0.50, f)
		above := (n + 20).Fractal(u*2.4+bend-0.02, (v+0.010)*11+bend*2+u*1.2, 4)
		lit := clamp(0.55 + 1.8*(f-above))
		near := math.Exp(-2.6 * math.Hypot(u-morningSunU, v-morningSunV))
		white := Hex(0xf6efe6).Mix(Hex(0xffd3a0), clamp(1.4*near))
		return morningSky.At(v).Mix(Hex(0xa9b8cc), 0.4).Mix(white, lit), 0.62 * body * smooth(0.62, 0.5, v)
	})
}

func morningHills(p *Picture) {
	hill := func(seed Noise, crest, swell, breadth float64, top, foot Color, fade float64) {
		line := func(u float64) float64 {
			return crest - swell*(seed.At(u/breadth, 0.5)+0.28*(seed+1).At(u/breadth*2.7, 0.5)+0.05*(seed+2).At(u/breadth*9, 0.5))
		}
		wood := spruces{seed: seed + 5, spacing: 0.0042, small: 0.006, tall: 0.014, slenderness: 0.2, from: -1, to: 2, ground: line, raggedness: 0.3, whorls: 5, clearingSize: 0.07}
		p.Over(Box{0, crest - 2*swell - 0.03, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
			at := line(u)
			du := (line(u+0.004) - line(u-0.004)) / 0.008
			facing := clamp(0.5 + 1.1*du*clamp(3*math.Abs(u-morningSunU))*math.Copysign(1, morningSunU-u) + 0.3*(seed+8).Fractal(u*7, (v-at)*16, 4))
			near := math.Exp(-2.2 * math.Abs(u-morningSunU))
			c := top.Add(Hex(0xffb877).Scale((0.10 + 0.35*near) * facing * smooth(0.12, 0, v-at)))
			c = c.Mix(foot, smooth(0, fade, v-at+0.012*(seed+9).Fractal(u*5, v*20, 3)))
			trees := wood.cover(u, v, p.Pixel()) * smooth(0.03, 0.0, v-at)
			if v < at {
				return top.Scale(0.82), max(edge(at-v, p.Pixel()), trees)
			}
			return c, 1
		})
	}
	hill(221, 0.690, 0.020, 0.30, Hex(0xd7a08f), Hex(0xfacfa0), 0.05)
	mist(p, 231, 0.712, 0.016, Hex(0xffdcb0), 0.7)
	hill(223, 0.722, 0.028, 0.36, Hex(0xa97f92), Hex(0xf0c0a2), 0.06)
	mist(p, 232, 0.752, 0.018, Hex(0xfdd7b0), 0.75)
	hill(229, 0.768, 0.036, 0.42, Hex(0x6c6788), Hex(0xd3ada6), 0.075)
	mist(p, 233, 0.806, 0.020, Hex(0xeec4b0), 0.7)
	hill(239, 0.828, 0.040, 0.34, Hex(0x3f4a72), Hex(0x9c8ba0), 0.09)
	mist(p, 234, 0.872, 0.020, Hex(0xcfb0b4), 0.55)
}

func morningFleet(p *Picture) {
	sun, sky := Hex(0xffdcae).Scale(1.05), Hex(0xa9c4e6).Scale(0.62)
	cream, coral, teal, navy := Hex(0xf8ead0), Hex(0xe8533f), Hex(0x1f8a8c), Hex(0x23355f)
	gold, plum, rose, sea := Hex(0xf4b02e), Hex(0x7a2f63), Hex(0xee8a8a), Hex(0x3f7fb5)
	fleet := []balloon{
		{u: 0.602, v: 0.600, r: 0.0115, turn: 0.2, cloth: stripes(plum, cream), away: 0.62},
		{u: 0.325, v: 0.615, r: 0.0130, turn: 0.5, cloth: stripes(coral, cream), away: 0.60},
		{u: 0.250, v: 0.548, r: 0.0165, turn: 1.0, cloth: stripes(teal, cream, gold), away: 0.54},
		{u: 0.470, v: 0.565, r: 0.0210, turn: 0.1, cloth: spiral(navy, gold), away: 0.46},
		{u: 0.088, v: 0.470, r: 0.0290, turn: 0.7, cloth: stripes(rose, cream, plum, cream), away: 0.36},
		{u: 0.590, v: 0.425, r: 0.0370, turn: 0.4, cloth: banded(gold, teal, teal, cream, gold), away: 0.28},
		{u: 0.150, v: 0.268, r: 0.0560, turn: 0.9, cloth: spiral(teal, cream, sea, cream), away: 0.17},
		{u: 0.545, v: 0.150, r: 0.0620, turn: 0.3, cloth: stripes(gold, coral, plum), away: 0.13},
		{u: 0.365, v: 0.385, r: 0.1180, turn: 0.16, cloth: banded(coral, navy, cream, coral, gold, coral), away: 0.0},
	}
	for _, b := range fleet {
		b.gores, b.sun, b.sky, b.air = 20, sun, sky, morningSky.At(b.v+0.06)
		if b.r < 0.04 {
			b.gores = 12
		}
		b.paint(p)
	}
}

// morningMeadow is the near slope: grass against the light, a few firs and the flowers of early summer.
func morningMeadow(p *Picture) {
	slope := func(u float64) float64 {
		return 0.935 - 0.045*smooth(0.3, 0.75, u) + 0.012*math.Sin(u*7) + 0.004*Noise(251).Fractal(u*12, 0, 3)
	}
	dark := NewRamp(0, 0x36405a, 0.45, 0x252d48, 1, 0x121730)
	firs := spruces{seed: 257, spacing: 0.021, small: 0.03, tall: 0.125, slenderness: 0.17, from: 0.46, to: 0.66, ground: slope, raggedness: 0.6, whorls: 15}
	p.Over(Box{0.4, 0.7, 1, 1}, func(u, v float64) (Color, float64) {
		return Hex(0x222a4a), firs.cover(u, v, p.Pixel())
	})
	p.Over(Box{0, 0.85, 1, 1}, func(u, v float64) (Color, float64) {
		at := slope(u)
		near := math.Exp(-4 * math.Abs(u-morningSunU))
		sheen := math.Exp(-(v-at)*46) * (0.25 + 0.9*near) * clamp(0.6+Noise(253).Fractal(u*24, v*60, 3))
		return dark.At((v - at) / 0.09).Add(Hex(0xffa861).Scale(0.40 * sheen)), edge(at-v, p.Pixel())
	})
	seed := Noise(259)
	for i := range 900 {
		u := seed.Hash(i, 0) * p.Aspect()
		depth := seed.Hash(i, 1)
		root := slope(u) + 0.075*depth*depth
		tall := (0.010 + 0.026*seed.Hash(i, 2)*seed.Hash(i, 3)) * (0.7 + depth)
		bend := tall * (0.7*seed.Hash(i, 4) - 0.1)
		shade := dark.At(0.2 + depth*0.9).Add(Hex(0xffa861).Scale(0.10 * math.Exp(-4*math.Abs(u-morningSunU)) * (1 - depth)))
		head := Color{}
		flower := seed.Hash(i, 5)
		if flower < 0.16 {
			head = []Color{Hex(0xf2b25c), Hex(0xe9745a), Hex(0xf3dcc4), Hex(0xb06fae)}[i%4].Scale(0.75 - 0.25*depth)
		}
		p.Over(Box{u - tall, root - tall*1.15, u + tall, root}, func(x, y float64) (Color, float64) {
			t := (root - y) / tall
			if flower < 0.16 {
				if d := disc(x, (y-root+tall)*1.5, u+bend, 0, tall*0.085+0.0006); d < p.Pixel() {
					return head, edge(d, p.Pixel())
				}
			}
			if t > 1 {
				return shade, 0
			}
			return shade, edge(math.Abs(x-u-bend*t*t)-lerp(0.0011, 0.0001, t)*(0.6+depth), p.Pixel())
		})
	}
}
