package caddymodule

import (
	"errors"
	"fmt"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// resolveBlindly plans for a picture that nobody can look at: where the plan depends on pixels, it is blind and supposes
// that a trim finds nothing to cut off.
func resolveBlindly(req *delivery.Request, facts plan.Source) (p plan.Plan, blind bool, err error) {
	sources := plan.Sources{Base: facts}
	for {
		p, err = req.Resolve(sources, allWritable)
		unseen, ok := errors.AsType[*plan.Unseen](err)
		if !ok || len(sources.Trims) >= plan.MaxTrims {
			return p, blind, err
		}
		blind = true
		sources.Trims = append(sources.Trims, plan.Window{Width: unseen.Look.Width, Height: unseen.Look.Height})
	}
}

// choosePage completes the facts of an original with those about the page that a request asks for.
func (x *explainer) choosePage(s *plan.Source, req *delivery.Request) error {
	if x.pages < 1 {
		return &flagError{errors.New("--pages: a file has 1 or more")}
	}
	s.Pages = max(x.pages, s.Frames)
	if page, _ := plan.PageOf(req.Chain); req.Still && page < s.Pages {
		s.Page = page
	}
	return nil
}

// suppose adds something that the plan supposes.
func (d *resolved) suppose(what string) {
	if d.supposed != "" {
		what = d.supposed + "; " + what
	}
	d.supposed = what
}

// describeStill tells which page a still picture is of; "" where none is asked for.
func describeStill(a imageurl.Address) string {
	if !a.Thumbnail {
		return ""
	}
	page, _ := plan.PageOf(a.Chain)
	return fmt.Sprintf("of page %d", page+1)
}
