package plan_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

// TestOpsStayInsideTheirInputAndLimits resolves random chains for random sources and walks through the plans.
func TestOpsStayInsideTheirInputAndLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const rounds = 30_000
	planned := 0
	for range rounds {
		in := input{text: randomChain(random), source: randomSource(random), hints: randomHints(random), limits: randomLimits(random), look: lookAnywhere}
		in.look = walkLooks(t, in)
		p, err := in.resolve()
		if err != nil {
			continue
		}
		planned++
		walk(t, in, p)
		if t.Failed() {
			return
		}
	}
	if planned < rounds/4 {
		t.Errorf("only %d of %d chains were planned: the test proves little", planned, rounds)
	}
}

// TestVaryTellsWhetherAcceptMatters compares the plans for every Accept header there can be.
func TestVaryTellsWhetherAcceptMatters(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		in := input{text: randomChain(random), source: randomSource(random), hints: randomHints(random), look: lookAnywhere}
		texts := map[string]bool{}
		vary := false
		for bits := range 8 {
			in.hints.Accept = acceptOf(bits)
			p, err := in.resolve()
			if err != nil {
				texts["error: "+err.Error()] = true
				continue
			}
			vary = p.Vary.Has(plan.VaryAccept)
			texts[p.String()] = true
		}
		if vary != (len(texts) > 1) {
			t.Fatalf("%s on %+v with %+v: vary is %v, the plans are %v", in.text, in.source, in.hints, vary, texts)
		}
	}
}

// TestEveryStrategyOfTheGrammarIsPlanned guards against a word that parses but has no meaning here.
func TestEveryStrategyOfTheGrammarIsPlanned(t *testing.T) {
	tried := 0
	for _, p := range syntax.Parameters() {
		if p.Name != "c" && p.Name != "cm" {
			continue
		}
		for word := range strings.FieldsSeq(strings.ReplaceAll(strings.ReplaceAll(p.Grammar, ",", ""), " or ", " ")) {
			for _, box := range []string{"w-50", "h-20", "w-50,h-20", "w-150,h-220", "w-50,ar-1-1"} {
				in := input{text: fmt.Sprintf("%s,%s-%s", box, p.Name, word), source: still(100, 200)}
				got, err := in.resolve()
				if err != nil && (word != "extract" || box != "w-150,h-220") {
					t.Errorf("%s: %v", in.text, err)
				} else if err == nil {
					walk(t, in, got)
				}
				tried++
			}
		}
	}
	if tried != 55 {
		t.Errorf("%d combinations were tried, want 55", tried)
	}
}

func FuzzResolve(f *testing.F) {
	for _, b := range vectest.Read(f) {
		in := inputOf(f, b.Header)
		f.Add(in.text, in.source.Width, in.source.Height, uint64(b.Line))
	}
	f.Fuzz(func(t *testing.T, text string, width, height int, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		in := input{text: text, source: randomSource(random), hints: randomHints(random), limits: randomLimits(random), look: lookAnywhere}
		in.source.Width, in.source.Height = width, height
		in.look = walkLooks(t, in)
		if p, err := in.resolve(); err == nil {
			walk(t, in, p)
		}
	})
}

// lookAnywhere finds a window that depends on the size of the picture alone.
func lookAnywhere(l plan.Look) plan.Window {
	w := plan.Window{X: l.Width / 5, Y: l.Height / 7 * (l.Width % 2)}
	w.Width, w.Height = max(1, l.Width/2), max(1, l.Height-2*w.Y-l.Height%3)
	return w
}

// walkLooks is lookAnywhere for pictures that are walked to first, as the plans of results are.
func walkLooks(t *testing.T, in input) func(plan.Look) plan.Window {
	t.Helper()
	return func(l plan.Look) plan.Window {
		if l.Threshold < 1 || l.Threshold > 99 {
			t.Errorf("%s: the threshold is %d", in.text, l.Threshold)
		}
		walk(t, in, plan.Plan{Load: l.Load, Ops: l.Ops, Output: plan.Output{Format: plan.GIF}, Width: l.Width, Height: l.Height, Frames: l.Frames})
		return lookAnywhere(l)
	}
}

