package plan

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// step applies one step of the chain.
func (c *canvas) step(s syntax.Step) error { return placed(c.work(s), s) }

// work trims first, then does the geometry, then the look.
func (c *canvas) work(s syntax.Step) error {
	c.entered = c.dims
	asked := s
	s, err := c.settle(c.hinted(s))
	if err != nil {
		return err
	}
	g, err := geometryOf(s, c.picture)
	if err != nil {
		return err
	}
	if err := c.trim(s); err != nil {
		return err
	}
	if err := g.toLadder(c); err != nil {
		return err
	}
	c.warnOfFocus(s)
	if err := g.apply(c); err != nil {
		return err
	}
	if g.backdrop != nil { // for what is transparent where nothing was padded
		if err := g.back(c, c.dims); err != nil {
			return err
		}
	}
	c.density(asked, g)
	if err := c.look(g); err != nil {
		return err
	}
	return c.check()
}

// geometry is what a step asks of the picture's shape, in pixels of its input.
type geometry struct {
	dims       // the box; a side is 0 where not asked for
	dpr        float64
	step       syntax.Step
	strategy   strategy
	focus      focus
	background Color
	flatten    bool // bg was given, as a colour
	postponed  bool // bg was given as ground, and is to be filled behind what effects make of the picture
	ground     Color
	backdrop   *syntax.Backdrop // bg, where it is made from the picture; else nil
}

// geometryOf reads the step's items. The step has passed checkStep.
func geometryOf(s syntax.Step, p picture) (geometry, error) {
	g := geometry{step: s, strategy: strategyOf(s), focus: focusOf(s), background: black}
	if bg, given := syntax.Get[syntax.Color](s, "bg"); given {
		g.background, g.flatten = behind(s, bg), true
		if castsShadow(s) || changesColours(s) {
			g.flatten, g.postponed, g.ground = false, true, g.background
		}
		if castsShadow(s) {
			g.background = Color{} // a shadow falls on padding
		}
	}
	if b, given := syntax.Get[syntax.Backdrop](s, "bg"); given {
		g.backdrop = &b
	}
	w, h, dpr := boxOf(s, p)
	g.dpr = dpr
	if err := checkSide(math.Floor(max(w, h) + 0.5)); err != nil {
		return g, err
	}
	g.dims = dims{pixels(w), pixels(h)}
	return g, nil
}

// apply works through the step on c.
func (g geometry) apply(c *canvas) error {
	if g.width == 0 && g.height == 0 {
		g.fill(c)
		return nil
	}
	if g.width == 0 || g.height == 0 {
		return g.strategy.one(c, g)
	}
	return g.strategy.both(c, g)
}

// fill puts the step's background behind what is transparent. Strategies that pad call it before they do.
func (g geometry) fill(c *canvas) {
	if g.flatten {
		c.flatten(g.background)
	}
}

// boxOf returns the sides that a step asks for in fractional pixels, 0 where it leaves one open, and what dpr multiplied
// them by.
func boxOf(s syntax.Step, p picture) (w, h, dpr float64) {
	w, h = side(s, "w", p.width), side(s, "h", p.height)
	if ar, given := syntax.Get[syntax.Ratio](s, "ar"); given {
		switch {
		case h == 0:
			h = w * ar.Height / ar.Width
		case w == 0:
			w = h * ar.Width / ar.Height
		}
	}
	n, given := syntax.Get[syntax.Number](s, "dpr")
	dpr = float64(n)
	if !given || !within(w*dpr) || !within(h*dpr) {
		return w, h, 1
	}
	return w * dpr, h * dpr, dpr
}

// side returns the pixels of w or h, 0 if the step has none.
func side(s syntax.Step, name string, input int) float64 {
	v, _ := syntax.Get[syntax.Length](s, name)
	if v < 1 {
		return float64(v) * float64(input)
	}
	return float64(v)
}

// within reports whether a side that dpr has multiplied may stand; an open one may.
func within(v float64) bool { return v == 0 || v >= 1-noise && v <= 5000+noise }

// pixels rounds half up, never below 1. 0 stays 0: the side is open.
func pixels(v float64) int {
	if v == 0 {
		return 0
	}
	return max(1, nearest(v))
}

// noise outweighs the errors of binary fractions in numbers of pixels: 0.145 of 100 is 14.5, 0.2 + 2 - 2 - 0.2 is 0.
const noise = 1e-9

// nearest rounds half up.
func nearest(v float64) int { return int(math.Floor(v + 0.5 + noise)) }

// figures rounds to so many significant figures, those that the text of an op has: plans that read alike are alike, as
// ETags need them.
func figures(v float64, n int) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', n, 64), 64)
	return v
}

// scaled returns side × to / from, rounded half up, never below 1.
func scaled(side, to, from int) int {
	a, b := int64(side)*int64(to), int64(from)
	return int(max(1, (2*a+b)/(2*b)))
}

// edge is a position along one axis: in halves of the free space.
type edge int

const (
	near   edge = 0 // left, top
	middle edge = 1
	far    edge = 2 // right, bottom
)

// of returns where something begins that leaves free pixels over.
func (e edge) of(free int) int { return (free*int(e) + 1) / 2 }

// focus is a position on both axes, or the wish to keep what draws the eye.
type focus struct {
	x, y  edge
	smart bool
}

// focusOf reads fo.
func focusOf(s syntax.Step) focus {
	word, _ := syntax.Get[syntax.Word](s, "fo")
	f := focus{x: middle, y: middle, smart: drawsTheEye(word)}
	for part := range strings.SplitSeq(string(word), "_") {
		switch part {
		case "left":
			f.x = near
		case "right":
			f.x = far
		case "top":
			f.y = near
		case "bottom":
			f.y = far
		}
	}
	return f
}

// AsksForPixels reports whether some step of a chain, be it in a branch, has a parameter that changes pixels.
func AsksForPixels(c syntax.Chain) bool {
	for _, s := range c {
		if slices.ContainsFunc(s.Items, func(it syntax.Item) bool { return syntax.Paints(it.Name) }) {
			return true
		}
		if s.If != nil && (AsksForPixels(s.If.Then) || AsksForPixels(s.If.Else)) {
			return true
		}
	}
	return false
}

// checkStep refuses parameters that mean nothing without another one, or beside it.
func checkStep(s syntax.Step) error {
	if err := checkFocus(s); err != nil {
		return err
	}
	_, w := s.Item("w")
	_, h := s.Item("h")
	for _, name := range []string{"ar", "c", "cm", "dpr"} {
		if it, given := s.Item(name); given && !w && !h {
			return refuse(it, "needs w or h beside it")
		}
	}
	if c, given := s.Item("c"); given && c.Value != syntax.Word(defaultStrategy) {
		if _, both := s.Item("cm"); both {
			return refuse(c, "stands beside cm; a step takes one of the two")
		}
	}
	mode, _ := syntax.Get[syntax.Word](s, "cm")
	for _, pair := range [][2]string{{"x", "xc"}, {"y", "yc"}} {
		edge, byEdge := s.Item(pair[0])
		centre, byCentre := s.Item(pair[1])
		switch {
		case byEdge && mode != "extract":
			return refuse(edge, "needs cm-extract beside it")
		case byCentre && mode != "extract":
			return refuse(centre, "needs cm-extract beside it")
		case byEdge && byCentre:
			return refuse(centre, "stands beside "+edge.Name+"; a window takes one of the two")
		}
	}
	return checkBackdrop(s)
}

// refuse says what is wrong with an item.
func refuse(it syntax.Item, msg string) error {
	return &syntax.Error{Pos: it.Pos, Param: it.Name, Msg: msg}
}
