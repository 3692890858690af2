package imageurl

import (
	"strings"
	"testing"
)

// TestTransformedIsWhatParseTakesForATransformation holds one against the other: of all short paths and queries out of
// pieces that look like transformations, and of those that don't quite.
func TestTransformedIsWhatParseTakesForATransformation(t *testing.T) {
	segments := []string{"", "tr:w-3", "tr:", "tr", "tr%3Aw-3", "%74r:h-3", "TR:w-3", "atr:w-3", "x%2Ftr:w-3", "%2Ftr:w-3", "+tr:w-3", "tr%253Aw-3", "ik-seo"}
	queries := []string{"", "tr=w-3", "tr=", "tr", "%74r=w-3", "t%72", "TR=w-3", "+tr=w-3", "tr+=w-3", "v=tr", "v=1&tr=h-3", "&&tr=w-3", "v=1;tr=w-3", "=tr", "tr%3Dw-3", "%tr=w-3", "tr[]=w-3", "?tr=w-3"}
	var yes, no int
	for _, first := range segments {
		for _, second := range segments {
			path := "/" + strings.Join([]string{first, second, "a.jpg"}, "/")
			for _, query := range queries {
				a, err := Parse(path, query)
				want := len(a.Texts) > 0
				if err != nil && !want {
					continue // refused before its transformation was looked for
				}
				if got := Transformed(path, query); got != want {
					t.Errorf("%s?%s: got %v; Parse has the transformations %q, %v", path, query, got, a.Texts, err)
				}
				if want {
					yes++
				} else {
					no++
				}
			}
		}
	}
	if yes < 500 || no < 500 {
		t.Errorf("%d with a transformation and %d without prove little", yes, no)
	}
}
