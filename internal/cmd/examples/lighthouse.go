package main

import "math"

// The lighthouse, in portrait format, is the second picture that only the "old website" has.
func paintLighthouse(p *Picture) {
	sky := NewRamp(0, 0x071531, 0.4, 0x123462, 0.66, 0x2b6485, 0.80, 0x6ea3a6)
	p.Fill(func(u, v float64) Color { return sky.At(v) })
	stars(p, 801, Box{0, 0, 1, 0.72}, 0.016, func(v float64) float64 { return smooth(0.75, 0.1, v) })
	galaxy(p, 803, 0.12, 0.0, 0.62, 0.80, 0.085)
	lampU, lampV := 0.42, 0.335
	seaAt := 0.80
	sea(p, seaAt)
	beams(p, lampU, lampV)
	rockUnder(p)
	tower(p, lampU, lampV)
}

func sea(p *Picture, level float64) {
	n := Noise(811)
	p.Over(Box{0, level - 0.01, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		down := v - level
		far := 1 / (down + 0.02)
		wave := n.Fractal(u*far*0.35, far*2.2, 5)
		c := Hex(0x5f979f).Mix(Hex(0x0c2a4a), smooth(0, 0.12, down))
		c = c.Add(Hex(0x7fb4b8).Scale(0.20 * clamp(wave*1.6) * smooth(0.25, 0, down)))
		path := math.Exp(-math.Pow((u-0.42)/(0.05+0.5*down), 2))
		return c.Add(Hex(0xffd68a).Scale(0.35 * path * smooth(0.05, 0.5, wave) * smooth(0, 0.02, down))), edge(level-v, p.Pixel())
	})
}

func beams(p *Picture, u0, v0 float64) {
	n := Noise(821)
	p.Glow(Everything, func(u, v float64) Color {
		du, dv := u-u0, v-v0
		d := math.Hypot(du, dv)
		light := 0.10*math.Exp(-d*6) + 0.5*math.Exp(-d*38)
		for _, angle := range []float64{-0.20, math.Pi - 0.12} {
			off := math.Remainder(math.Atan2(dv, du)-angle, 2*math.Pi)
			spread := 0.055 + 0.004/(d+0.02)
			dust := 0.85 + 0.4*n.Fractal(u*4, v*4, 3)
			light += 0.50 * math.Exp(-off*off/(spread*spread)) * math.Exp(-1.5*d) * dust
		}
		return Hex(0xffe2a0).Scale(light)
	})
}

// rockUnder is the cliff that the tower stands on.
func rockUnder(p *Picture) {
	n := Noise(831)
	top := func(u float64) float64 {
		plateau := smooth(0.14, 0.30, u) * smooth(0.74, 0.54, u)
		return 0.90 - 0.14*plateau - 0.035*n.Ridged(u*5, 0.5, 5)
	}
	p.Over(Box{0, 0.6, 1, 1}, func(u, v float64) (Color, float64) {
		at := top(u)
		depth := v - at
		slope := (n.Ridged((u+0.004)*11+v*3, v*4, 5) - n.Ridged((u-0.004)*11+v*3, v*4, 5)) / 0.008 * 0.06
		c := Hex(0x1b2b3d).Mix(Hex(0x0b1524), smooth(0, 0.16, depth))
		c = c.Add(Hex(0x6f93a0).Scale(0.13 * clamp(0.3+slope)))
		c = c.Mix(Hex(0x2c4a3d), 0.75*smooth(0.018, 0.004, depth+0.012*n.Fractal(u*30, 1, 3)))
		foam := smooth(0.03, 0, math.Abs(v-0.955-0.014*n.Fractal(u*12, 4, 4))) * smooth(0.05, 0.45, n.Fractal(u*20, v*40, 4)+0.2)
		return c.Mix(Hex(0xb9d6d6), 0.6*foam), edge(at-v, p.Pixel())
	})
}

func tower(p *Picture, u0, lampV float64) {
	foot, gallery := 0.765, 0.372
	px := p.Pixel()
	box := Box{u0 - 0.2, lampV - 0.1, u0 + 0.3, foot + 0.02}
	p.Over(box, func(u, v float64) (Color, float64) {
		t := (v - gallery) / (foot - gallery)
		half := lerp(0.031, 0.052, math.Pow(clamp(t), 1.3))
		x := (u - u0) / half
		c := Hex(0xece4d8)
		if int(math.Floor(t*5+0.05*x*x))%2 == 1 {
			c = Hex(0xc23b32)
		}
		moonlight := 0.20 + 0.62*math.Pow(clamp(0.62-0.52*x), 1.4)
		c = c.Times(Hex(0xa8c0e0)).Scale(moonlight).Add(c.Times(Hex(0xffd08a)).Scale(0.30 * math.Exp(-t*9)))
		return c, edge(max(math.Abs(u-u0)-half, gallery-v, v-foot-0.006*(1-x*x)), px)
	})
	dark := func(d func(u, v float64) float64, c Color) {
		p.Over(box, func(u, v float64) (Color, float64) { return c, edge(d(u, v), px) })
	}
	for i, t := range []float64{0.26, 0.5, 0.74} {
		v := lerp(gallery, foot, t)
		c := Hex(0xffcb70)
		if i == 1 {
			c = Hex(0x22304a)
		}
		dark(func(u, w float64) float64 { return slab(u, w, u0+0.004, v, 0.0055, 0.0105, 0.005) }, c)
	}
	dark(func(u, v float64) float64 { return slab(u, v, u0+0.002, foot-0.016, 0.012, 0.024, 0.010) }, Hex(0x2a2230))
	dark(func(u, v float64) float64 { return slab(u, v, u0, gallery, 0.044, 0.0055, 0.002) }, Hex(0x1d2739))
	p.Over(box, func(u, v float64) (Color, float64) {
		return Hex(0xfff0c0).Scale(1.3 * math.Exp(-math.Hypot(u-u0, v-lampV)*14)), edge(slab(u, v, u0, lampV+0.008, 0.022, 0.027, 0.002), px)
	})
	for _, x := range []float64{-0.022, -0.0075, 0.0075, 0.022} {
		dark(func(u, v float64) float64 { return slab(u, v, u0+x, lampV+0.008, 0.0012, 0.027, 0) }, Hex(0x1d2739))
	}
	for i := range 9 {
		x := (float64(i) - 4) * 0.0105
		dark(func(u, v float64) float64 { return slab(u, v, u0+x, gallery-0.012, 0.0008, 0.010, 0) }, Hex(0x1d2739))
	}
	dark(func(u, v float64) float64 { return slab(u, v, u0, gallery-0.021, 0.0435, 0.0011, 0) }, Hex(0x1d2739))
	dark(func(u, v float64) float64 {
		cap := max(disc(u, (v-lampV+0.018)*1.15, u0, 0, 0.029), v-lampV+0.017)
		return min(cap, stroke(u, v, u0, lampV-0.04, u0, lampV-0.066, 0.0016, 0.0008), disc(u, v, u0, lampV-0.047, 0.0036))
	}, Hex(0x7d2a2a))
}
