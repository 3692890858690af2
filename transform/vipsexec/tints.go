package vipsexec

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// opaqueBlack is a background that [forColour] makes three channels for.
var opaqueBlack = plan.Color{A: math.MaxUint8}

// onColours does op on the three colour channels alone, and puts alpha back behind them.
func (j *job) onColours(op func(*vips.ImageRef) error) error {
	if err := forColour(j.img, opaqueBlack); err != nil {
		return err
	}
	if !j.img.HasAlpha() {
		return op(j.img)
	}
	alpha, err := j.img.ExtractBandToImage(3, 1)
	if err != nil {
		return err
	}
	j.track(alpha)
	return errors.Join(j.img.ExtractBand(0, 3), op(j.img), j.img.BandJoin(alpha))
}

// lightnessSteps is how many steps of a table are one of L*, so that no step shows.
const lightnessSteps = 20

// tint looks up the colour of each lightness. A part of it is mixed with the picture in linear light, where that leaves the
// lightness alone and never leaves sRGB.
func (j *job) tint(t plan.Tint) error {
	table, err := j.tintTable(t)
	if err != nil {
		return err
	}
	return j.onColours(func(img *vips.ImageRef) error {
		tinted, err := j.copyOf(img)
		if err != nil {
			return err
		}
		if err := errors.Join(
			tinted.ToColorSpace(vips.InterpretationLAB),
			tinted.ExtractBand(0, 1),
			tinted.Linear1(lightnessSteps, 0.5),
			tinted.Cast(vips.BandFormatUshort),
			tinted.Maplut(table),
		); err != nil {
			return err
		}
		return errors.Join(
			img.ToColorSpace(vips.InterpretationScRGB),
			img.Linear1(1-float64(t.Percent)/100, 0),
			img.Add(tinted),
			img.ToColorSpace(vips.InterpretationSRGB),
		)
	})
}

// tintTable holds, by lightness, that part of the colour in linear light which is mixed in.
func (j *job) tintTable(t plan.Tint) (*vips.ImageRef, error) {
	const entries = 100*lightnessSteps + 1
	colour := labOf(t.Color)
	table := make([]float32, 0, 3*entries)
	for i := range entries {
		rgb := lab{float64(i) / lightnessSteps, colour.a, colour.b}.fitted()
		for _, v := range rgb {
			table = append(table, float32(v*float64(t.Percent)/100))
		}
	}
	return j.table(table, 3)
}

// table returns a table of floating point numbers for Maplut.
func (j *job) table(entries []float32, bands int) (*vips.ImageRef, error) {
	img, err := vips.NewImageFromMemory(nativeBytes(entries), len(entries)/bands, 1, bands, vips.BandFormatFloat, vips.InterpretationHistogram)
	if err != nil {
		return nil, err
	}
	return j.track(img), nil
}

func nativeBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, f := range v {
		b = binary.NativeEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

// replace shifts colours that are near enough.
func (j *job) replace(r plan.Replace) error {
	from, any := r.From, true
	if r.Dominant {
		var err error
		if from, any, err = j.dominant(); err != nil || !any {
			return err
		}
	}
	return j.onColours(func(img *vips.ImageRef) error { return j.shift(img, r, labOf(from)) })
}

// shift adds to each pixel what a table has for its distance, squared.
func (j *job) shift(img *vips.ImageRef, r plan.Replace, from lab) error {
	table, n, err := j.shiftTable(r, from)
	if err != nil {
		return err
	}
	if err := img.ToColorSpace(vips.InterpretationLAB); err != nil {
		return err
	}
	away, err := j.copyOf(img)
	if err != nil {
		return err
	}
	if err := away.Linear([]float64{1, 1, 1}, []float64{-from.l, -from.a, -from.b}); err != nil {
		return err
	}
	square, err := j.copyOf(away)
	if err != nil {
		return err
	}
	return errors.Join(
		away.Multiply(square),
		away.Recomb([][]float64{{n, n, n}, {n, n, n}, {n, n, n}}),
		away.ExtractBand(0, 1),
		away.Linear1(1, 0.5), // the cast cuts fractions off
		away.Cast(vips.BandFormatUshort),
		away.Maplut(table),
		img.Add(away),
		img.ToColorSpace(vips.InterpretationSRGB),
	)
}

// shiftTable holds the shift by the squared distance, see [plan.Replace]. It has that many steps for each 1, so many that it
// ends just where nothing is shifted any more.
func (j *job) shiftTable(r plan.Replace, from lab) (img *vips.ImageRef, steps float64, err error) {
	to := labOf(r.To)
	table := make([]float32, 0, 3*(math.MaxUint16+1))
	inner, outer := 0.8*float64(r.Tolerance), max(1.2*float64(r.Tolerance), 1)
	steps = (math.MaxUint16 - 1) / (outer * outer)
	for i := range math.MaxUint16 + 1 {
		distance := math.Sqrt(float64(i) / steps)
		share := min(max((outer-distance)/(outer-inner), 0), 1)
		table = append(table, float32(share*(to.l-from.l)), float32(share*(to.a-from.a)), float32(share*(to.b-from.b)))
	}
	img, err = j.table(table, 3)
	return img, steps, err
}
