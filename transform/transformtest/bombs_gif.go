package transformtest

import (
	"bytes"
	"compress/lzw"
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func gifBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "gif: " + name, Format: plan.GIF, Bytes: build, Want: want, Pixels: pixels}
	}
	return []Bomb{
		bomb("1,025 frames", 1, func() []byte { return gifOf(1, 1, 1025, gifPixel()) }, Served),
		bomb("10,000 frames", 1, func() []byte { return gifOf(1, 1, 10_000, gifPixel()) }, Served),
		bomb("10,000 frames of a pixel on 10,000 x 10,000", 100_000_000, func() []byte { return gifOf(10000, 10000, 10_000, gifPixel()) }, Served),
		bomb("500 frames of a pixel on 447 x 447", 500*447*447, func() []byte { return gifOf(447, 447, 500, gifPixel()) }, Served),
		{Number: 21, Name: "gif: the last of 10,000 frames", Format: plan.GIF, Bytes: func() []byte { return gifOf(1, 1, 10_000, gifPixel()) }, Chain: "pg-10000", Want: []Outcome{Served, Invalid}, Pixels: 10_000},
		{Number: 21, Name: "gif: the last of 10,000 frames of 100 megapixels", Format: plan.GIF, Bytes: func() []byte { return gifOf(10000, 10000, 10_000, gifPixel()) }, Chain: "pg-10000", Want: []Outcome{OverLimit, Invalid}},
		bomb("a pixel on 65,535 x 65,535", 1, func() []byte { return gifOf(65535, 65535, 1, gifPixel()) }, Served, OverLimit),
		bomb("a million frames on 65,535 x 65,535", 1, func() []byte { return gifOf(65535, 65535, 1_000_000, gifPixel()) }, Served, OverLimit),
		bomb("no canvas, a frame of 65,535 x 65,535", 0, func() []byte { return gifOf(0, 0, 1, gifFrame(65535, 65535, []byte{2, 0x44, 1, 0})) }, OverLimit, broken),
		bomb("a frame of 10,000 x 10,000 in 68 kB", 100_000_000, func() []byte {
			var packed bytes.Buffer
			z := lzw.NewWriter(&packed, lzw.LSB, 2)
			row := make([]byte, 10_000)
			for range 10_000 {
				_, err := z.Write(row)
				must(err)
			}
			must(z.Close())
			return gifOf(10000, 10000, 1, gifFrame(10000, 10000, gifBlocks(packed.Bytes())))
		}, Served),
		bomb("a million empty extensions", 1, func() []byte {
			return gifOf(1, 1, 1, append(bytes.Repeat([]byte{0x21, 0xfe, 0}, 1_000_000), gifPixel()...))
		}, Served),
		bomb("a comment of 10 MB", 1, func() []byte {
			comment := slices.Concat([]byte{0x21, 0xfe}, bytes.Repeat(append([]byte{255}, make([]byte, 255)...), 40_000), []byte{0})
			return gifOf(1, 1, 1, append(comment, gifPixel()...))
		}, Served),
		bomb("codes beyond the table", 100, func() []byte { return gifOf(10, 10, 1, gifFrame(10, 10, []byte{4, 0xff, 0xff, 0xff, 0xff, 0})) }, Served, broken),
	}
}

// gifOf returns a GIF of two colours that repeats a frame n times.
func gifOf(width, height, n int, frame []byte) []byte {
	head := append(le16([]byte("GIF89a"), width, height), 0x80, 0, 0, 0, 0, 0, 255, 255, 255)
	return slices.Concat(head, bytes.Repeat(frame, n), []byte{';'})
}

// gifFrame returns a frame at the top left, with its time before it; blocks are its pixels in codes of two bits and more.
func gifFrame(width, height int, blocks []byte) []byte {
	head := append([]byte{0x21, 0xf9, 4, 4, 1, 0, 0, 0, 0x2c}, le16(nil, 0, 0, width, height)...)
	return slices.Concat(head, []byte{0, 2}, blocks)
}

// gifPixel returns a frame of a pixel.
func gifPixel() []byte { return gifFrame(1, 1, []byte{2, 0x44, 1, 0}) }

// gifBlocks cuts data into the blocks of a GIF.
func gifBlocks(data []byte) []byte {
	var out []byte
	for part := range slices.Chunk(data, 255) {
		out = append(append(out, byte(len(part))), part...)
	}
	return append(out, 0)
}
