package main

import "math"

// The small pictures whose names are the point: a space, a plus, a per cent sign, an accent, a Chinese character.

// paintSummerNight is a lit tent in a meadow with fireflies, under the milky way.
func paintSummerNight(p *Picture) {
	sky := NewRamp(0, 0x060b24, 0.45, 0x13204d, 0.72, 0x2c3a6e, 0.82, 0x4d4a7a)
	p.Fill(func(u, v float64) Color { return sky.At(v) })
	galaxy(p, 907, 0.15, 0, 1.25, 0.80, 0.11)
	stars(p, 903, Box{0, 0, math.Inf(1), 0.8}, 0.024, func(v float64) float64 { return smooth(0.85, 0.3, v) })
	far := func(u float64) float64 { return 0.755 + 0.02*math.Sin(u*3.1) }
	wood := spruces{seed: 911, spacing: 0.020, small: 0.04, tall: 0.15, slenderness: 0.16, from: -1, to: 3, ground: far, raggedness: 0.6, whorls: 11}
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0x0d1734), max(edge(far(u)-v, p.Pixel()), wood.cover(u, v, p.Pixel()))
	})
	meadow := func(u float64) float64 { return 0.845 + 0.02*math.Sin(u*4+1) }
	p.Over(Everything, func(u, v float64) (Color, float64) {
		warm := math.Exp(-9 * math.Hypot((u-0.98)*0.6, v-0.88))
		return Hex(0x101c30).Add(Hex(0xd07a2a).Scale(0.30 * warm)), edge(meadow(u)-v+0.006*Noise(913).Fractal(u*70, v*5, 2), p.Pixel())
	})
	tent(p, 0.98, 0.885, 0.085)
	seed := Noise(917)
	p.Glow(Everything, func(u, v float64) Color {
		sum := 0.0
		for i := range 46 {
			fu, fv := seed.Hash(i, 1)*1.5, 0.97-0.30*seed.Hash(i, 2)*seed.Hash(i, 3)
			d := math.Hypot(u-fu, v-fv) / (0.0022 + 0.0022*seed.Hash(i, 4))
			sum += math.Exp(-d*d) + 0.10*math.Exp(-0.35*d)
		}
		return Hex(0xe6f08a).Scale(0.8 * sum)
	})
}

func tent(p *Picture, u0, v0, s float64) {
	px := p.Pixel()
	p.Over(Everything, func(u, v float64) (Color, float64) {
		x, y := (u-u0)/s, (v0-v)/s
		d := polygon(x, y, -1.25, 0, -0.20, 1.15, 0.28, 1.22, 1.35, 0) * s
		inside := Hex(0xffa640).Scale(0.35 + 0.95*math.Exp(-1.8*math.Hypot(x, y-0.35)))
		if math.Abs(x+0.20-0.30*(1.15-y)/1.15) < 0.02 {
			inside = inside.Scale(0.45)
		}
		return inside, edge(d, px)
	})
	p.Glow(Everything, func(u, v float64) Color {
		return Hex(0xff9c3c).Scale(0.16 * math.Exp(-6*math.Hypot(u-u0, v-v0+0.4*s)))
	})
}

// paintOnePlusOne is one balloon and one more.
func paintOnePlusOne(p *Picture) {
	sky := NewRamp(0, 0x4f8fc9, 0.5, 0x9cc9e3, 1, 0xf6e3c6)
	p.Fill(func(u, v float64) Color { return sky.At(v) })
	n := Noise(921)
	p.Over(Everything, func(u, v float64) (Color, float64) {
		f := n.Fractal(u*1.6, v*5+0.4*n.Fractal(u*2, v*2, 2), 6)
		return Hex(0xfdf6ec), 0.75 * smooth(0.02, 0.55, f)
	})
	sun, air := Hex(0xfff0d8), Hex(0xb9cdea)
	for i, b := range []balloon{
		{u: 0.46, v: 0.36, r: 0.235, turn: 0.2, cloth: stripes(Hex(0xe8533f), Hex(0xf8ead0))},
		{u: 1.06, v: 0.43, r: 0.200, turn: 0.5, cloth: stripes(Hex(0x1f7f8c), Hex(0xf4b02e))},
	} {
		b.gores, b.sun, b.sky, b.air, b.away = 16, sun, air.Scale(0.66), sky.At(b.v), 0.05*float64(i)
		b.paint(p)
	}
}

