package vipsexec

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// leastAmplitude is where the bell of a Gaussian blur is cut off. libvips' own 0.2 leaves so little of it that edges are
// seen.
const leastAmplitude = 0.05

// A blur of at least widestBell is computed on a picture so much smaller that smallBell remains, for what is left has no
// detail that the smaller picture lacks, and libvips takes time by the width of the bell: at full size, a sigma of 50 takes
// 15 seconds for 12 megapixels.
const (
	widestBell = 8
	smallBell  = 4
)

// blur smears colours, weighed by alpha, and alpha. As each pixel needs others far below it, img is in memory.
func blur(img *vips.ImageRef, sigma, least float64) error {
	if sigma < widestBell {
		return blurExactly(img, sigma, least)
	}
	w, h := img.Width(), img.Height()
	factor := sigma / smallBell
	small := plan.Resize{Width: int(math.Ceil(float64(w) / factor)), Height: int(math.Ceil(float64(h) / factor))}
	factor = float64(w) / float64(small.Width)
	if h > w {
		factor = float64(h) / float64(small.Height)
	}
	if err := errors.Join(resize(img, small), blurExactly(img, sigma/factor, least)); err != nil {
		return err
	}
	return resize(img, plan.Resize{Width: w, Height: h})
}

// blurExactly blurs at full size. It computes in floating point: in whole numbers of 8 bits libvips is twice as fast, and
// rounds the bell so that small ones darken the picture by a thirtieth.
func blurExactly(img *vips.ImageRef, sigma, least float64) error {
	return errors.Join(
		img.Cast(vips.BandFormatFloat), // what govips would cut back to, without rounding
		img.PremultiplyAlpha(),
		img.GaussianBlur(sigma, least),
		unweigh(img),
	)
}

// grey takes the colours out, by their luminance in linear light. A picture with a profile keeps its three channels,
// which the profile describes.
func grey(img *vips.ImageRef) error {
	if img.Bands() < 3 {
		return nil
	}
	if err := img.ToColorSpace(vips.InterpretationBW); err != nil || !img.HasICCProfile() {
		return err
	}
	return img.ToColorSpace(vips.InterpretationSRGB)
}

// unsharp adds to each channel its difference from a blurred picture. Blurred are the colours weighed by alpha, so that
// what is invisible has no part; alpha stays as it is, and edges of a cutout get no halo.
func (j *job) unsharp(img *vips.ImageRef, u plan.Unsharp) error {
	if err := toMemory(img); err != nil {
		return err
	}
	colours := img.Bands()
	var alpha *vips.ImageRef
	if img.HasAlpha() {
		colours--
		var err error
		if alpha, err = img.ExtractBandToImage(colours, 1); err != nil {
			return err
		}
		j.track(alpha)
	}
	blurred, err := j.copyOf(img)
	if err != nil {
		return err
	}
	table, err := j.sharpeningTable(u)
	if err != nil {
		return err
	}
	difference, err := j.copyOf(img)
	if err != nil {
		return err
	}
	if err := errors.Join(
		blur(blurred, u.Sigma, amplitudeAt(u)),
		difference.Subtract(blurred),
		difference.ExtractBand(0, colours),
		difference.Linear1(1, math.MaxUint8), // a table begins at zero
		difference.Cast(vips.BandFormatUshort),
		difference.Maplut(table),
		img.ExtractBand(0, colours),
		img.Add(difference),
		img.Cast(vips.BandFormatUchar),
	); err != nil || alpha == nil {
		return err
	}
	return img.BandJoin(alpha)
}

// amplitudeAt returns where the bell of the blur is cut off for it to end at the radius.
func amplitudeAt(u plan.Unsharp) float64 {
	if u.Radius == 0 {
		return leastAmplitude
	}
	r := max(math.Round(u.Radius), 1) + 0.5
	return max(math.Exp(-r*r/(2*u.Sigma*u.Sigma)), 0.001) // libvips takes no less
}

