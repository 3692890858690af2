package transformtest

import (
	"bytes"
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func heifBombs() []Bomb {
	var all []Bomb
	for _, c := range []struct {
		format      plan.Format
		file, brand string
		codec       string // of its items
		config      string // the box that tells the decoder what they are

		tileWidth, tileHeight int
	}{
		{plan.AVIF, "still.avif", "avif", "av01", "av1C", 48, 32},
		{plan.HEIC, "still.heic", "heic", "hvc1", "hvcC", 64, 64},
	} {
		still := func() []byte { return File(c.file) }
		tiled := func(columns, rows, width, height int) func() []byte {
			return func() []byte { return heifGrid(still(), c.brand, c.codec, c.config, columns, rows, width, height, 0) }
		}
		bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
			return Bomb{Number: 21, Name: c.brand + ": " + name, Format: c.format, Bytes: build, Want: want, Pixels: pixels}
		}
		w, h := c.tileWidth, c.tileHeight
		tiles := bomb("15,000 tiles", int64(150*100*w*h), tiled(150, 100, 150*w, 100*h), Served, broken)
		all = append(all,
			bomb("17,000 x 17,000 patched", 0, func() []byte { return heifOfSize(still(), 17000, 17000) }, OverLimit, broken),
			bomb("65,535 x 65,535 patched", 0, func() []byte { return heifOfSize(still(), 65535, 65535) }, OverLimit, broken),
			bomb("4,294,967,295 x 4,294,967,295 patched", 0, func() []byte { return heifOfSize(still(), 1<<32-1, 1<<32-1) }, OverLimit, broken),
			bomb("no width, patched", 0, func() []byte { return heifOfSize(still(), 0, 32) }, broken, Served),
			bomb("10,000 x 10,000 patched", 100_000_000, func() []byte { return heifOfSize(still(), 10000, 10000) }, broken, Served),
			bomb("16 tiles", int64(16*w*h), tiled(4, 4, 4*w, 4*h), Served),
			bomb("16 tiles for 10,000 x 10,000", 100_000_000, tiled(4, 4, 10000, 10000), broken, Served),
			bomb("65,025 tiles for 65,535 x 65,535", 0, tiled(255, 255, 65535, 65535), OverLimit, broken),
			tiles,
			bomb("20,000 items", 192*128, func() []byte {
				return heifGrid(still(), c.brand, c.codec, c.config, 4, 4, 192, 128, 20_000)
			}, Served, broken),
			bomb("a grid of itself", 192*128, func() []byte {
				file := tiled(4, 4, 192, 128)()
				// The references of the grid follow its own number and their count.
				at := bytes.Index(file, []byte("dimg")) + 8
				copy(file[at:], bytes.Repeat([]byte{0, 2}, 16))
				return file
			}, broken),
			bomb("boxes in boxes", 0, func() []byte {
				inner := []byte{}
				for range 20_000 {
					inner = isoBox("meta", []byte{0, 0, 0, 0}, inner)
				}
				return slices.Concat(isoBox("ftyp", []byte(c.brand), []byte{0, 0, 0, 0}, []byte("mif1"+c.brand)), inner)
			}, broken),
		)
	}
	return all
}

// isoBox returns a box of the ISO media family.
func isoBox(kind string, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	return slices.Concat(be32(nil, 8+len(content)), []byte(kind), content)
}

// fullBox returns one that begins with version and flags.
func fullBox(kind string, version int, parts ...[]byte) []byte {
	return isoBox(kind, slices.Insert(parts, 0, be32(nil, version<<24))...)
}

// heifOfSize returns the file with another size in all places that tell one.
func heifOfSize(file []byte, width, height int) []byte {
	file = bytes.Clone(file)
	for at := 0; ; {
		next := bytes.Index(file[at:], []byte("ispe"))
		if next < 0 {
			return file
		}
		at += next + 8
		copy(file[at:], be32(nil, width, height))
	}
}

// isoBoxIn returns a box of a file whole, header included: the first of its kind.
func isoBoxIn(file []byte, kind string) []byte {
	at := bytes.Index(file, []byte(kind)) - 4
	size := int(file[at])<<24 | int(file[at+1])<<16 | int(file[at+2])<<8 | int(file[at+3])
	return file[at : at+size]
}

// heifGrid returns a picture that is a grid of one coded item of another file, again and again, and holds so many further
// items that nothing shows.
func heifGrid(from []byte, brand, codec, config string, columns, rows, width, height, more int) []byte {
	coded := isoBoxIn(from, "mdat")[8:]
	side := isoBoxIn(from, "ispe") // of the coded item: in both files it comes first
	info := func(id int, kind string) []byte {
		return fullBox("infe", 2, be16(nil, id, 0), []byte(kind), []byte{0})
	}
	grid := be32([]byte{0, 1, byte(rows - 1), byte(columns - 1)}, width, height)
	infos := [][]byte{be16(nil, 2+more), info(1, codec), info(2, "grid")}
	locations := func(mdat int) []byte {
		// Offsets and lengths of 4 bytes; the construction is where they count from: 0 the file, 1 the box idat.
		out := be16([]byte{0x44, 0x00}, 2+more)
		place := func(id, construction, offset, size int) {
			out = be32(be16(out, id, construction, 0, 1), offset, size)
		}
		place(1, 0, mdat, len(coded))
		place(2, 1, 0, len(grid))
		for i := range more {
			place(3+i, 0, mdat, len(coded))
		}
		return fullBox("iloc", 1, out)
	}
	associations := slices.Concat(be32(nil, 2), be16(nil, 1), []byte{2, 0x81, 0x02}, be16(nil, 2), []byte{1, 0x03})
	for i := range more {
		infos = append(infos, info(3+i, codec))
	}
	tiles := be16(nil, 2, columns*rows)
	for range columns * rows {
		tiles = be16(tiles, 1)
	}
	head := isoBox("ftyp", []byte(brand), []byte{0, 0, 0, 0}, []byte("mif1"+brand))
	meta := func(mdat int) []byte {
		return fullBox("meta", 0,
			fullBox("hdlr", 0, []byte{0, 0, 0, 0}, []byte("pict"), make([]byte, 13)),
			fullBox("pitm", 0, be16(nil, 2)),
			locations(mdat),
			fullBox("iinf", 0, infos...),
			isoBox("iprp",
				isoBox("ipco", isoBoxIn(from, config), side, fullBox("ispe", 0, be32(nil, width, height))),
				fullBox("ipma", 0, associations)),
			fullBox("iref", 0, isoBox("dimg", tiles)),
			isoBox("idat", grid),
		)
	}
	start := len(head) + len(meta(0)) + 8
	return slices.Concat(head, meta(start), isoBox("mdat", coded))
}
