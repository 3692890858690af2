package delivery

import (
	"errors"
	"slices"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// chain returns what is done to a picture: what was asked for, then what the endpoint does to all.
func (r *Request) chain() syntax.Chain {
	if len(r.Endpoint.Always) == 0 {
		return r.Chain
	}
	return append(slices.Clip(r.Chain), r.Endpoint.Always...)
}

// paintsAll reports whether the endpoint changes the pixels of every picture: none is then sent as a vector.
func (e *Endpoint) paintsAll() bool { return plan.AsksForPixels(e.Always) }

// blame completes an error about a chain: what has no place in the URL is the endpoint's.
func (e *Endpoint) blame(err error) error {
	const own = " (a step of the endpoint's always)"
	if len(e.Always) == 0 {
		return err
	}
	if wrong, ok := errors.AsType[*syntax.Error](err); ok && wrong.Pos < 0 {
		told := *wrong
		told.Msg += own
		return &told
	}
	if over, ok := errors.AsType[*plan.LimitError](err); ok && over.Param != "" && over.Pos < 0 {
		told := *over
		told.Msg += own
		return &told
	}
	return err
}
