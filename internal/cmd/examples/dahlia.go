package main

import "math"

// The dahlia is painted in Display-P3: its reds and greens are the primaries of that space, which no sRGB screen can show.
// Colours here are therefore given as light in P3, not as hex.

var (
	dahliaCore  = Color{0.20, 0.003, 0.05}
	dahliaDeep  = Color{0.62, 0.004, 0.06}
	dahliaRed   = Color{0.98, 0.02, 0.05}
	dahliaCoral = Color{1.00, 0.16, 0.06}
	dahliaLeaf  = Color{0.01, 0.26, 0.03}
	dahliaLight = Color{0.10, 0.82, 0.08}
)

func paintDahlia(p *Picture) {
	dahliaGarden(p)
	p.Over(Box{0.3, 0.3, 0.7, 0.7}, func(u, v float64) (Color, float64) {
		return dahliaCore.Scale(0.5), edge(disc(u, v, p.Aspect()/2, 0.5, 0.06), 0.02)
	})
	const petals, golden = 260, 2.39996322973
	for i := petals - 1; i >= 0; i-- {
		// Phyllotaxis: each petal stands a golden angle on from the one before, nearer the rim by the square root.
		t := math.Sqrt(float64(i) / petals)
		petal{
			angle:  float64(i)*golden + 0.06*Noise(505).At(float64(i)*0.7, 0.5),
			root:   0.30 * math.Pow(t, 1.5),
			length: lerp(0.035, 0.185, math.Pow(t, 0.8)) * (1 + 0.08*Noise(506).At(float64(i)*0.9, 0.5)),
			width:  lerp(0.011, 0.047, math.Pow(t, 0.75)),
			t:      t,
			seed:   Noise(510 + i),
		}.paint(p)
	}
}

// dahliaGarden is foliage out of focus: wide discs of light on green.
func dahliaGarden(p *Picture) {
	n := Noise(501)
	p.Fill(func(u, v float64) Color {
		f := 0.5 + 0.8*n.Fractal(u*1.8, v*1.8, 3)
		return Color{0.002, 0.045, 0.012}.Mix(dahliaLeaf, clamp(f*(1.1-0.5*v)))
	})
	for i := range 70 {
		u, v := n.Hash(i, 1)*p.Aspect(), n.Hash(i, 2)
		r := 0.02 + 0.075*n.Hash(i, 3)
		c := dahliaLeaf.Mix(dahliaLight, n.Hash(i, 4)*n.Hash(i, 4))
		p.Over(Box{u - 1.5*r, v - 1.5*r, u + 1.5*r, v + 1.5*r}, func(x, y float64) (Color, float64) {
			d := disc(x, y, u, v, r)
			return c, (0.16 + 0.22*smooth(-r, 0, d)) * edge(d, 0.25*r)
		})
	}
}

type petal struct {
	angle, root, length, width float64
	t                          float64 // 0 in the heart of the flower, 1 at its rim
	seed                       Noise
}

func (l petal) paint(p *Picture) {
	sin, cos := math.Sincos(l.angle)
	reach := l.root + 1.15*l.length
	cu, cv := p.Aspect()/2, 0.5
	box := Box{cu - reach, cv - reach, cu + reach, cv + reach}
	// The shade that it casts on those below, away from the light at the upper left.
	p.Over(box, func(u, v float64) (Color, float64) {
		a, b := l.local(u-cu-0.006, v-cv-0.009, sin, cos)
		d := l.outline(a, b*0.97)
		return Color{0.05, 0, 0.012}, 0.50 * smooth(0.016, -0.012, d)
	})
	p.Over(box, func(u, v float64) (Color, float64) {
		a, b := l.local(u-cu, v-cv, sin, cos)
		d := l.outline(a, b)
		if d > p.Pixel() {
			return Color{}, 0
		}
		return l.surface(a, b, sin, cos), edge(d, p.Pixel())
	})
}

// local turns an offset from the flower's centre into a, along the petal from 0 to 1, and b, across it.
func (l petal) local(du, dv, sin, cos float64) (a, b float64) {
	return (du*cos + dv*sin - l.root) / l.length, -du*sin + dv*cos
}

func (l petal) outline(a, b float64) float64 {
	if a < -0.2 || a > 1.1 {
		return 1
	}
	s := clamp(a)
	half := l.width * math.Pow(math.Sin(math.Pi*math.Pow(s, 0.72)), 0.62) * (1 - 0.25*s*s)
	return max(math.Abs(b)-half, (a-1)*l.length, (-a-0.05)*l.length)
}

func (l petal) surface(a, b, sin, cos float64) Color {
	side := b / l.width
	c := dahliaDeep.Mix(dahliaRed, smooth(0.05, 0.6, a)).Mix(dahliaCoral, 0.85*smooth(0.55, 1.05, a)*smooth(0.05, 0.6, l.t))
	c = dahliaCore.Mix(c, smooth(-0.1, 0.75, l.t*0.6+a*0.55))
	// Petals are grooved: each side leans its own way, and fine veins run along it.
	lean := 0.75 * side
	nx, ny := -sin*lean+cos*(0.5*a-0.35), cos*lean+sin*(0.5*a-0.35)
	light := 0.72 - 0.34*nx - 0.42*ny
	veins := 1 + 0.07*l.seed.Fractal(side*9, a*1.5, 2)
	groove := 1 - 0.22*math.Exp(-side*side*60)
	heart := lerp(0.55, 1, smooth(-0.1, 0.55, a))
	shine := 0.10 * math.Pow(clamp(light), 5) * smooth(0.3, 0.9, a)
	return c.Scale(clamp(light) * veins * groove * heart * 1.12).Add(Color{1, 0.55, 0.5}.Scale(shine))
}
