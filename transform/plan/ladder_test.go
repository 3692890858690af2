package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// sizesOf reads "320 640 strict".
func sizesOf(text string) (plan.Ladder, error) {
	var l plan.Ladder
	for word := range strings.FieldsSeq(text) {
		if word == "strict" {
			l.Strict = true
			continue
		}
		width, err := strconv.Atoi(word)
		if err != nil {
			return l, err
		}
		l.Widths = append(l.Widths, width)
	}
	return l, nil
}

// TestWidthsOfResultsAreOnTheLadder asks for any size of any picture.
func TestWidthsOfResultsAreOnTheLadder(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	ladder := plan.Ladder{Widths: []int{7, 320, 640, 1000}}
	planned := 0
	for range 5000 {
		side := func() string {
			return pick(random, fmt.Sprint(1+random.IntN(1200)), "0.5", "0.07", "iw_div_3", "ih_mul_0.3")
		}
		text := pick(random, "w-"+side(), "h-"+side(), "w-"+side()+",h-"+side()+",c-force", "h-"+side()+",ar-4-3", "w-"+side()+",h-"+side(),
			"h-"+side()+",cm-pad_resize", "w-"+side()+",dpr-2.5", "h-"+side()+",dpr-1.7")
		source := still(1+random.IntN(3000), 1+random.IntN(3000))
		in := input{text: text, source: source, hints: plan.Hints{Writable: everything}, limits: plan.Limits{Sizes: ladder}}
		p, err := in.resolve()
		if err != nil {
			continue
		}
		planned++
		if !slices.Contains(ladder.Widths, p.Width) {
			t.Fatalf("%s on %+v: got %dx%d", text, source, p.Width, p.Height)
		}
	}
	if planned < 3000 {
		t.Errorf("only %d chains were planned: the test proves little", planned)
	}
}

func TestStepsOfTheEndpointAreNotOnTheLadder(t *testing.T) {
	own, err := syntax.Parse("w-100:if-w_gt_1,h-33,if-end")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := syntax.Parse("w-50,n-own:w-300")
	if err != nil {
		t.Fatal(err)
	}
	c, err := syntax.Expand(theirs, map[string]syntax.Chain{"own": own.WithOwnSizes()})
	if err != nil {
		t.Fatal(err)
	}
	for _, strict := range []bool{false, true} {
		p, err := plan.Resolve(c, plan.Sources{Base: still(600, 300)}, plan.Hints{Writable: everything},
			plan.Limits{Sizes: plan.Ladder{Widths: []int{50, 320}, Strict: strict}})
		if strict {
			if want := "w: a width of 300 pixels is not among those of this endpoint; ask for 50 or 320 (column 12)"; err == nil || err.Error() != want {
				t.Errorf("strict: got %v, want %s", err, want)
			}
			continue
		}
		const want = "load jpeg shrink=8\nresize 50x25\nresize 100x50\nresize 66x33\nresize 320x160\ncolour srgb\nsave jpeg q=80\nvary accept\n"
		if got := strings.ReplaceAll(p.String(), "colour srgb\n", ""); err != nil || got != strings.ReplaceAll(want, "colour srgb\n", "") {
			t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
		}
	}
}

func TestNamesThatAreNotExpandedAreRefused(t *testing.T) {
	for _, text := range []string{"n-thumb", "w-3:q-7,n-thumb", "if-w_gt_3,w-3,if-else,n-thumb,if-end"} {
		in := input{text: text, source: still(10, 10), hints: plan.Hints{Writable: everything}}
		_, err := in.resolve()
		want := `n: no transformation is called "thumb" here; names are case-sensitive, and declared by the endpoint's option transform (column ` +
			strconv.Itoa(strings.Index(text, "n-thumb")+1) + ")"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestAsksForPixelsLooksIntoBranches(t *testing.T) {
	for text, want := range map[string]bool{
		"w-3": true, "q-3,f-jpg": false, "q-3:bl-3": true, "if-w_gt_3,w-3,if-end": true, "if-w_gt_3,q-3,if-else,bg-red,if-end": true,
		"if-w_gt_3,q-3,if-else,f-jpg,if-end": false,
	} {
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.AsksForPixels(c); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
