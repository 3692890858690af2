package main

import "math"

// stars strews stars over box, one cell of the given size each, brighter ones rarer; visible dims them by height.
func stars(p *Picture, seed Noise, box Box, cell float64, visible func(v float64) float64) {
	tints := []Color{Hex(0xffffff), Hex(0xcfdcff), Hex(0xffe6c4), Hex(0xe8eeff)}
	floor := 0.75 * p.Pixel() // a star is never smaller than a pixel, else it would vanish from small pictures
	p.Glow(box, func(u, v float64) Color {
		var sum Color
		ci, cj := int(math.Floor(u/cell)), int(math.Floor(v/cell))
		for i := ci - 1; i <= ci+1; i++ {
			for j := cj - 1; j <= cj+1; j++ {
				chance := seed.Hash(i, j)
				if chance > 0.42 {
					continue
				}
				su := (float64(i) + (seed+1).Hash(i, j)) * cell
				sv := (float64(j) + (seed+2).Hash(i, j)) * cell
				rank := (seed + 3).Hash(i, j)
				bright := 0.10 + 0.9*math.Pow(rank, 9)
				radius := max(0.00042+0.00075*math.Pow(rank, 14), floor)
				d := math.Hypot(u-su, v-sv) / radius
				if d > 6 {
					continue
				}
				light := bright * (math.Exp(-d*d) + 0.05*math.Pow(rank, 14)*math.Exp(-d*0.8)) * visible(sv)
				sum = sum.Add(tints[int(chance*97)%len(tints)].Scale(light))
			}
		}
		return sum
	})
}

// galaxy is the milky way: a band of faint light with dark lanes along the line through two places.
func galaxy(p *Picture, seed Noise, u0, v0, u1, v1, width float64) {
	long := math.Hypot(u1-u0, v1-v0)
	p.Glow(Everything, func(u, v float64) Color {
		along := ((u-u0)*(u1-u0) + (v-v0)*(v1-v0)) / long
		across := ((u-u0)*(v1-v0) - (v-v0)*(u1-u0)) / long / width
		across += 0.35 * seed.Fractal(along*3, 0.5, 3)
		cloud := clamp(0.50 + 1.1*(seed+3).Fractal(along*5, across*0.9, 6))
		lane := smooth(-0.10, 0.55, math.Abs(across)+0.75*(seed+9).Fractal(along*4, across*1.6, 5))
		glow := math.Exp(-1.1*across*across) * cloud * lane
		return Hex(0x7f9be0).Mix(Hex(0xf0c2c8), math.Exp(-2*math.Abs(across))).Scale(0.26 * glow * smooth(0.85, 0.25, v))
	})
	stars(p, seed+20, Everything, max(0.0075, 5*p.Pixel()), func(v float64) float64 { return 0.5 * smooth(0.75, 0.1, v) })
}
