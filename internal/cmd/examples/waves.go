package main

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"math"
)

// The animation: a small boat on waves that roll on for ever. Every movement returns to its start after one round, so
// the loop has no seam.

const (
	waveFrames = 24
	waveDelay  = 7 // hundredths of a second a frame
)

var (
	waveSky   = []Color{Hex(0xfff0c9), Hex(0xfddca0), Hex(0xf9bf84), Hex(0xf09a78), Hex(0xd97a80), Hex(0xa9648c)}
	waveWater = []Color{Hex(0x7a6a9f), Hex(0x4f6fa3), Hex(0x34598c), Hex(0x24416f), Hex(0x172a4f)}
	waveSun   = Hex(0xfffaf0)
	waveHull  = Hex(0x8c2f39)
	waveSail  = Hex(0xfdf4e3)
	waveShade = Hex(0xe6c9b0)
)

// wavesGIF paints and encodes the animation with the standard library, whose GIF encoder takes our own palette.
func wavesGIF(w, h int) ([]byte, error) {
	palette := wavePalette()
	known := map[[3]byte]uint8{}
	var loop gif.GIF
	for i := range waveFrames {
		p := NewPicture(w, h)
		paintWaves(p, float64(i)/waveFrames)
		frame := image.NewPaletted(image.Rect(0, 0, w, h), palette)
		rgb := p.Develop(Film{Flat: true})
		for at := range frame.Pix {
			c := [3]byte(rgb[3*at:])
			index, seen := known[c]
			if !seen {
				index = uint8(palette.Index(color.RGBA{c[0], c[1], c[2], 255}))
				known[c] = index
			}
			frame.Pix[at] = index
		}
		loop.Image = append(loop.Image, frame)
		loop.Delay = append(loop.Delay, waveDelay)
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &loop); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// wavePalette holds the colours of the animation and, for smooth outlines, one mix of every two of them.
func wavePalette() color.Palette {
	flat := append(append([]Color{waveSun, waveHull, waveSail, waveShade}, waveSky...), waveWater...)
	var palette color.Palette
	add := func(c Color) {
		to8 := func(x float64) uint8 { return round(255 * toCurve(x)) }
		palette = append(palette, color.RGBA{to8(c.R), to8(c.G), to8(c.B), 255})
	}
	for i, c := range flat {
		add(c)
		for _, d := range flat[:i] {
			add(c.Mix(d, 0.5))
		}
	}
	return palette
}

// paintWaves paints the moment t of the loop, from 0 to 1.
func paintWaves(p *Picture, t float64) {
	px, mid := p.Pixel(), p.Aspect()/2
	const wide = 0.135
	p.Fill(func(u, v float64) Color {
		ring := math.Hypot(u-mid, v-0.50)/wide - 1 + 0.10*math.Sin(2*math.Pi*t)
		c := waveSky[0]
		for i, next := range waveSky[1:] {
			c = c.Mix(next, edge((float64(i+1)-ring)*wide, px))
		}
		return c
	})
	p.Over(Everything, func(u, v float64) (Color, float64) {
		return waveSun, edge(disc(u, v, mid, 0.50, 0.105), px)
	})
	for k, c := range waveWater {
		if k == 1 {
			waveBoat(p, mid, waveLine(1, mid, t), t)
		}
		p.Over(Everything, func(u, v float64) (Color, float64) {
			return c, edge(waveLine(k, u, t)-v, px)
		})
	}
}

// waveLine is the water line of wave k. Near waves are longer, higher and faster; neighbours roll against each other.
func waveLine(k int, u, t float64) float64 {
	level := []float64{0.560, 0.635, 0.715, 0.805, 0.905}[k]
	high := []float64{0.006, 0.013, 0.018, 0.025, 0.032}[k]
	long := []float64{0.25, 0.375, 0.5, 0.75, 0.75}[k]
	phase := u/long + float64(k)*0.31
	if k%2 == 0 {
		phase -= t
	} else {
		phase += t
	}
	angle := 2 * math.Pi * phase
	// A second harmonic sharpens the crests and flattens the troughs, as gravity does.
	return level + high*(math.Sin(angle)+0.25*math.Cos(2*angle)) + 0.3*high*math.Sin(2*math.Pi*t)
}

func waveBoat(p *Picture, u0, v0, t float64) {
	const s = 0.11
	sin, cos := math.Sincos(0.10 * math.Sin(2*math.Pi*t+0.9))
	part := func(c Color, outline ...float64) {
		p.Over(Everything, func(u, v float64) (Color, float64) {
			x, y := ((u-u0)*cos+(v-v0)*sin)/s, (-(u-u0)*sin+(v-v0)*cos)/s
			return c, edge(polygon(x, y, outline...)*s, p.Pixel())
		})
	}
	part(waveWater[4], -0.02, -2.2, 0.03, -2.2, 0.03, -0.3, -0.02, -0.3)
	part(waveSail, -0.07, -2.1, -0.07, -0.42, -0.98, -0.42, -0.62, -1.05, -0.25, -1.7)
	part(waveShade, 0.08, -1.95, 0.30, -1.45, 0.55, -0.90, 0.78, -0.42, 0.08, -0.42)
	part(waveHull, -1.05, -0.30, 1.12, -0.34, 0.85, 0.02, 0.66, 0.20, -0.70, 0.20, -0.90, 0.0)
}
