package main

import "math"

// The lake at dusk: the sun has just touched the far range, the first stars are out, somebody is still rowing.
const (
	duskShore = 0.655 // v of the far shore
	duskSunU  = 0.86
	duskSunV  = 0.468
)

var duskSky = NewRamp(
	0.00, 0x0b1038, 0.12, 0x1c1f58, 0.24, 0x433680, 0.34, 0x7d4b93, 0.42, 0xc26a8f,
	0.49, 0xf0937c, 0.56, 0xfbbf83, 0.64, 0xffdfa6)

func paintDusk(p *Picture) {
	duskHeaven(p)
	duskRanges(p)
	duskLake(p)
	duskForeground(p)
}

func duskHeaven(p *Picture) {
	p.Fill(func(u, v float64) Color {
		// The sky is brighter and warmer round the sun, so its bands bend down towards the sides.
		away := (u - duskSunU) / p.Aspect()
		c := duskSky.At(v - 0.16*away*away)
		d := math.Hypot((u-duskSunU)*0.8, v-duskSunV)
		return c.Add(Hex(0xff9a50).Scale(0.60 * math.Exp(-d*9.5))).Add(Hex(0xffd9a0).Scale(0.6 * math.Exp(-d*24)))
	})
	stars(p, 41, Box{0, 0, math.Inf(1), 0.42}, 0.011, func(v float64) float64 { return smooth(0.40, 0.02, v) })
	clouds := Noise(7)
	p.Over(Box{0, 0.08, math.Inf(1), 0.6}, func(u, v float64) (Color, float64) {
		bend := 0.35 * clouds.Fractal(u*1.3, v*3, 3)
		f := (clouds + 20).Fractal(u*1.25+bend, v*8.5+bend*1.6-u*0.9, 6)
		body := smooth(-0.02, 0.42, f) * smooth(0.09, 0.24, v) * smooth(0.56, 0.40, v)
		near := math.Exp(-2.2 * math.Hypot(u-duskSunU, (v-duskSunV)*1.6))
		// Lit from below: where the cloud thins out downwards it glows.
		under := (clouds + 20).Fractal(u*1.25+bend, (v+0.012)*8.5+bend*1.6-u*0.9, 4)
		glow := clamp(0.45 + 2.2*(f-under))
		dark := duskSky.At(v-0.05).Mix(Hex(0x6b4390), 0.5)
		lit := Hex(0xf0708c).Mix(Hex(0xffc58a), clamp(1.6*near))
		return dark.Mix(lit, glow*(0.5+0.5*near)), 0.80 * body
	})
	p.Glow(Everything, func(u, v float64) Color {
		d := disc(u, v, duskSunU, duskSunV, 0.031)
		return Hex(0xffe9bf).Scale(0.9 * edge(d, 0.0022)).Add(Hex(0xffb060).Scale(0.35 * math.Exp(-max(d, 0)*38)))
	})
}

// duskRanges paints the mountains from the farthest to the wooded shore.
func duskRanges(p *Picture) {
	layers := []massif{
		{seed: 11, crest: 0.520, rise: 0.085, breadth: 0.42, rock: Hex(0xc97f93), lit: Hex(0xffb48c).Scale(0.35), haze: Hex(0xffc79a), fade: 0.10, thinning: 0.75},
		{seed: 23, crest: 0.545, rise: 0.120, breadth: 0.50, rock: Hex(0x96618f), lit: Hex(0xff9f80).Scale(0.36), haze: Hex(0xf3ab90), fade: 0.13, thinning: 0.75},
		{seed: 37, crest: 0.578, rise: 0.105, breadth: 0.38, rock: Hex(0x63487f), lit: Hex(0xff8a72).Scale(0.26), haze: Hex(0xc98a90), fade: 0.11, thinning: 0.7},
		{seed: 42, crest: 0.612, rise: 0.072, breadth: 0.30, rock: Hex(0x3d3467), lit: Hex(0xe07070).Scale(0.14), haze: Hex(0x8d6b89), fade: 0.07, thinning: 0.7},
	}
	for _, m := range layers {
		m.sun = duskSunU
		m.paint(p)
	}
	mist(p, 71, 0.622, 0.030, Hex(0xf0b39a), 0.55)
	wood := func(seed Noise, level, swell, tall float64, foot, tip Color) {
		s := spruces{
			seed: seed, spacing: tall * 0.21, small: tall * 0.45, tall: tall, slenderness: 0.17, from: -1, to: 3, raggedness: 0.55, whorls: 8,
			ground: func(u float64) float64 { return level - swell*(0.5+seed.Fractal(u*2.1, 0.5, 3)) },
		}
		p.Over(Box{0, level - 2*swell - tall, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
			ground := s.ground(u)
			cover := max(edge(ground-v, p.Pixel()), s.cover(u, v, p.Pixel()))
			return tip.Mix(foot, smooth(ground-tall, ground+0.02, v)), cover
		})
	}
	wood(81, 0.645, 0.030, 0.020, Hex(0x6a5179), Hex(0x4a3a6c))
	mist(p, 72, 0.640, 0.016, Hex(0xd79a96), 0.45)
	wood(85, 0.654, 0.020, 0.034, Hex(0x352f5b), Hex(0x221f49))
	cabin(p, 0.415, 0.6475, 0.016)
}

