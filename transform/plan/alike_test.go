package plan

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// TestPlansThatReadAlikeAreAlike asks for numbers that differ by less than the text of a plan tells: ETags are of the text.
func TestPlansThatReadAlikeAreAlike(t *testing.T) {
	for _, pattern := range []string{"e-gradient-sp-iw_mul_0.4%05d", "e-gradient-ld-10.%05d", "r-1000_5%02d_40_7", "b-5_red,r-7%03d_900_1_7"} {
		seen, alike := map[string]Plan{}, false
		for i := range 60 {
			c, err := syntax.Parse(fmt.Sprintf("w-150,"+pattern+",f-png", i))
			if err != nil {
				t.Fatal(err)
			}
			s := Source{Format: PNG, Width: 300, Height: 200, Orientation: 1, Frames: 1}
			p, err := Resolve(c, Sources{Base: s}, Hints{Writable: SetOf(PNG)}, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			first, found := seen[p.String()]
			if alike = alike || found; found && !reflect.DeepEqual(p, first) {
				t.Fatalf("%s: two plans read\n%v but are %v and %v", c, p, first.Ops, p.Ops)
			}
			seen[p.String()] = p
		}
		if pattern == "e-gradient-sp-iw_mul_0.4%05d" && !alike {
			t.Errorf("%s: no two plans read alike, so nothing is compared", pattern)
		}
	}
}
