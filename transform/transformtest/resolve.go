package transformtest

import (
	"errors"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Resolve plans a chain for a file as a server does: it has e look at pixels as often as the plan depends on them. Of h,
// Writable is what e writes, and Still holds where the chain names a page.
func Resolve(t testing.TB, e transform.Engine, file []byte, chain syntax.Chain, h plan.Hints, l plan.Limits) (plan.Plan, error) {
	t.Helper()
	original := transform.Original{Bytes: file}
	page, asked := plan.PageOf(chain)
	original.Page, h.Still, h.Writable = page, h.Still || asked, e.Writable()
	facts, err := e.Probe(t.Context(), original)
	if err != nil {
		t.Fatal(err)
	}
	sources := plan.Sources{Base: facts}
	for {
		p, err := plan.Resolve(chain, sources, h, l)
		unseen, ok := errors.AsType[*plan.Unseen](err)
		if !ok {
			return p, err
		}
		w, err := e.Look(t.Context(), transform.Inputs{Base: original}, unseen.Look)
		if err != nil {
			t.Fatalf("%v: %v\n%v", chain, err, unseen)
		}
		sources.Trims = append(sources.Trims, w)
	}
}
