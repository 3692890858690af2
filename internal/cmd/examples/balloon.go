package main

import "math"

// balloon is a hot-air balloon: a striped envelope of gores lit from one side, lines and a basket.
type balloon struct {
	u, v, r float64 // centre and radius of the envelope
	turn    float64 // rotation about the upright axis, in radians
	gores   int
	cloth   func(gore int, y float64) Color // y runs from -1 at the top to balloonMouth
	sun     Color                           // light from the left
	sky     Color                           // light from everywhere
	air     Color                           // what the air between adds
	away    float64                         // how much of the balloon the air takes
}

// balloonMouth is where the envelope ends, in radii below its centre; balloonFoot is the bottom of the basket.
const (
	balloonMouth = 1.36
	balloonFoot  = 2.08
)

// girth returns the envelope's radius at height y.
func girth(y float64) float64 {
	if y < 0 {
		return math.Sqrt(max(0, 1-y*y))
	}
	t := y / balloonMouth
	return 1 - 0.80*math.Pow(t, 1.75) - 0.03*math.Sin(t*math.Pi)
}

func (b balloon) paint(p *Picture) {
	b.lines(p)
	b.basket(p)
	box := Box{b.u - 1.05*b.r, b.v - 1.05*b.r, b.u + 1.05*b.r, b.v + 1.5*b.r}
	p.Over(box, func(u, v float64) (Color, float64) {
		x, y := (u-b.u)/b.r, (v-b.v)/b.r
		// The scalloped mouth curves, being a circle seen from below.
		if y < -1 || y > balloonMouth+0.05 {
			return Color{}, 0
		}
		g := girth(min(y, balloonMouth))
		grade := (girth(y+0.01) - girth(y-0.01)) / 0.02
		outside := (math.Abs(x) - g) / math.Sqrt(1+min(grade*grade, 9))
		if y < 0 {
			outside = math.Hypot(x, y) - 1
		}
		lip := balloonMouth + 0.035*math.Sqrt(max(0, 1-x*x/(g*g+1e-9)))
		cover := edge(max(outside, y-lip)*b.r, p.Pixel())
		if cover == 0 {
			return Color{}, 0
		}
		// The seams between the colours are sharp, so a pixel takes the mean of four places.
		var c Color
		step := 0.25 * p.Pixel() / b.r
		for _, at := range [4][2]float64{{-1, -1}, {1, -1}, {-1, 1}, {1, 1}} {
			y := min(y+at[1]*step, balloonMouth)
			c = c.Add(b.envelope(x+at[0]*step, y, girth(y)).Scale(0.25))
		}
		return c, cover
	})
}

// envelope returns the colour of the cloth at x, y in radii.
func (b balloon) envelope(x, y, g float64) Color {
	s := min(max(x/max(g, 1e-6), -1), 1)
	angle := (math.Asin(s) + b.turn) / (2 * math.Pi) * float64(b.gores)
	gore := math.Floor(angle)
	within := angle - gore
	c := b.cloth((int(gore)%b.gores+b.gores)%b.gores, y)
	// Between the load tapes each gore bulges outwards, so its own normal leans left and right.
	bulge := (within - 0.5) * 0.55
	nx := math.Sin(math.Asin(s) + bulge)
	ny := y
	if y > 0 {
		ny = 0.9 * y / balloonMouth
	}
	nz := math.Sqrt(max(0, 1-nx*nx-ny*ny*0.6))
	direct := clamp(-0.66*nx - 0.42*ny + 0.52*nz)
	ambient := 0.55 - 0.30*ny + 0.12*nz
	tape := smooth(0.06, 0.0, min(within, 1-within)/math.Max(0.35, math.Cos(math.Asin(s))))
	light := b.sun.Scale(direct).Add(b.sky.Scale(ambient))
	out := c.Times(light).Scale(1 - 0.28*tape)
	// The cloth is thin: the side away from the sun lets some light through, and the burner warms the throat.
	out = out.Add(c.Times(b.sun).Scale(0.10 * smooth(0.2, 1, s)))
	out = out.Add(Hex(0xffb050).Times(c.Add(Color{0.25, 0.2, 0.1})).Scale(0.55 * smooth(0.75, 1.36, y)))
	rim := math.Pow(clamp(-s), 9) * smooth(1.3, -0.3, y)
	out = out.Add(b.sun.Scale(0.22 * rim))
	return out.Mix(b.air, b.away)
}