// mist lays a band of fog of uneven density along the level v.
func mist(p *Picture, seed Noise, level, depth float64, c Color, strength float64) {
	p.Over(Box{0, level - 3*depth, math.Inf(1), level + 3*depth}, func(u, v float64) (Color, float64) {
		t := (v - level - 0.4*depth*seed.Fractal(u*2.5, 1, 3)) / depth
		thick := 0.6 + 0.6*seed.Fractal(u*2.2, v*14, 4)
		return c, strength * math.Exp(-t*t) * clamp(thick)
	})
}

// cabin is a small house on the shore with its windows lit.
func cabin(p *Picture, u0, v0, s float64) {
	box := Box{u0 - 2*s, v0 - 2*s, u0 + 2*s, v0 + s}
	px := p.Pixel()
	p.Over(box, func(u, v float64) (Color, float64) {
		house := slab(u, v, u0, v0-0.15*s, 0.8*s, 0.4*s, 0)
		roof := polygon(u, v, u0-1.05*s, v0-0.5*s, u0-0.62*s, v0-1.15*s, u0+0.62*s, v0-1.15*s, u0+1.05*s, v0-0.5*s)
		chimney := slab(u, v, u0+0.4*s, v0-1.2*s, 0.09*s, 0.28*s, 0)
		return Hex(0x191638), edge(min(house, roof, chimney), px)
	})
	windows := func(u, v float64) float64 {
		return min(slab(u, v, u0-0.4*s, v0-0.18*s, 0.15*s, 0.17*s, 0), slab(u, v, u0+0.3*s, v0-0.18*s, 0.22*s, 0.17*s, 0))
	}
	p.Over(box, func(u, v float64) (Color, float64) { return Hex(0xffc864).Scale(1.15), edge(windows(u, v), px) })
	p.Glow(Box{u0 - 6*s, v0 - 6*s, u0 + 6*s, v0 + 6*s}, func(u, v float64) Color {
		return Hex(0xff9a3c).Scale(0.30 * math.Exp(-max(windows(u, v), 0)/(0.5*s)))
	})
	smoke := Noise(90)
	p.Over(Box{u0 - 4*s, v0 - 7*s, u0 + 4*s, v0 - 1.4*s}, func(u, v float64) (Color, float64) {
		t := (v0 - 1.45*s - v) / (5.5 * s)
		drift := u0 + 0.4*s + 1.9*s*t*t + 0.45*s*t*smoke.Fractal(1, t*2.2, 3)
		width := s * (0.10 + 0.42*t)
		d := (u - drift) / width
		return Hex(0xd9a8a8), 0.42 * math.Exp(-d*d) * (1 - t) * smooth(0, 0.05, t)
	})
}

// duskLake mirrors what lies above the shore, broken by ripples that look finer the farther away they are.
func duskLake(p *Picture) {
	above := &Picture{W: p.W, H: p.H, pix: append([]pixel(nil), p.pix...)}
	ripples := Noise(123)
	deep := Hex(0x10143c)
	p.Over(Box{0, duskShore, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		down := v - duskShore
		far := 1 / (down + 0.012)
		wave := ripples.Fractal(u*far*0.42, far*2.6, 4)
		chop := (ripples + 9).Fractal(u*far*1.6, far*9, 3)
		calm := smooth(-0.35, 0.25, (ripples+30).Fractal(u*1.2, far*0.55, 3)) // patches that the wind leaves alone
		roughness := (0.012 + 0.10*down) * lerp(0.35, 1, calm)
		var c Color
		for i := range 4 {
			tilt := roughness * (wave + 0.6*chop + 0.28*(float64(i)-1.5))
			c = c.Add(above.Look(u+0.22*tilt, duskShore-down*0.93+tilt).Scale(0.25))
		}
		// The steeper the look into the water, the less it mirrors.
		c = c.Mix(deep, 0.10+0.55*smooth(0, 0.36, down)+0.10*chop)
		shore := math.Exp(-down * 260)
		return c.Mix(Hex(0x2a2550), 0.6*shore), edge(-down, p.Pixel())
	})
	p.Over(Box{0, duskShore - 0.02, math.Inf(1), duskShore + 0.03}, func(u, v float64) (Color, float64) {
		t := (v - duskShore - 0.004) / 0.007
		return Hex(0xf4b89c), 0.40 * math.Exp(-t*t) * clamp(0.5+0.9*ripples.Fractal(u*3, 2, 3))
	})
}

