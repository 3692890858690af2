package plan_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

// TestSizesAndPlacesAreThoseOfTheModel holds random chains for random sources against a second implementation of the
// rules: what is refused, the size of the result, and which part of the original lies where in it.
func TestSizesAndPlacesAreThoseOfTheModel(t *testing.T) {
	const rounds = 20_000
	seen := map[string]int{}
	for seed := range uint64(rounds) {
		if seen[compare(t, seed)]++; t.Failed() {
			return
		}
	}
	t.Logf("%v", seen)
	if seen["refused"] < rounds/20 || seen["sized"] < rounds/20 || seen["placed"] < rounds/3 || seen["unsure"] > rounds/8 {
		t.Errorf("%v: the test proves little", seen)
	}
}

// compare holds one plan against the model, and returns how far that went.
func compare(t *testing.T, seed uint64) string {
	t.Helper()
	in := modelInput(seed)
	m := modelled(in.text, in.source, in.limits)
	if m.unsure {
		return "unsure"
	}
	p, err := in.resolve()
	switch {
	case err != nil && strings.Contains(err.Error(), "the transformation turns, rounds and changes"):
		return "unsure" // the model counts no memory
	case err != nil && strings.Contains(err.Error(), "stands twice"):
		t.Errorf("seed %d: %s: the text is wrong: %v", seed, in.text, err)
	case (err != nil) != m.refused:
		t.Errorf("seed %d: %s on %+v, limits %+v: got %v, the model refuses: %v", seed, in.text, in.source, in.limits, err, m.refused)
	case m.refused:
		return "refused"
	case p.Width != m.width || p.Height != m.height:
		t.Errorf("seed %d: %s on %+v: got %dx%d, the model has %dx%d\n%v", seed, in.text, in.source, p.Width, p.Height, m.width, m.height, p)
	case m.lost:
		return "sized"
	}
	if !t.Failed() {
		comparePlace(t, in, p, m)
	}
	return "placed"
}

// TestModelAgreesWithTheWorkedExamples shows that the model is about the same language: it comes to the sizes that the
// vectors have by hand.
func TestModelAgreesWithTheWorkedExamples(t *testing.T) {
	checked := 0
	for _, b := range vectest.Read(t) {
		in := inputOf(t, b.Header)
		size := b.Header["size"]
		if !strings.HasSuffix(b.File, "geometry.vec") && !strings.HasSuffix(b.File, "examples.vec") || size == "" || in.source.Format == plan.SVG ||
			strings.Contains(in.text, "orig-true") {
			continue
		}
		m := modelled(in.text, in.source, in.limits)
		if got := fmt.Sprintf("%dx%d", m.width, m.height); m.ended() || got != size {
			t.Errorf("%s: %s: the model has %s, refused %v, unsure %v; want %s", b.Name(), in.text, got, m.refused, m.unsure, size)
		}
		checked++
	}
	if checked < 40 {
		t.Errorf("only %d vectors were looked at", checked)
	}
}

// modelInput returns a chain of what the model knows, for a source that is drawn as pixels and sent in a format without
// limits of its own.
func modelInput(seed uint64) input {
	w := chaintest.New(seed, 3000)
	in := input{source: randomSource(w.Rand), hints: plan.Hints{Writable: everything}}
	if w.One(50) {
		in.source.Width = 60_000 + w.IntN(10_000)
	}
	looks := true
	if w.One(4) {
		in.limits, looks = randomLimits(w.Rand), false
		in.limits.Sizes = plan.Ladder{} // which TestWidthsOfResultsAreOnTheLadder is about
	}
	step := func() string { return modelledStep(w, looks) }
	steps := make([]string, 1+w.IntN(3))
	for i := range steps {
		if steps[i] = step(); w.One(6) {
			steps[i] = w.If(func() string { return step() + strings.Repeat(":"+step(), w.IntN(2)) })
		}
	}
	in.text = strings.Join(steps, ":")
	switch in.source.Format {
	case plan.PDF:
		in.hints.Still = true
		fallthrough
	case plan.SVG:
		in.text = "md-true,f-png:" + in.text
	}
	return in
}

