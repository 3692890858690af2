package plan

import (
	"math"
	"time"
)

// estimated is what an engine is going to hold and to do for a picture, as it goes through load and ops. The figures are
// those of libvips, measured by a test of transform/vipsexec; docs/performance.md has the table. It counts what takes
// space or time by the pixel, and not what decoders of strange files may add.
type estimated struct {
	picture
	cmyk  bool
	lines int64   // bytes of the lines under way, at the widest place
	held  int64   // bytes of whole pictures that are held until the end
	work  float64 // nanoseconds
}

// What is there whatever the picture: tables of codecs, the file that is written, Go's own.
const (
	leastMemory = 4 << 20
	leastWork   = 2e6 // nanoseconds
)

// linesUnderWay is how many lines libvips has in its buffers between decoder and encoder.
const linesUnderWay = 1200

// estimate returns how many bytes an engine holds at most, the original left out, and how long it computes on one core,
// until the pixels are there. e is the picture then.
func estimate(s Source, l Load, ops []Op) *estimated {
	e := &estimated{picture: picture{dims: loadedSize(s, l), frames: max(l.Frames, 1), alpha: s.Alpha}, cmyk: s.CMYK}
	e.held += leastMemory
	e.work += leastWork
	e.decode(s, l)
	e.pass()
	for _, op := range ops {
		e.apply(op)
		e.pass()
	}
	return e
}

// loadedSize returns the size of the picture, or one of its frames, as it is decoded.
func loadedSize(s Source, l Load) dims {
	scale := 1.0
	switch {
	case l.Shrink > 1:
		scale = 1 / float64(l.Shrink)
	case l.Scale > 0:
		scale = l.Scale
	}
	if s.zoom > 0 {
		scale /= s.zoom
	}
	at := func(side int) int { return max(1, int(math.Ceil(min(scale*float64(side), maxCoordinate)))) }
	return dims{at(s.Width), at(s.Height)}
}

// bands counts the channels, of a byte each.
func (e *estimated) bands() int64 {
	if e.alpha || e.cmyk {
		return 4
	}
	return 3
}

// pixels counts those of all frames.
func (e *estimated) pixels() int64 { return e.area() * int64(e.frames) }

// bytes returns how many the picture has.
func (e *estimated) bytes() int64 { return e.pixels() * e.bands() }

// pass counts the lines under way at the present size.
func (e *estimated) pass() {
	high := min(int64(e.height)*int64(e.frames), linesUnderWay)
	e.lines = max(e.lines, high*int64(e.width)*e.bands())
}

// decoding is what a decoder holds in bytes a pixel of one frame at the size it makes, and takes in nanoseconds a pixel of
// the file.
type decoding struct {
	holds int64
	takes float64
}

var decodings = map[Format]decoding{
	JPEG: {0, 5},
	PNG:  {0, 8},
	GIF:  {12, 8}, // the canvas, that before, and the frame
	WebP: {8, 15},
	AVIF: {8, 18},
	HEIC: {8, 30},
	TIFF: {4, 8}, // a strip may be all of it
	SVG:  {4, 10},
	PDF:  {8, 30}, // poppler draws with cairo, as librsvg does, and what it draws is copied; not measured
	JXL:  {8, 30},
}

// anyDecoding is that of formats which nobody has measured.
var anyDecoding = decoding{8, 30}

// decode counts what the decoder holds and does.
func (e *estimated) decode(s Source, l Load) {
	d, known := decodings[l.Format]
	if !known {
		d = anyDecoding
	}
	e.held += d.holds*e.area() + int64(s.Whole)*int64(s.Width)*int64(s.Height)
	if l.Format == WebP && e.frames > 1 {
		e.held += 4 * e.pixels() // libvips keeps the frames that it has composed
	}
	stored := float64(s.Width) * float64(s.Height) * float64(e.frames)
	if s.Format.vector() {
		stored = float64(e.area())
	}
	switch {
	case l.Shrink > 1, l.Scale > 0 && l.Scale < 1 && !s.Format.vector():
		d.takes *= 0.5 // the rest goes into reading the codes, whatever is made of them
	}
	if s.Whole > 0 {
		d.takes += 6
	}
	e.work += d.takes * stored
}

// The work of ops, in nanoseconds a pixel of the larger of what they read and what they make.
const (
	lightWork  = 2  // moving pixels
	resizeWork = 8  // several of them for each that is made
	floatWork  = 20 // floating point: masks, gradients, turns
	blurWork   = 45 // many of them for each that is made
	heavyWork  = 60 // another calculation for each pixel: other colours, bends
	arcWork    = 110
)

// opCost is what an op takes beside the size of what it reads and makes.
type opCost struct {
	holds bool    // what it reads, as a whole
	makes bool    // what it makes, as a whole, too
	lines bool    // more lines, in floating point
	work  float64 // see lightWork
}

