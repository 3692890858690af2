package plan_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// TestWhatVaryLeavesOutChangesNothing gives the same picture to clients that differ in all that Vary doesn't name: a
// shared cache does, too.
func TestWhatVaryLeavesOutChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	const rounds = 8_000
	planned, refused, named := 0, 0, map[plan.Vary]int{}
	for range rounds {
		in := input{text: randomChain(random), source: randomSource(random), hints: randomHints(random), limits: randomLimits(random), look: lookAnywhere}
		in.hints.Smallest = random.IntN(2) == 0
		c, broken := syntax.Parse(in.text)
		if broken != nil {
			continue // an effect stands twice
		}
		p, err := in.resolve()
		vary := p.Vary
		if err != nil {
			vary = plan.VaryOf(c) | plan.VaryAccept | plan.VarySaveData
			refused++
		} else {
			planned++
			for _, v := range []plan.Vary{plan.VaryAccept, plan.VaryWidth, plan.VaryDPR, plan.VarySaveData} {
				if vary.Has(v) {
					named[v]++
				}
			}
		}
		other, told := in, randomHints(random)
		for _, hint := range []struct {
			name plan.Vary
			take func()
		}{
			{plan.VaryAccept, func() { other.hints.Accept = told.Accept }},
			{plan.VaryWidth, func() { other.hints.Width = told.Width }},
			{plan.VaryDPR, func() { other.hints.DPR = told.DPR }},
			{plan.VarySaveData, func() { other.hints.SaveData = told.SaveData }},
		} {
			if !vary.Has(hint.name) {
				hint.take()
			}
		}
		q, otherErr := other.resolve()
		if (err == nil) != (otherErr == nil) || err != nil && err.Error() != otherErr.Error() || p.String() != q.String() ||
			p.HintedWidth != q.HintedWidth || p.HintedDPR != q.HintedDPR {
			t.Fatalf("%s on %+v varies by %q\nwith %+v: %v, %v\nwith %+v: %v, %v", in.text, in.source, vary, in.hints, p, err, other.hints, q, otherErr)
		}
	}
	if min(planned, refused) < rounds/4 || min(named[plan.VaryAccept], named[plan.VaryWidth], named[plan.VaryDPR], named[plan.VarySaveData]) < 100 {
		t.Errorf("%d were planned, %d refused, the hints counted %v: the test proves little", planned, refused, named)
	}
}

func TestSaveDataIsNamedWhereItChangesSomething(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 24))
	named := 0
	for range 4000 {
		in := input{text: randomChain(random), source: randomSource(random), hints: randomHints(random), limits: plan.Limits{}, look: lookAnywhere}
		in.hints.SaveData = true
		saving, err := in.resolve()
		if err != nil {
			continue
		}
		in.hints.SaveData = false
		not, err := in.resolve()
		if err != nil {
			t.Fatalf("%s is refused only without Save-Data: %v", in.text, err)
		}
		vary := not.Vary.Has(plan.VarySaveData)
		if vary != saving.Vary.Has(plan.VarySaveData) || vary != (saving.String() != not.String()) {
			t.Fatalf("%s on %+v with %+v:\n%v\nand saving:\n%v", in.text, in.source, in.hints, not, saving)
		}
		if vary {
			named++
		}
	}
	if named < 250 {
		t.Errorf("Save-Data counted %d times: the test proves little", named)
	}
}

// TestWidthByHintEqualsTheWidthWrittenOut compares w-auto with w as a number, or without w.
func TestWidthByHintEqualsTheWidthWrittenOut(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 26))
	compared := 0
	for range 5000 {
		width := pick(random, "100", "700", "1900")
		in := input{text: randomStep(random), source: randomSource(random), hints: randomHints(random), limits: randomLimits(random), look: lookAnywhere}
		in.hints.Width, in.hints.DPR = 0, pick(random, 0, 2.0)
		if !strings.HasPrefix(in.text, "w-auto") || strings.Contains(in.text, "dpr-auto") {
			continue
		}
		written := in
		if random.IntN(2) == 0 {
			written.text = "w-" + width + strings.TrimPrefix(in.text, "w-auto")
			in.hints.Width = int(width[0]-'0') * 100
			if width == "1900" {
				in.hints.Width = 1900
			}
		} else if written.text = strings.TrimPrefix(in.text, "w-auto,"); !strings.HasPrefix(written.text, "h-") || strings.Contains(written.text, "bg-blurred") {
			continue // what stands beside it may need a side, or both
		}
		got, gotErr := in.resolve()
		want, wantErr := written.resolve()
		got.Vary &^= plan.VaryWidth
		if (gotErr == nil) != (wantErr == nil) || got.String() != want.String() {
			t.Fatalf("%s on %+v by %d\n got %v, %v\nwant %v, %v as of %s", in.text, in.source, in.hints.Width, got, gotErr, want, wantErr, written.text)
		}
		compared++
	}
	if compared < 500 {
		t.Errorf("%d were compared: the test proves little", compared)
	}
}

func TestVaryOfAChainHasWhatAnyBranchAsksFor(t *testing.T) {
	for chain, want := range map[string]string{
		"w-100":                     "",
		"w-auto":                    "width",
		"w-auto,dpr-auto":           "width",
		"w-100,dpr-auto:w-auto,h-3": "width dpr",
		"if-w_gt_3,w-auto,if-else,h-5:h-5,dpr-auto,if-end": "width dpr",
	} {
		c, err := syntax.Parse(chain)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.VaryOf(c).String(); got != want {
			t.Errorf("%s: got %q, want %q", chain, got, want)
		}
	}
}

// TestHintsThatAreMissingAreNoMistake resolves what needs a side beside a width that nobody tells.
func TestHintsThatAreMissingAreNoMistake(t *testing.T) {
	for _, beside := range []string{
		"c-force", "c-at_max", "cm-pad_resize", "cm-extract,x-900", "cm-extract,xc-900,yc-900", "ar-4-3", "ar-iar_mul_2", "dpr-2", "dpr-auto",
		"dpr-iw_mul_100_div_iw_div_50", "fo-auto",
	} {
		in := input{text: "w-auto," + beside, source: still(640, 480), hints: plan.Hints{Writable: everything}}
		p, err := in.resolve()
		if err != nil || p.Width != 640 || p.Height != 480 || !p.Vary.Has(plan.VaryWidth) {
			t.Errorf("%s without a hint: got %v, %v", in.text, p, err)
		}
	}
}
