package main

import "math"

// massif is one layer of mountains, lit from the side and fading into the haze at its foot.
type massif struct {
	seed     Noise
	crest    float64 // mean height of the crest line, as v
	rise     float64 // how far peaks stand above it
	breadth  float64 // width of a peak
	rock     Color   // the colour of its shaded side
	lit      Color   // what the sun adds on the side that faces it
	haze     Color   // what it fades into
	fade     float64 // depth below the crest over which it fades
	thinning float64 // how much of it the haze takes there, 0 to 1
	sun      float64 // where the sun stands, as u
}

// profile returns the crest line at u.
func (m massif) profile(u float64) float64 {
	x := u / m.breadth
	peaks := m.seed.Ridged(x, 0.3, 6)
	swell := (m.seed + 50).Fractal(x*0.45, 0.7, 2)
	return m.crest - m.rise*(peaks-0.45+0.8*swell)
}

// paint draws the massif down to the bottom of the picture.
func (m massif) paint(p *Picture) {
	pixel := p.Pixel()
	crests := make([]float64, p.W*4)
	for i := range crests {
		crests[i] = m.profile((float64(i) + 0.5) / 4 * pixel)
	}
	p.Over(Box{0, m.crest - 1.5*m.rise, math.Inf(1), 1}, func(u, v float64) (Color, float64) {
		x := int(u/pixel) * 4
		cover, crest := 0.0, 0.0
		for _, c := range crests[x : x+4] {
			cover += edge(c-v, pixel) / 4
			crest += c / 4
		}
		if cover == 0 {
			return Color{}, 0
		}
		return m.surface(u, v, crest), cover
	})
}

func (m massif) surface(u, v, crest float64) Color {
	depth := max(0, v-crest)
	// Spurs run downwards from the crest, so the relief is stretched along the fall line and drawn aside by the depth.
	x, y := u/m.breadth*2.4, depth/m.rise*0.9
	relief := func(du float64) float64 {
		return m.seed.Ridged(x+du+0.25*y+0.2*(m.seed+60).At(x, y), y*0.55+3, 5)
	}
	slope := (relief(0.05) - relief(-0.05)) / 0.1
	facing := 1.0
	if u > m.sun {
		facing = -1
	}
	facing *= smooth(0, 0.25, math.Abs(u-m.sun))
	light := clamp(0.30 + 0.55*slope*facing + 0.12*(m.seed+61).Fractal(x*3, y*3, 3))
	near := math.Exp(-3 * math.Abs(u-m.sun))
	c := m.rock.Add(m.lit.Scale(light * (0.35 + 0.65*near)))
	return c.Mix(m.haze, m.thinning*smooth(0, m.fade, depth))
}
