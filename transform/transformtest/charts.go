package transformtest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"math"
	"math/bits"
)

// chart is a picture of patches, each of one colour, as the values that a file stores.
type chart struct {
	patches [][]uint16 // one to four channels; a file of 8 bits has the upper byte
}

const (
	patchSide  = 24 // pixels; the middle of one is free of its neighbours' ringing at half the size
	chartWidth = 12 // patches
)

func (c chart) width() int  { return chartWidth * patchSide }
func (c chart) height() int { return (len(c.patches) + chartWidth - 1) / chartWidth * patchSide }

// at returns the patch at a pixel. Places without one repeat the last.
func (c chart) at(x, y int) []uint16 {
	return c.patches[min(y/patchSide*chartWidth+x/patchSide, len(c.patches)-1)]
}

// centre returns the middle of a patch in the chart at scale 1/shrink.
func (c chart) centre(i, shrink int) (x, y int) {
	return (i%chartWidth*patchSide + patchSide/2) / shrink, (i/chartWidth*patchSide + patchSide/2) / shrink
}

// latticeChart has all mixtures of so many channels in so many levels, and a ramp of equal values.
func latticeChart(channels, levels, ramp int) chart {
	var c chart
	count := 1
	for range channels {
		count *= levels
	}
	level := func(i, n int) uint16 { return uint16(257 * ((255*i + (n-1)/2) / (n - 1))) } // whole bytes
	for i := range count {
		patch := make([]uint16, channels)
		for j := range patch {
			patch[j] = level(i%levels, levels)
			i /= levels
		}
		c.patches = append(c.patches, patch)
	}
	for i := range ramp {
		patch := make([]uint16, channels)
		for j := range patch {
			patch[j] = level(i, ramp)
		}
		if channels == 4 {
			clear(patch[:3])
		}
		c.patches = append(c.patches, patch)
	}
	return c
}

// png returns a chart of grey or RGB as a PNG of 8 or 16 bits.
func (c chart) png(depth int) []byte {
	r := image.Rect(0, 0, c.width(), c.height())
	deepPicture, deepGrey := image.NewNRGBA64(r), image.NewGray16(r)
	picture, greyPicture := image.NewNRGBA(r), image.NewGray(r)
	for y := range r.Dy() {
		for x := range r.Dx() {
			p := c.at(x, y)
			if len(p) == 1 {
				deepGrey.SetGray16(x, y, color.Gray16{Y: p[0]})
				greyPicture.SetGray(x, y, color.Gray{Y: uint8(p[0] >> 8)})
				continue
			}
			deepPicture.SetNRGBA64(x, y, color.NRGBA64{R: p[0], G: p[1], B: p[2], A: 0xffff})
			picture.SetNRGBA(x, y, color.NRGBA{R: uint8(p[0] >> 8), G: uint8(p[1] >> 8), B: uint8(p[2] >> 8), A: 255})
		}
	}
	switch grey := len(c.patches[0]) == 1; {
	case grey && depth == 16:
		return PNG(deepGrey)
	case grey:
		return PNG(greyPicture)
	case depth == 16:
		return PNG(deepPicture)
	}
	return PNG(picture)
}

// raw returns the pixels by rows, in big-endian numbers of 8 or 16 bits, or light as floating point of 32.
func (c chart) raw(depth int) []byte {
	var out []byte
	for y := range c.height() {
		for x := range c.width() {
			for _, v := range c.at(x, y) {
				switch depth {
				case 32:
					out = binary.BigEndian.AppendUint32(out, math.Float32bits(float32(linear(float64(v)/0xffff))))
				case 16:
					out = binary.BigEndian.AppendUint16(out, v)
				default:
					out = append(out, byte(v>>8))
				}
			}
		}
	}
	return out
}

// greyAlphaPNG returns a chart of two channels as the PNG that it is, for which Go has no type.
func (c chart) greyAlphaPNG(depth int) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(c.width()))
	head = binary.BigEndian.AppendUint32(head, uint32(c.height()))
	head = append(head, byte(depth), 4, 0, 0, 0)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	raw := c.raw(depth)
	for row := range c.height() {
		size := len(raw) / c.height()
		_, err := z.Write(append([]byte{0}, raw[row*size:][:size]...))
		must(err)
	}
	must(z.Close())
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []profileTag{{"IHDR", head}, {"IDAT", packed.Bytes()}, {"IEND", nil}} {
		file = append(file, pngChunk(chunk.name, chunk.data)...)
	}
	return file
}