func (b balloon) lines(p *Picture) {
	box := Box{b.u - 0.3*b.r, b.v + 1.3*b.r, b.u + 0.3*b.r, b.v + 1.9*b.r}
	p.Over(box, func(u, v float64) (Color, float64) {
		x, y := (u-b.u)/b.r, (v-b.v)/b.r
		d := math.Inf(1)
		for _, side := range []float64{-1, -0.35, 0.35, 1} {
			d = min(d, stroke(x, y, 0.19*side, balloonMouth, 0.125*side, 1.86, 0.004, 0.004))
		}
		return Hex(0x3a2c2a).Mix(b.air, b.away), edge(d*b.r, p.Pixel())
	})
	p.Glow(Box{b.u - b.r, b.v + b.r, b.u + b.r, b.v + 2*b.r}, func(u, v float64) Color {
		x, y := (u-b.u)/b.r, (v-b.v)/b.r-1.52
		flame := math.Exp(-x*x*2600 - y*y*140)
		return Hex(0xffc36a).Scale((1 - b.away) * (1.1*flame + 0.05*math.Exp(-(x*x+y*y)*60)))
	})
}

func (b balloon) basket(p *Picture) {
	box := Box{b.u - 0.3*b.r, b.v + 1.5*b.r, b.u + 0.3*b.r, b.v + 2.2*b.r}
	p.Over(box, func(u, v float64) (Color, float64) {
		x, y := (u-b.u)/b.r, (v-b.v)/b.r
		people := math.Inf(1)
		for i, at := range []float64{-0.065, 0.0, 0.07} {
			top := 1.725 + 0.018*float64(i%2)
			people = min(people, disc(x, y, at, top, 0.024), stroke(x, y, at, top+0.07, at, top+0.16, 0.032, 0.036))
		}
		body := slab(x, y, 0, 1.96, 0.135-0.10*(y-1.96), 0.115, 0.03)
		rim := slab(x, y, 0, 1.855, 0.15, 0.016, 0.016)
		cover := edge(min(people, body, rim)*b.r, p.Pixel())
		c := Hex(0x2b2638)
		if min(body, rim) < 0 {
			weave := 0.82 + 0.18*math.Sin(x*150)*math.Sin(y*170)
			c = Hex(0xa8703c).Scale((0.42 + 0.55*clamp(0.5-3.4*x)) * weave)
			if rim < 0 {
				c = Hex(0x6b3f22).Scale(0.6 + 0.5*clamp(0.5-3.4*x))
			}
		}
		return c.Times(b.sun.Scale(0.75).Add(b.sky.Scale(0.45))).Mix(b.air, b.away), cover
	})
}

// The cloths of the fleet.

func stripes(colors ...Color) func(int, float64) Color {
	return func(gore int, _ float64) Color { return colors[gore%len(colors)] }
}

// banded has plain gores at the crown and the skirt and a zigzag of colours round the waist.
func banded(crown, skirt Color, waist ...Color) func(int, float64) Color {
	return func(gore int, y float64) Color {
		zig := 0.10 * float64(gore%2)
		switch {
		case y < -0.52+zig:
			return crown
		case y > 0.62-zig:
			return skirt
		}
		row := int(math.Floor((y + 0.52 - zig) / 0.24))
		return waist[((row+gore)%len(waist)+len(waist))%len(waist)]
	}
}

// spiral winds its colours round the envelope from the crown down.
func spiral(colors ...Color) func(int, float64) Color {
	return func(gore int, y float64) Color {
		n := int(math.Floor(float64(gore) + (y+1)*3.2))
		return colors[n%len(colors)]
	}
}

// paintFloat is one balloon on nothing, for the picture with transparency: its outline is soft over a pixel,
// its shadow on the ground far below is soft over a tenth of the picture.
func paintFloat(p *Picture) {
	u0 := p.Aspect() / 2
	p.Over(Everything, func(u, v float64) (Color, float64) {
		x, y := (u-u0-0.02)/0.18, (v-0.952)/0.026
		return Hex(0x1a2238), 0.42 * math.Exp(-1.6*(x*x+y*y))
	})
	balloon{
		u: u0, v: 0.310, r: 0.290, turn: 0.30, gores: 20,
		cloth: banded(Hex(0x14606e), Hex(0xd9482f), Hex(0xf7ead2), Hex(0xf2a93b), Hex(0xd9482f), Hex(0x14606e)),
		sun:   Hex(0xfff0d8).Scale(1.05), sky: Hex(0xb9cdea).Scale(0.68),
	}.paint(p)
}
