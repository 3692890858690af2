package main

import "math"

// curve is the sRGB transfer curve in a table: the exact one costs a power for each of 36 million samples.
var curve = func() (t [1 << 14]float32) {
	for i := range t {
		t[i] = float32(255 * toCurve(float64(i)/float64(len(t)-1)))
	}
	return t
}()

// Film says how light becomes bytes.
type Film struct {
	Grain float64 // strength of the film grain in 8-bit steps
	Alpha bool    // four channels instead of three
	Flat  bool    // no grain and no dither, for the few colours of a GIF
}

// Develop returns the picture in eight bits a channel. Unless the film is flat, a dither of one step keeps wide gradients from showing bands.
func (p *Picture) Develop(f Film) []byte {
	channels := 3
	if f.Alpha {
		channels = 4
	}
	out := make([]byte, p.W*p.H*channels)
	p.each(Everything, func(at *pixel, u, v float64) {
		x, y := int(u*float64(p.H)), int(v*float64(p.H))
		if f.Alpha && at.a < 1.0/512 {
			return // no colour where nothing can be seen: zeros compress best
		}
		to := out[(y*p.W+x)*channels:]
		light, noise := [3]float32{at.r, at.g, at.b}, [4]float64{}
		if !f.Flat {
			g := f.Grain * gaussian(x, y)
			noise = [4]float64{g + dither(x, y, 0), g + dither(x, y, 1), g + dither(x, y, 2), dither(x, y, 3)}
		}
		if f.Alpha {
			for c := range light {
				light[c] /= at.a
			}
			// Wholly opaque stays so.
			to[3] = round(float64(255*at.a) + noise[3]*smooth(0, 0.02, float64(1-at.a)))
		}
		for c := range light {
			to[c] = round(float64(encoded(light[c])) + noise[c])
		}
	})
	return out
}

// encoded looks the curve up between two entries: without it the darkest tones would step.
func encoded(light float32) float32 {
	x := min(max(light, 0), 1) * float32(len(curve)-1)
	i := min(int(x), len(curve)-2)
	return curve[i] + (curve[i+1]-curve[i])*(x-float32(i))
}

// dither returns triangular noise of one step either way, a different one for each channel.
func dither(x, y, channel int) float64 {
	n := Noise(9000 + 2*channel)
	return n.Hash(x, y) - (n+1).Hash(x, y)
}

func gaussian(x, y int) float64 {
	sum := 0.0
	for i := range 4 {
		sum += Noise(9100+i).Hash(x, y)
	}
	return (sum - 2) * math.Sqrt(3)
}

func round(v float64) byte { return byte(min(max(v+0.5, 0), 255)) }
