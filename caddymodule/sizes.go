package caddymodule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Sizes are the widths that URLs of an endpoint may ask for.
type Sizes struct {
	// Widths in pixels, from 1 to 65535, in any order.
	Widths []int `json:"widths"`

	// Refuse other widths, instead of rounding them up to the next, or down to the largest. Default: false.
	Strict bool `json:"strict,omitempty"`
}

// The words that may stand behind the widths.
const (
	sizesSnap   = "snap"
	sizesStrict = "strict"
)

// readSizes reads widths, and behind them what becomes of others.
func readSizes(e *Endpoint, args []string) error {
	s := new(Sizes)
	if n := len(args) - 1; n >= 0 && (args[n] == sizesSnap || args[n] == sizesStrict) {
		s.Strict = args[n] == sizesStrict
		args = args[:n]
	}
	if len(args) == 0 {
		return block.ErrCount
	}
	for _, text := range args {
		width, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a width; write whole numbers from 1 to %d, then %s or %s", text, syntax.MaxSide, sizesSnap, sizesStrict)
		}
		s.Widths = append(s.Widths, width)
	}
	e.Sizes = s
	return s.check()
}

// check says what is wrong with the widths.
func (s *Sizes) check() error {
	if s == nil {
		return nil
	}
	if len(s.Widths) == 0 {
		return errors.New("no width is named; name at least one, or leave sizes out")
	}
	for i, width := range s.Widths {
		if width < 1 || width > syntax.MaxSide {
			return fmt.Errorf("a width of %d pixels is out of range; write one from 1 to %d", width, syntax.MaxSide)
		}
		if slices.Contains(s.Widths[:i], width) {
			return fmt.Errorf("the width %d stands twice; leave one out", width)
		}
	}
	return nil
}

// ladder returns the widths as plans know them.
func (s *Sizes) ladder() plan.Ladder {
	if s == nil {
		return plan.Ladder{}
	}
	return plan.Ladder{Widths: slices.Sorted(slices.Values(s.Widths)), Strict: s.Strict}
}
