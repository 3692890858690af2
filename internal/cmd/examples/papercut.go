package main

import "math"

// The paper cut stands for printed matter: sheets of coloured paper, one upon the other, each with its shadow on the next.
// Its colours are ones that a printing press can reach.

func paintPapercut(p *Picture) {
	grain := Noise(601)
	paper := func(c Color) func(u, v float64) Color {
		return func(u, v float64) Color {
			fibre := 1 + 0.030*grain.Fractal(u*160, v*160, 3) + 0.022*grain.Fractal(u*14, v*60, 2)
			return c.Scale(fibre)
		}
	}
	p.Fill(paper(Hex(0xf6dfb8)))
	sheet := func(c Color, distance func(u, v float64) float64) {
		p.Over(Everything, func(u, v float64) (Color, float64) {
			d := distance(u-0.006, v-0.012)
			return Hex(0x3a2028), 0.50 * smooth(0.042, -0.016, d)
		})
		fill := paper(c)
		p.Over(Everything, func(u, v float64) (Color, float64) {
			d := distance(u, v)
			// Light catches the cut edge.
			lip := smooth(-0.0035, -0.0005, d)
			return fill(u, v).Mix(Color{1, 0.97, 0.92}, 0.22*lip), edge(d, p.Pixel())
		})
	}
	around := func(r float64) func(u, v float64) float64 {
		return func(u, v float64) float64 {
			return r - math.Hypot(u-0.98, v-0.40) - 0.007*math.Sin(3*math.Atan2(v-0.40, u-0.98)+9*r)
		}
	}
	sheet(Hex(0xf5c58d), around(0.52))
	sheet(Hex(0xefa572), around(0.78))
	sheet(Hex(0xe58a66), around(1.04))
	sheet(Hex(0xdc5a44), func(u, v float64) float64 { return disc(u, v, 0.98, 0.40, 0.165) })
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return Hex(0x6b3444), edge(birds(u, v), p.Pixel())
	})
	hill := func(c Color, level, swell, breadth, phase float64) {
		sheet(c, func(u, v float64) float64 {
			x := u/breadth + phase
			line := level - swell*(math.Sin(x*2.1)+0.45*math.Sin(x*4.7+1.3)+0.12*math.Sin(x*11))
			return (line - v) * 0.86
		})
	}
	hill(Hex(0xb9576a), 0.600, 0.052, 0.42, 0.4)
	hill(Hex(0x8d4a72), 0.680, 0.058, 0.50, 2.2)
	hill(Hex(0x4f4a7c), 0.765, 0.050, 0.46, 4.4)
	hill(Hex(0x2f5f86), 0.850, 0.040, 0.55, 1.0)
	sheet(Hex(0x1f7d84), func(u, v float64) float64 {
		x := math.Mod(u/0.098, 1) - 0.5
		return (0.925 + 0.018*math.Cos(x*2*math.Pi) - v) * 0.8
	})
	sheet(Hex(0x2b9c94), func(u, v float64) float64 {
		x := math.Mod(u/0.098+0.5, 1) - 0.5
		return (0.972 + 0.018*math.Cos(x*2*math.Pi) - v) * 0.8
	})
}

// birds are three gulls a long way off.
func birds(u, v float64) float64 {
	best := math.Inf(1)
	for _, b := range [][3]float64{{0.58, 0.27, 0.034}, {0.66, 0.215, 0.026}, {0.50, 0.205, 0.022}} {
		x, y := math.Abs(u-b[0])/b[2], (v-b[1])/b[2]
		wing := math.Abs(y+0.55*math.Sqrt(x)-0.25*x*x) - 0.16*(1.25-x)
		best = min(best, max(wing, x-1.2)*b[2]*0.7)
	}
	return best
}