// paintFullMoon is the moon at a hundred per cent, over the sea.
func paintFullMoon(p *Picture) {
	const mu, mv, r, level = 0.75, 0.36, 0.205, 0.78
	sky := NewRamp(0, 0x070c20, 0.5, 0x14244a, 0.78, 0x2d4a70)
	p.Fill(func(u, v float64) Color { return sky.At(v) })
	stars(p, 931, Box{0, 0, math.Inf(1), level}, 0.03, func(v float64) float64 { return smooth(level, 0.2, v) })
	n := Noise(933)
	p.Over(Everything, func(u, v float64) (Color, float64) {
		x, y := (u-mu)/r, (v-mv)/r
		z := math.Sqrt(max(0, 1-x*x-y*y))
		// Dividing by the depth wraps the noise round the globe.
		sx, sy := x/(0.55+0.45*z), y/(0.55+0.45*z)
		maria := smooth(-0.05, 0.32, n.Fractal(sx*1.3+3, sy*1.3, 5))
		c := Hex(0xf7f0dd).Mix(Hex(0xa9a59f), 0.85*maria).Scale(0.86 + 0.20*(n+9).Fractal(sx*7, sy*7, 4))
		for i := range 60 {
			cx, cy := 1.8*n.Hash(i, 1)-0.9, 1.8*n.Hash(i, 2)-0.9
			size := 0.02 + 0.07*math.Pow(n.Hash(i, 3), 3)
			d := math.Hypot(x-cx, y-cy) / size
			c = c.Scale(1 + 0.07*math.Exp(-(d-1)*(d-1)*14) - 0.09*smooth(1, 0.3, d))
		}
		return c.Scale(0.62 + 0.38*math.Pow(z, 0.4)), edge(disc(u, v, mu, mv, r), 1.5*p.Pixel())
	})
	p.Glow(Everything, func(u, v float64) Color {
		return Hex(0xbfd0f0).Scale(0.22 * math.Exp(-9*max(0, disc(u, v, mu, mv, r))))
	})
	p.Over(Box{0, level, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		down := v - level
		far := 1 / (down + 0.02)
		wave := (n + 20).Fractal(u*far*0.5, far*4, 4)
		path := math.Exp(-math.Pow((u-mu)/(0.10+0.55*down), 2))
		c := Hex(0x20406a).Mix(Hex(0x0a1630), smooth(0, 0.2, down)).Add(Hex(0x4d709c).Scale(0.12 * clamp(wave*2)))
		return c.Add(Hex(0xfff0cc).Scale(0.85 * path * smooth(-0.05, 0.35, wave))), edge(-down, p.Pixel())
	})
}

// paintCafe is a cup seen from above, with a leaf poured into the milk.
func paintCafe(p *Picture) {
	n := Noise(941)
	const cu, cv = 0.72, 0.52
	p.Fill(func(u, v float64) Color {
		board := math.Floor(v * 4.2)
		grain := n.Fractal(u*2.2+board*7, v*46, 4) + 0.5*(n+7).Fractal(u*9+board*3, v*160, 2)
		c := Hex(0x7a4a2b).Mix(Hex(0x4f2c19), clamp(0.5+0.9*grain)).Scale(0.85 + 0.3*n.Hash(int(board), 3))
		gap := math.Abs(math.Mod(v*4.2, 1)-0.5) - 0.493
		light := 1.25 - 0.55*math.Hypot(u-0.3, v-0.1)
		return c.Scale(light * lerp(1, 0.25, smooth(-0.004, 0.002, gap)))
	})
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0x120804), 0.75 * smooth(0.07, -0.06, disc(u, v, cu+0.045, cv+0.055, 0.385))
	})
	ring := func(r0, r1 float64, inner, outer Color, lean float64) {
		p.Over(Everything, func(u, v float64) (Color, float64) {
			d := disc(u, v, cu, cv, 0)
			toLight := ((cu-u)*0.6 + (cv-v)*0.8) / max(d, 1e-6)
			t := smooth(r0, r1, d)
			return inner.Mix(outer, t).Scale(0.92 + lean*toLight*(2*t-1)), edge(d-r1, p.Pixel())
		})
	}
	handle := func(u, v float64) float64 {
		x, y := (u-cu)*0.8-(v-cv)*0.6, (u-cu)*0.6+(v-cv)*0.8
		return slab(x, y, 0.315, 0, 0.085, 0.032, 0.028)
	}
	ring(0.30, 0.385, Hex(0xd9d2c8), Hex(0xf4efe6), 0.10)
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0x3a302a), 0.45 * smooth(0.03, -0.02, disc(u, v, cu+0.022, cv+0.028, 0.275))
	})
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0xf7f2ea).Scale(1 - 0.5*smooth(-0.02, 0, handle(u, v))), edge(handle(u, v), p.Pixel())
	})
	ring(0.235, 0.272, Hex(0xcfc6ba), Hex(0xfbf8f2), 0.10)
	p.Over(Everything, func(u, v float64) (Color, float64) {
		d := disc(u, v, cu, cv, 0.240)
		coffee := Hex(0x9a5a2a).Mix(Hex(0x5e2f14), smooth(-0.07, 0, d)).Scale(1 + 0.1*n.Fractal(u*16, v*16, 3))
		x, y := (u-cu)/0.24, (v-cv)/0.24
		milk := latteLeaf(x+0.05*n.At(x*2.5, y*2.5), y+0.04*n.At(x*2.5+9, y*2.5))
		return coffee.Mix(Hex(0xf3e2c6), milk), edge(d, p.Pixel())
	})
	p.Over(Everything, func(u, v float64) (Color, float64) {
		shade := smooth(0.02, -0.06, disc(u, v, cu+0.022, cv+0.030, 0.240))
		return Hex(0x1e0f06), 0.45 * (1 - shade) * edge(disc(u, v, cu, cv, 0.240), p.Pixel())
	})
}

