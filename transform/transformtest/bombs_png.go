package transformtest

import (
	"bytes"
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

const gib = 1 << 30

func pngBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "png: " + name, Format: plan.PNG, Bytes: build, Want: want, Pixels: pixels}
	}
	small := func() []byte { return PNG(Picture(16, 16)) }
	with := func(kind string, content func() []byte) func() []byte {
		return func() []byte { return withChunk(small(), kind, content()) }
	}
	return []Bomb{
		bomb("16 bits, 50,000 x 50,000", 0, func() []byte { return flatPNG(50000, 50000, 16, 6, false, []byte{0}) }, OverLimit),
		bomb("2,147,483,647 a side", 0, func() []byte { return flatPNG(1<<31-1, 1<<31-1, 16, 6, false, []byte{0}) }, OverLimit, broken),
		bomb("1 x 65,535", 65_535, func() []byte { return flatPNG(1, 65535, 8, 2, false, nil) }, Served),
		bomb("65,535 x 1", 65_535, func() []byte { return flatPNG(65535, 1, 8, 2, false, nil) }, Served),
		bomb("1 x 1,000,000", 0, func() []byte { return flatPNG(1, 1_000_000, 8, 2, false, nil) }, OverLimit, broken),
		bomb("100 megapixels of a bit in 12 kB", 100_000_000, func() []byte { return flatPNG(10000, 10000, 1, 0, false, nil) }, Served),
		bomb("100 megapixels of 64 bits in 800 kB", 100_000_000, func() []byte { return flatPNG(10000, 10000, 16, 6, false, nil) }, Served),
		bomb("the same, interlaced", 100_000_000, func() []byte { return flatPNG(10000, 10000, 16, 6, true, nil) }, Served),
		bomb("100 megapixels promised, nothing there", 100_000_000, func() []byte { return flatPNG(10000, 10000, 16, 6, true, []byte{}) }, broken),
		bomb("a GiB in the data of a pixel", 1, func() []byte { return pngFile(1, 1, 8, 2, 0, zeros(gib)) }, Served, broken),
		bomb("a GiB of zTXt", 256, with("zTXt", func() []byte { return append([]byte("text\x00\x00"), zeros(gib)...) }), Served, broken),
		bomb("a GiB of iTXt", 256, with("iTXt", func() []byte { return append([]byte("text\x00\x01\x00\x00\x00"), zeros(gib)...) }), Served, broken),
		bomb("a GiB of iCCP", 256, with("iCCP", func() []byte { return append([]byte("profile\x00\x00"), zeros(gib)...) }), Served, broken),
		bomb("a GiB of iCCP that says how long it is", 256, with("iCCP", func() []byte {
			return append([]byte("profile\x00\x00"), longProfile(gib)...)
		}), Served, broken),
		bomb("a million empty chunks", 256, func() []byte { return manyChunks(small(), pngChunk("zzZz", nil), 1_000_000) }, Served, broken),
		bomb("a million texts", 256, func() []byte { return manyChunks(small(), pngChunk("tEXt", []byte("a\x00b")), 1_000_000) }, Served, broken),
		bomb("a million empty pieces of data", 256, func() []byte {
			file := small()
			at := bytes.Index(file, []byte("IDAT")) - 4
			return slices.Concat(file[:at], bytes.Repeat(pngChunk("IDAT", nil), 1_000_000), file[at:])
		}, Served, broken),
		bomb("a chunk of 2 GiB promised", 0, func() []byte {
			file := small()
			return slices.Concat(file[:33], be32(nil, 1<<31-1), []byte("tEXtand no more"))
		}, broken),
		bomb("10,000 frames (APNG)", 256, func() []byte {
			file := withChunk(small(), "acTL", be32(nil, 10_000, 0))
			frame := slices.Concat(pngChunk("fcTL", slices.Concat(be32(nil, 1, 16, 16, 0, 0), be16(nil, 1, 100), []byte{0, 0})), pngChunk("fdAT", be32(nil, 2)))
			return slices.Concat(file[:len(file)-12], bytes.Repeat(frame, 10_000), file[len(file)-12:])
		}, Served, broken),
	}
}

// pngFile puts a PNG together: depth and colour as its header has them, data as it stands in IDAT.
func pngFile(width, height, depth, colour, interlace int, data []byte) []byte {
	header := append(be32(nil, width, height), byte(depth), byte(colour), 0, 0, byte(interlace))
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", data), pngChunk("IEND", nil))
}

// flatPNG returns a black or transparent picture; data, if it is not nil, stands in the place of what would be right.
func flatPNG(width, height, depth, colour int, interlaced bool, data []byte) []byte {
	channels := map[int]int{0: 1, 2: 3, 4: 2, 6: 4}[colour]
	rows := func(width, height int) int {
		if width == 0 {
			return 0
		}
		return height * (1 + (width*channels*depth+7)/8)
	}
	if !interlaced {
		if data == nil {
			data = zeros(rows(width, height))
		}
		return pngFile(width, height, depth, colour, 0, data)
	}
	if data == nil {
		n := 0
		for _, pass := range [][4]int{{0, 8, 0, 8}, {4, 8, 0, 8}, {0, 4, 4, 8}, {2, 4, 0, 4}, {0, 2, 2, 4}, {1, 2, 0, 2}, {0, 1, 1, 2}} {
			n += rows((width-pass[0]+pass[1]-1)/pass[1], (height-pass[2]+pass[3]-1)/pass[3])
		}
		data = zeros(n)
	}
	return pngFile(width, height, depth, colour, 1, data)
}

// longProfile returns a deflated profile of n bytes, whose first four tell so, as libpng asks of them.
func longProfile(n int) []byte {
	head := be32(nil, n)
	packed := zeros(n)
	// A stored block (RFC 1951 §3.2.4) with the four bytes goes before the zeros. The checksum is then wrong, at the end of
	// a GiB.
	return slices.Concat(packed[:2], []byte{0, 4, 0, 0xfb, 0xff}, head, packed[2:])
}

// manyChunks returns the PNG with n copies of a chunk before its data.
func manyChunks(file, chunk []byte, n int) []byte {
	return slices.Concat(file[:33], bytes.Repeat(chunk, n), file[33:])
}
