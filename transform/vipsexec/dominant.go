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
		forColour(small, opaqueBlack),
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

// mostFrequent returns the mean of the most frequent colours among pixels of 3 channels, or 4 with alpha: of those that
// agree in the upper 4 bits of each channel. Pixels that are less than half visible don't count.
func mostFrequent(pixels []byte, channels int) (c plan.Color, found bool) {
	type bin struct{ pixels, r, g, b int }
	var bins [1 << 12]bin
	best := 0
	for ; len(pixels) >= channels; pixels = pixels[channels:] {
		if channels > 3 && pixels[3] < 128 {
			continue
		}
		r, g, b := int(pixels[0]), int(pixels[1]), int(pixels[2])
		i := r>>4<<8 | g>>4<<4 | b>>4
		p := &bins[i]
		p.pixels, p.r, p.g, p.b = p.pixels+1, p.r+r, p.g+g, p.b+b
		if p.pixels > bins[best].pixels {
			best = i
		}
	}
	p := bins[best]
	if p.pixels == 0 {
		return c, false
	}
	mean := func(sum int) uint8 { return uint8((sum + p.pixels/2) / p.pixels) }
	return plan.Color{R: mean(p.r), G: mean(p.g), B: mean(p.b), A: math.MaxUint8}, true
}
