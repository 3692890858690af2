package syntax_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// benchChains are chains as URLs have them.
var benchChains = []struct{ name, text string }{
	{"usual", "w-300,h-200"},
	{"five steps", "w-900,c-at_max:w-400,h-300,cm-pad_resize,bg-F4F4F4,r-20:rt-90:e-sharpen,bl-3:w-200,f-webp,q-70"},
	{"effects", "w-300,e-gradient-ld-top_from-F2559A_to-F2785500_sp-0.5:e-shadow-bl-15_st-40_x-10_y-N5,bg-red,b-iw_div_20_gold"},
	{"condition", "if-ar_gt_4-3_and_w_gte_300,w-300,if-else,h-300,fo-auto,if-end:q-70"},
}

// BenchmarkParseOf and BenchmarkString are on the way of every request, hit or not: the canonical text is looked up.
func BenchmarkParseOf(b *testing.B) {
	for _, chain := range benchChains {
		b.Run(chain.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := syntax.Parse(chain.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkString(b *testing.B) {
	for _, chain := range benchChains {
		c, err := syntax.Parse(chain.text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(chain.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = c.String()
			}
		})
	}
}
