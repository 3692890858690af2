package main

import "math"

// The harbour at the blue hour stands in the archive of the "old website" only.

const harbourWater = 0.66

func paintHarbour(p *Picture) {
	sky := NewRamp(0, 0x12224d, 0.25, 0x2a3f7a, 0.45, 0x6a6aa3, 0.58, 0xc98b9c, 0.66, 0xf0b58d)
	p.Fill(func(u, v float64) Color { return sky.At(v) })
	stars(p, 701, Box{0, 0, math.Inf(1), 0.4}, 0.02, func(v float64) float64 { return smooth(0.42, 0, v) })
	crescent(p, 0.30, 0.17, 0.034)
	massif{seed: 711, crest: 0.585, rise: 0.10, breadth: 0.6, rock: Hex(0x5f5c8d), lit: Hex(0xd9a0a0).Scale(0.10), haze: Hex(0xb78f9f), fade: 0.1, thinning: 0.6, sun: 1.2}.paint(p)
	quay(p)
	harbourReflection(p)
	for i, at := range [][2]float64{{0.20, 0.765}, {0.545, 0.735}, {1.28, 0.80}} {
		sloop(p, at[0], at[1], 0.042+0.028*(at[1]-0.7)*10, i)
	}
}

func crescent(p *Picture, u0, v0, r float64) {
	p.Glow(Everything, func(u, v float64) Color {
		moon := edge(max(disc(u, v, u0, v0, r), -disc(u, v, u0+0.42*r, v0-0.20*r, 0.92*r)), 1.3*p.Pixel())
		return Hex(0xfff1d0).Scale(0.95*moon + 0.10*math.Exp(-math.Hypot(u-u0, v-v0)*14))
	})
}

// quay is the row of houses along the water, gable by gable, with their windows lit at random.
func quay(p *Picture) {
	seed := Noise(721)
	walls := []Color{Hex(0xa8483f), Hex(0xd08a45), Hex(0x3f6b7d), Hex(0xb9a58b), Hex(0x7d3f52), Hex(0x4f7560), Hex(0xc9713f), Hex(0x5a5c8c)}
	left := 0.36
	for i := 0; left < p.Aspect()-0.02; i++ {
		wide := 0.060 + 0.035*seed.Hash(i, 1)
		tall := 0.105 + 0.085*seed.Hash(i, 2)
		house{p, seed, i, left, wide, tall, walls[(i*3+int(seed.Hash(i, 3)*2))%len(walls)]}.paint()
		left += wide
	}
	p.Over(Box{0.30, harbourWater - 0.02, math.Inf(1), harbourWater + 0.01}, func(u, v float64) (Color, float64) {
		stone := 1 + 0.25*seed.Fractal(u*60, v*90, 2)
		return Hex(0x3a3448).Scale(stone), edge(slab(u, v, 1.3, harbourWater-0.004, 1.0, 0.014, 0.002), p.Pixel())
	})
	for i := range 9 {
		lamp(p, 0.345+0.135*float64(i), harbourWater-0.018)
	}
}

type house struct {
	p                *Picture
	seed             Noise
	i                int
	left, wide, tall float64
	wall             Color
}

func (h house) paint() {
	px, mid, half := h.p.Pixel(), h.left+h.wide/2, h.wide/2
	eaves := harbourWater - h.tall
	roof := 0.8 * h.wide * (0.7 + 0.5*h.seed.Hash(h.i, 5))
	body := func(u, v float64) float64 {
		gable := max(eaves-roof*(1-math.Abs(u-mid)/half)-v, math.Abs(u-mid)-half)
		if h.seed.Hash(h.i, 6) < 0.35 { // a stepped gable, as by the northern sea
			steps := math.Floor((1-math.Abs(u-mid)/half)*5) / 5
			gable = max(eaves-roof*0.95*steps-v, math.Abs(u-mid)-half)
		}
		return gable
	}
	box := Box{h.left, eaves - roof, h.left + h.wide, harbourWater}
	h.p.Over(box, func(u, v float64) (Color, float64) {
		dusk := NewRamp(0, 0x6d74ab, 1, 0xf0c0a0).At(smooth(0.40, 0.66, v))
		shade := 0.75 - 0.35*(u-mid)/h.wide
		c := h.wall.Times(dusk).Scale(0.85 * shade * (1 + 0.10*h.seed.Fractal(u*90, v*90, 2)))
		if math.Abs(u-mid) > half-0.0016 {
			c = c.Scale(0.6)
		}
		return c, edge(body(u, v), px)
	})
	floors := int(h.tall / 0.036)
	columns := 2 + int(h.wide/0.034)
	for f := range floors {
		for k := range columns {
			h.window(f, k, columns)
		}
	}
	h.pane(mid, eaves-0.28*roof, 0.0055, 0.0075, h.seed.Hash(h.i, 90) < 0.5)
}

func (h house) window(f, k, columns int) {
	u := h.left + h.wide*(float64(k)+0.5)/float64(columns)
	v := harbourWater - 0.030 - 0.036*float64(f)
	if f == 0 && k == h.i%columns {
		box := Box{u - 0.02, v - 0.02, u + 0.02, harbourWater}
		h.p.Over(box, func(x, y float64) (Color, float64) {
			return Hex(0x241c2c), edge(slab(x, y, u, v+0.006, 0.0075, 0.016, 0.004), h.p.Pixel())
		})
		return
	}
	h.pane(u, v, 0.0058, 0.0092, h.seed.Hash(h.i*40+f, k+100) < 0.55)
}

