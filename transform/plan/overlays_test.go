package plan_test

import (
	"math"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// paint checks what draws shadows and gradients or gives pixels other colours.
func (w *walker) paint(op plan.Op) {
	if !w.upright || !w.colour {
		w.errorf("%v comes too early", op)
	}
	idle := false
	switch o := op.(type) {
	case plan.Shadow:
		idle = o.Percent < 1 || o.Percent > 100 || o.Sigma < 0 || !w.alpha
		if max(o.X, -o.X) >= w.width || max(o.Y, -o.Y) >= w.height || o.Sigma > 0.015*float64(max(w.width, w.height))+0.01 {
			w.errorf("%v is too far or too soft for %dx%d", o, w.width, w.height)
		}
		if w.width*w.height > 2_000_000 {
			w.errorf("%v is drawn on %dx%d", o, w.width, w.height)
		}
	case plan.Gradient:
		idle = o.From.A == 0 && o.To.A == 0
		if !(o.Length > 0) || math.IsInf(o.Length, 0) || o.Degrees < 0 || o.Degrees >= 360 {
			w.errorf("%v leads nowhere", o)
		}
	case plan.Tint:
		idle = o.Percent < 1 || o.Percent > 100 || o.Color.A != 255
	case plan.Replace:
		idle = o.From == o.To || o.Tolerance < 0 || o.Tolerance > 100 || o.To.A != 255
	}
	if idle {
		w.errorf("%v changes nothing", op)
	}
}
