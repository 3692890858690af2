package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Ladder holds the widths in pixels that steps may ask for. The zero Ladder lets any through.
type Ladder struct {
	Widths []int // ascending
	Strict bool  // other widths are refused; else they are rounded up to the next, or down to the last
}

// step returns the width that stands for one that is asked for.
func (l Ladder) step(width int) int {
	i, _ := slices.BinarySearch(l.Widths, width)
	return l.Widths[min(i, len(l.Widths)-1)]
}

// toLadder puts the box of a step onto the ladder: its width becomes one of those there, and its height is scaled by the
// same factor. Where only a height is asked for, the width is what follows from it by the ratio of the picture. A step of
// the endpoint's own keeps its size.
func (g *geometry) toLadder(c *canvas) error {
	ladder := c.limits.Sizes
	if len(ladder.Widths) == 0 || g.step.OwnSize || g.width == 0 && g.height == 0 {
		return nil
	}
	width := g.width
	if width == 0 {
		width = scaled(c.width, g.height, c.height)
	}
	to := ladder.step(width)
	switch {
	case to == width:
		return nil
	case ladder.Strict:
		return g.offLadder(width, ladder)
	case g.width == 0 && g.followed():
		g.dims = dims{width: to} // as a height, it would lead back to another width by rounding
		return nil
	}
	if g.width > 0 {
		g.width = to
	}
	if g.height > 0 {
		height := math.Round(float64(g.height) * float64(to) / float64(width))
		if err := checkSide(height); err != nil {
			return err
		}
		g.height = max(1, int(height))
	}
	return nil
}

// followed reports whether the side that the step leaves open follows from the other one by the ratio of the picture.
func (g *geometry) followed() bool {
	mode, given := syntax.Get[syntax.Word](g.step, "cm")
	return !given || mode == "pad_resize"
}

// offLadder refuses a width that no step of the ladder has.
func (g *geometry) offLadder(width int, l Ladder) error {
	it, given := g.step.Item("w")
	what := fmt.Sprintf("a width of %d pixels is", width)
	if !given {
		it, _ = g.step.Item("h")
		what = fmt.Sprintf("it leads to a width of %d pixels, which is", width)
	}
	return refuse(it, fmt.Sprintf("%s not among those of this endpoint; ask for %s", what, l.list()))
}

// list writes the widths as a choice, of many the first ones.
func (l Ladder) list() string {
	const most = 30
	words := make([]string, 0, most)
	for _, width := range l.Widths[:min(most, len(l.Widths))] {
		words = append(words, strconv.Itoa(width))
	}
	last := len(words) - 1
	switch {
	case len(l.Widths) > most:
		return fmt.Sprintf("%s or one of %d more", strings.Join(words, ", "), len(l.Widths)-most)
	case last == 0:
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
