package main

import "math"

// The functions of this file return signed distances: negative inside, in units of the picture's height.

func disc(u, v, cu, cv, r float64) float64 { return math.Hypot(u-cu, v-cv) - r }

// slab is a rectangle around (cu,cv) with half sides a and b and corners rounded by r.
func slab(u, v, cu, cv, a, b, r float64) float64 {
	x, y := math.Abs(u-cu)-a+r, math.Abs(v-cv)-b+r
	return math.Hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - r
}

// stroke is a line from (u0,v0) to (u1,v1) whose half width goes from r0 to r1.
func stroke(u, v, u0, v0, u1, v1, r0, r1 float64) float64 {
	du, dv := u1-u0, v1-v0
	t := clamp(((u-u0)*du + (v-v0)*dv) / (du*du + dv*dv))
	return math.Hypot(u-u0-t*du, v-v0-t*dv) - lerp(r0, r1, t)
}

// polygon is a closed outline given as u, v, u, v ...
func polygon(u, v float64, outline ...float64) float64 {
	n := len(outline) / 2
	nearest, inside := math.Inf(1), false
	for i := range n {
		j := (i + 1) % n
		u0, v0, u1, v1 := outline[2*i], outline[2*i+1], outline[2*j], outline[2*j+1]
		nearest = min(nearest, stroke(u, v, u0, v0, u1, v1, 0, 0))
		if (v0 > v) != (v1 > v) && u < u0+(v-v0)/(v1-v0)*(u1-u0) {
			inside = !inside
		}
	}
	if inside {
		return -nearest
	}
	return nearest
}

// edge turns a distance into coverage, one pixel wide at the outline.
func edge(distance, pixel float64) float64 { return clamp(0.5 - distance/pixel) }

// spruces is a row of conifers standing side by side.
type spruces struct {
	seed         Noise
	spacing      float64
	small, tall  float64 // heights
	slenderness  float64 // half width at the foot, as a part of the height
	from, to     float64 // where the row stands
	ground       func(u float64) float64
	raggedness   float64 // how far the branches stand out, 0 to 1
	whorls       float64 // how many rows of branches a tree has
	clearingSize float64 // length of the gaps in the wood, 0 for none
}

// cover returns how much of the place belongs to a tree: the mean of a few places within the pixel, because a branch's tip is thinner than one.
func (s spruces) cover(u, v, pixel float64) float64 {
	ground := s.ground(u)
	if v < ground-s.tall-pixel || v > ground+s.tall {
		return 0
	}
	hits := 0
	for i := range 9 {
		if s.inside(u+(float64(i%3)-1)*pixel/3, v+(float64(i/3)-1)*pixel/3) {
			hits++
		}
	}
	return float64(hits) / 9
}

func (s spruces) inside(u, v float64) bool {
	reach := int(math.Ceil(s.tall*s.slenderness/s.spacing)) + 1
	here := int(math.Floor(u / s.spacing))
	for i := here - reach; i <= here+reach; i++ {
		at := (float64(i) + 0.8*s.seed.Hash(i, 1)) * s.spacing
		if at < s.from || at > s.to || (s.clearingSize > 0 && (s.seed+7).At(at/s.clearingSize, 0.5) < -0.15) {
			continue
		}
		// Squaring favours small trees: a wood has few giants.
		size := s.seed.Hash(i, 2)
		height := lerp(s.small, s.tall, size*size)
		foot := s.ground(at) + 0.02*height
		t := 1 - (foot-v)/height // 0 at the tip, 1 at the foot
		if t < 0 || t > 1 {
			continue
		}
		side := math.Abs(u - at - 0.012*height*(s.seed.Hash(i, 3)-0.5)*(1-t))
		hand := Noise(1)
		if u < at {
			hand = 2
		}
		// Branches droop, so a whorl reaches lower the farther it stands out; each ends abruptly at its own length.
		row := s.whorls * (1 + 0.3*s.seed.Hash(i, 4)) * (math.Pow(t, 0.9) - 0.30*side/height)
		whorl := row + 0.4*float64(hand) - math.Floor(row+0.4*float64(hand))
		length := 0.86 + 0.30*(s.seed+hand).At(math.Floor(row+0.4*float64(hand))*1.7+0.5, float64(i)+0.5)
		needles := 0.10 * (s.seed+5).At(side/height*90, t*140)
		half := height * s.slenderness * math.Pow(t, 0.85) * (length*(1-s.raggedness*(1-whorl)) + needles)
		if side < max(half, height*0.006*t) {
			return true
		}
	}
	return false
}
