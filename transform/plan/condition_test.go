package plan_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// TestConditionsEqualTheBranchWrittenOut compares the plan of a chain with a condition with that of the chain that has
// the branch in its place, as a model in whole fractions chooses it.
func TestConditionsEqualTheBranchWrittenOut(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	const rounds = 10_000
	planned, taken := 0, map[bool]int{}
	for range rounds {
		in := input{source: randomSource(random), hints: randomHints(random), limits: randomLimits(random), look: lookAnywhere}
		if in.source.Frames > 1 || in.source.Orientation > 8 {
			in.source.Orientation = 1 // animations have none, and there are eight
		}
		in.limits.Steps = 0 // the longer branch counts, taken or not
		before, behind := randomStep(random)+":", ":"+randomStep(random)
		if random.IntN(2) == 0 {
			before = ""
		}
		size, err := sizeAfter(before, in)
		if err != nil {
			continue
		}
		holds, condition := randomCondition(random, in.source, size)
		then, otherwise := randomStep(random), randomStep(random)
		taken[holds]++

		in.text = before + "if-" + condition + "," + then + ",if-else," + otherwise + ",if-end" + behind
		if (in.source.Format == plan.SVG || in.source.Format == plan.PDF) && strings.Contains(in.text, "dn-") {
			continue // which is drawn at its density before a condition is looked at
		}
		got, gotErr := in.resolve()
		written := in
		if written.text = before + otherwise + behind; holds {
			written.text = before + then + behind
		}
		want, wantErr := written.resolve()
		if where := (*syntax.Error)(nil); errors.As(gotErr, &where) {
			continue // it names a place, and is what the other branch, too, may be refused for
		}
		if gotErr != nil && in.source.Format == plan.SVG {
			continue // without a condition an SVG that stays one needs no sizes, so none can be too long
		}
		if got.Original {
			got.Vary, want.Vary = 0, 0 // what is sent as it is has no size, but by a hint's the branch was chosen
		}
		if (gotErr == nil) != (wantErr == nil) || gotErr == nil && got.String() != want.String() {
			t.Fatalf("%s on %+v with %+v\n got %v, %v\nwant %v, %v as of %s", in.text, in.source, in.limits, got, gotErr, want, wantErr, written.text)
		}
		if gotErr == nil {
			planned++
			walk(t, in, got)
		}
		if t.Failed() {
			return
		}
	}
	if planned < rounds/5 || taken[true] < rounds/10 || taken[false] < rounds/10 {
		t.Errorf("%d of %d were planned, the condition held %v: the test proves little", planned, rounds, taken)
	}
}

// sizeAfter returns the size that a step, with a colon behind it, leads to.
func sizeAfter(step string, of input) ([2]int, error) {
	of.source.Frames, of.source.Format = 1, plan.JPEG
	told := plan.Hints{Width: of.hints.Width, DPR: of.hints.DPR, Writable: everything.With(plan.JXL)}
	in := input{
		text: strings.TrimSuffix(step, ":"), source: of.source, hints: told, limits: plan.Limits{Sizes: of.limits.Sizes}, look: lookAnywhere,
	}
	p, err := in.resolve()
	return [2]int{p.Width, p.Height}, err
}

// randomCondition writes comparisons, and says whether they hold for a source and the size at this step.
func randomCondition(random *rand.Rand, s plan.Source, size [2]int) (holds bool, text string) {
	w, h := s.Upright()
	properties := map[string]*big.Rat{
		"w": big.NewRat(int64(size[0]), 1), "h": big.NewRat(int64(size[1]), 1), "ar": big.NewRat(int64(size[0]), int64(size[1])),
		"iw": big.NewRat(int64(w), 1), "ih": big.NewRat(int64(h), 1), "iar": big.NewRat(int64(w), int64(h)),
	}
	group := true
	for i := range 1 + random.IntN(4) {
		property := pick(random, "w", "h", "ar", "iw", "ih", "iar")
		a := properties[property]
		value := pick(random, a.Num().String(), fmt.Sprint(random.IntN(3000)), "0.5", "1", "1.5")
		if strings.HasSuffix(property, "ar") {
			value = pick(random, a.Num().String()+"-"+a.Denom().String(), "4-3", "1.5-2", "1", "0.7")
		}
		above, below, _ := strings.Cut(value, "-")
		b, _ := new(big.Rat).SetString(above)
		if below != "" {
			divisor, _ := new(big.Rat).SetString(below)
			b.Quo(b, divisor)
		}
		operator := pick(random, "eq", "ne", "gt", "gte", "lt", "lte")
		order := a.Cmp(b)
		one := map[string]bool{"eq": order == 0, "ne": order != 0, "gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[operator]
		joined := ""
		switch {
		case i == 0:
			group = one
		case random.IntN(2) == 0:
			joined, group = "_and_", group && one
		default:
			joined = "_or_"
			holds, group = holds || group, one
		}
		text += joined + property + "_" + operator + "_" + value
	}
	return holds || group, text
}

func TestOriginalIsWantedWhereEveryBranchWantsIt(t *testing.T) {
	for _, tt := range []struct {
		chain string
		want  bool
	}{
		{"orig-true", true},
		{"orig-true:w-3", true},
		{"orig-true:orig-false", false},
		{"if-w_gt_3,orig-true,if-end", false},
		{"if-w_gt_3,orig-true,if-else,w-3,if-end", false},
		{"if-w_gt_3,orig-true,if-else,orig-true,if-end", true},
		{"orig-true:if-w_gt_3,w-3,if-end", true},
		{"orig-true:if-w_gt_3,orig-false,if-end", false},
		{"orig-true:if-w_gt_3,w-3,if-else,orig-false,if-end", false},
		{"if-w_gt_3,w-3,if-end:orig-true", true},
		{"if-w_gt_3,w-3:orig-false,if-end:orig-true,w-5", true},
	} {
		c, err := syntax.Parse(tt.chain)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.WantsOriginal(c); got != tt.want {
			t.Errorf("WantsOriginal(%s) is %v, want %v", tt.chain, got, tt.want)
		}
		// With facts about the picture a branch decides; without, nobody may need them.
		p, err := plan.Resolve(c, plan.Sources{}, plan.Hints{Writable: everything}, plan.Limits{})
		if tt.want != (err == nil && p.Original) {
			t.Errorf("%s of an unknown picture: got %v, %v", tt.chain, p, err)
		}
	}
}
