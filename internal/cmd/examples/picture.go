package main

import (
	"math"
	"runtime"
	"sync"
)

// Picture is a canvas of light. Places on it are given as u to the right and v downwards, both in heights of the
// picture: v runs from 0 to 1 and u from 0 to Aspect, so a painting looks the same at any size.
type Picture struct {
	W, H int
	pix  []pixel
}

// pixel is light already multiplied by its coverage a, which makes "over" a single multiplication and addition.
type pixel struct{ r, g, b, a float32 }

// NewPicture returns a transparent canvas of w by h pixels.
func NewPicture(w, h int) *Picture {
	return &Picture{W: w, H: h, pix: make([]pixel, w*h)}
}

// Aspect returns the width in units of the height.
func (p *Picture) Aspect() float64 { return float64(p.W) / float64(p.H) }

// Pixel returns the side of one pixel in units of the height.
func (p *Picture) Pixel() float64 { return 1 / float64(p.H) }

// Box is a part of a picture, in its units.
type Box struct{ U0, V0, U1, V1 float64 }

// Everything covers any picture.
var Everything = Box{0, 0, math.Inf(1), 1}

// Brush tells the colour of a place and how much of it covers what was painted before.
type Brush func(u, v float64) (c Color, cover float64)

// Fill paints the whole picture opaquely.
func (p *Picture) Fill(brush func(u, v float64) Color) {
	p.Over(Everything, func(u, v float64) (Color, float64) { return brush(u, v), 1 })
}

// Over paints a layer within box. Brushes are called from several goroutines.
func (p *Picture) Over(box Box, brush Brush) {
	p.each(box, func(at *pixel, u, v float64) {
		c, cover := brush(u, v)
		if cover <= 0 {
			return
		}
		a := float32(min(cover, 1))
		at.r = float32(c.R)*a + at.r*(1-a)
		at.g = float32(c.G)*a + at.g*(1-a)
		at.b = float32(c.B)*a + at.b*(1-a)
		at.a = a + at.a*(1-a)
	})
}

// Glow adds light within box: suns, lamps, stars. On a transparent ground the light itself covers.
func (p *Picture) Glow(box Box, light func(u, v float64) Color) {
	p.each(box, func(at *pixel, u, v float64) {
		c := light(u, v)
		at.r += float32(c.R)
		at.g += float32(c.G)
		at.b += float32(c.B)
		at.a = min(1, max(at.a, at.r, at.g, at.b))
	})
}

// Look returns the colour at a place, interpolated; beyond the border it is the border's.
func (p *Picture) Look(u, v float64) Color {
	x := min(max(u*float64(p.H)-0.5, 0), float64(p.W)-1.001)
	y := min(max(v*float64(p.H)-0.5, 0), float64(p.H)-1.001)
	i, j := int(x), int(y)
	fx, fy := float32(x-float64(i)), float32(y-float64(j))
	top, below := p.pix[j*p.W+i:], p.pix[min(j+1, p.H-1)*p.W+i:]
	right := min(1, p.W-1-i)
	blend := func(a, b, c, d float32) float64 {
		return float64((a*(1-fx)+b*fx)*(1-fy) + (c*(1-fx)+d*fx)*fy)
	}
	return Color{
		blend(top[0].r, top[right].r, below[0].r, below[right].r),
		blend(top[0].g, top[right].g, below[0].g, below[right].g),
		blend(top[0].b, top[right].b, below[0].b, below[right].b),
	}
}

// each calls work for the pixels of box, a row at a time on every core.
func (p *Picture) each(box Box, work func(at *pixel, u, v float64)) {
	unit := float64(p.H)
	left, right := p.bounds(box.U0, box.U1, p.W)
	top, bottom := p.bounds(box.V0, box.V1, p.H)
	rows := make(chan int)
	var painters sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		painters.Go(func() {
			for y := range rows {
				for x := left; x < right; x++ {
					work(&p.pix[y*p.W+x], (float64(x)+0.5)/unit, (float64(y)+0.5)/unit)
				}
			}
		})
	}
	for y := top; y < bottom; y++ {
		rows <- y
	}
	close(rows)
	painters.Wait()
}

func (p *Picture) bounds(from, to float64, limit int) (int, int) {
	unit := float64(p.H)
	return int(max(0, math.Floor(from*unit))), int(min(float64(limit), math.Ceil(to*unit)))
}
