package main

import "math"

// The wood in the morning, in portrait format: trunks that fade into the mist, and the sun somewhere behind them.

const (
	forestSunU = 0.40
	forestSunV = 0.20
)

var forestAir = NewRamp(0, 0xfff3c4, 0.16, 0xf4e3a0, 0.36, 0xc3cf8d, 0.62, 0x7fa584, 1.0, 0x3f6f6c)

func paintForest(p *Picture) {
	air := func(u, v float64) Color {
		return forestAir.At(math.Hypot((u-forestSunU)*1.25, (v-forestSunV)*0.95))
	}
	p.Fill(air)
	const layers = 7
	for k := range layers {
		t := float64(k) / (layers - 1)
		forestRow(p, Noise(410+10*k), t, air)
		if k < layers-1 {
			forestMist(p, Noise(480+k), t, air)
		}
	}
	forestRays(p)
	wanderer(p, 0.355, 0.868, 0.050)
	leaves(p)
}

// forestRow paints one row of trunks; t runs from 0 for the farthest to 1 for the nearest.
func forestRow(p *Picture, seed Noise, t float64, air func(u, v float64) Color) {
	dark := Hex(0x1c2f2e).Mix(Hex(0x0d1a1c), t)
	thick := lerp(0.0045, 0.030, t*t)
	spacing := lerp(0.034, 0.185, t)
	root := func(u float64) float64 { return lerp(0.80, 0.965, t) + 0.012*seed.Fractal(u*6, t, 3) }
	taken := 0.16 + 0.84*math.Pow(t, 0.8)
	p.Over(Everything, func(u, v float64) (Color, float64) {
		cover := 0.0
		lit := 0.0
		if v > root(u)-0.004 {
			cover = edge(root(u)-v, p.Pixel())
		}
		here := int(math.Floor(u / spacing))
		for i := here - 2; i <= here+2; i++ {
			at := (float64(i) + 0.15 + 0.7*seed.Hash(i, 0)) * spacing
			// The nearest rows leave a clearing in the middle, through which one looks.
			if t > 0.6 && math.Abs(at-0.36) < 0.20*t || seed.Hash(i, 4) < 0.12 {
				continue
			}
			half := thick * (0.6 + 0.8*seed.Hash(i, 1))
			lean := 0.10 * (seed.Hash(i, 2) - 0.5)
			axis := at + lean*(0.8-v) + 0.25*half*seed.Fractal(v*2.5, float64(i), 2)
			taper := lerp(0.62, 1, smooth(-0.2, 0.8, v)) + 0.9*math.Pow(smooth(-5*half, 1.2*half, v-root(at)), 2)
			bark := half * 0.10 * (seed+3).Fractal(u*90, v*22, 3)
			d := math.Abs(u-axis) - half*taper - bark
			if c := edge(d, p.Pixel()); c > cover {
				cover = c
				side := (u - axis) / (half * taper) * math.Copysign(1, forestSunU-at)
				lit = smooth(0.35, 1.0, side) * (0.6 + 0.5*(seed+4).Fractal(u*60, v*18, 3))
			}
			cover = max(cover, twigs(seed, i, u, v, axis, half, t, p.Pixel()))
		}
		c := dark.Mix(air(u, v), 1-taken)
		return c.Add(air(u, v).Scale(0.30 * lit * (0.4 + 0.6*t))), cover
	})
}

// twigs are the bare lower branches of trunk i.
func twigs(seed Noise, i int, u, v, axis, half, t, pixel float64) float64 {
	best := 0.0
	for j := range 5 {
		start := 0.05 + 0.62*seed.Hash(i, 20+j)
		long := half * (3 + 5*seed.Hash(i, 30+j))
		side := math.Copysign(1, seed.Hash(i, 40+j)-0.5)
		out := (u - axis) * side
		if out < 0 || out > long {
			continue
		}
		sag := start - 0.35*out + 0.9*out*out/long + 0.006*(seed+6).Fractal(out*40, float64(j), 2)
		best = max(best, edge(math.Abs(v-sag)-half*0.13*(1-out/long)-0.0003, pixel))
	}
	return best * smooth(0.05, 0.3, t)
}

