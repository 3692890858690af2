package plan_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// TestChainsOfTheSameMeaningHaveTheSameRecipe writes random chains in other words, with some of their steps under a name.
func TestChainsOfTheSameMeaningHaveTheSameRecipe(t *testing.T) {
	const rounds = 8_000
	planned, refused, other := 0, 0, 0
	for seed := range uint64(rounds) {
		w := chaintest.New(seed, 3000)
		in := input{text: w.Plausible(), source: randomSource(w.Rand), hints: randomHints(w.Rand), limits: randomLimits(w.Rand), look: lookAnywhere}
		in.limits.Steps = 0 // a branch of two steps is one condition more
		c, err := syntax.Parse(in.text)
		if err != nil {
			t.Fatal(err)
		}
		rewritten := in
		rewritten.text = w.Rewrite(c)
		in.chain = expanded(t, in.text)
		rewritten.chain = named(t, w, expanded(t, rewritten.text))
		if in.chain.String() != rewritten.chain.String() {
			other++
		}
		p, err := in.resolve()
		q, otherErr := rewritten.resolve()
		if in.source.Format == plan.SVG && (err == nil) != (otherErr == nil) && (p.Original || q.Original) {
			continue // sent as it is, it has no step that could fail; to decide on a branch its size is computed
		}
		if (err == nil) != (otherErr == nil) || p.Recipe() != q.Recipe() {
			t.Fatalf("%s on %+v with %+v, %+v is\n%v%s%v\n%s is\n%v%s%v", in.text, in.source, in.hints, in.limits, p, p.Recipe(), err,
				rewritten.text, q, q.Recipe(), otherErr)
		}
		if err == nil {
			planned++
		} else {
			refused++
		}
	}
	t.Logf("%d chains were planned, %d refused, %d have another canonical text", planned, refused, other)
	if planned < rounds/5 || other < rounds/2 {
		t.Errorf("%d of %d chains were planned, %d were another text: the test proves little", planned, rounds, other)
	}
}

