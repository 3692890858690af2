package vipsexec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// A surface says of a point of the canvas where in the picture its colour is found, and how much of a pixel around it the
// picture covers, 0 to 1. All coordinates are pixels from the top left corner.
type surface func(x, y float64) (u, v, covered float64)

// perspective returns the surface of a picture of that size.
func perspective(o plan.Perspective, width, height int) surface {
	m := o.Projection(float64(width), float64(height)).Inverse()
	var edges [4][3]float64 // of each edge: the distance from it is e[0]x + e[1]y + e[2], above 0 inside
	for i, a := range o.Corners {
		b, opposite := o.Corners[(i+1)%4], o.Corners[(i+2)%4]
		nx, ny := float64(a.Y-b.Y), float64(b.X-a.X)
		length := math.Hypot(nx, ny)
		if nx*float64(opposite.X-a.X)+ny*float64(opposite.Y-a.Y) < 0 {
			length = -length
		}
		nx, ny = nx/length, ny/length
		edges[i] = [3]float64{nx, ny, -nx*float64(a.X) - ny*float64(a.Y)}
	}
	return func(x, y float64) (u, v, covered float64) {
		covered = 1
		for i := range edges {
			e := &edges[i]
			if d := e[0]*x + e[1]*y + e[2] + 0.5; d < 1 {
				if d <= 0 {
					return 0, 0, 0
				}
				covered *= d
			}
		}
		u, v = m.Apply(x, y)
		return u, v, covered
	}
}

// arc returns the surface of a picture of that size.
func arc(o plan.Arc, width, height int) surface {
	angle := math.Abs(o.Degrees) * math.Pi / 180
	outer, inner := o.Radii(height)
	perRadian, middle := float64(width)/angle, float64(o.Width)/2
	return func(x, y float64) (u, v, covered float64) {
		if o.Degrees < 0 {
			y = float64(o.Height) - y
		}
		right, up := x-middle, outer-y
		away := math.Hypot(right, up)
		covered = portion(outer - away)
		if inner > 0 {
			covered *= portion(away - inner)
		}
		if covered == 0 {
			return 0, 0, 0
		}
		turn := math.Atan2(right, up)
		if angle < 2*math.Pi {
			beyond := math.Abs(turn) - angle/2
			covered *= portion(-away * math.Sin(min(max(beyond, -math.Pi/2), math.Pi/2)))
		}
		u, v = float64(width)/2+turn*perRadian, outer-away
		if o.Degrees < 0 {
			v = float64(height) - v
		}
		return u, v, covered
	}
}

// portion returns how much of a pixel lies inside of a line from which its centre is so far inside.
func portion(inside float64) float64 { return min(max(inside+0.5, 0), 1) }

// stripPixels is about how many pixels are bent at a time. The table that tells libvips where they come from takes 8
// bytes for each.
const stripPixels = 1 << 17

// bend makes a canvas from the surface, strip by strip.
func (j *job) bend(img *vips.ImageRef, width, height int, bg plan.Color, s surface) error {
	if err := toMemory(img); err != nil {
		return err
	}
	if err := forColour(img, bg); err != nil {
		return err
	}
	source, err := j.copyOf(img)
	if err != nil {
		return err
	}
	b := bender{surface: s, width: width, rows: min(max(stripPixels/width, 1), height), bg: bg, source: source}
	b.index, b.covered = make([]byte, 8*b.width*b.rows), make([]float32, b.width*b.rows)
	var strips []*vips.ImageRef
	for top := 0; top < height; top += b.rows {
		if err := j.ctx.Err(); err != nil {
			return err
		}
		strip, err := j.strip(&b, top)
		if err != nil {
			return err
		}
		strips = append(strips, strip)
	}
	// What they become stands in for img, whose header stays.
	if err := img.Embed(0, 0, width, b.rows, vips.ExtendBlack); err != nil {
		return err
	}
	if err := img.Insert(strips[0], 0, 0, false, nil); err != nil {
		return err
	}
	if len(strips) > 1 {
		if err := img.ArrayJoin(strips[1:], 1); err != nil {
			return err
		}
	}
	if img.Height() == height {
		return nil
	}
	return errors.Join(onePage(img), img.ExtractArea(0, 0, width, height)) // the last strip is as high as the others
}

