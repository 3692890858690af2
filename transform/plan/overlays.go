package plan

import (
	"fmt"
	"math"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ops that draw below or above a picture, on the same canvas.
type (
	// Shadow draws a black shadow behind the picture: its alpha moved by X, Y, after a Gaussian blur of Sigma (0: as sharp as
	// it is), as dark as Percent of it.
	Shadow struct {
		X, Y    int     // pixels
		Sigma   float64 // pixels
		Percent int     // above 0, at most 100
	}
	// Gradient draws one colour that turns into another over everything. As in CSS, the run is a line through the centre,
	// just so long that its ends are level with two corners: From is at its beginning, To is where Length pixels of it have
	// passed and from there on, and between them colours are mixed as they are when weighed by their opacity.
	Gradient struct {
		Degrees  float64 // the direction: clockwise from the top, 0 or more and below 360
		From, To Color
		Length   float64 // pixels, above 0; beyond the end of the run To is not reached
	}
)

func (Shadow) op()   {}
func (Gradient) op() {}

func (o Shadow) String() string {
	return fmt.Sprintf("shadow by %d,%d sigma=%g percent=%d", o.X, o.Y, o.Sigma, o.Percent)
}

func (o Gradient) String() string {
	return fmt.Sprintf("gradient to %g from %s to %s in %.6g pixels", o.Degrees, o.From, o.To, o.Length)
}

// maxShadow is the largest picture that casts a shadow, in pixels. It is the language's limit, not the server's.
const maxShadow = 2_000_000

// softness is the sigma of a shadow of bl-1, as a part of the longer side: then it looks alike at every size.
const softness = 1.0 / 1000

// castsShadow reports whether the step draws a shadow.
func castsShadow(s syntax.Step) bool {
	shadow, _ := syntax.Get[syntax.Shadow](s, "e-shadow")
	return shadow.Darkness > 0
}

// overlay draws the step's shadow, the background that has waited for that and other effects, and the step's gradient.
func (c *canvas) overlay(g *geometry) error {
	if err := c.shadow(g.step); err != nil {
		return err
	}
	if g.postponed {
		g.background, g.flatten = g.ground, true
		g.fill(c)
	}
	return c.gradient(g.step)
}

// shadow draws that of what is not transparent.
func (c *canvas) shadow(s syntax.Step) error {
	it, given := s.Item("e-shadow")
	if !given {
		return nil
	}
	if c.area() > maxShadow {
		return &syntax.Error{Pos: it.Pos, Param: it.Name, Limit: true, Msg: fmt.Sprintf(
			"the picture has %s pixels (%s); at most %s can have a shadow, so scale it down first, as in w-500,e-shadow",
			figure(c.area()), size(c.width, c.height), figure(maxShadow))}
	}
	shadow, _ := it.Value.(syntax.Shadow)
	if shadow.Darkness == 0 {
		return nil
	}
	if !c.alpha {
		c.warn("e-shadow draws nothing here: the picture has no transparency")
		return nil
	}
	x, y := hundredths(shadow.X, c.width), hundredths(shadow.Y, c.height)
	if max(x, -x) >= c.width || max(y, -y) >= c.height {
		return nil // it lies beside the canvas
	}
	return c.hold(Shadow{
		X: x, Y: y,
		Sigma:   math.Round(100*float64(shadow.Blur*c.longer())*softness) / 100,
		Percent: shadow.Darkness,
	})
}

// hundredths returns so many of the side, rounded half away from zero.
func hundredths(n, side int) int { return int(math.Round(float64(n*side) / 100)) }

// gradient draws that of the step.
func (c *canvas) gradient(s syntax.Step) error {
	it, given := s.Item("e-gradient")
	if !given {
		return nil
	}
	g, _ := it.Value.(syntax.Gradient)
	length, err := c.runUntil(it, g)
	if err != nil || g.From.A == 0 && g.To.A == 0 {
		return err
	}
	// It holds nothing, but takes as long as what does.
	return c.hold(Gradient{Degrees: g.Direction, From: g.From, To: g.To, Length: figures(length, 6)})
}

// runUntil returns after how many pixels of the run the second colour is reached.
func (c *canvas) runUntil(it syntax.Item, g syntax.Gradient) (float64, error) {
	if g.Arithmetic != "" {
		v, err := c.evaluate(it, g.Arithmetic)
		switch {
		case err != nil:
			return 0, err
		case v <= 0:
			return 0, came(it, g.Arithmetic, v, "a stop is above 0")
		case v > maxSide:
			return 0, tooMuch(it, g.Arithmetic, v, fmt.Sprintf("%d is the longest side there is", maxSide))
		}
		return v, nil
	}
	if g.Stop > 1 {
		return g.Stop, nil
	}
	return g.Stop * c.run(g.Direction), nil
}

// run returns the length of a gradient in that direction: |w sin| + |h cos|, as in CSS Images Module Level 3, 3.1.
func (d dims) run(degrees float64) float64 {
	switch degrees {
	case 0, 180:
		return float64(d.height)
	case 90, 270:
		return float64(d.width)
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return math.Abs(float64(d.width)*sin) + math.Abs(float64(d.height)*cos)
}
