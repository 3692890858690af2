package main

import "math"

// The northern lights over snowed-in mountains and a frozen lake.

const auroraShore = 0.80

func paintAurora(p *Picture) {
	night := NewRamp(0, 0x050a1e, 0.35, 0x0b1a38, 0.62, 0x16345a, 0.80, 0x2a5d78)
	p.Fill(func(u, v float64) Color { return night.At(v) })
	stars(p, 301, Box{0, 0, math.Inf(1), 0.78}, 0.014, func(v float64) float64 { return smooth(0.8, 0.3, v) })
	curtains := []curtain{
		{seed: 311, foot: 0.50, sway: 0.10, tall: 0.42, strength: 0.95, phase: 0.2},
		{seed: 317, foot: 0.60, sway: 0.07, tall: 0.30, strength: 0.75, phase: 2.1},
		{seed: 331, foot: 0.34, sway: 0.12, tall: 0.34, strength: 0.42, phase: 4.0},
	}
	p.Glow(Everything, func(u, v float64) Color {
		var sum Color
		for _, c := range curtains {
			sum = sum.Add(c.light(u, v))
		}
		return sum
	})
	for _, m := range []massif{
		{seed: 341, crest: 0.715, rise: 0.125, breadth: 0.36, rock: Hex(0x23415f), lit: Hex(0x9fe8d0).Scale(0.34), haze: Hex(0x3c7a86), fade: 0.14, thinning: 0.6},
		{seed: 353, crest: 0.760, rise: 0.095, breadth: 0.30, rock: Hex(0x142a48), lit: Hex(0xb5f0dc).Scale(0.40), haze: Hex(0x2b5f74), fade: 0.10, thinning: 0.65},
	} {
		m.sun = 0.55
		m.paint(p)
	}
	shore := func(u float64) float64 { return auroraShore - 0.012*(0.5+Noise(359).Fractal(u*3, 0.5, 3)) }
	wood := spruces{seed: 367, spacing: 0.0075, small: 0.014, tall: 0.046, slenderness: 0.17, from: -1, to: 3, ground: shore, raggedness: 0.55, whorls: 9}
	p.Over(Box{0, auroraShore - 0.1, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		return Hex(0x071426), max(edge(shore(u)-v, p.Pixel()), wood.cover(u, v, p.Pixel()))
	})
	auroraIce(p)
}

// curtain is one band of light: a sharp lower hem, rays that fade upwards, and folds where it turns towards us.
type curtain struct {
	seed                              Noise
	foot, sway, tall, strength, phase float64
}

func (c curtain) light(u, v float64) Color {
	hem := c.foot + c.sway*math.Sin(u*3.1+c.phase) + 0.06*c.seed.Fractal(u*2.2, 0.5, 3)
	fold := 0.5 + 0.5*math.Sin(u*7.3+2.4*c.phase+2.2*c.seed.At(u*2.0, 3))
	up := (hem - v) / c.tall
	// Rays lean with the height, so they seem to converge overhead.
	rays := 0.55 + 0.75*(c.seed+3).Fractal((u+0.10*up*(u-0.8))*26, up*0.25, 4)
	above := math.Exp(-2.6*up) * smooth(-0.03, 0.10, up)
	below := 0.20 * math.Exp(-9*math.Abs(up))
	light := c.strength * (above*clamp(rays)*(0.35+0.75*fold) + below*fold*0.4) * (0.55 + 0.45*math.Sin(u*2+c.phase*1.7))
	green, teal, violet := Hex(0x46f29a), Hex(0x1fb5b0), Hex(0x9a4fd0)
	tint := green.Mix(teal, smooth(0.15, 0.55, up)).Mix(violet, smooth(0.40, 1.05, up))
	return tint.Scale(max(0, light))
}

// auroraIce mirrors the sky softly; old snow lies on it in drifts.
func auroraIce(p *Picture) {
	above := &Picture{W: p.W, H: p.H, pix: append([]pixel(nil), p.pix...)}
	n := Noise(373)
	p.Over(Box{0, auroraShore, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		down := v - auroraShore
		far := 1 / (down + 0.03)
		var c Color
		for i := range 12 {
			blur := (float64(i) - 5.5) * (0.010 + 0.05*down)
			side := (Noise(379).Hash(i, 1) - 0.5) * 0.016
			c = c.Add(above.Look(u+side+0.01*n.Fractal(u*far*0.4, far*2, 3), auroraShore-down*1.9+blur).Scale(1.0 / 12))
		}
		c = c.Scale(0.80).Mix(Hex(0x0a1c33), 0.22)
		drift := smooth(0.05, 0.34, n.Fractal(u*far*0.16, far*0.75, 5)+0.12*(n+5).Fractal(u*far*1.2, far*5, 3))
		snow := Hex(0x5f93a6).Mix(Hex(0xa4e6cf), 0.35*math.Exp(-3*math.Abs(u-0.7))).Scale(0.75)
		return c.Mix(snow, 0.62*drift), edge(-down, p.Pixel())
	})
}
