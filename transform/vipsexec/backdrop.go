package vipsexec

import (
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// backdrop puts the picture on a canvas that is made from it.
func (j *job) backdrop(o plan.Backdrop) error {
	if err := toMemory(j.img); err != nil { // it is read for the canvas, and again
		return err
	}
	if o.Kind == plan.BackdropBlurred {
		return j.eachFrame(func(f *vips.ImageRef) error {
			picture, err := j.copyInColour(f)
			if err != nil {
				return err
			}
			return errors.Join(blurredCanvas(f, o), put(f, picture, o.X, o.Y))
		})
	}
	colours, err := j.edgeColours(o.Kind)
	if err != nil {
		return err
	}
	if o.Kind == plan.BackdropDominant {
		return errors.Join(
			j.flatten(colours[0]),
			embed(j.img, plan.Embed{X: o.X, Y: o.Y, Width: o.Width, Height: o.Height, Background: colours[0]}),
		)
	}
	ground, err := j.gradientGround(o, colours)
	if err != nil {
		return err
	}
	return j.eachFrame(func(f *vips.ImageRef) error {
		picture, err := j.copyInColour(f)
		if err != nil {
			return err
		}
		return errors.Join(
			f.ExtractBand(0, 3),
			f.Embed(0, 0, o.Width, o.Height, vips.ExtendBlack),
			f.Insert(ground, 0, 0, false, nil), // it hides all of f, whose header stays
			put(f, picture, o.X, o.Y),
		)
	})
}

// copyInColour gives img three colour channels, and returns a copy of it.
func (j *job) copyInColour(img *vips.ImageRef) (*vips.ImageRef, error) {
	if err := forColour(img, opaqueBlack); err != nil {
		return nil, err
	}
	return j.copyOf(img)
}

// put paints the picture over an opaque canvas, and leaves that opaque.
func put(canvas, picture *vips.ImageRef, x, y int) error {
	if !picture.HasAlpha() {
		return canvas.Insert(picture, x, y, false, nil)
	}
	return errors.Join(canvas.Composite(picture, vips.BlendModeOver, x, y), canvas.ExtractBand(0, 3))
}

// leastSigma is that of the narrowest blur which changes anything.
const leastSigma = 0.2

// blurredCanvas makes the canvas of img itself: the part around its centre that covers it, blurred. As in [blur], wide
// blurs are computed on a smaller picture. What is transparent is black.
func blurredCanvas(img *vips.ImageRef, o plan.Backdrop) error {
	to, sigma := plan.Resize{Width: o.Width, Height: o.Height}, o.Sigma
	small := to
	if sigma >= widestBell {
		factor := sigma / smallBell
		small = plan.Resize{Width: int(math.Ceil(float64(to.Width) / factor)), Height: int(math.Ceil(float64(to.Height) / factor))}
		sigma *= float64(max(small.Width, small.Height)) / float64(max(to.Width, to.Height))
	}
	if err := fill(img, small); err != nil {
		return err
	}
	if img.HasAlpha() {
		if err := img.Flatten(&vips.Color{}); err != nil {
			return err
		}
	}
	if sigma >= leastSigma {
		if err := blurExactly(img, sigma, leastAmplitude); err != nil {
			return err
		}
	}
	if err := resize(img, to); err != nil || o.Brightness == 0 {
		return err
	}
	return errors.Join(img.Linear1(1, float64(o.Brightness)), img.Cast(vips.BandFormatUchar))
}

// fill scales img until it covers the box, and keeps the middle of that. A picture of which so little remains that all of it
// would be longer than any picture, as a line does that covers a square, is cut before.
func fill(img *vips.ImageRef, box plan.Resize) error {
	scale := max(float64(box.Width)/float64(img.Width()), float64(box.Height)/float64(img.Height()))
	whole := plan.Resize{
		Width:  max(box.Width, int(math.Round(scale*float64(img.Width())))),
		Height: max(box.Height, int(math.Round(scale*float64(img.Height())))),
	}
	if max(whole.Width, whole.Height) <= syntax.MaxSide {
		return errors.Join(resize(img, whole), middle(img, box.Width, box.Height))
	}
	width, height := int(math.Ceil(float64(box.Width)/scale)), int(math.Ceil(float64(box.Height)/scale))
	return errors.Join(middle(img, min(width, img.Width()), min(height, img.Height())), resize(img, box))
}

// middle cuts the window around the centre out of one frame.
func middle(img *vips.ImageRef, width, height int) error {
	return errors.Join(onePage(img), img.ExtractArea((img.Width()-width)/2, (img.Height()-height)/2, width, height))
}

// edgeColours returns the dominant colours that a backdrop of that kind needs, from the first frame: one of the whole
// border, those of two opposite edges, or those of the corners, clockwise from the top left.
func (j *job) edgeColours(kind plan.BackdropKind) ([]plan.Color, error) {
	w, h := j.img.Width(), j.img.Height()/j.frames
	if err := j.asOne(); err != nil {
		return nil, err
	}
	deep := border(w, h, 32, 8)
	top, bottom := plan.Crop{Width: w, Height: deep}, plan.Crop{Y: h - deep, Width: w, Height: deep}
	left, right := plan.Crop{Width: deep, Height: h}, plan.Crop{X: w - deep, Width: deep, Height: h}
	var places [][]plan.Crop // of each colour
	switch kind {
	case plan.BackdropAcross:
		places = [][]plan.Crop{{left}, {right}}
	case plan.BackdropDown:
		places = [][]plan.Crop{{top}, {bottom}}
	case plan.BackdropCorners:
		side := border(w, h, 8, 64)
		for _, at := range [][2]int{{0, 0}, {w - side, 0}, {w - side, h - side}, {0, h - side}} {
			places = append(places, []plan.Crop{{X: at[0], Y: at[1], Width: side, Height: side}})
		}
	default:
		places = [][]plan.Crop{{top, right, bottom, left}}
	}
	colours := make([]plan.Color, len(places))
	for i, windows := range places {
		pixels, err := j.pixelsIn(windows)
		if err != nil {
			return nil, err
		}
		var found bool
		if colours[i], found = mostFrequent(pixels, j.img.Bands()); !found {
			colours[i] = opaqueBlack
		}
	}
	return colours, j.settle()
}

// border returns how deep a part of the picture counts as its border: a fraction of the shorter side, from 1 pixel to
// most.
func border(width, height, fraction, most int) int {
	return min(max(min(width, height)/fraction, 1), most)
}

// pixelsIn returns the pixels of windows of a picture that is in memory and [job.asOne], one window after the other.
func (j *job) pixelsIn(windows []plan.Crop) ([]byte, error) {
	var pixels []byte
	for _, at := range windows {
		part, err := j.copyOf(j.img)
		if err != nil {
			return nil, err
		}
		if err := part.ExtractArea(at.X, at.Y, at.Width, at.Height); err != nil {
			return nil, err
		}
		some, err := part.ToBytes()
		if err != nil {
			return nil, err
		}
		pixels = append(pixels, some...)
	}
	return pixels, nil
}

// gradientGround draws the canvas of a gradient.
func (j *job) gradientGround(o plan.Backdrop, colours []plan.Color) (*vips.ImageRef, error) {
	switch o.Kind {
	case plan.BackdropAcross:
		return j.shade(shades(colours[0], colours[1], o.Width), o.Width, 1, o)
	case plan.BackdropDown:
		return j.shade(shades(colours[0], colours[1], o.Height), 1, o.Height, o)
	}
	top := shades(colours[0], colours[1], o.Width)
	growth := shades(colours[3], colours[2], o.Width) // from top to bottom
	for i := range growth {
		growth[i] -= top[i]
	}
	parts := make([]float32, o.Height)
	for y := range parts {
		parts[y] = (float32(y) + 0.5) / float32(o.Height)
	}
	ground, err := j.stretched(growth, 3, o.Width, 1, o)
	if err != nil {
		return nil, err
	}
	down, err := j.stretched(parts, 1, 1, o.Height, o)
	if err != nil {
		return nil, err
	}
	upper, err := j.stretched(top, 3, o.Width, 1, o)
	if err != nil {
		return nil, err
	}
	return ground, errors.Join(ground.Multiply(down), ground.Add(upper), toWhole(ground))
}

// shade returns the canvas of a gradient along one axis.
func (j *job) shade(line []float32, width, height int, o plan.Backdrop) (*vips.ImageRef, error) {
	ground, err := j.stretched(line, 3, width, height, o)
	if err != nil {
		return nil, err
	}
	return ground, toWhole(ground)
}

// shades returns n colours of three channels that lead from one to another.
func shades(from, to plan.Color, n int) []float32 {
	line := make([]float32, 0, 3*n)
	for i := range n {
		part := (float32(i) + 0.5) / float32(n)
		for _, ends := range [3][2]uint8{{from.R, to.R}, {from.G, to.G}, {from.B, to.B}} {
			line = append(line, float32(ends[0])+(float32(ends[1])-float32(ends[0]))*part)
		}
	}
	return line
}

// stretched returns a canvas that repeats one line of pixels: a row of that width, or a column of that height.
func (j *job) stretched(line []float32, bands, width, height int, o plan.Backdrop) (*vips.ImageRef, error) {
	img, err := vips.NewImageFromMemory(nativeBytes(line), width, height, bands, vips.BandFormatFloat, vips.InterpretationSRGB)
	if err != nil {
		return nil, err
	}
	j.track(img)
	return img, img.Replicate(o.Width/width, o.Height/height)
}
