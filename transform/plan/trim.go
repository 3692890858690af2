package plan

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// MaxTrims bounds the trims of a chain: for each of them pixels are computed before the plan is known.
const MaxTrims = 3

// Window is a part of a picture, in pixels from its top left.
type Window struct{ X, Y, Width, Height int }

// Look is a picture that an engine must look at before the plan is known, as what a trim leaves depends on its pixels.
type Look struct {
	Load          Load
	Ops           []Op // all before the trim; the picture is upright and in sRGB then
	Width, Height int  // pixels of one frame after Ops
	Frames        int  // the window is to hold what all of them show
	Threshold     int  // 1…99: by how much of 255 a channel must differ from the top left pixel of the first frame

	// Estimates, as those of a Plan. They are no part of String, which names the look.
	Memory int64
	Work   time.Duration
}

// Unseen is the error of a chain whose plan depends on pixels that nobody has looked at yet: the next of [Sources].Trims
// is what a look at them finds.
type Unseen struct{ Look Look }

// Error tells in one line what is to be looked at.
func (e *Unseen) Error() string {
	return "the pixels must be looked at: " + strings.ReplaceAll(strings.TrimSpace(e.Look.String()), "\n", "; ")
}

// String returns the look as text, one op a line.
func (l Look) String() string {
	var b strings.Builder
	fmt.Fprintln(&b, l.Load)
	for _, o := range l.Ops {
		fmt.Fprintln(&b, o)
	}
	fmt.Fprintf(&b, "find what differs by more than %d\n", l.Threshold)
	return b.String()
}

// trim cuts off the border of the picture as it enters the step.
func (c *canvas) trim(s syntax.Step) error {
	threshold, given := syntax.Get[syntax.Integer](s, "t")
	if !given || c.blind {
		return nil
	}
	if err := c.spend(); err != nil {
		return err
	}
	if c.trimmed == len(c.trims) {
		look := Look{Width: c.width, Height: c.height, Frames: c.frames, Threshold: int(threshold)}
		look.Load, look.Ops = c.ready(Colour{})
		look.Memory, look.Work = estimate(c.source, look.Load, look.Ops).looked()
		return &Unseen{look}
	}
	w := c.trims[c.trimmed]
	c.trimmed++
	if w.X < 0 || w.Y < 0 || w.Width < 1 || w.Height < 1 || w.X+w.Width > c.width || w.Y+w.Height > c.height {
		return errors.New("resolving a plan: what a trim leaves lies outside of the picture")
	}
	c.crop(w.X, w.Y, dims{w.Width, w.Height})
	return nil
}

// spend counts what a look costs as [canvas.hold] does: it holds the picture, and all that was held before it is held
// once more when the plan is executed.
func (c *canvas) spend() error {
	c.held += c.held
	if c.count(); !c.holdsTooMuch() {
		return nil
	}
	return &LimitError{Limit: outputPixels, Msg: fmt.Sprintf("up to its last trim the transformation looks at and changes %s pixels; at most %d times %s are allowed",
		figure(c.held), maxHeld, figure(c.limits.OutputPixels))}
}

// ready returns how to decode the source and what to do then for the ops so far.
func (c *canvas) ready(colour Colour) (Load, []Op) {
	ops, source := fold(c.ops, c.source)
	ops = drawn(ops, source)
	load := loadOf(ops, source, c.frames, c.limits)
	ops, from := undrawn(ops, source)
	return load, lower(ops, from, colour)
}

// checkTrims refuses too many trims on any way through the chain.
func checkTrims(c syntax.Chain) error {
	_, err := countTrims(c, 0)
	return err
}

// countTrims adds the trims of a chain to those before it.
func countTrims(c syntax.Chain, n int) (int, error) {
	for _, s := range c {
		if it, given := s.Item("t"); given && it.Value != syntax.Value(syntax.Bool(false)) {
			if n++; n > MaxTrims {
				return n, &syntax.Error{
					Pos: it.Pos, Param: it.Name, Limit: true,
					Msg: fmt.Sprintf("a transformation trims at most %d times", MaxTrims),
				}
			}
		}
		if s.If == nil {
			continue
		}
		then, err := countTrims(s.If.Then, n)
		if err != nil {
			return n, err
		}
		otherwise, err := countTrims(s.If.Else, n)
		if err != nil {
			return n, err
		}
		n = max(then, otherwise)
	}
	return n, nil
}

// movingFrames returns how many frames are planned first for a chain: all of an animation, or one where that is certain.
func movingFrames(c syntax.Chain, s Source, l Limits) int {
	n := s.Frames
	switch {
	case !s.Format.Animated(), alwaysStill(c, false), l.Frames > 0 && n > l.Frames, l.SourcePixels > 0 && s.pixels() > l.SourcePixels:
		return 1
	}
	return n
}

// alwaysStill reports whether f makes a still picture of every source, behind a chain that does so or doesn't.
func alwaysStill(c syntax.Chain, still bool) bool {
	for _, s := range c {
		if word, given := syntax.Get[syntax.Word](s, "f"); given {
			f, err := ParseFormat(string(word))
			still = err == nil && !f.Animated() && f != SVG && f != AVIF // which cp-true makes one of choice
		}
		if s.If != nil {
			still = alwaysStill(s.If.Then, still) && alwaysStill(s.If.Else, still)
		}
	}
	return still
}

// mayRasterise reports whether some way through the chain makes pixels of an SVG.
func mayRasterise(c syntax.Chain) bool {
	for _, s := range c {
		word, _ := syntax.Get[syntax.Word](s, "f")
		if f, err := ParseFormat(string(word)); err == nil && f != SVG {
			return true
		}
		if s.If != nil && (mayRasterise(s.If.Then) || mayRasterise(s.If.Else)) {
			return true
		}
	}
	return false
}
