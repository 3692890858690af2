package plan

import (
	"fmt"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// strategy is a way to fit a picture into a box.
type strategy struct {
	both func(c *canvas, g geometry) error // both sides of the box are given
	one  func(c *canvas, g geometry) error // one is; the other is 0
}

// defaultStrategy holds where neither c nor cm is given.
const defaultStrategy = "maintain_ratio"

// strategies are the words of c and cm.
var strategies = map[syntax.Word]strategy{
	"maintain_ratio":            {cover, scale},
	"maintain_ratio_no_enlarge": {coverSmaller, scaleDown},
	"force":                     {force, scale},
	"at_max":                    {inside(false), scaleDown},
	"at_max_enlarge":            {inside(true), scale},
	"at_least":                  {outside, scale},
	"pad_resize":                {pad(true), scale},
	"pad_resize_no_enlarge":     {pad(false), padOne},
	"extract":                   {extract, completed(extract)},
	"pad_extract":               {padExtract, completed(padExtract)},
	"pad_extract_no_shrink":     {padWhole, completed(padWhole)},
}

// strategyOf reads cm and c.
func strategyOf(s syntax.Step) strategy {
	if mode, given := syntax.Get[syntax.Word](s, "cm"); given {
		return strategies[mode]
	}
	if crop, given := syntax.Get[syntax.Word](s, "c"); given {
		return strategies[crop]
	}
	return strategies[defaultStrategy]
}

// scale follows the one side that is given, keeping the ratio.
func scale(c *canvas, g geometry) error {
	return g.resize(c, g.follow(c))
}

// scaleDown is scale for pictures larger than the side, and leaves the others alone.
func scaleDown(c *canvas, g geometry) error {
	if g.width > c.width || g.height > c.height {
		g.fill(c)
		return nil
	}
	return scale(c, g)
}

// follow returns the size that the one given side leads to.
func (g geometry) follow(c *canvas) dims {
	if g.height == 0 {
		return dims{g.width, scaled(c.height, g.width, c.width)}
	}
	return dims{scaled(c.width, g.height, c.height), g.height}
}

// resize scales, then puts the step's background behind what is transparent.
func (g geometry) resize(c *canvas, to dims) error {
	err := c.resize(to)
	g.fill(c)
	return err
}

// force stretches to the box.
func force(c *canvas, g geometry) error { return g.resize(c, g.dims) }

// dims is a width and a height in pixels.
type dims struct{ width, height int }

// fit returns the largest size of d's ratio inside the box.
func (d dims) fit(box dims) dims {
	if d.widerThan(box) {
		return dims{box.width, scaled(d.height, box.width, d.width)}
	}
	return dims{scaled(d.width, box.height, d.height), box.height}
}

// surround returns the smallest size of d's ratio that covers the box.
func (d dims) surround(box dims) dims {
	if d.widerThan(box) {
		return dims{scaled(d.width, box.height, d.height), box.height}
	}
	return dims{box.width, scaled(d.height, box.width, d.width)}
}

// longer returns the longer side.
func (d dims) longer() int { return max(d.width, d.height) }

// widerThan compares ratios.
func (d dims) widerThan(box dims) bool {
	return int64(d.width)*int64(box.height) >= int64(box.width)*int64(d.height)
}

// inside shows the whole picture inside the box.
func inside(enlarge bool) func(*canvas, geometry) error {
	return func(c *canvas, g geometry) error {
		if !enlarge && c.width <= g.width && c.height <= g.height {
			g.fill(c)
			return nil
		}
		return g.resize(c, c.fit(g.dims))
	}
}

// outside scales the whole picture until it covers the box.
func outside(c *canvas, g geometry) error {
	return g.resize(c, c.surround(g.dims))
}

// cover fills the box and cuts what sticks out.
func cover(c *canvas, g geometry) error {
	if whole := c.surround(g.dims); c.resizeFirst(whole) {
		if err := c.resize(whole); err != nil {
			return err
		}
		c.cut(g.dims, g.focus)
		g.fill(c)
		return nil
	}
	c.cut(g.fit(c.dims), g.focus)
	return g.resize(c, g.dims)
}

// resizeFirst reports whether scaling the whole picture comes before cutting. It does where the
// picture shrinks, because decoders help with that, unless a limit forbids the intermediate; where the picture grows,
// cutting first saves the growth of what is cut off. A vector source is rendered at the size of a first Resize.
func (c *canvas) resizeFirst(to dims) bool {
	grows := to.width > c.width || to.height > c.height
	if grows && (!c.vector || len(c.ops) > 0) {
		return false
	}
	return to.longer() <= maxSide && checkSize(picture{dims: to, frames: c.frames}, c.limits) == nil
}

// coverSmaller is cover where the picture covers the box; else it cuts the largest window of the box's ratio.
func coverSmaller(c *canvas, g geometry) error {
	if c.width >= g.width && c.height >= g.height {
		return cover(c, g)
	}
	c.cut(g.fit(c.dims), g.focus)
	g.fill(c)
	return nil
}

// pad shows the whole picture on a canvas of the box's size.
func pad(enlarge bool) func(*canvas, geometry) error {
	resize := inside(enlarge)
	return func(c *canvas, g geometry) error {
		if err := resize(c, g); err != nil {
			return err
		}
		return g.embed(c, g.dims)
	}
}

// padOne is pad without enlarging for one side: a smaller picture is padded on that axis.
func padOne(c *canvas, g geometry) error {
	if g.width <= c.width && g.height <= c.height {
		return scale(c, g)
	}
	return completed(pad(false))(c, g)
}

// completed takes the picture's side for the one that is not given.
func completed(both func(*canvas, geometry) error) func(*canvas, geometry) error {
	return func(c *canvas, g geometry) error {
		if g.width == 0 {
			g.width = c.width
		} else {
			g.height = c.height
		}
		return both(c, g)
	}
}

// padExtract cuts where the picture is larger than the box and pads where it is smaller.
func padExtract(c *canvas, g geometry) error {
	c.cut(dims{min(g.width, c.width), min(g.height, c.height)}, g.focus)
	g.fill(c)
	return g.embed(c, g.dims)
}

// padWhole pads where the picture is smaller than the box and cuts nothing.
func padWhole(c *canvas, g geometry) error {
	g.fill(c)
	return g.embed(c, dims{max(g.width, c.width), max(g.height, c.height)})
}

// extract cuts a window of exactly the box's size, unscaled.
func extract(c *canvas, g geometry) error {
	_, byX := g.window("x", "xc")
	_, byY := g.window("y", "yc")
	x, err := g.origin("w", "x", "xc", g.width, c.width, g.focus.x)
	if err != nil {
		return err
	}
	y, err := g.origin("h", "y", "yc", g.height, c.height, g.focus.y)
	if err != nil {
		return err
	}
	if byX || byY {
		c.crop(x, y, g.dims)
	} else {
		c.cut(g.dims, g.focus)
	}
	g.fill(c)
	return nil
}

// window returns the item that places the window on an axis.
func (g geometry) window(edge, centre string) (syntax.Item, bool) {
	if it, given := g.step.Item(edge); given {
		return it, true
	}
	return g.step.Item(centre)
}

// origin returns where the window begins on an axis, from the item that says so or else from the focus. A window that
// leaves the picture is an error, not a smaller result.
func (g geometry) origin(side, edge, centre string, length, whole int, e edge) (int, error) {
	if length > whole {
		it, given := g.step.Item(side)
		if !given { // then ar made it of the other one
			it, _ = g.step.Item("ar")
		}
		return 0, refuse(it, fmt.Sprintf("the window is %d pixels %s, the picture only %d; "+
			"use cm-pad_extract, or ask for less", length, extent[side], whole))
	}
	it, given := g.window(edge, centre)
	if !given {
		return e.of(whole - length), nil
	}
	offset := int(it.Value.(syntax.Offset))
	start := offset
	if it.Name == centre {
		start -= length / 2
	}
	if start < 0 || start > whole-length {
		return 0, refuse(it, fmt.Sprintf("the window from %d to %d leaves the picture, which is %d pixels %s",
			start, start+length, whole, extent[side]))
	}
	return start, nil
}

var extent = map[string]string{"w": "wide", "h": "high"}