// sharpeningTable holds what is added for each difference from -255 to 255.
func (j *job) sharpeningTable(u plan.Unsharp) (*vips.ImageRef, error) {
	const most = math.MaxUint8
	table := make([]byte, 0, 2*(2*most+1))
	for difference := -most; difference <= most; difference++ {
		added := 0.0
		if 2*math.Abs(float64(difference)) >= u.Threshold*most {
			added = min(max(math.Round(u.Amount*float64(difference)), -most), most)
		}
		table = binary.NativeEndian.AppendUint16(table, uint16(int16(added)))
	}
	img, err := vips.NewImageFromMemory(table, 2*most+1, 1, 1, vips.BandFormatShort, vips.InterpretationHistogram)
	if err != nil {
		return nil, err
	}
	return j.track(img), nil
}

// contrast stretches luminance to the full range. It looks at all frames together: a curve for each would flicker.
func (j *job) contrast() error {
	if err := toMemory(j.img); err != nil { // it is read twice
		return err
	}
	counts, err := j.histogram()
	if err != nil {
		return err
	}
	low, high := ends(counts)
	if low == 0 && high == math.MaxUint8 || low >= high {
		return nil
	}
	factors, offsets := make([]float64, j.img.Bands()), make([]float64, j.img.Bands())
	for i := range factors {
		factors[i] = math.MaxUint8 / float64(high-low)
		offsets[i] = 0.5 - float64(low)*factors[i] // the cast cuts fractions off
	}
	if j.img.HasAlpha() {
		factors[len(factors)-1], offsets[len(factors)-1] = 1, 0
	}
	return errors.Join(j.img.Linear(factors, offsets), j.img.Cast(vips.BandFormatUchar))
}

// histogram counts the visible pixels by luminance.
func (j *job) histogram() ([]uint32, error) {
	luminance, err := j.copyOf(j.img)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(luminance.ToColorSpace(vips.InterpretationBW), luminance.ExtractBand(0, 1)); err != nil {
		return nil, err
	}
	if j.img.HasAlpha() {
		hidden, err := j.img.ExtractBandToImage(j.img.Bands()-1, 1)
		if err != nil {
			return nil, err
		}
		j.track(hidden)
		away, err := j.awayTable()
		if err != nil {
			return nil, err
		}
		if err := errors.Join(
			hidden.Maplut(away),
			luminance.Add(hidden),
			luminance.Cast(vips.BandFormatUshort),
		); err != nil {
			return nil, err
		}
	}
	if err := luminance.HistogramFind(); err != nil {
		return nil, err
	}
	raw, err := luminance.ToBytes()
	if err != nil {
		return nil, err
	}
	counts := make([]uint32, math.MaxUint8+1)
	for i := range counts {
		if 4*i+4 <= len(raw) {
			counts[i] = binary.NativeEndian.Uint32(raw[4*i:])
		}
	}
	return counts, nil
}

// awayTable moves what is less than half visible to where no luminance is, 256 and beyond.
func (j *job) awayTable() (*vips.ImageRef, error) {
	const levels = math.MaxUint8 + 1
	table := make([]byte, 0, 2*levels)
	for alpha := range levels {
		shift := uint16(0)
		if alpha < levels/2 {
			shift = levels
		}
		table = binary.NativeEndian.AppendUint16(table, shift)
	}
	img, err := vips.NewImageFromMemory(table, levels, 1, 1, vips.BandFormatUshort, vips.InterpretationHistogram)
	if err != nil {
		return nil, err
	}
	return j.track(img), nil
}

// ends returns the luminance below which the darkest hundredth of the pixels lies, and that above which the lightest
// does.
func ends(counts []uint32) (low, high int) {
	var all uint64
	for _, n := range counts {
		all += uint64(n)
	}
	beyond := func(from, step int) int {
		var seen uint64
		for i := from; i >= 0 && i < len(counts); i += step {
			if seen += uint64(counts[i]); seen*100 > all {
				return i
			}
		}
		return from
	}
	return beyond(0, 1), beyond(len(counts)-1, -1)
}
