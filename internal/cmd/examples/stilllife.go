package main

import "math"

// The still life is not painted but looked at: simple bodies, described by their distance from any point, stand in a
// studio, and a ray goes out from each pixel until it meets one.

// body is one thing of the still life.
type body struct {
	distance func(q vector) float64
	color    func(q vector) Color
	gloss    float64
	around   vector  // the centre of a ball that holds the body,
	reach    float64 // and its radius: far from it the distance need not be asked
}

var studio = []body{
	{ground, paper, 0.02, vector{}, math.Inf(1)},
	{vase, glazed, 0.14, vector{-0.86, 0.78, -0.05}, 1.0},
	{ball(vector{0.36, 0.52, 0.35}, 0.52), plain(0x1f7f80), 0.30, vector{0.36, 0.52, 0.35}, 0.52},
	{ball(vector{1.22, 0.27, 0.95}, 0.27), plain(0xf0a52c), 0.35, vector{1.22, 0.27, 0.95}, 0.27},
	{ball(vector{-0.22, 0.17, 1.25}, 0.17), plain(0xf6ead8), 0.20, vector{-0.22, 0.17, 1.25}, 0.17},
	{arch, plain(0xd96a55), 0.03, vector{1.05, 0.75, -0.55}, 1.1},
	{column, plain(0xf4dfc4), 0.03, vector{0.36, 1, -1}, 1.15},
	{ring, plain(0x2b3f6b), 0.25, vector{-1.42, 0.335, 0.62}, 0.34},
}

func paper(q vector) Color { return Hex(0xe9b9a0).Mix(Hex(0xdc9c86), smooth(0.5, 3.4, q.y)) }

// glazed is terracotta, dipped upside down into cream glaze that ran a little.
func glazed(q vector) Color {
	around := math.Atan2(q.z+0.05, q.x+0.86)
	run := 0.05*math.Sin(5*around+1) + 0.03*math.Sin(11*around)
	return Hex(0xb9553a).Mix(Hex(0xf3e6d3), smooth(1.00, 1.03, q.y+run))
}

func plain(rgb uint32) func(vector) Color {
	c := Hex(rgb)
	return func(vector) Color { return c }
}

// ground is a table that bends up into the wall, as photographers hang their paper.
func ground(q vector) float64 {
	wall, r := q.z+2.2, 1.2
	if q.y < r && wall < r {
		return r - math.Hypot(r-q.y, r-wall)
	}
	return min(q.y, wall)
}

func ball(at vector, r float64) func(vector) float64 {
	return func(q vector) float64 { return q.sub(at).length() - r }
}

// vase is a turned body: its radius is a smooth function of the height.
func vase(q vector) float64 {
	x, z := q.x+0.86, q.z+0.05
	y := q.y
	radius := 0.20 + 0.36*math.Exp(-(y-0.62)*(y-0.62)/0.176) - 0.03*smooth(0.35, 0, y) + 0.09*smooth(1.28, 1.56, y)
	across := math.Hypot(x, z)
	wall := math.Abs(across-radius+0.035) - 0.035
	return 0.75 * max(wall, y-1.56, min(across-radius, -y))
}

// arch is half a ring of square section, standing.
func arch(q vector) float64 {
	x, y, z := q.x-1.05, q.y, q.z+0.55
	across := math.Abs(x)
	if y > 0.75 {
		across = math.Hypot(x, y-0.75)
	}
	a, b := math.Abs(across-0.55)-0.17, math.Abs(z)-0.22
	outside := math.Hypot(max(a, 0), max(b, 0)) + min(max(a, b), 0)
	return max(outside-0.02, -y)
}

func column(q vector) float64 {
	a, b := math.Hypot(q.x-0.36, q.z+1.0)-0.36, math.Abs(q.y-1.0)-1.0
	return math.Hypot(max(a, 0), max(b, 0)) + min(max(a, b), 0) - 0.03
}

// ring leans against the vase.
func ring(q vector) float64 {
	q = q.sub(vector{-1.42, 0.335, 0.62})
	turn, tilt := 0.5, 0.30
	x, z := q.x*math.Cos(turn)-q.z*math.Sin(turn), q.x*math.Sin(turn)+q.z*math.Cos(turn)
	y, z := q.y*math.Cos(tilt)-z*math.Sin(tilt), q.y*math.Sin(tilt)+z*math.Cos(tilt)
	return math.Hypot(math.Hypot(x, y)-0.255, z) - 0.075
}

func nearest(q vector) (distance float64, which int) {
	distance = math.Inf(1)
	for i := range studio {
		if q.sub(studio[i].around).length()-studio[i].reach > distance {
			continue
		}
		if d := studio[i].distance(q); d < distance {
			distance, which = d, i
		}
	}
	return distance, which
}

