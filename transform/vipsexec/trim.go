package vipsexec

import (
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
		w, err := j.differing(f, corner, threshold)
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

// differing returns the window of what differs from a pixel, in opacity or, as far as it is visible, in colour.
func (j *job) differing(img *vips.ImageRef, pixel []float64, threshold float64) (w plan.Window, err error) {
	if !img.HasAlpha() {
		return trimmed(img, pixel, threshold)
	}
	opacity := pixel[len(pixel)-1]
	if opacity > 0 { // else no colour is like an invisible one
		if w, err = trimmed(img, pixel, threshold); err != nil {
			return w, err
		}
	}
	alpha, err := img.ExtractBandToImage(img.Bands()-1, 1)
	if err != nil {
		return w, err
	}
	visible, err := trimmed(j.track(alpha), []float64{opacity, opacity, opacity}, threshold)
	return union(w, visible), err
}

// trimmed lets libvips look. It puts the colour behind what is transparent.
func trimmed(img *vips.ImageRef, colour []float64, threshold float64) (w plan.Window, err error) {
	channel := func(i int) uint8 { return uint8(math.Round(colour[i])) }
	w.X, w.Y, w.Width, w.Height, err = img.FindTrim(threshold, &vips.Color{R: channel(0), G: channel(1), B: channel(2)})
	return w, err
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
