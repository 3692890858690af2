package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// bend is the part of the walk over ops that make a new canvas.
func (w *walker) bend(op plan.Op) {
	if !w.upright || !w.colour {
		w.errorf("%v comes too early", op)
	}
	switch o := op.(type) {
	case plan.Backdrop:
		if o.X < 0 || o.Y < 0 || o.X+w.width > o.Width || o.Y+w.height > o.Height || o.Sigma < 0 || o.Kind != plan.BackdropBlurred && (o.Sigma != 0 || o.Brightness != 0) {
			w.errorf("%v does not hold %dx%d, or has what is not its own", o, w.width, w.height)
		}
		if o.Width == w.width && o.Height == w.height && !w.alpha {
			w.errorf("%v is hidden by the picture", o)
		}
		w.width, w.height, w.alpha = o.Width, o.Height, false
	case plan.Perspective:
		left, right, top, bottom := false, false, false, false
		for _, c := range o.Corners {
			if c.X < 0 || c.Y < 0 || c.X > o.Width || c.Y > o.Height {
				w.errorf("%v leaves its canvas", o)
			}
			left, right, top, bottom = left || c.X == 0, right || c.X == o.Width, top || c.Y == 0, bottom || c.Y == o.Height
		}
		if !left || !right || !top || !bottom {
			w.errorf("%v has a canvas larger than needed", o)
		}
		w.width, w.height, w.alpha = o.Width, o.Height, w.alpha || o.Background.A < 255
	case plan.Arc:
		length := o.Radius * math.Abs(o.Degrees) * math.Pi / 180
		if math.Abs(length-float64(w.width)) > 1e-6*float64(w.width) || o.Degrees == 0 || math.Abs(o.Degrees) > 360 {
			w.errorf("%v makes a line of %g of one of %d", o, length, w.width)
		}
		w.width, w.height, w.alpha = o.Width, o.Height, w.alpha || o.Background.A < 255
	}
	if w.width < 1 || w.height < 1 {
		w.errorf("%v leads to nothing", op)
	}
	w.limits(op)
}

// randomBackdrop writes a background that is made from the picture.
func randomBackdrop(random *rand.Rand) string {
	return "bg-" + pick(random, "dominant", "gradient_dominant", "gradient_dominant_4", "blurred", "blurred_0", "blurred_100_N255", "blurred_auto_9")
}

// randomDistortion writes an effect that is a perspective of corners near those of a rectangle, or an arc.
func randomDistortion(random *rand.Rand) string {
	if random.IntN(3) == 0 {
		return "e-distort-a-" + pick(random, "0", "0.009", "0.01", "45", "N45", "180", "N360", "360", fmt.Sprint(random.IntN(361)))
	}
	w, h := 1+random.IntN(800), 1+random.IntN(800)
	text := "e-distort-p-"
	for i, corner := range [4][2]int{{0, 0}, {w, 0}, {w, h}, {0, h}} {
		for j, v := range corner {
			if i+j > 0 {
				text += "_"
			}
			if v += random.IntN(2+w/4) - w/8; v < 0 {
				text, v = text+"N", -v
			}
			text += fmt.Sprint(v)
		}
	}
	return text
}

// TestProjectionsLeadToTheCorners maps the corners of pictures, and back.
func TestProjectionsLeadToTheCorners(t *testing.T) {
	for _, tt := range []struct {
		name    string
		corners [4]plan.Corner
	}{
		{"as it was", [4]plan.Corner{{X: 0, Y: 0}, {X: 300, Y: 0}, {X: 300, Y: 200}, {X: 0, Y: 200}}},
		{"a parallelogram", [4]plan.Corner{{X: 50, Y: 0}, {X: 350, Y: 20}, {X: 300, Y: 220}, {X: 0, Y: 200}}},
		{"a trapezium", [4]plan.Corner{{X: 100, Y: 0}, {X: 200, Y: 0}, {X: 300, Y: 200}, {X: 0, Y: 200}}},
		{"any", [4]plan.Corner{{X: 10, Y: 7}, {X: 290, Y: 0}, {X: 200, Y: 150}, {X: 0, Y: 300}}},
		{"mirrored", [4]plan.Corner{{X: 300, Y: 0}, {X: 0, Y: 10}, {X: 20, Y: 200}, {X: 280, Y: 180}}},
		{"a sliver", [4]plan.Corner{{X: 0, Y: 0}, {X: 1000, Y: 1}, {X: 1001, Y: 3}, {X: 3, Y: 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const width, height = 640, 427
			there := plan.Perspective{Corners: tt.corners}.Projection(width, height)
			back := there.Inverse()
			for i, from := range [4][2]float64{{0, 0}, {width, 0}, {width, height}, {0, height}} {
				x, y := there.Apply(from[0], from[1])
				if want := tt.corners[i]; math.Hypot(x-float64(want.X), y-float64(want.Y)) > 1e-6 {
					t.Errorf("corner %d comes to %g, %g, want %v", i, x, y, want)
				}
				if u, v := back.Apply(x, y); math.Hypot(u-from[0], v-from[1]) > 1e-6 {
					t.Errorf("corner %d comes back to %g, %g, want %v", i, u, v, from)
				}
			}
		})
	}
}