func forestMist(p *Picture, seed Noise, t float64, air func(u, v float64) Color) {
	p.Over(Box{0, 0.25, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		level := lerp(0.80, 0.95, t)
		thick := math.Exp(-math.Pow((v-level)/0.13, 2)) * clamp(0.65+0.7*seed.Fractal(u*2.6, v*5, 4))
		return air(u, v*0.72), 0.55 * (1 - 0.55*t) * thick
	})
}

// forestRays are shafts of light that fan out from the sun between the crowns.
func forestRays(p *Picture) {
	n := Noise(470)
	p.Glow(Everything, func(u, v float64) Color {
		du, dv := u-forestSunU, v-forestSunV+0.12
		d := math.Hypot(du, dv)
		angle := math.Atan2(du, dv)
		shaft := smooth(0.02, 0.42, n.Fractal(angle*7, 0.3, 4)+0.10*n.Fractal(angle*26, 2, 2))
		reach := smooth(0.02, 0.25, d) * math.Exp(-1.9*d)
		dust := 0.8 + 0.3*n.Fractal(u*5, v*5, 3)
		core := 0.32 * math.Exp(-9*math.Hypot(du, v-forestSunV))
		return Hex(0xffe9a6).Scale(0.42*shaft*reach*dust + core)
	})
}

// wanderer is somebody in a red coat, who gives the trees their size.
func wanderer(p *Picture, u0, v0, s float64) {
	part := func(c Color, d func(u, v float64) float64) {
		p.Over(Box{u0 - s, v0 - 1.3*s, u0 + s, v0 + 0.3*s}, func(u, v float64) (Color, float64) {
			light := 1 + 0.5*clamp((u-u0)/s*4)*smooth(v0, v0-s, v)
			return c.Scale(light), edge(d((u-u0)/s, (v-v0)/s)*s, p.Pixel())
		})
	}
	p.Over(Box{u0 - s, v0 - 0.2*s, u0 + 2*s, v0 + 1.2*s}, func(u, v float64) (Color, float64) {
		t := (v - v0) / s
		d := (u - u0 + 0.10*s*t) / (0.16 * s)
		return Hex(0x0d1a1c), 0.5 * math.Exp(-d*d) * smooth(1.1, 0, t) * smooth(-0.02, 0.04, t)
	})
	part(Hex(0x18181f), func(x, y float64) float64 {
		return min(stroke(x, y, -0.05, -0.4, -0.075, 0, 0.055, 0.04), stroke(x, y, 0.05, -0.4, 0.085, -0.01, 0.055, 0.04))
	})
	part(Hex(0xb3261e), func(x, y float64) float64 {
		coat := polygon(x, y, -0.10, -0.80, 0.10, -0.80, 0.17, -0.30, -0.17, -0.30) - 0.02
		return min(coat, stroke(x, y, -0.11, -0.76, -0.18, -0.45, 0.045, 0.035), stroke(x, y, 0.11, -0.76, 0.19, -0.46, 0.045, 0.035))
	})
	part(Hex(0x2a1b16), func(x, y float64) float64 { return disc(x, y, 0, -0.91, 0.075) })
	part(Hex(0x5b2b1c), func(x, y float64) float64 { return slab(x, y, 0, -0.62, 0.095, 0.13, 0.04) })
}

// leaves frame the view above, out of focus.
func leaves(p *Picture) {
	seed := Noise(495)
	for i := range 260 {
		u := seed.Hash(i, 0) * p.Aspect()
		depth := seed.Hash(i, 1)
		v := 0.15*depth*depth*depth + 0.24*math.Pow(math.Abs(u/p.Aspect()-0.55)*1.9, 3)*depth - 0.01
		r := 0.009 + 0.013*seed.Hash(i, 2)
		turn := seed.Hash(i, 3) * math.Pi
		c := Hex(0x1c3a30).Mix(Hex(0x7f9a3a), seed.Hash(i, 4)*smooth(0.5, 0.1, math.Abs(u-forestSunU)))
		p.Over(Box{u - 2*r, v - 2*r, u + 2*r, v + 2*r}, func(x, y float64) (Color, float64) {
			a := (x-u)*math.Cos(turn) + (y-v)*math.Sin(turn)
			b := -(x-u)*math.Sin(turn) + (y-v)*math.Cos(turn)
			t := a / (1.5 * r)
			return c, 0.93 * edge(math.Abs(b)-0.55*r*(1-t*t), 0.004)
		})
	}
}
