package vipsexec

import (
	"errors"
	"fmt"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// apply does one op on all frames.
func (j *job) apply(at int, op plan.Op) error {
	if done, err := j.look(op); done {
		return err
	}
	switch op := op.(type) {
	case plan.Resize:
		return j.eachFrame(func(f *vips.ImageRef) error { return resize(f, op) })
	case plan.Crop:
		return j.crop(op)
	case plan.SmartCrop:
		return j.smartCrop(op)
	case plan.Orient:
		return j.eachFrame(func(f *vips.ImageRef) error { return orient(f, op.Orientation) })
	case plan.Colour:
		return j.colour(op)
	case plan.Embed:
		return embed(j.img, op)
	case plan.Flatten:
		return j.flatten(op.Background)
	}
	return fmt.Errorf("op %d is a %T, which this engine doesn't know", at, op)
}

// eachFrame does op on the picture, or on each frame of an animation by itself: on the roll, a resize would mix the
// edges of neighbouring frames and a turn would shuffle them.
func (j *job) eachFrame(op func(*vips.ImageRef) error) error {
	if j.frames == 1 {
		return op(j.img)
	}
	height := j.img.Height() / j.frames
	if err := j.asOne(); err != nil {
		return err
	}
	frames := make([]*vips.ImageRef, j.frames)
	for i := range frames {
		f, err := j.frame(i, height)
		if err != nil {
			return err
		}
		if err := op(f); err != nil {
			return err
		}
		frames[i] = f
	}
	j.img = frames[0]
	return j.img.ArrayJoin(frames[1:], 1)
}

// asOne has govips take the roll for one picture; otherwise it would cut the same window out of each frame.
func (j *job) asOne() error {
	return errors.Join(j.img.SetPages(1), j.img.SetPageHeight(j.img.Height()))
}

// frame returns one frame of a roll that is [job.asOne].
func (j *job) frame(i, height int) (*vips.ImageRef, error) {
	f, err := j.img.Copy()
	if err != nil {
		return nil, err
	}
	j.track(f)
	return f, f.ExtractArea(0, i*height, f.Width(), height)
}

// resize scales to exactly the size asked. With alpha, colours are weighed by it first, else transparent pixels would
// bleed; between, they go back to whole numbers, for which libvips has its vector path.
func resize(img *vips.ImageRef, to plan.Resize) error {
	w, h := img.Width(), img.Height()
	if w == to.Width && h == to.Height {
		return nil
	}
	numbers := img.BandFormat()
	if err := img.PremultiplyAlpha(); err != nil {
		return err
	}
	if img.HasAlpha() {
		if err := img.Cast(numbers); err != nil {
			return err
		}
	}
	return img.ResizeWithVScale(float64(to.Width)/float64(w), float64(to.Height)/float64(h), vips.KernelLanczos3) // ends the weighing
}

func (j *job) crop(c plan.Crop) error {
	height := j.img.Height() / j.frames
	if c.X < 0 || c.Y < 0 || c.Width < 1 || c.Height < 1 || c.X+c.Width > j.img.Width() || c.Y+c.Height > height {
		return fmt.Errorf("the window lies outside of %dx%d", j.img.Width(), height)
	}
	return j.img.ExtractArea(c.X, c.Y, c.Width, c.Height)
}

// smartCrop finds the window on the first frame and cuts all frames there: a window that moves would shake.
func (j *job) smartCrop(c plan.SmartCrop) error {
	if c.Width == j.img.Width() && c.Height == j.img.Height()/j.frames {
		return nil
	}
	// libvips looks at the picture before it cuts; a source that is read from top to bottom can't be read twice.
	if err := toMemory(j.img); err != nil {
		return err
	}
	height := j.img.Height() / j.frames
	if err := j.asOne(); err != nil {
		return err
	}
	first, err := j.frame(0, height)
	if err != nil {
		return err
	}
	if err := errors.Join(first.SmartCrop(c.Width, c.Height, vips.InterestingAttention), j.settle()); err != nil {
		return err
	}
	// libvips keeps the place of the window, negated, in the header of what it cut.
	return j.crop(plan.Crop{X: -first.OffsetX(), Y: -first.OffsetY(), Width: c.Width, Height: c.Height})
}

// orient turns the picture upright. All but mirroring left to right reads it in another order than it is decoded in.
func orient(img *vips.ImageRef, orientation int) error {
	if orientation < 2 || orientation > 8 {
		return fmt.Errorf("orientation %d is none of 2 to 8", orientation)
	}
	if orientation != 2 {
		if err := toMemory(img); err != nil {
			return err
		}
	}
	switch orientation {
	case 2:
		return img.Flip(vips.DirectionHorizontal)
	case 3:
		return img.Rotate(vips.Angle180)
	case 4:
		return img.Flip(vips.DirectionVertical)
	case 5:
		return errors.Join(img.Rotate(vips.Angle90), img.Flip(vips.DirectionHorizontal))
	case 6:
		return img.Rotate(vips.Angle90)
	case 7:
		return errors.Join(img.Rotate(vips.Angle90), img.Flip(vips.DirectionVertical))
	default:
		return img.Rotate(vips.Angle270)
	}
}

// toMemory computes all pixels of img now. govips has no function for it, but libvips does it, in place and keeping the
// header, before it draws; and what is drawn here lies outside of the picture.
func toMemory(img *vips.ImageRef) error {
	return img.DrawRect(vips.ColorRGBA{}, -2, -2, 1, 1, true)
}

func embed(img *vips.ImageRef, e plan.Embed) error {
	if err := forColour(img, e.Background); err != nil {
		return err
	}
	bg := e.Background
	return img.EmbedBackgroundRGBA(e.X, e.Y, e.Width, e.Height, &vips.ColorRGBA{R: bg.R, G: bg.G, B: bg.B, A: bg.A})
}

// forColour gives img the channels that a background needs: three, and alpha where the background isn't opaque.
func forColour(img *vips.ImageRef, bg plan.Color) error {
	if img.Bands() < 3 {
		if err := coloured(img); err != nil {
			return err
		}
	}
	if bg.A == math.MaxUint8 {
		return nil
	}
	return img.AddAlpha()
}

func (j *job) flatten(bg plan.Color) error {
	if !j.img.HasAlpha() || bg.A == 0 {
		return nil
	}
	if err := forColour(j.img, bg); err != nil {
		return err
	}
	if bg.A == math.MaxUint8 {
		return j.img.Flatten(&vips.Color{R: bg.R, G: bg.G, B: bg.B})
	}
	canvas, err := j.img.Copy()
	if err != nil {
		return err
	}
	j.track(canvas)
	colour := []float64{float64(bg.R), float64(bg.G), float64(bg.B), float64(bg.A)}
	if err := errors.Join(canvas.Linear([]float64{0, 0, 0, 0}, colour), canvas.Cast(vips.BandFormatUchar)); err != nil {
		return err
	}
	// The canvas is computed from the picture: both would read the source, which goes once.
	if err := errors.Join(toMemory(j.img), canvas.Composite(j.img, vips.BlendModeOver, 0, 0)); err != nil {
		return err
	}
	j.img = canvas
	return nil
}
