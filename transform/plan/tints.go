package plan

import (
	"fmt"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ops that give pixels other colours and leave their opacity alone. Distances of colours are those in CIE L*a*b* (D65).
type (
	// Tint mixes each pixel, by Percent and in linear light, with the colour of its own L* that has the hue and the chroma of
	// Color, or as much of that as sRGB has. So L* stays as it is.
	Tint struct {
		Color   Color // opaque
		Percent int   // above 0, at most 100
	}
	// Replace moves colours by the way from From to To in L*a*b*: wholly within 0.8 × Tolerance of From (ΔE 1976), not at
	// all from 1.2 × Tolerance on (1 where that is less), and in proportion between.
	Replace struct {
		To        Color // opaque
		Tolerance int   // 0…100
		From      Color // opaque; meaningless where Dominant
		Dominant  bool  // From is the colour that most visible pixels of the first frame have
	}
)

func (Tint) op()    {}
func (Replace) op() {}

func (o Tint) String() string { return fmt.Sprintf("tint %s percent=%d", o.Color, o.Percent) }

func (o Replace) String() string {
	from := o.From.String()
	if o.Dominant {
		from = "dominant"
	}
	return fmt.Sprintf("replace %s within %d by %s", from, o.Tolerance, o.To)
}

// tint applies e-colorize and cr of the step. Not all of it holds the picture, but all takes as long as what does.
func (c *canvas) tint(s syntax.Step) error {
	if t, given := syntax.Get[syntax.Tint](s, "e-colorize"); given && t.Intensity > 0 {
		if err := c.hold(Tint{Color: t.Color, Percent: t.Intensity}); err != nil {
			return err
		}
	}
	r, given := syntax.Get[syntax.Replacement](s, "cr")
	if !given || r.From == r.To && !r.Dominant {
		return nil
	}
	return c.hold(Replace{To: r.To, Tolerance: r.Tolerance, From: r.From, Dominant: r.Dominant})
}