func (h house) pane(u, v, a, b float64, lit bool) {
	px := h.p.Pixel()
	light := Hex(0x39426b)
	if lit {
		light = Hex(0xffc262).Scale(0.85 + 0.3*h.seed.Hash(int(u*999), int(v*999)))
	}
	h.p.Over(Box{u - 2*a, v - 2*b, u + 2*a, v + 2*b}, func(x, y float64) (Color, float64) {
		c := light
		if math.Abs(x-u) < 0.0007 || math.Abs(y-v+0.2*b) < 0.0007 {
			c = Hex(0x3a2a2a)
		}
		return c, edge(slab(x, y, u, v, a, b, 0.0006), px)
	})
	if lit {
		h.p.Glow(Box{u - 0.05, v - 0.05, u + 0.05, v + 0.05}, func(x, y float64) Color {
			return Hex(0xff9f45).Scale(0.10 * math.Exp(-max(0, slab(x, y, u, v, a, b, 0))*130))
		})
	}
}

func lamp(p *Picture, u0, v0 float64) {
	p.Over(Box{u0 - 0.02, v0 - 0.07, u0 + 0.02, v0 + 0.01}, func(u, v float64) (Color, float64) {
		return Hex(0x1a1626), edge(stroke(u, v, u0, v0, u0, v0-0.052, 0.0016, 0.0009), p.Pixel())
	})
	p.Glow(Box{u0 - 0.15, v0 - 0.2, u0 + 0.15, v0 + 0.1}, func(u, v float64) Color {
		d := math.Hypot(u-u0, v-v0+0.055)
		return Hex(0xffd890).Scale(0.9*math.Exp(-d*d*90000) + 0.18*math.Exp(-d*50))
	})
}

func harbourReflection(p *Picture) {
	above := &Picture{W: p.W, H: p.H, pix: append([]pixel(nil), p.pix...)}
	n := Noise(731)
	p.Over(Box{0, harbourWater, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		down := v - harbourWater
		far := 1 / (down + 0.03)
		var c Color
		for i := range 8 {
			tilt := (0.010 + 0.10*down) * (n.Fractal(u*far*0.8, far*5, 3) + 0.9*n.Fractal(u*far*2, far*14, 2) + 0.22*(float64(i)-3.5))
			c = c.Add(above.Look(u+0.10*tilt, harbourWater-down*0.95+tilt).Scale(1.0 / 8))
		}
		return c.Scale(0.86).Mix(Hex(0x141d44), 0.12+0.5*smooth(0, 0.34, down)), edge(-down, p.Pixel())
	})
}

// sloop is a moored sailing boat with its sails down, and its broken mirror image.
func sloop(p *Picture, u0, v0, s float64, i int) {
	hulls := []Color{Hex(0xd8d0cc), Hex(0x9c3b3b), Hex(0x2f4f78)}
	shape := func(u, v float64) (hull, rig float64) {
		x, y := (u-u0)/s, (v-v0)/s
		hull = max(-0.10*x*x-0.16-y, y-0.16+0.05*x, math.Abs(x+0.12*y)-1+0.25*max(0, y+0.1)) * s
		rig = min(
			stroke(x, y, 0.08, -0.1, 0.10, -2.7, 0.020, 0.012), stroke(x, y, 0.08, -0.52, -0.75, -0.46, 0.045, 0.030),
			stroke(x, y, 0.10, -2.65, 0.97, -0.22, 0.004, 0.004), stroke(x, y, 0.10, -2.65, -0.92, -0.20, 0.004, 0.004),
			slab(x, y, -0.12, -0.25, 0.36, 0.10, 0.05)) * s
		return hull, rig
	}
	n := Noise(740 + i)
	p.Over(Box{u0 - 2*s, v0 + 0.1*s, u0 + 2*s, v0 + 3*s}, func(u, v float64) (Color, float64) {
		shake := 0.10 * s * n.Fractal(u*20, v*110, 3) * (1 + 14*(v-v0))
		hull, rig := shape(u+shake, 2*v0+0.28*s-v)
		return hulls[i].Times(Hex(0x5d618f)).Scale(0.5), 0.65 * max(edge(hull, 0.05*s), 0.7*edge(rig, 0.04*s)) * smooth(v0+2.9*s, v0+0.5*s, v)
	})
	p.Over(Box{u0 - 2*s, v0 - 3*s, u0 + 2*s, v0 + s}, func(u, v float64) (Color, float64) {
		hull, rig := shape(u, v)
		y := (v - v0) / s
		c := Hex(0x2a2438)
		if hull < rig {
			c = hulls[i].Times(NewRamp(0, 0xe0b9b0, 1, 0x5d618f).At(smooth(-0.2, 0.2, y)))
			if y > 0.06 {
				c = Hex(0x1d1830)
			}
		}
		return c, max(edge(hull, p.Pixel()), edge(rig, p.Pixel()))
	})
}