// tiff returns the chart as an uncompressed TIFF of 8, 16, or 32 bits. Four channels are ink, five are RGB, alpha and
// something else.
func (c chart) tiff(depth int, profile []byte) []byte {
	const short, long, undefined = 3, 4, 7
	channels := len(c.patches[0])
	photometric := map[int]int{1: 1, 2: 1, 3: 2, 4: 5, 5: 2}[channels]
	raw := c.raw(depth)
	file := append([]byte("MM\x00*\x00\x00\x00\x00"), raw...)
	place := func(b []byte) int { // returns where b lies
		file = append(file, make([]byte, len(file)&1)...)
		file = append(file, b...)
		return len(file) - len(b)
	}
	var depths []byte
	for range channels {
		depths = binary.BigEndian.AppendUint16(depths, uint16(depth))
	}
	depthsAt := place(depths)
	if channels <= 2 {
		depthsAt = int(binary.BigEndian.Uint32(append(depths, 0, 0)[:4]))
	}
	profileAt := place(profile)
	type entry struct{ tag, kind, count, value int }
	entries := []entry{
		{256, long, 1, c.width()},
		{257, long, 1, c.height()},
		{258, short, channels, depthsAt},
		{259, short, 1, 1 << 16},
		{262, short, 1, photometric << 16},
		{273, long, 1, 8},
		{277, short, 1, channels << 16},
		{278, long, 1, c.height()},
		{279, long, 1, len(raw)},
	}
	if channels == 2 || channels == 5 {
		entries = append(entries, entry{338, short, channels / 2, 2 << 16}) // alpha, not premultiplied; the second is unspecified
	}
	if depth == 32 {
		entries = append(entries, entry{339, short, 1, 3 << 16}) // floating point
	}
	if profile != nil {
		entries = append(entries, entry{34675, undefined, len(profile), profileAt})
	}
	directory := binary.BigEndian.AppendUint16(nil, uint16(len(entries)))
	for _, e := range entries {
		directory = binary.BigEndian.AppendUint16(directory, uint16(e.tag))
		directory = binary.BigEndian.AppendUint16(directory, uint16(e.kind))
		directory = binary.BigEndian.AppendUint32(directory, uint32(e.count))
		directory = binary.BigEndian.AppendUint32(directory, uint32(e.value))
	}
	binary.BigEndian.PutUint32(file[4:], uint32(place(append(directory, 0, 0, 0, 0))))
	return file
}

// How a JPEG says what its channels are: by the number behind Adobe's name, or not at all.
const (
	noAdobe   = -1
	adobeAsIs = 0 // or CMYK
	adobeYCC  = 1
	adobeYCCK = 2
)

// jpeg returns the chart as a JPEG that loses nothing, for each of its blocks has one colour. The values are stored as
// they are: conversions to YCC and Adobe's inversion are the caller's.
func (c chart) jpeg(adobe int) []byte {
	channels := len(c.patches[0])
	file := []byte{0xff, 0xd8}
	if adobe != noAdobe {
		file = append(file, "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"...)
		file = append(file, byte(adobe))
	}
	file = append(file, "\xff\xdb\x00\x43\x00"...)
	file = append(file, bytes.Repeat([]byte{1}, 64)...)
	file = append(file, 0xff, 0xc0, 0, byte(8+3*channels), 8, byte(c.height()>>8), byte(c.height()), byte(c.width()>>8), byte(c.width()), byte(channels))
	for i := range channels {
		file = append(file, byte(i+1), 0x11, 0)
	}
	// Twelve sizes of a difference, each in four bits; and of all other coefficients only that there are none, in one.
	file = append(file, "\xff\xc4\x00\x1f\x00\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"...)
	file = append(file, "\xff\xc4\x00\x14\x10\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	file = append(file, 0xff, 0xda, 0, byte(6+2*channels), byte(channels))
	for i := range channels {
		file = append(file, byte(i+1), 0)
	}
	file = append(file, 0, 63, 0)
	var w bitWriter
	last := make([]int, channels)
	for y := 0; y < c.height(); y += 8 {
		for x := 0; x < c.width(); x += 8 {
			for i, v := range c.at(x, y) {
				level := 8 * (int(v>>8) - 128)
				w.difference(level - last[i])
				last[i] = level
			}
		}
	}
	return append(append(file, w.end()...), 0xff, 0xd9)
}

// bitWriter writes the entropy-coded part of a JPEG.
type bitWriter struct {
	out  []byte
	held uint64
	n    int
}

func (w *bitWriter) write(v, n int) {
	w.held = w.held<<n | uint64(v)
	for w.n += n; w.n >= 8; w.n -= 8 {
		b := byte(w.held >> (w.n - 8))
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// difference writes a block that differs by d from the one before and is flat.
func (w *bitWriter) difference(d int) {
	size := bits.Len(uint(max(d, -d)))
	w.write(size, 4)
	if d < 0 {
		d += 1<<size - 1
	}
	w.write(d, size)
	w.write(0, 1)
}

func (w *bitWriter) end() []byte {
	w.write(0x7f, 7)
	return w.out
}

// pngChunk writes a chunk with its checksum.
func pngChunk(kind string, data []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, kind...), data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// withChunk returns the PNG with a further chunk behind its header.
func withChunk(file []byte, kind string, data []byte) []byte {
	const header = 8 + 25
	return bytes.Join([][]byte{file[:header], pngChunk(kind, data), file[header:]}, nil)
}

// withPNGProfile returns the PNG with an embedded profile.
func withPNGProfile(file, profile []byte) []byte {
	packed := bytes.NewBufferString("profile\x00\x00")
	z := zlib.NewWriter(packed)
	_, err := z.Write(profile)
	must(err)
	must(z.Close())
	return withChunk(file, "iCCP", packed.Bytes())
}
