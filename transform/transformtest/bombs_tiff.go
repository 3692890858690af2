package transformtest

import (
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func tiffBombs() []Bomb {
	bomb := func(name string, pixels int64, build func() []byte, want ...Outcome) Bomb {
		return Bomb{Number: 21, Name: "tiff: " + name, Format: plan.TIFF, Bytes: build, Want: want, Pixels: pixels}
	}
	tiff := func(change func(*tiffPage)) func() []byte {
		return func() []byte {
			p := tiffPage{width: 10, height: 10, depth: 8, bands: 3}
			change(&p)
			return p.file()
		}
	}
	return []Bomb{
		bomb("65,535 directories", 1, func() []byte { return tiffDirectories(65535, 0) }, Served, broken),
		{Number: 21, Name: "tiff: the last of 65,535 directories", Format: plan.TIFF, Bytes: func() []byte { return tiffDirectories(65535, 0) }, Chain: "pg-65535", Want: []Outcome{Served, broken, Invalid}, Pixels: 1},
		bomb("a directory that is its own next", 1, func() []byte { return tiffDirectories(1, 1) }, Served, broken),
		bomb("1,000 directories in a loop", 1, func() []byte { return tiffDirectories(1000, 1) }, Served, broken),
		bomb("65,535 x 65,535", 0, tiff(func(p *tiffPage) { p.width, p.height = 65535, 65535 }), OverLimit, broken),
		bomb("4,294,967,295 a side", 0, tiff(func(p *tiffPage) { p.width, p.height = 1<<32-1, 1<<32-1 }), OverLimit, broken),
		bomb("100 megapixels in one strip", 100_000_000, tiff(func(p *tiffPage) { p.width, p.height, p.packed = 10000, 10000, true }), Served, broken),
		bomb("100 megapixels in one strip that isn't there", 100_000_000, tiff(func(p *tiffPage) { p.width, p.height, p.data = 10000, 10000, []byte{0} }), broken),
		bomb("100 megapixels of 96 bits in one strip", 100_000_000, tiff(func(p *tiffPage) { p.width, p.height, p.packed, p.depth = 10000, 10000, true, 32 }), Served, broken),
		bomb("25 megapixels of 192 bits in one strip", 25_000_000*2, tiff(func(p *tiffPage) { p.width, p.height, p.packed, p.depth = 5000, 5000, true, 64 }), Served, broken),
		bomb("a tile of 65,536 x 65,536 for 10 x 10", 100, tiff(func(p *tiffPage) { p.tile = 65536 }), broken),
		bomb("a tile of 16,384 x 16,384 for 10 x 10", 100, tiff(func(p *tiffPage) { p.tile = 16384 }), broken),
		bomb("40 kB for each pixel", 0, tiff(func(p *tiffPage) { p.width, p.height, p.bands, p.packed = 200, 200, 40_000, true }), broken, OverLimit),
		bomb("a GiB in a strip of 300 bytes", 100, tiff(func(p *tiffPage) { p.data, p.deflated = zeros(gib), true }), Served, broken),
		bomb("4,294,967,295 strips", 0, tiff(func(p *tiffPage) { p.strips = 1<<32 - 1 }), broken),
		bomb("a row a strip for 4,294,967,295 rows", 0, tiff(func(p *tiffPage) { p.height, p.rows = 1<<32-1, 1 }), OverLimit, broken),
	}
}

// tiffPage is a TIFF of one page, uncompressed or deflated, in the simplest form that its fields allow.
type tiffPage struct {
	width, height, depth, bands int

	tile     int    // side of tiles; 0 is strips
	rows     int    // of a strip; 0 is all
	strips   int    // how many the file says there are; 0 is what is true
	packed   bool   // all zeros, deflated
	deflated bool   // data is deflated
	data     []byte // nil is as many zeros as there are pixels
}

func (p tiffPage) file() []byte {
	compression := 1
	if p.packed || p.deflated {
		compression = 8
	}
	size := min(p.width, 10_000) * min(p.height, 10_000) * p.bands * p.depth / 8
	switch {
	case p.data != nil:
	case p.packed:
		p.data = zeros(size)
	default:
		p.data = make([]byte, min(size, 1000))
	}
	file := append(le32([]byte("II*\x00"), 8+len(p.data)+len(p.data)%2), p.data...)
	file = append(file, make([]byte, len(p.data)%2)...)
	kind := 1
	if p.depth >= 32 {
		kind = 3 // floating point
	}
	photometric, extra := 2, p.bands-3
	if p.bands < 3 {
		photometric, extra = 1, p.bands-1
	}
	if p.rows == 0 {
		p.rows = p.height
	}
	entries := []tiffEntry{
		{256, 4, 1, []int{p.width}},
		{257, 4, 1, []int{p.height}},
		{258, 3, p.bands, slices.Repeat([]int{p.depth}, p.bands)},
		{259, 3, 1, []int{compression}},
		{262, 3, 1, []int{photometric}},
		{277, 3, 1, []int{p.bands}},
	}
	if p.tile == 0 {
		entries = append(entries, tiffEntry{273, 4, max(p.strips, 1), []int{8}}, tiffEntry{278, 4, 1, []int{p.rows}}, tiffEntry{279, 4, max(p.strips, 1), []int{len(p.data)}})
	} else {
		entries = append(entries, tiffEntry{322, 4, 1, []int{p.tile}}, tiffEntry{323, 4, 1, []int{p.tile}}, tiffEntry{324, 4, 1, []int{8}}, tiffEntry{325, 4, 1, []int{len(p.data)}})
	}
	if extra > 0 {
		entries = append(entries, tiffEntry{338, 3, extra, make([]int, extra)})
	}
	entries = append(entries, tiffEntry{339, 3, p.bands, slices.Repeat([]int{kind}, p.bands)})
	slices.SortFunc(entries, func(a, b tiffEntry) int { return a.tag - b.tag })
	return tiffDirectory(file, entries, 0)
}

// tiffEntry is an entry of a directory: values of 16 (kind 3) or 32 bits (4), of which the file says that there are count.
type tiffEntry struct {
	tag, kind, count int
	values           []int
}

// tiffDirectory appends a directory, and behind it what doesn't fit in.
func tiffDirectory(file []byte, entries []tiffEntry, next int) []byte {
	behind := len(file) + 2 + 12*len(entries) + 4
	var far []byte
	file = le16(file, len(entries))
	for _, e := range entries {
		values := le16(nil, e.values...)
		if e.kind == 4 {
			values = le32(nil, e.values...)
		}
		file = le32(le16(file, e.tag, e.kind), e.count)
		if len(values) > 4 {
			file = le32(file, behind+len(far))
			far = append(far, values...)
			continue
		}
		file = append(append(file, values...), make([]byte, 4-len(values))...)
	}
	return append(le32(file, next), far...)
}

// tiffDirectories returns n pages of a pixel; the last leads to the page loop, from 1 on, or to none.
func tiffDirectories(n, loop int) []byte {
	const first = 12
	entries := []tiffEntry{
		{256, 4, 1, []int{1}},
		{257, 4, 1, []int{1}},
		{258, 3, 1, []int{8}},
		{259, 3, 1, []int{1}},
		{262, 3, 1, []int{1}},
		{273, 4, 1, []int{8}},
		{277, 3, 1, []int{1}},
		{278, 4, 1, []int{1}},
		{279, 4, 1, []int{1}},
	}
	size := 2 + 12*len(entries) + 4
	file := append(le32([]byte("II*\x00"), first), 0, 0, 0, 0)
	for i := range n {
		next := 0
		switch {
		case i < n-1:
			next = first + (i+1)*size
		case loop > 0:
			next = first + (loop-1)*size
		}
		file = tiffDirectory(file, entries, next)
	}
	return file
}