// expanded parses a text that asks for chains by the names that random ones do.
func expanded(t *testing.T, text string) syntax.Chain {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]syntax.Chain{}
	for name, text := range map[string]string{"small": "h-9,b-2_red", "Big_2": "w-cw_mul_2:rt-90,q-30"} {
		if known[name], err = syntax.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = syntax.Expand(c, known); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

// named returns a chain that asked for some of the steps of c by a name.
func named(t *testing.T, w chaintest.Writer, c syntax.Chain) syntax.Chain {
	t.Helper()
	from := w.IntN(len(c) + 1)
	to := from + w.IntN(len(c)-from+1)
	if from == to {
		return c
	}
	name, err := syntax.Parse("n-some")
	if err != nil {
		t.Fatal(err)
	}
	named, err := syntax.Expand(slices.Concat(c[:from], name, c[to:]), map[string]syntax.Chain{"some": c[from:to]})
	if err != nil {
		t.Fatal(err)
	}
	return named
}

// negativeZero is equal to zero, and is another text.
var negativeZero = regexp.MustCompile(`[:\[ ]-0[ \]}]`)

// TestPlansOfOneRecipeAreOnePlan compares all that an engine reads of plans with the same recipe. Few sources and few sides
// make many chains lead to the same.
func TestPlansOfOneRecipeAreOnePlan(t *testing.T) {
	const rounds = 30_000
	seen, again := map[string]plan.Plan{}, 0
	for seed := range uint64(rounds) {
		w := chaintest.New(seed, 4)
		in := input{text: w.Plausible(), source: still(6, 4), hints: randomHints(w.Rand), look: lookAnywhere}
		in.source.Format = plan.PNG
		in.source.Alpha = w.One(2)
		p, err := in.resolve()
		if err != nil {
			continue
		}
		recipe := p.Recipe()
		first, found := seen[recipe]
		if found {
			again++
		} else {
			seen[recipe] = p
			first = p
		}
		if !reflect.DeepEqual([]any{p.Original, p.Load, p.Ops, p.Output, p.Alternatives}, []any{first.Original, first.Load, first.Ops, first.Output, first.Alternatives}) {
			t.Fatalf("%s: two plans have the recipe\n%s\n%#v\n%#v", in.text, recipe, p, first)
		}
		if p.Width != first.Width || p.Height != first.Height || p.Frames != first.Frames {
			t.Fatalf("%s: the recipe\n%s\nleads to two sizes, %dx%d and %dx%d", in.text, recipe, p.Width, p.Height, first.Width, first.Height)
		}
		if negativeZero.MatchString(recipe) {
			t.Fatalf("%s: a zero in\n%s\nis negative, and others are not", in.text, recipe)
		}
	}
	t.Logf("%d recipes, and %d plans with one of them", len(seen), again)
	if again < rounds/50 || len(seen) < rounds/20 {
		t.Errorf("%d recipes came up, and %d times one again: the test proves little", len(seen), again)
	}
}

// TestClientsThatVaryDoesNotTellApartGetTheSameRecipe has every combination of hints ask for the same picture. What one gets
// holds for all that are like it in what its Vary names: a cache sends it to them. A Vary that names what makes no
// difference is allowed, but costs hits; how often that is so is logged.
func TestClientsThatVaryDoesNotTellApartGetTheSameRecipe(t *testing.T) {
	const chains = 1200
	clients := allClients()
	named, idle := map[plan.Vary]int{}, map[plan.Vary]int{}
	examples := map[plan.Vary][]string{}
	planned := 0
	for seed := range uint64(chains) {
		w := chaintest.New(seed, 2000)
		in := input{text: w.Plausible(), source: randomSource(w.Rand), hints: randomHints(w.Rand), limits: randomLimits(w.Rand), look: lookAnywhere}
		c, err := syntax.Parse(in.text)
		if err != nil {
			t.Fatal(err)
		}
		in.chain = c
		answers := make([]answer, len(clients))
		for i, client := range clients {
			answers[i] = in.answerTo(client)
		}
		if answers[0].err == "" {
			planned++
		}
		all := in.compareAlike(t, clients, answers)
		for _, one := range []plan.Vary{plan.VaryAccept, plan.VaryWidth, plan.VaryDPR, plan.VarySaveData} {
			if !all.Has(one) {
				continue
			}
			named[one]++
			if !matters(clients, answers, one) {
				idle[one]++
				if len(examples[one]) < 5 {
					examples[one] = append(examples[one], in.text)
				}
			}
		}
	}
	for one, n := range named {
		t.Logf("%s was named for %d chains, without need for %d, as in %q", one, n, idle[one], examples[one])
	}
	if planned < chains/6 || min(named[plan.VaryAccept], named[plan.VaryWidth], named[plan.VaryDPR], named[plan.VarySaveData]) < 15 {
		t.Errorf("%d chains were planned, which named %v: the test proves little", planned, named)
	}
}

// compareAlike fails where two clients that are alike in what the Vary of an answer names get different answers. It returns what
// the answers vary by, less errors, whose Vary is wide on purpose.
func (in input) compareAlike(t *testing.T, clients []client, answers []answer) (all plan.Vary) {
	t.Helper()
	for i, a := range answers {
		if a.err == "" {
			all |= a.vary
		}
		if slices.ContainsFunc(answers[:i], func(b answer) bool { return b.vary == a.vary }) {
			continue // it was compared with all that are like one of its kind
		}
		first := map[client]int{} // of those whose answer has this Vary
		for j, b := range answers {
			if seen := clients[j].seenBy(a.vary); b.vary == a.vary {
				if _, found := first[seen]; !found {
					first[seen] = j
				}
			}
		}
		for j, b := range answers {
			k, found := first[clients[j].seenBy(a.vary)]
			if found && b != answers[k] {
				t.Fatalf("%s on %+v varies by %q for %+v, who gets\n%v\nand %+v, who is like that, gets\n%v", in.text, in.source, a.vary,
					clients[k], answers[k], clients[j], b)
			}
		}
	}
	return all
}

// client is what a client tells.
type client struct {
	accept plan.Set
	width  int
	dpr    float64
	saves  bool
}

func allClients() (all []client) {
	for bits := range 8 {
		for _, width := range []int{0, 100, 700, 2000} {
			for _, dpr := range []float64{0, 1, 2.5} {
				all = append(all, client{acceptOf(bits), width, dpr, false}, client{acceptOf(bits), width, dpr, true})
			}
		}
	}
	return all
}

// seenBy returns what a cache that varies by v sees of a client.
func (c client) seenBy(v plan.Vary) (seen client) {
	if v.Has(plan.VaryAccept) {
		seen.accept = c.accept
	}
	if v.Has(plan.VaryWidth) {
		seen.width = c.width
	}
	if v.Has(plan.VaryDPR) {
		seen.dpr = c.dpr
	}
	if v.Has(plan.VarySaveData) {
		seen.saves = c.saves
	}
	return seen
}

// answer is what a client gets.
type answer struct {
	recipe, err string
	vary        plan.Vary
}

// answerTo plans for a client. Errors vary as a server says of them.
func (in input) answerTo(c client) answer {
	in.hints.Accept, in.hints.Width, in.hints.DPR, in.hints.SaveData = c.accept, c.width, c.dpr, c.saves
	p, err := in.resolve()
	if err != nil {
		return answer{err: err.Error(), vary: plan.VaryOf(in.chain) | plan.VaryAccept | plan.VarySaveData}
	}
	return answer{recipe: p.Recipe(), vary: p.Vary}
}

// matters reports whether two clients that differ in one thing get something else.
func matters(clients []client, answers []answer, one plan.Vary) bool {
	others := (plan.VaryAccept | plan.VaryWidth | plan.VaryDPR | plan.VarySaveData) &^ one
	got := map[client]string{}
	for i, c := range clients {
		alike := c.seenBy(others)
		text := fmt.Sprint(answers[i].recipe, answers[i].err)
		if first, found := got[alike]; found && first != text {
			return true
		}
		got[alike] = text
	}
	return false
}

// TestWaysToTheSamePictureHaveTheSameRecipe writes what is asked for by other numbers, by the client or by more steps.
func TestWaysToTheSamePictureHaveTheSameRecipe(t *testing.T) {
	for _, pair := range [][2]string{
		{"w-300", "w-600_div_2"},
		{"h-200,w-300", "w-300,h-0200"}, // as docs/transformations.md has them, with the three that follow
		{"h-200,w-300", "w-600_div_2,h-200,c-maintain_ratio"},
		{"h-200,w-300", "w-150,h-100,dpr-2"},
		{"h-200,w-700", "w-auto,h-200"},
		{"w-300", "w-0.1_mul_3000"},
		{"w-0.5", "w-iw_div_2"},
		{"w-150,dpr-2", "w-300"},
		{"w-700", "w-auto"},
		{"w-350,dpr-auto", "w-700"},
		{"w-auto,dpr-auto", "w-auto"},
		{"w-300:w-300", "w-300"},
		{"w-300:h-2000,c-at_max", "w-300"},
		{"w-300,h-300,ar-4-3", "w-300,h-300"},
		{"w-90,h-70,r-max", "w-90,h-70,r-275"},
		{"w-99,h-77,r-999", "w-99,h-77,r-142"},
		{"w-98,h-67,r-30_300_30_300", "w-98,h-67,r-100_1000_100_1000"},
		{"rt-N12.7", "rt-347.3"},
		{"w-100,e-sharpen-3", "w-100,e-usm-0-1-0.15-0.01"},
		{"w-100,bl-4", "w-100,bl-04.0"},
		{"w-100:e-gradient-sp-0.3", "w-100:e-gradient-sp-ch_mul_0.1_mul_3"},
		{"w-100,e-gradient-sp-3", "w-100,e-gradient-sp-1.1_add_2.2_sub_0.3"},
		{"w-100,b-5_red", "w-100,b-0.05_mul_100_red"},
		{"w-100,o-50,bg-red", "w-100,o-50,bg-FF000050"},
		{"if-ar_gt_1,w-300,if-else,h-300,if-end:q-50", "w-300:q-50"},
		{"w-300,q-80", "w-300"},
		{"w-300,f-jpg", "w-300,f-auto"},
	} {
		var recipes [2]string
		for i, text := range pair {
			p, err := input{text: text, source: still(4000, 3000), hints: plan.Hints{Writable: everything, Width: 700, DPR: 2}}.resolve()
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			recipes[i] = p.Recipe()
		}
		if recipes[0] != recipes[1] {
			t.Errorf("%s is\n%s\n%s is\n%s", pair[0], recipes[0], pair[1], recipes[1])
		}
	}
}
