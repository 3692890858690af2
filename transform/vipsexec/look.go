package vipsexec

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// look does the ops that change how the picture looks; done is false for others.
func (j *job) look(op plan.Op) (done bool, err error) {
	switch op := op.(type) {
	case plan.Rotate:
		return true, j.eachFrame(func(f *vips.ImageRef) error { return rotate(f, op) })
	case plan.Flip:
		return true, j.eachFrame(func(f *vips.ImageRef) error { return flip(f, op) })
	case plan.Grey:
		return true, grey(j.img)
	case plan.Contrast:
		return true, j.contrast()
	case plan.Blur:
		return true, j.eachFrame(func(f *vips.ImageRef) error { return errors.Join(toMemory(f), blur(f, op.Sigma, leastAmplitude)) })
	case plan.Unsharp:
		return true, j.eachFrame(func(f *vips.ImageRef) error { return j.unsharp(f, op) })
	case plan.Tint:
		return true, j.tint(op)
	case plan.Replace:
		return true, j.replace(op)
	case plan.Shadow:
		return true, j.eachFrame(func(f *vips.ImageRef) error { return j.shadow(f, op) })
	case plan.Gradient:
		return true, j.gradient(op)
	case plan.Round:
		return true, j.round(op)
	case plan.Opacity:
		return true, opacity(j.img, op)
	case plan.Backdrop:
		return true, j.backdrop(op)
	case plan.Perspective:
		return true, j.eachFrame(func(f *vips.ImageRef) error {
			return j.bend(f, op.Width, op.Height, op.Background, perspective(op, f.Width(), f.Height()))
		})
	case plan.Arc:
		return true, j.eachFrame(func(f *vips.ImageRef) error {
			return j.bend(f, op.Width, op.Height, op.Background, arc(op, f.Width(), f.Height()))
		})
	}
	return false, nil
}

// rotate turns clockwise. All turns read the picture in another order than it is decoded in.
func rotate(img *vips.ImageRef, r plan.Rotate) error {
	if err := toMemory(img); err != nil {
		return err
	}
	switch r.Degrees {
	case 90:
		return img.Rotate(vips.Angle90)
	case 180:
		return img.Rotate(vips.Angle180)
	case 270:
		return img.Rotate(vips.Angle270)
	}
	if err := forColour(img, r.Background); err != nil {
		return err
	}
	// libvips weighs the picture's colours by its alpha before it mixes neighbours, but not that of the background.
	bg := r.Background
	weighed := func(v uint8) uint8 { return uint8((int(v)*int(bg.A) + 127) / math.MaxUint8) }
	ground := vips.ColorRGBA{R: weighed(bg.R), G: weighed(bg.G), B: weighed(bg.B), A: bg.A}
	if err := img.Similarity(1, r.Degrees, &ground, 0, 0, 0, 0); err != nil {
		return err
	}
	if img.BandFormat() != vips.BandFormatUchar {
		if err := img.Cast(vips.BandFormatUchar); err != nil {
			return err
		}
	}
	return fit(img, r)
}

// fit mends what libvips' floating point may have rounded to the other side: a pixel too many or too few.
func fit(img *vips.ImageRef, r plan.Rotate) error {
	w, h := img.Width(), img.Height()
	if w == r.Width && h == r.Height {
		return nil
	}
	if max(w-r.Width, r.Width-w, h-r.Height, r.Height-h) > 1 {
		return fmt.Errorf("turned by %g degrees the picture is %dx%d", r.Degrees, w, h)
	}
	return embed(img, plan.Embed{Width: r.Width, Height: r.Height, Background: r.Background})
}

// flip mirrors. Top to bottom reads the picture in another order than it is decoded in.
func flip(img *vips.ImageRef, f plan.Flip) error {
	if f.Vertical {
		if err := errors.Join(toMemory(img), img.Flip(vips.DirectionVertical)); err != nil {
			return err
		}
	}
	if f.Horizontal {
		return img.Flip(vips.DirectionHorizontal)
	}
	return nil
}

// opacity scales the alpha channel, which it adds if there is none.
func opacity(img *vips.ImageRef, o plan.Opacity) error {
	if err := img.AddAlpha(); err != nil {
		return err
	}
	factors, offsets := make([]float64, img.Bands()), make([]float64, img.Bands())
	for i := range factors {
		factors[i] = 1
	}
	alpha := len(factors) - 1
	factors[alpha], offsets[alpha] = float64(o.Percent)/100, 0.5 // the cast cuts fractions off
	return errors.Join(img.Linear(factors, offsets), img.Cast(vips.BandFormatUchar))
}

