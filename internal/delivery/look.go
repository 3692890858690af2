package delivery

import (
	"context"
	"errors"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// ErrNoStill is the error of asking for the still picture of a file that is none: a film, a text, a PDF where none is read.
var ErrNoStill = errors.New("no still picture can be made of this kind of file; /ik-thumbnail.jpg is for pictures, " +
	"animations, TIFF, and PDF where the engine's inputs have it; video is not read in this version")

// shows reports whether the request is for pixels of a file of the format, by an engine that reads these formats: every other
// file passes through. A PDF is a document, of which nothing but its stills is a picture.
func (r *Request) shows(f plan.Format, readable plan.Set) bool {
	return readable.Has(f) && (f != plan.PDF || r.wantsStill())
}

// wantsStill reports whether nothing but a still picture will do.
func (r *Request) wantsStill() bool { return r.Still && !plan.WantsOriginal(r.Chain) }

// original is a file as the engine is to see it: at the page that a request is about.
func (r *Request) original(file []byte) transform.Original {
	o := transform.Original{Bytes: file, Endpoint: r.Endpoint.Name}
	if r.Still {
		o.Page, _ = plan.PageOf(r.chain())
	}
	return o
}

// resolve plans, and has the engine look at the pixels as long as the plan depends on more of them.
func (s *Render) resolve(ctx context.Context, req *Request, file transform.Original, facts plan.Source) (plan.Plan, error) {
	sources := plan.Sources{Base: facts}
	for {
		p, err := req.Resolve(sources, s.Engine.Writable())
		unseen, ok := errors.AsType[*plan.Unseen](err)
		if !ok || len(sources.Trims) >= plan.MaxTrims {
			return p, err
		}
		w, err := s.Engine.Look(ctx, transform.Inputs{Base: file}, unseen.Look)
		if err != nil {
			return plan.Plan{}, err
		}
		sources.Trims = append(sources.Trims, w)
	}
}
