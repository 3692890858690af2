package syntax_test

import (
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

func FuzzParse(f *testing.F) {
	for _, b := range vectest.Read(f) {
		f.Add(b.Header["chain"])
	}
	w := chaintest.New(1, 2000)
	for range 20 {
		f.Add(w.Chain())
	}
	f.Fuzz(func(t *testing.T, text string) { checkInvariants(t, text) })
}

// FuzzCondition has the text stand for a condition, and for each of its branches.
func FuzzCondition(f *testing.F) {
	w := chaintest.New(2, 2000)
	for range 40 {
		f.Add(w.Condition(), w.Chain(), w.Step())
	}
	f.Fuzz(func(t *testing.T, condition, then, otherwise string) {
		checkInvariants(t, "if-"+condition+",w-1,if-end")
		checkInvariants(t, "w-9:if-"+condition+","+then+",if-else,"+otherwise+",if-end:h-9")
	})
}

// FuzzExpression has the text stand for the arithmetic of all kinds of parameters that take some.
func FuzzExpression(f *testing.F) {
	w := chaintest.New(3, 2000)
	for range 40 {
		f.Add(w.Expression())
	}
	f.Add("iw_div_0300.0_mod_2.50")
	f.Fuzz(func(t *testing.T, text string) {
		for _, chain := range []string{"w-" + text, "ar-" + text + ",w-1", "h-1,x-" + text + ":dpr-" + text, "b-" + text + "_red"} {
			checkInvariants(t, chain)
		}
	})
}

// FuzzCost looks for short texts that cost much. It counts, and measures no time.
func FuzzCost(f *testing.F) {
	for _, h := range chaintest.Hostiles() {
		f.Add(h.Text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkCost(t, text) })
}
