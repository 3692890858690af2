package transformtest

import (
	"bytes"
	"image"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func jpegBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "jpeg: " + name, Format: plan.JPEG, Bytes: build, Want: want, Pixels: pixels}
	}
	small := func() []byte { return JPEG(Picture(16, 16)) }
	return []Bomb{
		bomb("64,250 x 64,250 (lottapixel)", 0, func() []byte { return jpegOfSize(small(), 64250, 64250) }, OverLimit),
		bomb("65,500 x 65,500", 0, func() []byte { return jpegOfSize(small(), 65500, 65500) }, OverLimit),
		bomb("65,535 x 65,535", 0, func() []byte { return jpegOfSize(small(), 65535, 65535) }, OverLimit, broken),
		bomb("no height", 0, func() []byte { return jpegOfSize(small(), 16, 0) }, broken),
		bomb("10,000 x 10,000 in 800 bytes", 100_000_000, func() []byte { return jpegOfSize(small(), 10000, 10000) }, broken),
		bomb("1 x 65,500", 65_500, func() []byte { return JPEG(image.NewGray(image.Rect(0, 0, 1, 65500))) }, Served),
		bomb("65,500 x 1", 65_500, func() []byte { return JPEG(image.NewGray(image.Rect(0, 0, 65500, 1))) }, Served),
		bomb("90 scans of 25 megapixels", 25_000_000, func() []byte { return manyScans(5000, 5000, 90) }, Served, broken),
		bomb("500 scans of 25 megapixels", 25_000_000, func() []byte { return manyScans(5000, 5000, 500) }, Served, broken),
		bomb("10,000 scans of 25 megapixels", 0, func() []byte { return manyScans(5000, 5000, 10_000) }, tooLarge),
		bomb("a million restart markers", 256, func() []byte {
			file := small()
			return bytes.Join([][]byte{file[:len(file)-2], bytes.Repeat([]byte{0xff, 0xd0}, 1_000_000), file[len(file)-2:]}, nil)
		}, Served, broken),
		bomb("a million fill bytes", 256, func() []byte {
			file := small()
			return bytes.Join([][]byte{file[:2], bytes.Repeat([]byte{0xff}, 1_000_000), file[2:]}, nil)
		}, Served, broken),
		bomb("50,000 comments", 256, func() []byte {
			file := small()
			return bytes.Join([][]byte{file[:2], bytes.Repeat([]byte{0xff, 0xfe, 0, 3, 'x'}, 50_000), file[2:]}, nil)
		}, Served),
		bomb("255 components", 0, func() []byte {
			file := bytes.Clone(small())
			frame := bytes.Index(file, []byte{0xff, 0xc0})
			file[frame+9] = 255
			return file
		}, broken),
	}
}

// jpegOfSize returns a JPEG whose frame header tells another size than it has.
func jpegOfSize(file []byte, width, height int) []byte {
	file = bytes.Clone(file)
	frame := bytes.Index(file, []byte{0xff, 0xc0})
	copy(file[frame+5:], be16(nil, height, width))
	return file
}

// manyScans returns a progressive grey JPEG, in which each scan but the first says in some bytes that a coefficient of all
// blocks is nought: a decoder goes over the whole picture for each.
func manyScans(width, height, scans int) []byte {
	file := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	file = append(file, bytes.Repeat([]byte{1}, 64)...)
	file = append(file, 0xff, 0xc2, 0, 11, 8)
	file = append(be16(file, height, width), 1, 1, 0x11, 0)
	table := func(class byte, symbols ...byte) {
		file = append(be16(append(file, 0xff, 0xc4), 19+len(symbols)), class)
		lengths := make([]byte, 16)
		lengths[1] = byte(len(symbols)) // codes of two bits
		file = append(append(file, lengths...), symbols...)
	}
	table(0x00, 0)    // a difference of nought
	table(0x10, 0xe0) // a run of 2^14 blocks and more that have ended
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	file = append(file, 0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 0, 0)
	var first bitWriter
	for range blocks {
		first.write(0, 2)
	}
	file = append(file, first.end()...)
	var scan bitWriter
	for left := blocks; left > 0; {
		run := max(min(left, 1<<15-1), 1<<14) // what goes beyond the last block is not looked at
		scan.write(0, 2)
		scan.write(run-1<<14, 14)
		left -= run
	}
	again := append([]byte{0xff, 0xda, 0, 8, 1, 1, 0x00, 1, 63, 0}, scan.end()...)
	file = append(file, bytes.Repeat(again, scans-1)...)
	return append(file, 0xff, 0xd9)
}
