package plan

import (
	"errors"
	"math"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// unconditional returns the chain with the branch that s takes in place of each condition. Whether one holds depends on
// the size that the steps before it lead to and on nothing else: limits have no say, but for the ladder of sizes and what may
// be looked at for a trim, and the client none but by the hints that these steps take their sizes from, which are returned
// too.
func unconditional(c syntax.Chain, given Sources, s Source, h Hints, l Limits) (syntax.Chain, Vary, error) {
	if !slices.ContainsFunc(c, conditional) {
		return c, 0, nil
	}
	n, _ := countTrims(c, 0)
	blind := s.Format == SVG && !h.rasterises() && !mayRasterise(c)
	if n == 0 || blind {
		l = Limits{Sizes: l.Sizes}
	}
	if err := checkSource(s, l); err != nil {
		return nil, 0, err
	}
	at := newCanvas(s, movingFrames(c, s, l), h, l)
	at.trims, at.blind = given.Trims, blind
	taken, err := at.decide(c)
	if tooMuch, over := errors.AsType[*LimitError](err); over && tooMuch.Limit == outputPixels && at.frames > 1 {
		one := newCanvas(s, 1, h, l) // as the result will be
		one.trims, one.steady = given.Trims, at.trimmed > 0
		taken, err = one.decide(c)
		return taken, at.vary | one.vary, err
	}
	return taken, at.vary, err
}

// decide works through the steps up to the last condition and returns the chain with the branches that are taken.
func (c *canvas) decide(all syntax.Chain) (taken syntax.Chain, err error) {
	last := len(all) - 1
	for last >= 0 && !conditional(all[last]) {
		last--
	}
	for i, step := range all {
		if i > last {
			return append(taken, all[i:]...), nil
		}
		steps := syntax.Chain{step}
		if step.If != nil {
			steps = c.branch(step.If)
		}
		taken = append(taken, steps...)
		for _, s := range steps {
			if err := c.step(s); err != nil {
				return nil, err
			}
		}
	}
	return taken, nil
}

func conditional(s syntax.Step) bool { return s.If != nil }

// branch returns the branch that the picture takes at this point of the chain.
func (c *canvas) branch(i *syntax.If) syntax.Chain {
	for _, group := range i.Condition {
		if !slices.ContainsFunc(group, func(x syntax.Comparison) bool { return !c.holds(x) }) {
			return i.Then
		}
	}
	return i.Else
}

// holds reports whether a comparison does. Numbers that agree in nine digits are equal: 0.1 has no exact binary form.
func (c *canvas) holds(x syntax.Comparison) bool {
	side := c.dims
	property := x.Property
	if property[0] == 'i' {
		side, property = c.original, property[1:]
	}
	a, b := float64(side.width), 0.0
	switch v := x.Value.(type) {
	case syntax.Number:
		b = float64(v)
	case syntax.Ratio:
		b = v.Width / v.Height
	}
	switch property {
	case "h":
		a = float64(side.height)
	case "ar":
		a /= float64(side.height)
	}
	equal := math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
	switch x.Operator {
	case "eq":
		return equal
	case "ne":
		return !equal
	case "gt":
		return a > b && !equal
	case "gte":
		return a > b || equal
	case "lt":
		return a < b && !equal
	case "lte":
		return a < b || equal
	}
	return false
}

// stepsOf counts the steps of a chain that takes the longer branch of each condition. A condition without anything to
// do is a step too.
func stepsOf(c syntax.Chain) (n int) {
	for _, s := range c {
		n++
		if s.If != nil {
			n += max(len(s.If.Then), len(s.If.Else)) - 1
		}
	}
	return n
}
