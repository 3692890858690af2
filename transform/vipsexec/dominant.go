package vipsexec

import (
	"errors"
	"math"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// dominantSide is how many pixels of a row, and rows, are looked at for the dominant colour.
const dominantSide = 128

// dominant returns the colour that most visible pixels of the first frame have, as a grid of them shows; none where nothing is
// visible. The pixels are as they are: means of neighbours would be colours that the picture has nowhere.
func (j *job) dominant() (c plan.Color, found bool, err error) {
	if err := toMemory(j.img); err != nil { // it is read twice
		return c, false, err
	}
	height := j.img.Height() / j.frames
	small, err := j.copyOf(j.img)
	if err != nil {
		return c, false, err
	}
	if err := errors.Join(
		small.SetPages(1), // govips would take the roll for many pictures
		small.SetPageHeight(small.Height()),
		small.ExtractArea(0, 0, small.Width(), height),
	); err != nil {
		return c, false, err
	}
	if w, h := min(small.Width(), dominantSide), min(height, dominantSide); w < small.Width() || h < height {
		if err := small.ResizeWithVScale(float64(w)/float64(small.Width()), float64(h)/float64(height), vips.KernelNearest); err != nil {
			return c, false, err
		}
	}
	pixels, err := small.ToBytes()
	if err != nil {
		return c, false, err
	}
	c, found = mostFrequent(pixels, small.Bands())
	return c, found, nil
}

// mostFrequent returns the colour that pixels have most often: the mean of those in the fullest of the bins that 16 levels a
// channel make. Pixels lie one after the other, of 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha) bytes; those
// less than half visible don't count. It is false where none does.
func mostFrequent(pixels []byte, bands int) (plan.Color, bool) {
	type bin struct{ n, r, g, b uint64 }
	bins := make([]bin, 1<<12)
	fullest := &bins[0]
	for i := 0; i+bands <= len(pixels); i += bands {
		p := pixels[i : i+bands]
		if bands%2 == 0 && p[bands-1] <= math.MaxUint8/2 {
			continue
		}
		r, g, b := p[0], p[0], p[0]
		if bands > 2 {
			g, b = p[1], p[2]
		}
		at := &bins[int(r>>4)<<8|int(g>>4)<<4|int(b>>4)]
		at.n, at.r, at.g, at.b = at.n+1, at.r+uint64(r), at.g+uint64(g), at.b+uint64(b)
		if at.n > fullest.n {
			fullest = at
		}
	}
	if fullest.n == 0 {
		return plan.Color{}, false
	}
	mean := func(sum uint64) uint8 { return uint8((sum + fullest.n/2) / fullest.n) }
	return plan.Color{R: mean(fullest.r), G: mean(fullest.g), B: mean(fullest.b), A: math.MaxUint8}, true
}
