package plan_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// BenchmarkRecipe is what it costs to name a result: computing its plan, and writing the recipe of that.
func BenchmarkRecipe(b *testing.B) {
	for _, chain := range []string{
		"w-300,h-200",
		"w-300,h-200,fo-auto:rt-90:r-20,b-3_red",
		"w-900,c-at_max:w-400,h-300,cm-pad_resize,bg-dominant,r-20_0_20_0:e-shadow,bl-3,e-sharpen-40:e-gradient-sp-0.4,b-5_gold:rt-12.5,bg-F0F0F050,f-webp",
	} {
		c, err := syntax.Parse(chain)
		if err != nil {
			b.Fatal(err)
		}
		resolve := func() plan.Plan {
			hints := plan.Hints{Accept: plan.SetOf(plan.WebP), Formats: []plan.Format{plan.AVIF, plan.WebP}, Writable: everything}
			p, err := plan.Resolve(c, plan.Sources{Base: still(4000, 3000)}, hints, plan.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			return p
		}
		p := resolve()
		b.Run("resolve "+chain, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resolve()
			}
		})
		b.Run("recipe "+chain, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = p.Recipe()
			}
		})
	}
}
