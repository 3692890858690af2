package plan

import (
	"fmt"
	"math"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ops that bend a picture. What lies outside of it is Background.
type (
	// Perspective moves the corners of the picture, clockwise from the top left, to Corners on a canvas of
	// Width × Height, which just holds them. They are those of a convex quadrilateral, which may be mirrored.
	Perspective struct {
		Corners       [4]Corner
		Width, Height int
		Background    Color
	}
	// Arc bends the picture around a circle onto a canvas of Width × Height that just holds it. The line halfway between
	// top and bottom keeps its length, on a circle of Radius; one that is Height/2 above lies that far outside of it.
	// What would lie beyond the centre is cut off. The middle of the picture is up, or down where Degrees are negative.
	Arc struct {
		Degrees       float64 // -360 to 360, and not 0
		Radius        float64 // pixels
		Width, Height int
		Background    Color
	}
)

// Corner is where a corner comes to lie, in pixels from the top left of the canvas.
type Corner struct{ X, Y int }

func (Perspective) op() {}
func (Arc) op()         {}

func (o Perspective) String() string {
	text := "perspective"
	for _, c := range o.Corners {
		text += fmt.Sprintf(" %d,%d", c.X, c.Y)
	}
	return text + fmt.Sprintf(" to %dx%d on %s", o.Width, o.Height, o.Background)
}

func (o Arc) String() string {
	return fmt.Sprintf("arc %g radius=%.6g to %dx%d on %s", o.Degrees, o.Radius, o.Width, o.Height, o.Background)
}

// distort does e-distort.
func (c *canvas) distort(s syntax.Step, outside Color) error {
	it, given := s.Item("e-distort")
	if !given {
		return nil
	}
	switch v := it.Value.(type) {
	case syntax.Perspective:
		return c.perspective(it, v, outside)
	case syntax.Arc:
		return c.arc(float64(v), outside)
	}
	return nil
}

// extremes returns the least and the most of both coordinates of the corners.
func extremes(p syntax.Perspective) (least, most Corner) {
	least, most = Corner(p[0]), Corner(p[0])
	for _, corner := range p[1:] {
		least = Corner{min(least.X, corner.X), min(least.Y, corner.Y)}
		most = Corner{max(most.X, corner.X), max(most.Y, corner.Y)}
	}
	return least, most
}

// perspective moves the corners of the picture.
func (c *canvas) perspective(it syntax.Item, p syntax.Perspective, outside Color) error {
	if !convex(p) {
		return refuse(it, "the corners are not those of a convex quadrilateral: no three may lie on a line, and no two sides cross")
	}
	least, most := extremes(p)
	op := Perspective{Width: most.X - least.X, Height: most.Y - least.Y, Background: outside}
	for i, corner := range p {
		op.Corners[i] = Corner{corner.X - least.X, corner.Y - least.Y}
	}
	if w, h := c.width, c.height; op.Corners == [4]Corner{{0, 0}, {w, 0}, {w, h}, {0, h}} {
		return nil
	}
	if err := c.resize(c.reduced(op)); err != nil {
		return err
	}
	return c.bend(op, dims{op.Width, op.Height}, outside)
}

// convex reports whether the corners go around a convex quadrilateral, in either sense: at each the way turns to the same
// side.
func convex(p syntax.Perspective) bool {
	left, right := 0, 0
	for i := range p {
		a, b, c := p[i], p[(i+1)%4], p[(i+2)%4]
		switch cross := (b.X-a.X)*(c.Y-b.Y) - (b.Y-a.Y)*(c.X-b.X); {
		case cross > 0:
			right++
		case cross < 0:
			left++
		}
	}
	return left == 4 || right == 4
}

// worthReducing is the scale below which a picture is reduced before it is bent.
const worthReducing = 0.8

// reduced returns the size at which no part of the picture has much more pixels than the perspective leaves of it:
// engines read it point by point, which would skip some.
func (c *canvas) reduced(o Perspective) dims {
	across, down := o.Projection(1, 1).scales()
	to := c.dims
	if scale := across / float64(c.width); scale < worthReducing {
		to.width = max(1, int(math.Ceil(across)))
	}
	if scale := down / float64(c.height); scale < worthReducing {
		to.height = max(1, int(math.Ceil(down)))
	}
	return to
}

// leastArc is the angle in degrees below which nothing is seen of an arc.
const leastArc = 0.01

// arc bends the picture.
func (c *canvas) arc(degrees float64, outside Color) error {
	if math.Abs(degrees) < leastArc {
		return nil
	}
	angle := math.Abs(degrees) * math.Pi / 180
	op := Arc{Degrees: degrees, Radius: float64(c.width) / angle, Background: outside}
	outer, inner := op.Radii(c.height)
	sin, cos := math.Sincos(angle / 2)
	width, height := 2*outer*sin, outer-inner*cos
	if cos < 0 { // more than half a turn
		width, height = 2*outer, outer-outer*cos
	}
	ceil := func(v float64) float64 { return max(1, math.Ceil(v-1e-6)) } // nothing is cut off, but for an error of rounding
	width, height = ceil(width), ceil(height)
	if err := checkSide(max(width, height)); err != nil {
		return err
	}
	op.Width, op.Height = int(width), int(height)
	return c.bend(op, dims{op.Width, op.Height}, outside)
}

// Radii returns the circles that the upper and the lower edge of a picture of that height come to lie on; of an arc whose
// middle is down it is the other way round.
func (o Arc) Radii(height int) (outer, inner float64) {
	return o.Radius + float64(height)/2, max(0, o.Radius-float64(height)/2)
}

// bend adds an op that leads to a canvas of that size. Engines hold the picture before it and behind it.
func (c *canvas) bend(op Op, to dims, outside Color) error {
	if err := checkSide(float64(to.longer())); err != nil {
		return err
	}
	c.held += c.area() * int64(c.frames)
	c.dims = to
	c.alpha = c.alpha || outside.A < math.MaxUint8
	if err := c.check(); err != nil {
		return err
	}
	return c.hold(op)
}
