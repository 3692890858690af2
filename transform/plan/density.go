package plan

import (
	"fmt"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// ownDensity is that of pictures that tell none, and the one at which vectors have their own size.
const ownDensity = 72

// densityOrOwn returns dots per inch.
func (s Source) densityOrOwn() float64 {
	if s.Density <= 0 || s.Format.vector() {
		return ownDensity
	}
	return s.Density
}

// densityOf returns what the last dn comes to that stands in no branch; 0 without one.
func densityOf(c syntax.Chain, s Source) (dpi int, err error) {
	for _, step := range c {
		it, given := step.Item("dn")
		if !given {
			continue
		}
		v := it.Value
		if e, ok := v.(syntax.Expression); ok {
			at := canvas{source: s}
			result, err := at.evaluate(it, e)
			if err != nil {
				return 0, err
			}
			if v, err = settleDensity(it, e, result); err != nil {
				return 0, err
			}
		}
		n, _ := v.(syntax.Integer)
		dpi = int(n)
	}
	return dpi, nil
}

// settleDensity makes whole dots per inch.
func settleDensity(it syntax.Item, e syntax.Expression, v float64) (syntax.Value, error) {
	if v < syntax.MinDensity-0.5 || v >= syntax.MaxDensity+0.5 {
		return nil, came(it, e, v, fmt.Sprintf("a density is %d to %d", syntax.MinDensity, syntax.MaxDensity))
	}
	return syntax.Integer(nearest(v)), nil
}

// drawnAt returns a vector as large as it is drawn at a density, 0 being its own.
func (s Source) drawnAt(dpi int) Source {
	if dpi == 0 || dpi == ownDensity || !s.Format.vector() || s.Width <= 0 || s.Height <= 0 {
		return s
	}
	s.own = dims{s.Width, s.Height}
	s.zoom = float64(dpi) / ownDensity
	scaled := func(side int) int {
		return max(1, nearest(min(float64(side)*s.zoom, maxCoordinate+1))) // which is refused
	}
	s.Width, s.Height = scaled(s.own.width), scaled(s.own.height)
	return s
}

// drawn returns ops that begin with a resize where a vector is drawn at another density than its own: engines draw at the
// size of that, and it makes whole pixels of what a density in whole dots leads to.
func drawn(ops []Op, s Source) []Op {
	if s.zoom == 0 {
		return ops
	}
	if len(ops) > 0 {
		if _, resizes := ops[0].(Resize); resizes {
			return ops
		}
	}
	w, h := s.Upright()
	return slices.Insert(slices.Clone(ops), 0, Op(Resize{w, h}))
}

// undrawn leaves out a resize of such a vector to its own size, and returns the source that the other ops begin with.
func undrawn(ops []Op, s Source) ([]Op, Source) {
	if s.zoom == 0 {
		return ops, s
	}
	s.Width, s.Height = s.own.width, s.own.height
	if w, h := s.Upright(); ops[0] == Op(Resize{w, h}) {
		ops = ops[1:]
	}
	return ops, s
}

// density says what dn comes to in a file of the format, and why it comes to nothing.
func (r *resolver) density(f Format) (dpi int, warnings []string) {
	dpi = r.out.density
	if r.source.Format.vector() && dpi != r.drawnAt {
		warnings = append(warnings, fmt.Sprintf("dn in a branch of a condition does not change the size at which %s is drawn, as conditions ask for it",
			map[Format]string{SVG: "an SVG", PDF: "a PDF"}[r.source.Format]))
	}
	if dpi == 0 || f == JPEG || f == PNG {
		return dpi, warnings
	}
	if !r.source.Format.vector() {
		warnings = append(warnings, fmt.Sprintf("dn has no effect on %s, which has no place for a density; f-jpg and f-png have", f))
	}
	return 0, warnings
}
