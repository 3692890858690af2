package transformtest

import (
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Animations of JPEG XL and AVIF are not among the bombs: their frames are entropy-coded, so that nothing shorter than an
// encoder writes them, and of AVIF libvips shows the still picture alone.
func jxlBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "jxl: " + name, Format: plan.JXL, Bytes: build, Want: want, Pixels: pixels}
	}
	return []Bomb{
		bomb("17,000 x 17,000 promised", 0, func() []byte { return jxlOfSize(17000, 17000) }, OverLimit, broken),
		bomb("1,073,741,824 a side promised", 0, func() []byte { return jxlOfSize(1<<30, 1<<30) }, OverLimit, broken),
		bomb("10,000 x 10,000 promised", 100_000_000, func() []byte { return jxlOfSize(10000, 10000) }, broken),
		bomb("4 GiB of container promised", 0, func() []byte {
			return slices.Concat([]byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl \x00\x00\x00\x01jxlc\xff\xff\xff\xff\xff\xff\xff\xff"), jxlOfSize(100, 100))
		}, broken),
		bomb("a million empty boxes", 48*32, func() []byte {
			file := []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl ")
			file = append(file, slices.Repeat(isoBox("zzzz"), 1_000_000)...)
			return append(file, isoBox("jxlc", File("still.jxl"))...)
		}, Served, broken),
		bomb("boxes of brotli that is none", 48*32, func() []byte {
			file := []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl ")
			file = append(file, slices.Repeat(isoBox("brob", []byte("Exif"), make([]byte, 50)), 10_000)...)
			return append(file, isoBox("jxlc", File("still.jxl"))...)
		}, Served, broken),
	}
}

// jxlOfSize returns the beginning of a codestream: its size, defaults for all else, and zeros where the frame would be.
func jxlOfSize(width, height int) []byte {
	side := func(v int) []int { return []int{3, 2, v - 1, 30} } // of four widths of numbers the fourth
	bits := slices.Concat([]int{0, 1}, side(height), []int{0, 3}, side(width), []int{1, 1, 1, 1})
	return slices.Concat([]byte{0xff, 0x0a}, lowBits(bits...), make([]byte, 200))
}