// costOf returns the cost of an op. What it doesn't know is dear.
func costOf(op Op) opCost {
	switch o := op.(type) {
	case Colour, Crop, Embed:
		return opCost{work: lightWork}
	case Resize:
		return opCost{work: resizeWork}
	case SmartCrop, Backdrop:
		return opCost{holds: true, work: lightWork}
	case Orient:
		return opCost{holds: o.Orientation != 2, work: lightWork} // 2 mirrors each line by itself
	case Flip:
		return opCost{holds: o.Vertical, work: lightWork}
	case Rotate:
		if math.Mod(o.Degrees, 90) == 0 {
			return opCost{holds: true, work: lightWork}
		}
		return opCost{holds: true, work: floatWork}
	case Flatten:
		return opCost{holds: o.Background.A < math.MaxUint8, work: lightWork}
	case Opacity:
		return opCost{work: floatWork}
	case Grey, Gradient:
		return opCost{lines: true, work: floatWork}
	case Tint:
		return opCost{lines: true, work: blurWork}
	case Contrast, Round:
		return opCost{holds: true, work: floatWork}
	case Blur, Unsharp, Shadow:
		return opCost{holds: true, work: blurWork}
	case Arc:
		return opCost{holds: true, makes: true, work: arcWork}
	}
	return opCost{holds: true, makes: true, work: heavyWork}
}

// apply goes through one op. Frames of an animation are worked on one by one, and each keeps what it needs until all are
// written.
func (e *estimated) apply(op Op) {
	cost, read, rolled := costOf(op), e.pixels(), e.frames > 1
	if cost.holds {
		e.held += e.bytes()
	}
	if _, resized := op.(Resize); rolled && resized {
		e.held += e.bytes() * 3 / 2
	}
	e.dims = sizeAfter(op, e.dims)
	e.alpha = alphaAfter(op, e.alpha)
	if _, coloured := op.(Colour); coloured {
		e.cmyk = false
	}
	switch {
	case rolled && cost.work >= floatWork:
		e.held += 4 * e.bytes() // floats
	case cost.makes:
		e.held += e.bytes()
	case cost.lines:
		e.held += e.lines
	}
	e.work += cost.work * float64(max(read, e.pixels()))
}

// alphaAfter reports whether a picture has transparency after an op.
func alphaAfter(op Op, alpha bool) bool {
	through := func(c Color) bool { return c.A < math.MaxUint8 }
	switch o := op.(type) {
	case Flatten:
		return through(o.Background)
	case Backdrop:
		return false
	case Opacity:
		return true
	case Embed:
		return alpha || through(o.Background)
	case Rotate:
		return alpha || through(o.Background)
	case Round:
		return alpha || through(o.Background)
	case Perspective:
		return alpha || through(o.Background)
	case Arc:
		return alpha || through(o.Background)
	}
	return alpha
}

// sizeAfter returns the size of a picture after an op.
func sizeAfter(op Op, size dims) dims {
	switch o := op.(type) {
	case SmartCrop:
		return dims{o.Width, o.Height}
	case Orient:
		return size.oriented(o.Orientation)
	case Embed:
		return dims{o.Width, o.Height}
	case Backdrop:
		return dims{o.Width, o.Height}
	case Perspective:
		return dims{o.Width, o.Height}
	case Arc:
		return dims{o.Width, o.Height}
	}
	return after(op, size)
}

// encoding is what an encoder holds in bytes a pixel of one frame, and takes in nanoseconds a pixel.
type encoding struct {
	holds int64
	takes float64
}

// encodingOf returns what it takes to write the picture.
func encodingOf(o Output, alpha, animated bool) encoding {
	switch o.Format {
	case JPEG:
		// The coefficients of all, for the best Huffman tables: 2 bytes each, of colours a quarter as many below quality 90.
		e := encoding{4, 6}
		if o.Quality >= 90 {
			e = encoding{7, 11}
		}
		if o.Progressive {
			e.takes *= 2
		}
		return e
	case PNG:
		if o.Palette {
			return encoding{8, 250}
		}
		return encoding{4, 200} // the file, twice
	case GIF:
		return encoding{8, 90}
	case WebP:
		switch {
		case o.Lossless:
			return encoding{28, 600}
		case alpha, animated: // the alpha of a lossy picture is a lossless one of its own
			return encoding{24, 90}
		}
		return encoding{6, 60}
	case AVIF:
		return encoding{21, 55}
	}
	return encoding{43, 140} // JXL
}

// outcome returns the bytes and the work in all where the picture is written in these encodings.
func (e *estimated) outcome(outputs []Output) (memory int64, work time.Duration) {
	memory = e.held + e.lines
	var most, file int64
	spent := e.work
	for _, o := range outputs {
		enc := encodingOf(o, e.alpha, e.frames > 1)
		most = max(most, enc.holds*e.area())
		if e.frames > 1 {
			file = e.pixels() / 4
		}
		spent += enc.takes * float64(e.pixels())
	}
	if len(outputs) > 1 {
		memory += e.bytes() // it is computed once and written several times
	}
	return memory + most + file, time.Duration(min(spent, math.MaxInt64/2))
}

// looked returns the bytes and the work where the picture is looked at for what a trim leaves: it is held, and may be
// compared as a whole.
func (e *estimated) looked() (memory int64, work time.Duration) {
	return e.held + e.lines + e.bytes(), time.Duration(min(e.work+floatWork*float64(e.pixels()), math.MaxInt64/2))
}
