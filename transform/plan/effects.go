package plan

import (
	"fmt"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ops on pixels that leave the shape of the picture and its opacity alone, but for Blur, which smears both.
type (
	// Grey takes the colours out: what remains is their luminance.
	Grey struct{}
	// Contrast stretches the range of luminance to the full one, by the same curve for all channels and frames. Of the
	// visible pixels, the darkest hundredth becomes black and the lightest white.
	Contrast struct{}
	// Blur is a Gaussian blur.
	Blur struct{ Sigma float64 }
	// Unsharp is an unsharp mask. To each colour channel v it adds Amount × (v - b), where b is v after a Gaussian blur of
	// Sigma that is cut off at Radius pixels (0: where little is left), unless 2 × |v - b| is below Threshold, a fraction
	// of the full range.
	Unsharp struct{ Radius, Sigma, Amount, Threshold float64 }
)

func (Grey) op()     {}
func (Contrast) op() {}
func (Blur) op()     {}
func (Unsharp) op()  {}

func (Grey) String() string     { return "grey" }
func (Contrast) String() string { return "contrast" }
func (o Blur) String() string   { return fmt.Sprintf("blur %g", o.Sigma) }

func (o Unsharp) String() string {
	return fmt.Sprintf("unsharp radius=%g sigma=%g amount=%g threshold=%g", o.Radius, o.Sigma, o.Amount, o.Threshold)
}

// What e-sharpen and e-usm do without a value. The rows of the grammar tell these numbers.
const (
	mildSharpening = 20
	fullSharpening = 20.0 // e-sharpen-20 adds the whole difference
)

var mildUnsharp = syntax.Unsharp{Radius: 2, Sigma: 2, Amount: 0.8, Threshold: 0.024}

// changesColours reports whether the step has an effect that would change its background, too, were it there already.
func changesColours(s syntax.Step) bool {
	return slices.ContainsFunc(s.Items, func(it syntax.Item) bool {
		switch it.Name {
		case "e-grayscale", "e-contrast", "e-colorize", "cr", "bl", "e-sharpen", "e-usm":
			return true
		}
		return false
	})
}

// effects applies those of the step.
func (c *canvas) effects(s syntax.Step) error {
	if _, given := s.Item("e-grayscale"); given {
		c.ops = append(c.ops, Grey{})
	}
	if _, given := s.Item("e-contrast"); given {
		if err := c.hold(Contrast{}); err != nil {
			return err
		}
	}
	if err := c.tint(s); err != nil {
		return err
	}
	if n, given := syntax.Get[syntax.Integer](s, "bl"); given {
		if err := c.hold(Blur{Sigma: float64(n) / 2}); err != nil {
			return err
		}
	}
	if it, given := s.Item("e-sharpen"); given {
		n, written := it.Value.(syntax.Integer)
		if !written {
			n = mildSharpening
		}
		if err := c.hold(Unsharp{Sigma: 1, Amount: float64(n) / fullSharpening, Threshold: 0.01}); err != nil {
			return err
		}
	}
	if it, given := s.Item("e-usm"); given {
		u, written := it.Value.(syntax.Unsharp)
		if !written {
			u = mildUnsharp
		}
		return c.hold(Unsharp(u))
	}
	return nil
}
