package vipsexec

import (
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// shadow draws the shadow of one frame behind it.
func (j *job) shadow(img *vips.ImageRef, s plan.Shadow) error {
	if !img.HasAlpha() || max(s.X, -s.X) >= img.Width() || max(s.Y, -s.Y) >= img.Height() {
		return nil
	}
	if err := errors.Join(forColour(img, opaqueBlack), toMemory(img)); err != nil { // it is read three times
		return err
	}
	visible, err := img.ExtractBandToImage(3, 1)
	if err != nil {
		return err
	}
	j.track(visible)
	cast, err := j.copyOf(visible)
	if err != nil {
		return err
	}
	if err := cast.Embed(s.X, s.Y, cast.Width(), cast.Height(), vips.ExtendBlack); err != nil {
		return err
	}
	if s.Sigma > 0 {
		if err := errors.Join(toMemory(cast), blur(cast, s.Sigma, leastAmplitude)); err != nil {
			return err
		}
	}
	// Behind the picture, the shadow adds to its opacity where that leaves room, and nothing to colours that are weighed by
	// opacity.
	room, err := j.copyOf(visible)
	if err != nil {
		return err
	}
	return weighed(img, func() error {
		return errors.Join(
			room.Linear1(-1.0/math.MaxUint8, 1),
			cast.Linear1(float64(s.Percent)/100, 0),
			cast.Multiply(room),
			cast.Add(visible),
			img.ExtractBand(0, 3),
			img.BandJoin(cast),
		)
	})
}

// weighed does op while colours are weighed by alpha, if there is one, in floating point.
func weighed(img *vips.ImageRef, op func() error) error {
	return errors.Join(
		img.Cast(vips.BandFormatFloat), // else govips cuts fractions off at the end
		img.PremultiplyAlpha(),
		op(),
		img.UnpremultiplyAlpha(),
		toWhole(img),
	)
}

// gradient draws the same over each frame.
func (j *job) gradient(g plan.Gradient) error {
	if err := forColour(j.img, opaqueBlack); err != nil {
		return err
	}
	r := runOf(g.Degrees, j.img.Width(), j.img.Height()/j.frames)
	remains, err := j.places(r)
	if err != nil {
		return err
	}
	if err := remains.Replicate(1, j.frames); err != nil {
		return err
	}
	share, added := ramp(g, r, j.img.Bands())
	shares, err := j.table(share, 1)
	if err != nil {
		return err
	}
	colours, err := j.table(added, j.img.Bands())
	if err != nil {
		return err
	}
	drawn, err := j.copyOf(remains)
	if err != nil {
		return err
	}
	return errors.Join(
		remains.Maplut(shares),
		drawn.Maplut(colours),
		weighed(j.img, func() error { return errors.Join(j.img.Multiply(remains), j.img.Add(drawn)) }),
	)
}

// run is the line that a gradient runs along: through the centre of the picture, |w sin| + |h cos| pixels long, see
// [plan.Gradient]. Tables have that many steps for it.
type run struct {
	width, height    int
	sin, cos, length float64
	steps            int
}

// placeSteps is how many steps are one pixel of the run, as far as 16 bits go.
const placeSteps = 64

func runOf(degrees float64, width, height int) run {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	sin, cos = math.Round(sin*1e12)/1e12, math.Round(cos*1e12)/1e12 // so that quarter turns are exact
	length := math.Abs(float64(width)*sin) + math.Abs(float64(height)*cos)
	return run{width, height, sin, cos, length, min(int(math.Ceil(placeSteps*length)), math.MaxUint16)}
}

// places tells the step in which each pixel's centre is.
func (j *job) places(r run) (*vips.ImageRef, error) {
	img, err := vips.XYZ(r.width, r.height)
	if err != nil {
		return nil, err
	}
	j.track(img)
	// libvips counts pixels from 0, so the centre of the picture is half a pixel before the middle.
	middle := r.length/2 - (float64(r.width)-1)/2*r.sin + (float64(r.height)-1)/2*r.cos
	scale := float64(r.steps) / r.length
	if err := img.Linear([]float64{scale * r.sin, -scale * r.cos}, []float64{scale*middle + 0.5, 0}); err != nil {
		return nil, err
	}
	rows, err := img.ExtractBandToImage(1, 1)
	if err != nil {
		return nil, err
	}
	j.track(rows)
	return img, errors.Join(img.ExtractBand(0, 1), img.Add(rows), img.Cast(vips.BandFormatUshort))
}

// ramp returns tables by steps of the run: the share of the picture that remains, and what is added to its channels.
func ramp(g plan.Gradient, r run, channels int) (share, added []float32) {
	for i := range r.steps + 1 {
		at := min(float64(i)*r.length/float64(r.steps)/g.Length, 1)
		mix := func(from, to uint8) float64 {
			return (float64(from)*float64(g.From.A)*(1-at) + float64(to)*float64(g.To.A)*at) / math.MaxUint8
		}
		opacity := mix(math.MaxUint8, math.MaxUint8)
		colour := [4]float64{mix(g.From.R, g.To.R), mix(g.From.G, g.To.G), mix(g.From.B, g.To.B), opacity}
		share = append(share, float32(1-opacity/math.MaxUint8))
		for _, v := range colour[:channels] {
			added = append(added, float32(v))
		}
	}
	return share, added
}
