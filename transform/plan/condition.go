package plan

import (
	"math"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// unconditional returns the chain with the branch that s takes in place of each condition. Whether one holds depends on
// the size that the steps before it lead to and on nothing else: limits, but for the ladder of sizes, have no say, and the
// client none but by the hints that these steps take their sizes from, which are returned too.
func unconditional(c syntax.Chain, s Source, h Hints, sizes Ladder) (syntax.Chain, Vary, error) {
	conditions := func(s syntax.Step) bool { return s.If != nil }
	if !slices.ContainsFunc(c, conditions) {
		return c, 0, nil
	}
	if err := checkSource(s, Limits{}); err != nil {
		return nil, 0, err
	}
	var taken syntax.Chain
	at := newCanvas(s, 1, h, Limits{Sizes: sizes})
	for i, step := range c {
		if !slices.ContainsFunc(c[i:], conditions) {
			return append(taken, c[i:]...), at.vary, nil
		}
		steps := syntax.Chain{step}
		if step.If != nil {
			steps = at.branch(step.If)
		}
		taken = append(taken, steps...)
		for _, s := range steps {
			if err := at.step(s); err != nil {
				return nil, 0, err
			}
		}
	}
	return taken, at.vary, nil
}

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