// round replaces what lies outside of rounded corners by the background. At their edge, picture and background mix as
// much as the pixel is covered by either, both weighed by their alpha.
func (j *job) round(r plan.Round) error {
	mask, err := j.corners(r.Radii, j.img.Width(), j.img.Height()/j.frames)
	if err != nil {
		return err
	}
	return j.eachFrame(func(f *vips.ImageRef) error { return j.masked(f, mask, r.Background) })
}

// masked mixes img and the background by mask, 0…255 in one channel.
func (j *job) masked(img, mask *vips.ImageRef, bg plan.Color) error {
	if err := forColour(img, bg); err != nil {
		return err
	}
	share, err := j.copyOf(mask)
	if err != nil {
		return err
	}
	ground, err := j.copyOf(mask)
	if err != nil {
		return err
	}
	a := float64(bg.A) / math.MaxUint8
	colour := []float64{float64(bg.R) * a, float64(bg.G) * a, float64(bg.B) * a, float64(bg.A)}[:img.Bands()]
	falling := make([]float64, len(colour))
	for i, v := range colour {
		falling[i] = -v / math.MaxUint8
	}
	return errors.Join(
		share.Linear1(1.0/math.MaxUint8, 0),
		ground.Linear(falling, colour),
		img.Cast(vips.BandFormatFloat), // what govips would cut back to, without rounding
		img.PremultiplyAlpha(),
		img.Multiply(share),
		img.Add(ground),
		unweigh(img),
	)
}

// unweigh ends the weighing of colours by alpha and rounds to whole numbers.
func unweigh(img *vips.ImageRef) error {
	if err := img.UnpremultiplyAlpha(); err != nil {
		return err
	}
	return toWhole(img)
}

// toWhole rounds to whole numbers of 8 bits.
func toWhole(img *vips.ImageRef) error {
	return errors.Join(img.Linear1(1, 0.5), img.Cast(vips.BandFormatUchar)) // the cast cuts fractions off
}

// copyOf returns a tracked copy, which shares the pixels.
func (j *job) copyOf(img *vips.ImageRef) (*vips.ImageRef, error) {
	c, err := img.Copy()
	if err != nil {
		return nil, err
	}
	return j.track(c), nil
}

// corners draws a mask: how much of each pixel lies inside the rounded corners.
func (j *job) corners(r plan.Radii, width, height int) (*vips.ImageRef, error) {
	mask, err := vips.NewImageFromMemory(cornerMask(r, width, height), width, height, 1, vips.BandFormatUchar, vips.InterpretationBW)
	if err != nil {
		return nil, err
	}
	return j.track(mask), nil
}

// cornerMask returns the mask's pixels by rows.
func cornerMask(r plan.Radii, width, height int) []byte {
	mask := bytes.Repeat([]byte{math.MaxUint8}, width*height)
	for _, c := range []struct {
		radius        float64
		right, bottom bool
	}{{r.TopLeft, false, false}, {r.TopRight, true, false}, {r.BottomRight, true, true}, {r.BottomLeft, false, true}} {
		side := int(math.Ceil(c.radius))
		for y := range min(side, height) {
			row := y
			if c.bottom {
				row = height - 1 - y
			}
			pixels := mask[row*width:][:width]
			for x := range min(side, width) {
				covered := coverage(c.radius, x, y)
				if covered == 1 {
					break // and so are all towards the middle
				}
				column := x
				if c.right {
					column = width - 1 - x
				}
				pixels[column] = uint8(float64(pixels[column])*covered + 0.5)
			}
		}
	}
	return mask
}

// coverage returns how much of the pixel at x, y, counted from the corner, lies inside a circle of that radius which
// touches both edges: all, nothing, or by how far its centre is from the line.
func coverage(radius float64, x, y int) float64 {
	dx, dy := radius-float64(x)-0.5, radius-float64(y)-0.5
	if dx <= 0 || dy <= 0 {
		return 1
	}
	return min(max(radius-math.Hypot(dx, dy)+0.5, 0), 1)
}