func paintStillLife(p *Picture) {
	eye, target := vector{0.15, 1.75, 7.2}, vector{0.02, 0.92, 0}
	ahead := target.sub(eye).unit()
	right := ahead.cross(vector{0, 1, 0}).unit()
	up := right.cross(ahead)
	p.Fill(func(u, v float64) Color {
		var sum Color
		for i := range 4 {
			// A turned grid of four samples: nearly horizontal and vertical edges get four steps, not two.
			du := [4]float64{-0.375, -0.125, 0.125, 0.375}[i] * p.Pixel()
			dv := [4]float64{0.125, -0.375, 0.375, -0.125}[i] * p.Pixel()
			x, y := (u+du-p.Aspect()/2)*0.44, (0.5-v-dv)*0.44
			ray := ahead.add(right.times(x)).add(up.times(y)).unit()
			sum = sum.Add(trace(eye, ray, 1).Scale(0.25))
		}
		vignette := 1 - 0.28*math.Pow(math.Hypot((u-p.Aspect()/2)/p.Aspect()*1.5, v-0.5), 2)
		return sum.Scale(vignette)
	})
}

// trace returns the light that comes back along the ray; glossy bodies mirror their surroundings bounces times.
func trace(from, ray vector, bounces int) Color {
	travelled, which := march(from, ray)
	if travelled > 30 {
		return Hex(0xf6e6d8) // the dark behind the camera would make mirrors look dirty
	}
	q := from.add(ray.times(travelled))
	n := normal(q)
	b := &studio[which]
	own := b.color(q)
	key := vector{-0.58, 0.72, 0.52}.unit()
	lit := clamp(n.dot(key))
	if lit > 0 {
		lit *= shadow(q.add(n.times(0.004)), key)
	}
	open := occlusion(q, n)
	light := Hex(0xfff0dc).Scale(1.26 * lit).
		Add(Hex(0xb9c4e8).Scale(0.36 * open * (0.6 + 0.4*n.y))).
		Add(Hex(0xf0a080).Scale(0.20 * open * (0.5 - 0.5*n.y + 0.3*n.x)))
	c := own.Times(light)
	shine := math.Pow(clamp(ray.mirror(n).dot(key)), 60)
	c = c.Add(Color{1, 0.95, 0.88}.Scale(1.3 * b.gloss * shine * lit))
	if bounces > 0 && b.gloss > 0.1 {
		grazing := math.Pow(1-clamp(-ray.dot(n)), 4)
		seen := trace(q.add(n.times(0.01)), ray.mirror(n), bounces-1)
		c = c.Mix(seen, b.gloss*(0.12+0.7*grazing))
	}
	return c
}

// march goes along the ray by as much as is surely free, until it touches something.
func march(from, ray vector) (travelled float64, which int) {
	for range 160 {
		d, i := nearest(from.add(ray.times(travelled)))
		which = i
		if d < 0.0006*travelled || travelled > 30 {
			break
		}
		travelled += d * 0.92
	}
	return travelled, which
}

func normal(q vector) vector {
	const e = 0.0012
	d := func(v vector) float64 { d, _ := nearest(q.add(v)); return d }
	return vector{
		d(vector{e, 0, 0}) - d(vector{-e, 0, 0}),
		d(vector{0, e, 0}) - d(vector{0, -e, 0}),
		d(vector{0, 0, e}) - d(vector{0, 0, -e}),
	}.unit()
}

// shadow is 1 in full light, 0 in full shade; the nearer the ray passes by something far away, the softer.
func shadow(q, key vector) float64 {
	free, travelled := 1.0, 0.02
	for range 70 {
		d, _ := nearest(q.add(key.times(travelled)))
		free = min(free, 0.5+0.5*d/(0.075*travelled))
		if free < 0 || travelled > 7 {
			break
		}
		travelled += min(max(d*0.7, 0.012), 0.25)
	}
	free = max(free, 0)
	return free * free * (3 - 2*free)
}

// occlusion is 1 in the open and falls in corners.
func occlusion(q, n vector) float64 {
	closed, weight := 0.0, 1.0
	for i := range 6 {
		h := 0.02 + 0.13*float64(i)
		d, _ := nearest(q.add(n.times(h)))
		closed += (h - d) * weight
		weight *= 0.72
	}
	return clamp(1 - 0.75*closed)
}

// vector is a place or a direction in space: x to the right, y up, z towards the eye.
type vector struct{ x, y, z float64 }

func (a vector) add(b vector) vector    { return vector{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vector) sub(b vector) vector    { return vector{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vector) times(k float64) vector { return vector{a.x * k, a.y * k, a.z * k} }
func (a vector) dot(b vector) float64   { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vector) length() float64        { return math.Sqrt(a.dot(a)) }
func (a vector) unit() vector           { return a.times(1 / a.length()) }
func (a vector) mirror(n vector) vector { return a.sub(n.times(2 * a.dot(n))) }
func (a vector) cross(b vector) vector {
	return vector{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
}