func modelledStep(w chaintest.Writer, looks bool) string {
	items := w.Box()
	if w.One(20) { // together with what it may not stand beside
		items = append(items, w.Pick("x-3", "yc-9", "c-force,cm-extract,w-9", "ar-1-1"))
	}
	if w.One(4) {
		items = append(items, w.Item("b"))
	}
	if looks && w.One(4) {
		items = append(items, w.Item("rt"))
	}
	if looks && w.One(4) {
		items = append(items, w.Item("fl"))
	}
	if len(items) == 0 || w.One(4) {
		items = append(items, w.Pick("bg-red", "q-50", "md-true,bg-FF000050"))
	}
	return distinct(items)
}

// distinct drops items whose parameter stands before.
func distinct(items []string) string {
	seen := map[string]bool{}
	var kept []string
	for _, item := range strings.Split(strings.Join(items, ","), ",") {
		name, _, _ := strings.Cut(item, "-")
		if !seen[name] && item != "w-auto" && item != "dpr-auto" {
			seen[name] = true
			kept = append(kept, item)
		}
	}
	if len(kept) == 0 {
		return "md-true"
	}
	return strings.Join(kept, ",")
}

// comparePlace works out from the ops which part of the original lies where in the result.
func comparePlace(t *testing.T, in input, p plan.Plan, m *model) {
	t.Helper()
	w, h := in.source.Width, in.source.Height
	place := identity // from the source as stored to the picture
	for _, op := range p.Ops {
		W, H := float64(w), float64(h)
		switch o := op.(type) {
		case plan.Resize:
			place = affine{float64(o.Width) / W, 0, 0, 0, float64(o.Height) / H, 0}.after(place)
			w, h = o.Width, o.Height
		case plan.Crop:
			place = affine{1, 0, -float64(o.X), 0, 1, -float64(o.Y)}.after(place)
			w, h = o.Width, o.Height
		case plan.Embed:
			place = affine{1, 0, float64(o.X), 0, 1, float64(o.Y)}.after(place)
			w, h = o.Width, o.Height
		case plan.Orient:
			place = uprightFrom(o.Orientation, W, H).after(place)
			if o.Orientation >= 5 {
				w, h = h, w
			}
		case plan.Flip:
			if o.Horizontal {
				place = uprightFrom(2, W, H).after(place)
			}
			if o.Vertical {
				place = uprightFrom(4, W, H).after(place)
			}
		case plan.Rotate:
			place = uprightFrom(map[float64]int{90: 6, 180: 3, 270: 8}[o.Degrees], W, H).after(place)
			w, h = o.Width, o.Height
		}
	}
	orientation := in.source.Orientation
	if in.source.Frames > 1 || orientation > 8 {
		orientation = 1
	}
	upright := uprightFrom(orientation, float64(in.source.Width), float64(in.source.Height)).after(place.inverse())
	for _, corner := range [][2]int{{0, 0}, {p.Width, 0}, {p.Width, p.Height}} {
		got, want := upright.of(corner[0], corner[1]), m.place.of(corner[0], corner[1])
		for axis := range got {
			if off := math.Abs(got[axis] - want[axis]); off > m.slack+1e-6*(1+math.Abs(want[axis])) {
				t.Fatalf("%s on %+v: the corner %v of the result shows %v of the original, the model has %v ±%.3g\n%v",
					in.text, in.source, corner, got, want, m.slack, p)
			}
		}
	}
}

// uprightFrom maps a picture of w × h to what is seen by its EXIF orientation.
func uprightFrom(orientation int, w, h float64) affine {
	switch orientation {
	case 2: // the columns run from right to left
		return affine{-1, 0, w, 0, 1, 0}
	case 3: // upside down
		return affine{-1, 0, w, 0, -1, h}
	case 4: // the rows run from the bottom up
		return affine{1, 0, 0, 0, -1, h}
	case 5: // rows are columns
		return affine{0, 1, 0, 1, 0, 0}
	case 6: // the first row is the right side, from the top down
		return affine{0, -1, h, 1, 0, 0}
	case 7: // the first row is the right side, from the bottom up
		return affine{0, -1, h, -1, 0, w}
	case 8: // the first row is the left side, from the bottom up
		return affine{0, 1, 0, -1, 0, w}
	}
	return identity
}
