package vipsexec

import (
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// noise is the side of the square in which libvips takes the median before it compares: smaller pictures have none.
const noise = 3

// findTrim returns the window that holds what differs from the top left pixel of the first frame, in any frame; all of the
// picture where nothing does. libvips passes over what is less than two pixels wide, as the noise that it takes it for.
func (j *job) findTrim(threshold float64) (plan.Window, error) {
	if err := toMemory(j.img); err != nil { // it is read several times
		return plan.Window{}, err
	}
	height := j.img.Height() / j.frames
	if min(j.img.Width(), height) < noise {
		return plan.Window{Width: j.img.Width(), Height: height}, nil
	}
	if err := j.asOne(); err != nil {
		return plan.Window{}, err
	}
	if j.img.Bands() < 3 { // libvips wants as many channels as there are in a colour
		if err := j.img.ToColorSpace(vips.InterpretationSRGB); err != nil {
			return plan.Window{}, err
		}
	}
	corner, err := j.img.GetPoint(0, 0)
	if err != nil {
		return plan.Window{}, err
	}
	var found plan.Window
	for i := range j.frames {
		f, err := j.frame(i, height)
		if err != nil {
			return plan.Window{}, err
		}
		w, err := j.visiblyDiffering(f, corner, threshold)
		if err != nil {
			return plan.Window{}, err
		}
		found = union(found, w)
	}
	if found.Width == 0 {
		return plan.Window{Width: j.img.Width(), Height: height}, nil
	}
	return found, nil
}

// visiblyDiffering returns the window of what differs from a pixel, in opacity or, as far as it is visible, in colour.
func (j *job) visiblyDiffering(img *vips.ImageRef, pixel []float64, threshold float64) (w plan.Window, err error) {
	if !img.HasAlpha() {
		return j.trimmed(img, pixel, threshold)
	}
	opacity := pixel[len(pixel)-1]
	if opacity > 0 { // else no colour is like an invisible one
		if w, err = j.trimmed(img, pixel, threshold); err != nil {
			return w, err
		}
	}
	alpha, err := img.ExtractBandToImage(img.Bands()-1, 1)
	if err != nil {
		return w, err
	}
	visible, err := j.trimmed(j.track(alpha), []float64{opacity, opacity, opacity}, threshold)
	return union(w, visible), err
}

// depth is how many rows or columns are looked at at once.
const depth = 64

// trimmed returns the window of what differs from a colour by more than the threshold in some channel, as libvips'
// find_trim has it: the colour is behind what is transparent, and each pixel counts as the median of those around it. That
// takes seconds for 12 megapixels, and borders are narrow most of the time; so from each side strips are looked at, up to
// the first in which something differs.
func (j *job) trimmed(img *vips.ImageRef, colour []float64, threshold float64) (w plan.Window, err error) {
	width, height := img.Width(), img.Height()
	look := func(x, y, w, h int) (plan.Window, error) {
		return j.differs(img, plan.Window{X: x, Y: y, Width: w, Height: h}, colour, threshold)
	}
	var top, bottom, left, right plan.Window
	for y := 0; y < height && top.Height == 0; y += depth {
		if top, err = look(0, y, width, min(depth, height-y)); err != nil {
			return w, err
		}
	}
	if top.Height == 0 {
		return w, nil
	}
	for end := height; bottom.Height == 0; end -= depth {
		start := max(end-depth, top.Y)
		if bottom, err = look(0, start, width, end-start); err != nil {
			return w, err
		}
	}
	first, rows := top.Y, bottom.Y+bottom.Height-top.Y
	for x := 0; left.Width == 0; x += depth {
		if left, err = look(x, first, min(depth, width-x), rows); err != nil {
			return w, err
		}
	}
	for end := width; right.Width == 0; end -= depth {
		start := max(end-depth, left.X)
		if right, err = look(start, first, end-start, rows); err != nil {
			return w, err
		}
	}
	return plan.Window{X: left.X, Y: first, Width: right.X + right.Width - left.X, Height: rows}, nil
}

// differs returns the window of what differs within a part of img.
func (j *job) differs(img *vips.ImageRef, part plan.Window, colour []float64, threshold float64) (plan.Window, error) {
	strip, err := img.Copy()
	if err != nil {
		return plan.Window{}, err
	}
	defer strip.Close()
	// The median of a pixel at the edge needs those beyond it, and libvips needs a whole square of them.
	right, bottom := min(part.X+part.Width+1, img.Width()), min(part.Y+part.Height+1, img.Height())
	x, y := max(min(part.X-1, right-noise), 0), max(min(part.Y-1, bottom-noise), 0)
	if err := strip.ExtractArea(x, y, right-x, bottom-y); err != nil {
		return plan.Window{}, err
	}
	if strip.HasAlpha() {
		channel := func(i int) uint8 { return uint8(math.Round(colour[i])) }
		if err := strip.Flatten(&vips.Color{R: channel(0), G: channel(1), B: channel(2)}); err != nil {
			return plan.Window{}, err
		}
	}
	pixels, err := strip.ToBytes()
	if err != nil || differing(pixels, strip.Width(), strip.Bands(), colour, threshold) == (plan.Window{}) {
		return plan.Window{}, err // and no median does
	}
	if err := errors.Join(
		strip.Rank(noise, noise, noise*noise/2),
		strip.ExtractArea(part.X-x, part.Y-y, part.Width, part.Height),
	); err != nil {
		return plan.Window{}, err
	}
	if pixels, err = strip.ToBytes(); err != nil {
		return plan.Window{}, err
	}
	found := differing(pixels, part.Width, strip.Bands(), colour, threshold)
	if found.Width > 0 {
		found.X, found.Y = found.X+part.X, found.Y+part.Y
	}
	return found, nil
}

// differing returns the window of the pixels, given row by row, of which a channel differs from the colour's.
func differing(pixels []byte, width, bands int, colour []float64, threshold float64) plan.Window {
	var alike [4][math.MaxUint8 + 1]bool // by channel and value
	for band := range bands {
		for v := range alike[band] {
			alike[band][v] = math.Abs(float64(v)-colour[band]) <= threshold
		}
	}
	left, right, top, bottom := width, -1, -1, -1
	row := width * bands
	for y := 0; (y+1)*row <= len(pixels); y++ {
		for i, v := range pixels[y*row : (y+1)*row] {
			if alike[i%bands][v] {
				continue
			}
			x := i / bands
			left, right, bottom = min(left, x), max(right, x), y
			if top < 0 {
				top = y
			}
		}
	}
	if top < 0 {
		return plan.Window{}
	}
	return plan.Window{X: left, Y: top, Width: right - left + 1, Height: bottom - top + 1}
}

// union returns the smallest window that holds both; one without pixels holds nothing.
func union(a, b plan.Window) plan.Window {
	switch {
	case a.Width == 0 || a.Height == 0:
		return b
	case b.Width == 0 || b.Height == 0:
		return a
	}
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return plan.Window{
		X: x, Y: y,
		Width: max(a.X+a.Width, b.X+b.Width) - x, Height: max(a.Y+a.Height, b.Y+b.Height) - y,
	}
}
