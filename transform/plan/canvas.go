package plan

import "slices"

// black is what stands behind transparent pixels and in padding unless bg says otherwise.
var black = Color{A: 255}

// picture is what geometry and negotiation need to know of an intermediate or the result.
type picture struct {
	dims
	frames int
	alpha  bool
}

// canvas is the picture while steps are applied to it, and the ops that were needed. Its coordinates are upright.
// Methods that would change nothing add no op.
type canvas struct {
	picture
	source   Source
	original dims // the source, upright
	entered  dims // the picture when the present step began
	vector   bool // a vector source is rendered at the size of the first Resize, so that it stays sharp
	limits   Limits
	hints    Hints
	ops      []Op
	held     int64 // pixels that engines hold in memory, see hold
	warnings []string

	trims       []Window // what looks at pixels found
	trimmed     int      // how many of them are done
	steady      bool     // trims were found on all frames of an animation, of which one is shown now: it is cut as those were
	blind       bool     // no result shows pixels: there is nothing to trim
	vary        Vary     // hints that the size was taken from, or would have been
	hintedWidth bool     // as Plan.HintedWidth
	hintedDPR   float64  // as Plan.HintedDPR
	shrunk      bool     // it was scaled down
}

// newCanvas returns the canvas of a source, upright.
func newCanvas(s Source, frames int, told Hints, l Limits) *canvas {
	w, h := s.Upright()
	size := dims{w, h}
	return &canvas{
		picture:  picture{dims: size, frames: frames, alpha: s.Alpha},
		source:   s,
		original: size,
		entered:  size,
		vector:   s.Format.vector(),
		limits:   l,
		hints:    told,
	}
}

// check refuses a canvas that is over a limit.
func (c *canvas) check() error {
	if err := checkSide(float64(c.longer())); err != nil {
		return err
	}
	if err := checkSize(c.picture, c.limits); err != nil {
		return err
	}
	return c.afford()
}

// resize scales to exactly that size.
func (c *canvas) resize(to dims) error {
	if to == c.dims {
		return nil
	}
	if err := checkSide(float64(to.longer())); err != nil {
		return err
	}
	c.shrunk = c.shrunk || to.width < c.width || to.height < c.height
	c.dims = to
	c.ops = append(c.ops, Resize{to.width, to.height})
	return c.check()
}

// crop keeps the window, which lies inside the picture.
func (c *canvas) crop(x, y int, window dims) {
	if window == c.dims {
		return
	}
	c.dims = window
	c.ops = append(c.ops, Crop{x, y, window.width, window.height})
}

// cut keeps the window that the focus chooses.
func (c *canvas) cut(window dims, f focus) {
	switch {
	case window == c.dims:
	case !f.smart:
		c.crop(f.x.of(c.width-window.width), f.y.of(c.height-window.height), window)
	case c.frames > 1, c.steady:
		c.warn("fo-auto looks at still pictures only; the animation was cut around its centre")
		c.cut(window, focus{x: middle, y: middle})
	default:
		c.count() // it is looked at before it is cut
		c.dims = window
		c.ops = append(c.ops, SmartCrop{window.width, window.height})
	}
}

// embed puts the picture on a canvas that is nowhere smaller, where the focus says.
func (c *canvas) embed(on dims, f focus, background Color) error {
	if on == c.dims {
		return nil
	}
	if err := checkSide(float64(on.longer())); err != nil {
		return err
	}
	c.ops = append(c.ops, Embed{
		X: f.x.of(on.width - c.width), Y: f.y.of(on.height - c.height),
		Width: on.width, Height: on.height, Background: background,
	})
	c.dims = on
	c.alpha = c.alpha || background.A < 255
	return c.check()
}

// flatten puts a colour behind everything transparent.
func (c *canvas) flatten(background Color) {
	if !c.alpha || background.A == 0 {
		return
	}
	if background.A < 255 {
		c.count() // it stays transparent, and is put onto a canvas
	}
	c.ops = append(c.ops, Flatten{background})
	c.alpha = background.A < 255
}

// warn tells the client something, once.
func (c *canvas) warn(text string) {
	if !slices.Contains(c.warnings, text) {
		c.warnings = append(c.warnings, text)
	}
}