// latteLeaf is the rosetta that a barista draws: arcs that nest along a stem.
func latteLeaf(x, y float64) float64 {
	across := math.Abs(x)
	bow := y + 0.95*across - 0.5*across*across
	width := 0.58 * math.Sqrt(max(0, 1-math.Pow((y-0.02)/0.74, 2)))
	bands := smooth(-0.25, 0.35, math.Sin(bow*21))
	inside := smooth(0.04, -0.04, across-width)
	return 0.95 * inside * bands * smooth(0.015, 0.05, across)
}

// paintMountain is the mountain of the woodcuts, with a red sun.
func paintMountain(p *Picture) {
	sky := NewRamp(0, 0x2f5d8c, 0.30, 0x86aebb, 0.62, 0xf1e3c6, 0.80, 0xf4c9a0)
	n := Noise(951)
	p.Fill(func(u, v float64) Color {
		return sky.At(v + 0.01*n.Fractal(u*1.5, v*30, 3)).Scale(1 + 0.03*n.Fractal(u*120, v*30, 2))
	})
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0xd8412f), edge(disc(u, v, 1.17, 0.27, 0.115), p.Pixel())
	})
	slope := func(u float64) float64 {
		d := math.Abs(u - 0.66)
		return 0.235 + 0.012*smooth(0.05, 0.02, d) + 1.15*math.Pow(max(0, d-0.055), 0.86)*(1-0.28*d) - 0.006*n.Fractal(u*20, 0, 3)
	}
	p.Over(Everything, func(u, v float64) (Color, float64) {
		at := slope(u)
		c := NewRamp(0.2, 0x274a73, 0.55, 0x35608a, 0.80, 0x7f9db0).At(v)
		streak := 0.10*(n+5).Fractal((u-0.66)/(0.12+0.5*(v-0.2))*2.6, v*1.5, 4) + 0.03*math.Sin((u-0.66)/(0.05+0.5*(v-0.2))*14)
		c = c.Mix(Hex(0xfaf5ea), edge(v-0.415-1.1*streak, 0.004))
		shade := smooth(-0.02, 0.10, u-0.66+0.25*streak)
		return c.Scale(1 - 0.20*shade), edge(at-v, p.Pixel())
	})
	for i, band := range []struct {
		level float64
		color Color
	}{{0.735, Hex(0xf6e6cc)}, {0.800, Hex(0x86a58c)}, {0.880, Hex(0x4d7a6e)}, {0.955, Hex(0x23485a)}} {
		p.Over(Everything, func(u, v float64) (Color, float64) {
			phase := float64(i) * 1.7
			line := band.level + 0.022*math.Sin(u*5+phase) + 0.012*math.Sin(u*11+2*phase)
			return band.color.Scale(1 + 0.04*n.Fractal(u*60, v*60, 2)), edge(line-v, p.Pixel())
		})
	}
	p.Over(Everything, func(u, v float64) (Color, float64) {
		best := 0.0
		for i, w := range []float64{0.17, 0.62, 0.98, 1.36} {
			x := (u - w) / 0.24
			d := math.Abs(v-0.585-0.045*float64(i%2)-0.006*math.Sin(u*14)) - 0.013*math.Sqrt(max(0, 1-x*x))
			best = max(best, edge(d, p.Pixel())*smooth(1, 0.9, math.Abs(x)))
		}
		return Hex(0xfbf1de), 0.85 * best
	})
}
