package plan

import (
	"fmt"
	"math"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ops on the look of a picture.
type (
	// Rotate turns clockwise onto a canvas of Width × Height that just holds the picture. Its corners are Background.
	// Multiples of 90 are exact and have none.
	Rotate struct {
		Degrees       float64 // above 0, below 360
		Width, Height int
		Background    Color
	}
	// Flip mirrors left to right, top to bottom, or both.
	Flip struct{ Horizontal, Vertical bool }
	// Round replaces what lies outside of rounded corners by Background.
	Round struct {
		Radii
		Background Color
	}
	// Opacity makes everything more transparent: it keeps Percent of the opacity.
	Opacity struct{ Percent int }
)

// Radii are those of the corners, in pixels. They fit beside each other.
type Radii struct{ TopLeft, TopRight, BottomRight, BottomLeft float64 }

func (Rotate) op()  {}
func (Flip) op()    {}
func (Round) op()   {}
func (Opacity) op() {}

func (o Rotate) String() string {
	return fmt.Sprintf("rotate %g to %dx%d on %s", o.Degrees, o.Width, o.Height, o.Background)
}

func (o Flip) String() string {
	text := "flip"
	if o.Horizontal {
		text += " h"
	}
	if o.Vertical {
		text += " v"
	}
	return text
}

func (o Round) String() string {
	return fmt.Sprintf("round %.5g %.5g %.5g %.5g on %s", o.TopLeft, o.TopRight, o.BottomRight, o.BottomLeft, o.Background)
}

func (o Opacity) String() string { return fmt.Sprintf("opacity %d", o.Percent) }

// look does what the step asks for beyond geometry, in the order of the language: turning, bending, effects, corners,
// border, opacity. c is as geometry left it: with the background behind it, if there is one.
func (c *canvas) look(g geometry) error {
	corners := Color{}
	if g.flatten {
		corners = g.background
	}
	if degrees, given := syntax.Get[syntax.Angle](g.step, "rt"); given {
		if err := c.rotate(float64(degrees), corners); err != nil {
			return err
		}
	}
	if axes, given := syntax.Get[syntax.Word](g.step, "fl"); given {
		if err := c.hold(Flip{Horizontal: axes != "v", Vertical: axes != "h"}); err != nil {
			return err
		}
	}
	if err := c.distort(g.step, corners); err != nil {
		return err
	}
	if err := c.effects(g.step); err != nil {
		return err
	}
	if err := c.overlay(&g); err != nil {
		return err
	}
	if g.flatten {
		corners = g.background
	}
	if err := c.frame(g, corners); err != nil {
		return err
	}
	if percent, given := syntax.Get[syntax.Integer](g.step, "o"); given && percent < 100 {
		c.ops = append(c.ops, Opacity{int(percent)})
		c.alpha = true
		g.fill(c)
	}
	return nil
}

// behind returns the colour that bg puts behind a step's picture. Beside o its own opacity is ignored.
func behind(s syntax.Step, bg Color) Color {
	if _, given := s.Item("o"); given {
		bg.A = math.MaxUint8
	}
	return bg
}

// maxHeld is how many times the pixels of the largest result a chain may have engines hold in memory on the way to it.
const maxHeld = 6

// hold adds an op for which engines hold the whole picture until the end, or which takes as long as those. A chain has many
// steps and a step many such ops: what none of them costs all of them together would.
func (c *canvas) hold(op Op) error {
	c.count()
	c.ops = append(c.ops, op)
	return c.afford()
}

// count counts the picture as it is among what engines hold; [canvas.check] says whether that is too much.
func (c *canvas) count() { c.held += c.area() * int64(c.frames) }

func (c *canvas) holdsTooMuch() bool {
	most := c.limits.OutputPixels
	return most > 0 && c.held/maxHeld > most
}

// afford refuses a chain that has engines hold too much.
func (c *canvas) afford() error {
	if !c.holdsTooMuch() || len(c.ops) == 0 {
		return nil
	}
	return &LimitError{Limit: outputPixels, Msg: fmt.Sprintf("up to %s the transformation turns, rounds and changes %s pixels; at most %d times %s are allowed",
		c.ops[len(c.ops)-1], figure(c.held), maxHeld, figure(c.limits.OutputPixels))}
}

// rotate turns clockwise.
func (c *canvas) rotate(degrees float64, corners Color) error {
	if degrees == 0 {
		return nil
	}
	to := c.turned(degrees)
	if err := checkSide(float64(to.longer())); err != nil {
		return err
	}
	c.dims = to
	c.alpha = c.alpha || corners.A < math.MaxUint8 && math.Mod(degrees, 90) != 0
	if err := c.check(); err != nil {
		return err
	}
	return c.hold(Rotate{degrees, to.width, to.height, corners})
}

// turned returns the size of the canvas that holds d turned by degrees, rounded half up.
func (d dims) turned(degrees float64) dims {
	switch degrees {
	case 90, 270:
		return dims{d.height, d.width}
	case 180:
		return d
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	sin, cos = math.Abs(sin), math.Abs(cos)
	w, h := float64(d.width), float64(d.height)
	return dims{pixels(w*cos + h*sin), pixels(w*sin + h*cos)}
}

// frame rounds the corners, and draws the border around what remains.
func (c *canvas) frame(g geometry, corners Color) error {
	border, width, err := c.borderOf(g)
	if err != nil {
		return err
	}
	radii, _ := syntax.Get[syntax.Radii](g.step, "r")
	inner := fitted(radii, c.dims)
	if width == 0 {
		return c.round(inner, corners)
	}
	// The border fills the rounded corners from outside, and has itself corners around the same centres.
	if err := c.round(inner, border); err != nil {
		return err
	}
	outer := dims{c.width + 2*width, c.height + 2*width}
	if err := c.embed(outer, focus{x: middle, y: middle}, border); err != nil {
		return err
	}
	for _, r := range []*float64{&inner.TopLeft, &inner.TopRight, &inner.BottomRight, &inner.BottomLeft} {
		if *r > 0 {
			*r += float64(width)
		}
	}
	return c.round(inner, corners)
}

// round cuts the corners off.
func (c *canvas) round(r Radii, corners Color) error {
	if r == (Radii{}) {
		return nil
	}
	c.alpha = c.alpha || corners.A < math.MaxUint8
	return c.hold(Round{r, corners})
}

// borderOf returns colour and width of the step's border; the width is 0 where there is none.
func (c *canvas) borderOf(g geometry) (Color, int, error) {
	it, given := g.step.Item("b")
	if !given {
		return Color{}, 0, nil
	}
	b, _ := it.Value.(syntax.Border)
	colour, width := b.Color, b.Width
	if b.Arithmetic != "" {
		v, err := c.evaluate(it, b.Arithmetic)
		switch v = pure(v); {
		case err != nil:
			return colour, 0, err
		case v < 0:
			return colour, 0, came(it, b.Arithmetic, v, "a border is not below 0")
		case v > maxSide:
			return colour, 0, tooMuch(it, b.Arithmetic, v, fmt.Sprintf("%d is the longest side there is", maxSide))
		}
		width = nearest(v)
	}
	if g.flatten {
		colour = over(colour, g.background)
	}
	return colour, width, nil
}

// over returns what is seen of a colour in front of another.
func over(front, back Color) Color {
	f, b := float64(front.A)/math.MaxUint8, float64(back.A)/math.MaxUint8
	a := f + b*(1-f)
	if a == 0 {
		return Color{}
	}
	mix := func(front, back uint8) uint8 {
		return uint8(math.Round((float64(front)*f + float64(back)*b*(1-f)) / a))
	}
	return Color{
		R: mix(front.R, back.R), G: mix(front.G, back.G), B: mix(front.B, back.B), A: uint8(math.Round(a * math.MaxUint8)),
	}
}

// fitted scales radii down until they fit beside each other on every side, all by the same factor, as CSS does.
func fitted(r syntax.Radii, d dims) Radii {
	tl, tr, br, bl := float64(r.TopLeft), float64(r.TopRight), float64(r.BottomRight), float64(r.BottomLeft)
	factor := 1.0
	for _, side := range []struct {
		length int
		radii  float64
	}{{d.width, tl + tr}, {d.height, tr + br}, {d.width, br + bl}, {d.height, bl + tl}} {
		if float64(side.length) < factor*side.radii {
			factor = float64(side.length) / side.radii
		}
	}
	return Radii{settled(tl * factor), settled(tr * factor), settled(br * factor), settled(bl * factor)}
}

// settled takes the errors of binary fractions off a number of pixels: r-max and r-400 are the same of a small picture.
func settled(v float64) float64 {
	const parts = 1 / noise // a whole number, as noise is none in binary
	return math.Round(v*parts) / parts
}