// onePage has govips take img for one picture though an op is half done: it may be higher than the header says of a page.
func onePage(img *vips.ImageRef) error {
	return errors.Join(img.SetPages(1), img.SetPageHeight(img.Height()))
}

// bender is what strips are made with.
type bender struct {
	surface     surface
	width, rows int // of a strip
	bg          plan.Color
	source      *vips.ImageRef
	index       []byte    // of the strip at hand: two floats a pixel, where it comes from
	covered     []float32 // and how much of it the picture covers
}

// strip returns the rows of the canvas from top on, in memory.
func (j *job) strip(b *bender, top int) (*vips.ImageRef, error) {
	b.trace(top)
	index, err := vips.NewImageFromMemory(b.index, b.width, b.rows, 2, vips.BandFormatFloat, vips.InterpretationMultiband)
	if err != nil {
		return nil, err
	}
	defer j.track(index).Close()
	bent, err := j.copyOf(b.source)
	if err != nil {
		return nil, err
	}
	defer bent.Close()
	bands := b.source.Bands()
	if err := bent.Mapim(index); err != nil {
		return nil, err
	}
	if bent.BandFormat() != vips.BandFormatUchar { // libvips weighed by alpha, in floating point
		if err := bent.Cast(vips.BandFormatUchar); err != nil {
			return nil, err
		}
	}
	pixels, err := bent.ToBytes()
	if err != nil {
		return nil, err
	}
	if len(pixels) != len(b.covered)*bands {
		return nil, fmt.Errorf("%d bytes are no strip of %dx%d", len(pixels), b.width, b.rows)
	}
	b.surround(pixels, bands)
	out, err := vips.NewImageFromMemory(pixels, b.width, b.rows, bands, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		return nil, err
	}
	return j.track(out), nil
}

// trace fills index and covered for the strip at top. Pixels without any of the picture come from where their neighbours
// do: libvips fetches for each tile the rectangle that holds all of the index, and ends the process where it is no number.
func (b *bender) trace(top int) {
	w, h := float64(b.source.Width()), float64(b.source.Height())
	u, v := 0.0, 0.0
	for y := range b.rows {
		begun := false
		for x := range b.width {
			at := y*b.width + x
			nextU, nextV, covered := b.surface(float64(x)+0.5, float64(top+y)+0.5)
			if math.IsNaN(nextU + nextV) {
				covered = 0
			}
			b.covered[at] = float32(covered)
			if covered > 0 {
				// libvips counts from the centre of a pixel. Beyond the edge there is more of the same.
				u, v = min(max(nextU-0.5, 0), w-1), min(max(nextV-0.5, 0), h-1)
				for i := at - x; !begun && i < at; i++ {
					b.point(i, u, v)
				}
				begun = true
			}
			b.point(at, u, v)
		}
	}
}

// point writes where a pixel of the strip comes from.
func (b *bender) point(at int, u, v float64) {
	binary.NativeEndian.PutUint32(b.index[8*at:], math.Float32bits(float32(u)))
	binary.NativeEndian.PutUint32(b.index[8*at+4:], math.Float32bits(float32(v)))
}

// surround mixes the background into what the picture does not cover, both weighed by their alpha.
func (b *bender) surround(pixels []byte, bands int) {
	bg := [4]uint8{b.bg.R, b.bg.G, b.bg.B, b.bg.A}
	for i, covered := range b.covered {
		if covered == 1 {
			continue
		}
		p := pixels[i*bands : (i+1)*bands]
		front, back := covered, 1-covered
		if bands == 4 {
			front, back = front*float32(p[3]), back*float32(bg[3])
			p[3] = uint8(front + back + 0.5)
		}
		sum := front + back
		for c := range 3 {
			v := float32(0)
			if sum > 0 {
				v = (front*float32(p[c]) + back*float32(bg[c])) / sum
			}
			p[c] = uint8(v + 0.5)
		}
	}
}
