package transformtest

import (
	"bytes"
	"math/rand/v2"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// Smallest returns pictures of a format that is read, which are at most 64 pixels a side: one of each kind that there is.
func Smallest(f plan.Format) [][]byte {
	pic := Picture(48, 32)
	switch f {
	case plan.JPEG:
		return [][]byte{JPEG(pic), WithOrientation(JPEG(pic), 6), WithProfile(JPEG(pic), File("displayp3.icc")), File("cmyk.jpg"), manyScans(48, 32, 9)}
	case plan.PNG:
		return [][]byte{PNG(pic), PNG(Cutout(48, 32)), PNG(deep(pic)), PNG(paletted(pic)), withPNGProfile(PNG(pic), File("displayp3.icc")), flatPNG(48, 32, 16, 6, true, nil)}
	case plan.GIF:
		return [][]byte{GIF(7, pic), GIF(7, pic, Stored(pic, 3), Cutout(48, 32))}
	case plan.WebP:
		return [][]byte{File("still.webp"), File("alpha.webp"), File("animated.webp"), riff(webpPart("VP8L", flatVP8L(48, 32)))}
	case plan.AVIF:
		return [][]byte{File("still.avif"), heifGrid(File("still.avif"), "avif", "av01", "av1C", 1, 2, 48, 64, 0)}
	case plan.HEIC:
		return [][]byte{File("still.heic"), File("rotated.heic"), File("exif.heic")}
	case plan.TIFF:
		return [][]byte{File("still.tiff"), File("bigtiff.tiff"), TIFF(pic, Picture(16, 16)), tiffPage{width: 48, height: 32, depth: 16, bands: 4, packed: true}.file()}
	case plan.SVG:
		return [][]byte{
			[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="48" height="32"><defs><linearGradient id="g"><stop stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient></defs><rect width="48" height="32" fill="url(#g)"/><path d="M0 0C9 9 30 2 48 32z" opacity="0.5"/></svg>`),
			[]byte(`<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg [<!ENTITY a "48">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 &a; 32"><style>rect{fill:red}</style><rect width="&a;" height="9"/></svg>`),
		}
	case plan.JXL:
		return [][]byte{File("still.jxl")}
	}
	return nil
}

// Damaged returns broken copies of the smallest pictures of a format, the same ones each time: cut at every power of two and in
// some other places, with bits turned over, with pieces exchanged, taken out or repeated, and with lengths that lie.
func Damaged(f plan.Format) [][]byte {
	var all [][]byte
	random := rand.New(rand.NewPCG(uint64(f), 25))
	for _, file := range Smallest(f) {
		for n := 1; n < len(file); n *= 2 {
			all = append(all, file[:n])
		}
		for range 60 {
			all = append(all, Mutate(random, file))
		}
	}
	return all
}

// Mutate returns a damaged copy of a file.
func Mutate(random *rand.Rand, file []byte) []byte {
	out := bytes.Clone(file)
	for range 1 + random.IntN(3) {
		out = mutations[random.IntN(len(mutations))](random, out)
	}
	return out
}

// mutations are the ways in which files are damaged. Each returns another file or the same one, changed.
var mutations = []func(*rand.Rand, []byte) []byte{
	func(r *rand.Rand, b []byte) []byte { // bits are turned over
		for range 1 + r.IntN(8) {
			if len(b) > 0 {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
		}
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // bytes are others, of the kind that decoders trip over
		for range 1 + r.IntN(8) {
			if len(b) > 0 {
				b[r.IntN(len(b))] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(r.IntN(256))}[r.IntN(6)]
			}
		}
		return b
	},
	func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b)+1)] }, // cut
	func(r *rand.Rand, b []byte) []byte { // a piece is taken out
		from, to := piece(r, b)
		return append(b[:from], b[to:]...)
	},
	func(r *rand.Rand, b []byte) []byte { // a piece is repeated
		from, to := piece(r, b)
		again := bytes.Repeat(b[from:to], 1+r.IntN(3))
		return bytes.Join([][]byte{b[:to], again, b[to:]}, nil)
	},
	func(r *rand.Rand, b []byte) []byte { // a piece stands in another place
		from, to := piece(r, b)
		if at := r.IntN(len(b) + 1); at+to-from <= len(b) {
			copy(b[at:], bytes.Clone(b[from:to]))
		}
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // a number of two or four bytes, of a length or a place perhaps, lies
		width := 2 << r.IntN(2)
		if len(b) < width {
			return b
		}
		at := r.IntN(min(len(b), 512) - width + 1)
		lie := [][]byte{{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0}, {0x7f, 0xff, 0xff, 0xff}, {0x80, 0, 0, 0}, {0, 1, 0, 0}}[r.IntN(5)]
		copy(b[at:at+width], lie)
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // a number that tells how long what follows is, is a little off
		at := bytes.IndexFunc(b, func(rune) bool { return r.IntN(50) == 0 })
		if at < 0 || at+1 >= len(b) {
			return b
		}
		b[at+1] += byte(r.IntN(5) - 2)
		return b
	},
}

// piece returns a part of b, of a sixteenth at most.
func piece(r *rand.Rand, b []byte) (from, to int) {
	from = r.IntN(len(b) + 1)
	return from, min(len(b), from+1+r.IntN(len(b)/16+1))
}