func duskForeground(p *Picture) {
	rowing(p, 0.935, 0.762, 0.030)
	bank := func(u float64) float64 {
		left := smooth(0.62, -0.05, u)
		right := smooth(1.16, 1.62, u)
		return 1.02 - 0.135*left*left - 0.11*right + 0.010*Noise(140).Fractal(u*9, 0, 3)
	}
	ink := NewRamp(0, 0x15153a, 1, 0x080a20)
	stand := func(seed Noise, from, to, small, tall, spacing float64) {
		s := spruces{seed: seed, spacing: spacing, small: small, tall: tall, slenderness: 0.17, from: from, to: to, ground: bank, raggedness: 0.60, whorls: 13 + 18*tall}
		p.Over(Box{max(0, from-0.1), 0.2, to + 0.1, 1}, func(u, v float64) (Color, float64) {
			return ink.At(smooth(0.55, 1, v)), s.cover(u, v, p.Pixel())
		})
	}
	stand(151, -0.05, 0.34, 0.16, 0.50, 0.052)
	stand(157, 1.30, 1.56, 0.12, 0.36, 0.046)
	stand(163, 0.20, 0.46, 0.04, 0.10, 0.030)
	stand(167, 1.20, 1.36, 0.04, 0.10, 0.030)
	p.Over(Box{0, 0.8, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		return ink.At(smooth(0.85, 1, v)), edge(bank(u)-v, p.Pixel())
	})
	reeds(p, bank)
}

// reeds stand along the water, bent a little by the wind.
func reeds(p *Picture, bank func(u float64) float64) {
	seed := Noise(171)
	for i := range 420 {
		u := seed.Hash(i, 0) * p.Aspect()
		root := bank(u) + 0.01
		if root > 1.03 {
			continue
		}
		tall := 0.016 + 0.040*seed.Hash(i, 1)*seed.Hash(i, 2)
		bend := tall * (0.15 + 0.35*seed.Hash(i, 3))
		p.Over(Box{u - 0.05, root - tall - 0.01, u + 0.08, root}, func(x, y float64) (Color, float64) {
			t := clamp((root - y) / tall)
			d := math.Abs(x-u-bend*t*t) - lerp(0.0011, 0.0002, t)
			if y < root-tall {
				return Color{}, 0
			}
			return Hex(0x0d0e29), edge(d, p.Pixel())
		})
	}
}

// rowing is a boat with somebody in it, and the wake behind.
func rowing(p *Picture, u0, v0, s float64) {
	px := p.Pixel()
	shape := func(u, v float64) float64 {
		x := (u - u0) / s
		gunwale := v0 - 0.10*s*x*x
		hull := max(gunwale-v, v-(v0+0.24*s*math.Sqrt(max(0, 1-x*x*0.9))), math.Abs(u-u0)-1.05*s)
		body := stroke(u, v, u0+0.05*s, v0-0.02*s, u0-0.06*s, v0-0.48*s, 0.15*s, 0.12*s)
		head := disc(u, v, u0-0.08*s, v0-0.70*s, 0.12*s)
		arm := stroke(u, v, u0-0.05*s, v0-0.45*s, u0-0.42*s, v0-0.20*s, 0.05*s, 0.04*s)
		oar := stroke(u, v, u0-0.40*s, v0-0.24*s, u0-1.25*s, v0+0.26*s, 0.022*s, 0.035*s)
		return min(hull, body, head, arm, oar)
	}
	p.Over(Box{u0 - 2*s, v0, u0 + 2*s, v0 + 1.6*s}, func(u, v float64) (Color, float64) {
		shake := 0.10 * s * Noise(180).Fractal(u*30, v*160, 2)
		d := shape(u+shake, 2*v0+0.42*s-v)
		return Hex(0x1a1636), 0.62 * edge(d, 0.15*s) * smooth(v0+1.5*s, v0+0.3*s, v)
	})
	p.Over(Box{u0 - 2*s, v0 - 2*s, u0 + 2*s, v0 + s}, func(u, v float64) (Color, float64) {
		return Hex(0x12102a), edge(shape(u, v), px)
	})
	p.Over(Box{u0, v0, u0 + 12*s, v0 + 2*s}, func(u, v float64) (Color, float64) {
		x := (u - u0 - s) / s
		t := (v - v0 - 0.25*s - 0.02*s*x) / (0.03*s + 0.006*s*x)
		return Hex(0xffcf9c), 0.5 * math.Exp(-t*t) * smooth(0, 0.5, x) * smooth(9, 2, x)
	})
}