func still(width, height int) plan.Source {
	return plan.Source{Format: plan.JPEG, Width: width, Height: height, Orientation: 1, Frames: 1}
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }

func randomSource(random *rand.Rand) plan.Source {
	sides := func() int {
		return pick(random, 1, 2, 10, 301, 865, 3000, 20000, 1+random.IntN(5000), 1+random.IntN(50))
	}
	s := plan.Source{
		Format:      pick(random, plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF, plan.HEIC, plan.TIFF, plan.SVG, plan.PDF),
		Width:       sides(),
		Height:      sides(),
		Orientation: random.IntN(10),
		Frames:      pick(random, 0, 1, 1, 3, 200),
		Profile:     random.IntN(3) == 0,
		CMYK:        random.IntN(5) == 0,
	}
	s.Metadata = s.Profile || random.IntN(2) == 0
	if s.Format == plan.JPEG {
		s.Quality = pick(random, 0, 1, 40, 85, 100)
	}
	s.Alpha = s.Format.Alpha() && random.IntN(2) == 0
	if !s.Format.Animated() {
		s.Frames = min(s.Frames, 1)
	}
	s.Pages = s.Frames
	if s.Format == plan.TIFF || s.Format == plan.PDF {
		s.Pages = 1 + random.IntN(3)
	}
	s.Density = pick(random, 0, 72.0, 300)
	return s
}

func randomHints(random *rand.Rand) plan.Hints {
	return plan.Hints{
		Accept:   acceptOf(random.IntN(8)),
		Formats:  pick(random, nil, []plan.Format{plan.AVIF, plan.WebP}, []plan.Format{plan.JXL, plan.JPEG}, []plan.Format{plan.PNG}),
		Quality:  random.IntN(101),
		Writable: pick(random, everything, everything, everything.With(plan.JXL), plan.SetOf(plan.JPEG, plan.PNG)),
		Still:    random.IntN(5) == 0,

		Rasterise:   random.IntN(4) == 0,
		Width:       pick(random, 0, 100, 300, 2000, 65500),
		DPR:         pick(random, 0, 0.25, 1, 2, 5),
		SaveData:    random.IntN(2) == 0,
		SaveQuality: pick(random, 0, 10, 50, 95),
		Exact:       random.IntN(4) == 0,
		Smallest:    random.IntN(3) == 0,
	}
}

func acceptOf(bits int) plan.Set {
	var s plan.Set
	for i, f := range []plan.Format{plan.JXL, plan.AVIF, plan.WebP} {
		if bits&(1<<i) != 0 {
			s = s.With(f)
		}
	}
	return s
}

func randomLimits(random *rand.Rand) plan.Limits {
	return plan.Limits{
		SourcePixels: pick(random, int64(0), 0, 25_000_000),
		OutputPixels: pick(random, int64(0), 0, 10_000, 1_000_000, 50_000_000),
		OutputSide:   pick(random, 0, 0, 500, 8192),
		Frames:       pick(random, 0, 0, 2, 100),
		Steps:        pick(random, 0, 0, 2),
		Sizes:        pick(random, plan.Ladder{}, plan.Ladder{}, plan.Ladder{Widths: []int{1, 40, 320, 640, 1999}}),
	}
}

// randomChain writes up to three steps of parameters that go together more often than not.
func randomChain(random *rand.Rand) string {
	steps := make([]string, 1+random.IntN(3))
	for i := range steps {
		steps[i] = randomStep(random)
		if random.IntN(5) == 0 {
			condition := pick(random, "ar_gt_1", "w_gt_300_and_h_lt_1000", "iw_lte_10_or_iar_eq_4-3")
			steps[i] = "if-" + condition + "," + steps[i] + ":" + randomStep(random) + ",if-else," + randomStep(random) + ",if-end"
		}
	}
	return strings.Join(steps, ":")
}

