package syntax_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// TestEveryRowOfTheTableIsWrittenAtRandom guards the property tests here and elsewhere: a new parameter needs values in
// chaintest.
func TestEveryRowOfTheTableIsWrittenAtRandom(t *testing.T) {
	if untold := chaintest.Untold(); len(untold) > 0 {
		t.Fatalf("chaintest has no values for %v", untold)
	}
	w := chaintest.New(3, 2000)
	for _, name := range chaintest.Names() {
		for range 200 {
			text := w.Item(name)
			if _, err := syntax.Parse(text); err != nil {
				t.Errorf("Parse(%q): %v", text, err)
				break
			}
		}
	}
}

// TestRandomChainsSurviveTheRoundTrip parses chains of all parameters, with arithmetic and conditions, in every spelling
// there is.
func TestRandomChainsSurviveTheRoundTrip(t *testing.T) {
	w := chaintest.New(5, 2000)
	const rounds = 10_000
	seen := map[string]int{}
	for i := range rounds {
		text := w.Chain()
		if i%3 == 0 {
			text = w.Plausible()
		}
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		checkInvariants(t, text)
		if len(c.String()) > 4*len(text) {
			t.Errorf("the canonical text of %q, %q, is longer than Parse reckons with", text, c)
		}
		count(c, seen)
		if t.Failed() {
			return
		}
	}
	for _, name := range append(chaintest.Names(), "if", "arithmetic") {
		if seen[name] < rounds/50 {
			t.Errorf("%s was written %d times in %d chains: the test proves little", name, seen[name], rounds)
		}
	}
}

// count counts parameters, conditions and arithmetic.
func count(c syntax.Chain, seen map[string]int) {
	for _, s := range c {
		for _, it := range s.Items {
			seen[it.Name]++
			if _, arithmetic := it.Value.(syntax.Expression); arithmetic {
				seen["arithmetic"]++
			}
		}
		if s.If != nil {
			seen["if"]++
			count(s.If.Then, seen)
			count(s.If.Else, seen)
		}
	}
}

// TestOrderOfItemsHasNoMeaning shuffles the items of a step.
func TestOrderOfItemsHasNoMeaning(t *testing.T) {
	w := chaintest.New(6, 2000)
	for range 3_000 {
		items := strings.Split(w.Step(), ",")
		want, err := syntax.Parse(strings.Join(items, ","))
		if err != nil {
			t.Fatal(err)
		}
		w.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if got, err := syntax.Parse(strings.Join(items, ",")); err != nil || got.String() != want.String() {
			t.Fatalf("Parse(%q) = %q, %v; want %q", items, got, err, want)
		}
	}
}

// TestRandomMutilationsKeepTheInvariants takes a few bytes out of chains, or puts some in.
func TestRandomMutilationsKeepTheInvariants(t *testing.T) {
	w := chaintest.New(7, 2000)
	pieces := []string{",", ":", "-", "_", "if-", ",if-end", ",if-else,", "_and_", "_or_", "_div_", "0", "iw", "4-3", "%", "é"}
	pieces = append(pieces, chaintest.Names()...)
	outcomes := map[bool]int{}
	for range 10_000 {
		text := w.Chain()
		for range 1 + w.IntN(3) {
			at := w.IntN(len(text) + 1)
			if w.IntN(2) == 0 {
				text = text[:at] + w.Pick(pieces...) + text[at:]
			} else {
				text = text[:at] + text[min(len(text), at+1+w.IntN(4)):]
			}
		}
		if checkInvariants(t, text); t.Failed() {
			return
		}
		_, err := syntax.Parse(text)
		outcomes[err == nil]++
	}
	if len(slices.Collect(maps.Keys(outcomes))) != 2 {
		t.Errorf("all texts were accepted, or none: %v", outcomes)
	}
}

// TestCanonicalTextIsWithinTheBound has values that grow where they are written out in full.
func TestCanonicalTextIsWithinTheBound(t *testing.T) {
	for _, item := range []string{"bg-f00", "bg-tan", "b-1-red", "rt-N9", "ar-4:3"} {
		for n := 1; n*(len(item)+1) <= syntax.MaxText; n += 7 {
			text := strings.Repeat(item+":", n-1) + item
			c, err := syntax.Parse(text)
			if err == nil {
				if _, err := syntax.Parse(c.String()); err != nil {
					t.Fatalf("%d times %s is accepted, but not its canonical text: %v", n, item, err)
				}
				continue
			}
			if e, ours := errors.AsType[*syntax.Error](err); !ours || !e.Limit || n*len(item) < 1024 {
				t.Fatalf("%d times %s: got %v, want an error with Limit only near the bound", n, item, err)
			}
		}
	}
}
