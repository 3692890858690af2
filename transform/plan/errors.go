package plan

import (
	"errors"
	"fmt"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// LimitError says which limit a source or a result is over.
type LimitError struct {
	Limit string // the limit's word in the configuration: "source_pixels"; "" for one that a file format has
	Msg   string // the figures: "the result would have 120,000,000 pixels; at most 50,000,000 are allowed"
	Param string // the short name of the parameter that led to it; "" where it is the original, or the whole chain
	Pos   int    // beside Param: where it stands, as in syntax.Error; -1 is nowhere
}

// Error returns one sentence that names the parameter and its place, where there is one, and the limit.
func (e *LimitError) Error() string {
	text := e.Msg
	if e.Param != "" {
		text = e.Param + ": " + text
	}
	if e.Limit != "" {
		text += " (limit " + e.Limit + ")"
	}
	if e.Param != "" && e.Pos >= 0 {
		text += fmt.Sprintf(" (column %d)", e.Pos+1)
	}
	return text
}

// sizing are the parameters by which results get large, those first that do so most of the time.
var sizing = []string{"w", "h", "dpr", "b", "e-distort", "rt", "dn"}

// placed completes the error of a step that leads over a limit: by the parameter that the size is asked for with, else by
// the first that changes pixels.
func placed(err error, s syntax.Step) error {
	over, ok := errors.AsType[*LimitError](err)
	if !ok || over.Param != "" {
		return err
	}
	for _, name := range sizing {
		if it, given := s.Item(name); given {
			return over.at(it)
		}
	}
	for _, it := range s.Items {
		if syntax.Paints(it.Name) {
			return over.at(it)
		}
	}
	return err
}

// at returns the error with an item as what led to it.
func (e *LimitError) at(it syntax.Item) *LimitError {
	told := *e
	told.Param, told.Pos = it.Name, it.Pos
	return &told
}
