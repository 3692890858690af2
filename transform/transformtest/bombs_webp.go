package transformtest

import (
	"bytes"
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func webpBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "webp: " + name, Format: plan.WebP, Bytes: build, Want: want, Pixels: pixels}
	}
	return []Bomb{
		bomb("100 megapixels in 28 bytes", 100_000_000, func() []byte { return riff(webpPart("VP8L", flatVP8L(10000, 10000))) }, Served),
		bomb("16,384 x 16,384 in 28 bytes", 0, func() []byte { return riff(webpPart("VP8L", flatVP8L(16384, 16384))) }, OverLimit, broken),
		bomb("1 x 16,383", 16383, func() []byte { return riff(webpPart("VP8L", flatVP8L(1, 16383))) }, Served),
		bomb("lossy of 16,383 x 16,383 patched", 0, func() []byte {
			file := bytes.Clone(File("still.webp"))
			if at := bytes.Index(file, []byte{0x9d, 0x01, 0x2a}); at > 0 {
				copy(file[at+3:], le16(nil, 16383, 16383))
			}
			return file
		}, OverLimit, broken),
		bomb("10,000 frames", 4, func() []byte { return webpAnimation(2, 2, 10_000, 2, 2) }, Served),
		bomb("500 frames of 4 pixels on 447 x 447", 500*447*447, func() []byte { return webpAnimation(447, 447, 500, 2, 2) }, Served),
		bomb("500 frames of 447 x 447 in 62 bytes each", 500*447*447, func() []byte { return webpAnimation(447, 447, 500, 447, 447) }, Served),
		bomb("10,000 frames of 4 pixels on 10,000 x 10,000", 100_000_000, func() []byte { return webpAnimation(10000, 10000, 10_000, 2, 2) }, Served),
		bomb("frames of 4 pixels on 16,777,216 x 100", 0, func() []byte { return webpAnimation(1<<24, 100, 10, 2, 2) }, OverLimit, broken),
		bomb("frames of 4 pixels on 65,535 x 65,535", 0, func() []byte { return webpAnimation(65535, 65535, 10, 2, 2) }, OverLimit, broken),
		bomb("a frame larger than its canvas", 4, func() []byte { return webpAnimation(2, 2, 2, 16384, 6000) }, broken),
		bomb("a million unknown parts", 100, func() []byte {
			return riff(webpHead(0, 10, 10), bytes.Repeat(webpPart("zzzz", nil), 1_000_000), webpPart("VP8L", flatVP8L(10, 10)))
		}, Served, broken),
		bomb("4 GiB promised", 100, func() []byte {
			file := riff(webpPart("VP8L", flatVP8L(10, 10)))
			copy(file[4:], le32(nil, 1<<32-2))
			return file
		}, broken),
	}
}

// riff puts the parts of a WebP file together.
func riff(parts ...[]byte) []byte {
	body := append([]byte("WEBP"), slices.Concat(parts...)...)
	return append(le32([]byte("RIFF"), len(body)), body...)
}

func webpPart(kind string, data []byte) []byte {
	part := append(le32([]byte(kind), len(data)), data...)
	if len(data)%2 == 1 {
		part = append(part, 0)
	}
	return part
}

// webpHead returns the part that tells the size of the canvas; flags 2 is an animation.
func webpHead(flags byte, width, height int) []byte {
	return webpPart("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, le24(width-1), le24(height-1)))
}

func le24(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }

// flatVP8L returns a lossless picture of one colour: five codes with one symbol each, so that pixels take no bits.
func flatVP8L(width, height int) []byte {
	code := []int{1, 1, 0, 1, 0, 1, 0, 1} // simple, of one symbol, which has one bit, nought
	return lowBits(slices.Concat([]int{0x2f, 8, width - 1, 14, height - 1, 14, 1, 1, 0, 3, 0, 1, 0, 1, 0, 1}, slices.Repeat(code, 5))...)
}

// webpAnimation returns n frames of one size at the top left of a canvas.
func webpAnimation(width, height, n, frameWidth, frameHeight int) []byte {
	picture := webpPart("VP8L", flatVP8L(min(frameWidth, 16384), min(frameHeight, 16384)))
	frame := webpPart("ANMF", slices.Concat(le24(0), le24(0), le24(frameWidth-1), le24(frameHeight-1), le24(40), []byte{0}, picture))
	return riff(webpHead(2|0x10, width, height), webpPart("ANIM", make([]byte, 6)), bytes.Repeat(frame, n))
}
