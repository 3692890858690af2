package main

import "math"

// Noise is a seed of gradient noise: the same seed and place give the same value on every machine, in any order,
// which is what keeps the pictures reproducible while rows are painted in parallel.
type Noise uint32

// Hash returns a value in [0,1) that belongs to the whole numbers i and j.
func (n Noise) Hash(i, j int) float64 {
	return float64(n.bits(i, j)>>8) / (1 << 24)
}

func (n Noise) bits(i, j int) uint32 {
	h := uint32(n)*0x9e3779b9 ^ uint32(i)*0x85ebca6b ^ uint32(j)*0xc2b2ae35
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	h ^= h >> 15
	return h
}

// At returns smooth noise in about [-1,1] with features of size 1.
func (n Noise) At(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx), int(fy)
	x, y = x-fx, y-fy
	u, v := x*x*x*(x*(x*6-15)+10), y*y*y*(y*(y*6-15)+10)
	top := lerp(n.slope(i, j, x, y), n.slope(i+1, j, x-1, y), u)
	bottom := lerp(n.slope(i, j+1, x, y-1), n.slope(i+1, j+1, x-1, y-1), u)
	return 1.5 * lerp(top, bottom, v)
}

// slope is the dot product of the lattice point's random direction with the offset from it.
func (n Noise) slope(i, j int, x, y float64) float64 {
	d := directions[n.bits(i, j)>>27]
	return d[0]*x + d[1]*y
}

var directions = func() (d [32][2]float64) {
	for i := range d {
		d[i][1], d[i][0] = math.Sincos(float64(i) / 32 * 2 * math.Pi)
	}
	return d
}()

// Fractal sums octaves of noise, each twice as fine and half as strong: clouds, haze, uneven ground.
func (n Noise) Fractal(x, y float64, octaves int) float64 {
	sum, strength := 0.0, 0.5
	for o := range octaves {
		sum += strength * (n+Noise(o)).At(x, y)
		// Turning each octave hides the lattice, which shows as a grid otherwise.
		x, y = 1.6*x-1.2*y, 1.2*x+1.6*y
		strength /= 2
	}
	return sum
}

// Ridged is like Fractal with sharp crests, in about [0,1]: rock, torn clouds.
func (n Noise) Ridged(x, y float64, octaves int) float64 {
	sum, strength, weight := 0.0, 0.5, 1.0
	for o := range octaves {
		crest := 1 - math.Abs((n+Noise(o)).At(x, y))
		crest *= crest * weight
		sum += strength * crest
		// Fine crests grow on coarse ones only: valleys stay smooth, as erosion leaves them.
		weight = clamp(crest * 1.8)
		x, y = 1.6*x-1.2*y, 1.2*x+1.6*y
		strength /= 2
	}
	return sum
}