func randomStep(random *rand.Rand) string {
	side := func() string {
		return pick(random, "1", "0.5", "0.013", "20000", fmt.Sprint(1+random.IntN(2000)), fmt.Sprint(1+random.IntN(300)),
			pick(random, "iw_div_2", "ch_mul_1.3", "cw_add_ih_mod_500", "iar_pow_2_mul_40"))
	}
	items := []string{"w-" + pick(random, "auto", side(), side(), side())}
	maybe := func(item string) {
		if random.IntN(4) == 0 {
			items = append(items, item)
		}
	}
	if random.IntN(4) > 0 {
		items = append(items, "h-"+side())
	}
	if random.IntN(2) == 0 {
		items = append(items, pick(random, "c-maintain_ratio_no_enlarge", "c-force", "c-at_max", "c-at_max_enlarge", "c-at_least",
			"cm-pad_resize", "cm-pad_resize_no_enlarge", "cm-extract", "cm-extract,x-3", "cm-extract,xc-90,y-N1", "cm-extract,x-cw_div_9",
			"cm-pad_extract", "cm-pad_extract_no_shrink"))
	}
	if strings.HasPrefix(items[len(items)-1], "cm-pad") && strings.Contains(items[1], "h-") && random.IntN(3) == 0 {
		items = append(items, randomBackdrop(random))
	} else {
		maybe("bg-" + pick(random, "red", "transparent", "FF000050"))
	}
	maybe("ar-" + pick(random, "4-3", "1:1", "1-500", "2.35_1", "iar", "car_mul_2"))
	maybe("dpr-" + pick(random, "0.1", "2", "3.3", "auto"))
	if random.IntN(20) == 0 {
		items = append(items, randomDistortion(random))
	}
	maybe("fo-" + pick(random, "auto", "top", "left", "bottom_right", "center", "face", "car_dog", "custom", "auto-custom_override", "face,z-2"))
	maybe("f-" + pick(random, "auto", "jpg", "png", "webp", "avif", "gif", "jxl", "orig"))
	maybe("rt-" + pick(random, "0", "90", "180", "N90", "N12.5", "45", "auto", fmt.Sprint(random.IntN(361))))
	maybe("fl-" + pick(random, "h", "v", "v_h"))
	maybe("r-" + pick(random, "0", "7", "max", "1_2_3_4", fmt.Sprintf("%d_0_%d_9", random.IntN(500), random.IntN(500))))
	maybe("b-" + pick(random, "0_red", "8_FF000050", "cw_div_20_blue", "ch_sub_30_red"))
	maybe("o-" + pick(random, "0", "50", "100"))
	maybe("bl-" + pick(random, "1", "100"))
	maybe(pick(random, "t-true", "t-50", "t-false", "dn-300", "dn-idn_mul_2", "dn-31"))
	for _, effect := range []string{"e-grayscale", "e-contrast", "e-sharpen", "e-sharpen-7", "e-usm", "e-usm-0-5-1-0.05"} {
		if random.IntN(20) == 0 {
			items = append(items, effect)
		}
	}
	for _, effect := range []string{
		"e-shadow", "e-shadow-bl-0_st-100_x-N100_y-50", "e-shadow-st-0", "e-gradient", "e-gradient-ld-33_from-FF000050_to-blue_sp-7",
		"e-gradient-ld-top_left_sp-cw_div_3", "e-gradient-from-transparent_to-00000000", "e-colorize", "e-colorize-co-red_in-0", "cr-red",
		"cr-red_0_red", "cr-red_70_teal",
	} {
		if random.IntN(30) == 0 {
			items = append(items, effect)
		}
	}
	maybe(pick(random, "q-50", "pr-true", "lo-true", "md-true", "cp-true", "md-true,cp-true"))
	return strings.Join(items, ",")
}
