package plan_test

import (
	"math"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// walk goes through the ops of a plan with the size of the picture in hand, and fails where an op leaves its input,
// where one changes nothing, where a limit is broken, or where the end is not what the plan promises.
func walk(t *testing.T, in input, p plan.Plan) {
	t.Helper()
	if p.Original {
		if len(p.Ops) > 0 || p.Load != (plan.Load{}) || p.Output != (plan.Output{}) {
			t.Errorf("the plan sends the original and has more to do: %v", p)
		}
		return
	}
	w := walker{t: t, in: in, p: p, width: in.source.Width, height: in.source.Height, alpha: in.source.Alpha, upright: true}
	// Turns may be taken into the orientation, and may undo it; the model knows what lies where.
	w.turned = strings.Contains(in.text, "rt-") || strings.Contains(in.text, "fl-")
	if o := in.source.Orientation; o > 1 && o <= 8 && in.source.Frames <= 1 {
		w.upright = w.turned
	}
	for i, op := range p.Ops {
		w.apply(i, op)
	}
	w.finish()
}

type walker struct {
	t               *testing.T
	in              input
	p               plan.Plan
	width, height   int
	alpha           bool
	upright, colour bool
	turned          bool // the chain turns or mirrors
	oriented        bool // there was an Orient
}

func (w *walker) errorf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%s on %+v, limits %+v:\n%v"+format, append([]any{w.in.text, w.in.source, w.in.limits, w.p}, args...)...)
}

func (w *walker) apply(i int, op plan.Op) {
	before := [2]int{w.width, w.height}
	switch o := op.(type) {
	case plan.Resize:
		w.width, w.height = o.Width, o.Height
		w.limits(op)
	case plan.Crop:
		if o.X < 0 || o.Y < 0 || o.X+o.Width > w.width || o.Y+o.Height > w.height {
			w.errorf("%v leaves %v", o, before)
		}
		w.width, w.height = o.Width, o.Height
	case plan.SmartCrop:
		if o.Width > w.width || o.Height > w.height || !w.upright || !w.colour || w.p.Frames > 1 {
			w.errorf("%v leaves %v, or comes too early, or is for an animation", o, before)
		}
		w.width, w.height = o.Width, o.Height
	case plan.Embed:
		if o.X < 0 || o.Y < 0 || o.X+w.width > o.Width || o.Y+w.height > o.Height || !w.upright || !w.colour {
			w.errorf("%v does not hold %v, or comes too early", o, before)
		}
		w.width, w.height = o.Width, o.Height
		w.alpha = w.alpha || o.Background.A < 255
		w.limits(op)
	case plan.Backdrop, plan.Perspective, plan.Arc:
		w.bend(op)
		return
	case plan.Rotate:
		if o.Degrees <= 0 || o.Degrees >= 360 || !w.upright || !w.colour {
			w.errorf("%v is no turn, or comes too early", o)
		}
		w.width, w.height = o.Width, o.Height
		w.alpha = w.alpha || o.Background.A < 255 && math.Mod(o.Degrees, 90) != 0
		w.limits(op)
		return
	case plan.Round:
		w.round(o)
		return
	case plan.Opacity:
		if o.Percent < 0 || o.Percent > 99 || !w.upright || !w.colour {
			w.errorf("%v changes nothing, or comes too early", o)
		}
		w.alpha = true
		return
	case plan.Shadow, plan.Gradient, plan.Tint, plan.Replace:
		w.paint(op)
		return
	case plan.Flip, plan.Grey, plan.Contrast, plan.Blur, plan.Unsharp:
		if !w.upright || !w.colour || op == plan.Op(plan.Flip{}) {
			w.errorf("%v changes nothing, or comes too early", op)
		}
		return
	case plan.Flatten:
		if !w.alpha || !w.upright || !w.colour {
			w.errorf("%v has nothing to do, or comes too early", o)
		}
		w.alpha = o.Background.A < 255
		return
	case plan.Orient:
		if w.oriented || o.Orientation < 2 || o.Orientation > 8 || !w.turned && o.Orientation != w.in.source.Orientation {
			w.errorf("%v is wrong", o)
		}
		w.upright, w.oriented = true, true
		if o.Orientation >= 5 {
			w.width, w.height = w.height, w.width
		}
		return
	case plan.Colour:
		if w.colour || o.KeepProfile != w.p.Output.KeepProfile {
			w.errorf("%v stands twice, or is at odds with the output", o)
		}
		w.colour = true
		return
	}
	if w.width < 1 || w.height < 1 || before == [2]int{w.width, w.height} {
		w.errorf("op %d, %v, leads from %v to nothing or changes nothing", i, op, before)
	}
}

// round checks that the corners fit beside each other.
func (w *walker) round(o plan.Round) {
	width, height := float64(w.width)+1e-6, float64(w.height)+1e-6
	if min(o.TopLeft, o.TopRight, o.BottomRight, o.BottomLeft) < 0 || o.Radii == (plan.Radii{}) || !w.upright || !w.colour ||
		max(o.TopLeft+o.TopRight, o.BottomLeft+o.BottomRight) > width || max(o.TopLeft+o.BottomLeft, o.TopRight+o.BottomRight) > height {
		w.errorf("%v does not fit into %dx%d, or comes too early", o, w.width, w.height)
	}
	w.alpha = w.alpha || o.Background.A < 255
}

// limits checks an intermediate.
func (w *walker) limits(op plan.Op) {
	l := w.in.limits
	pixels := int64(w.width) * int64(w.height) * int64(w.p.Frames)
	if l.OutputSide > 0 && max(w.width, w.height) > l.OutputSide || l.OutputPixels > 0 && pixels > l.OutputPixels ||
		max(w.width, w.height) > 65535 {
		w.errorf("%v is over a limit", op)
	}
}

// finish checks the result against what the plan says of it.
func (w *walker) finish() {
	p, s := w.p, w.in.source
	if w.width != p.Width || w.height != p.Height || !w.upright || !w.colour {
		w.errorf("the ops end with %dx%d, or without turning it upright or converting colours", w.width, w.height)
	}
	seen := map[plan.Format]bool{}
	for _, o := range p.Outputs() {
		f := o.Format
		if w.alpha && !f.Alpha() || p.Frames > 1 && !f.Animated() || p.Frames < 1 || p.Frames > max(s.Frames, 1) {
			w.errorf("the format can't hold the result")
		}
		sides := map[plan.Format]int{plan.WebP: 16383, plan.AVIF: 16384, plan.JPEG: 65535, plan.GIF: 65535}
		if most, bounded := sides[f]; bounded && max(w.width, w.height) > most {
			w.errorf("the format can't hold such a side")
		}
		if seen[f] || o.KeepProfile != p.Output.KeepProfile || o.KeepMetadata != p.Output.KeepMetadata {
			w.errorf("%v is encoded twice, or keeps other things than the first", f)
		}
		seen[f] = true
	}
	if len(p.Alternatives) > 0 && !w.in.hints.Smallest {
		w.errorf("there are alternatives that nobody asked for")
	}
	if p.Load.Frames != p.Frames || p.Load.Format != s.Format {
		w.errorf("what is loaded is not what is drawn")
	}
	if w.in.limits.Frames > 0 && p.Frames > w.in.limits.Frames {
		w.errorf("there are more frames than allowed")
	}
	if n := p.Load.Shrink; n > 1 {
		to, first := p.Ops[0].(plan.Resize)
		if !first || s.Format != plan.JPEG || 2*s.Width < 3*n*to.Width || 2*s.Height < 3*n*to.Height {
			w.errorf("the decoder shrinks too much")
		}
	}
}
