package syntax_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// TestRandomChainsSurviveTheRoundTrip parses chains with arithmetic and conditions, in every spelling there is.
func TestRandomChainsSurviveTheRoundTrip(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(5, 6))}
	const rounds = 5_000
	conditions, expressions := 0, 0
	for range rounds {
		text := w.chain(true)
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		checkInvariants(t, text)
		for _, s := range c {
			if s.If != nil {
				conditions++
			}
			for _, it := range s.Items {
				if _, arithmetic := it.Value.(syntax.Expression); arithmetic {
					expressions++
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if conditions < rounds/4 || expressions < rounds/4 {
		t.Errorf("there were %d conditions and %d expressions in %d chains: the test proves little", conditions, expressions, rounds)
	}
}

// TestRandomMutilationsKeepTheInvariants takes a few bytes out of chains, or puts some in.
func TestRandomMutilationsKeepTheInvariants(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(7, 8))}
	pieces := []string{",", ":", "-", "_", "if-", ",if-end", ",if-else,", "_and_", "_or_", "_div_", "0", "iw", "4-3", "%", "é"}
	for range 5_000 {
		text := w.chain(true)
		for range 1 + w.IntN(3) {
			at := w.IntN(len(text) + 1)
			if w.IntN(2) == 0 {
				text = text[:at] + pieces[w.IntN(len(pieces))] + text[at:]
			} else {
				text = text[:at] + text[min(len(text), at+1+w.IntN(4)):]
			}
		}
		if checkInvariants(t, text); t.Failed() {
			return
		}
	}
}

// writer writes chains that are well-formed.
type writer struct{ *rand.Rand }

func (w writer) pick(words ...string) string { return words[w.IntN(len(words))] }

func (w writer) chain(conditions bool) string {
	steps := make([]string, 1+w.IntN(3))
	for i := range steps {
		if steps[i] = w.step(); conditions && w.IntN(3) == 0 {
			steps[i] = w.condition()
		}
	}
	return strings.Join(steps, ":")
}

func (w writer) condition() string {
	comparisons := make([]string, 1+w.IntN(4))
	for i := range comparisons {
		property, value := w.pick("w", "h", "ar", "iw", "ih", "iar"), w.number()
		if strings.HasSuffix(property, "ar") && w.IntN(2) == 0 {
			value = fmt.Sprintf("%d-%d", 1+w.IntN(20), 1+w.IntN(20))
		}
		comparisons[i] = property + "_" + w.pick("eq", "ne", "gt", "gte", "lt", "lte") + "_" + value
		if i > 0 {
			comparisons[i] = w.pick("and_", "or_") + comparisons[i]
		}
	}
	text := "if-" + strings.Join(comparisons, "_") + "," + w.chain(false)
	if w.IntN(2) == 0 {
		text += ",if-else," + w.chain(false)
	}
	return text + ",if-end"
}

func (w writer) step() string {
	items := []string{"w-" + w.pick("auto", w.value()), "h-" + w.value(), "x-" + w.value(), "dpr-" + w.pick("auto", w.expression(), w.expression())}
	items = append(items, w.pick("ar-4-3", "ar-4_3", "ar-4:3", "ar-"+w.expression()), w.pick("q-50", "f-jpeg", "bg-red", "fo-auto", "t-true", "t-30", "dn-300", "dn-idn_mul_2", "n-Thumb_1", "bg-blurred_auto_N30", "bg-gradient_dominant_2", "fo-dog_cat,z-1.50", "e-distort-a-N9.0",
		"e-distort-p-N1_0_"+fmt.Sprint(w.IntN(999))+"_2_3_4_5_N0"), w.effect())
	w.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return strings.Join(items[:1+w.IntN(len(items))], ",")
}

// effect writes one that has parts, in any order.
func (w writer) effect() string {
	colour := func() string { return w.pick("red", "0f0", "FF000050", "00FF00") }
	parts := []string{"ld-" + w.pick("top_left", "bottom", "012.5", "359"), "from-" + colour(), "to-" + colour(), "sp-" + w.pick("0.50", "1", "300", w.expression(), w.expression())}
	name := "e-gradient"
	switch w.IntN(4) {
	case 0:
		name, parts = "e-shadow", []string{"bl-" + w.pick("0", "10", "015"), "st-" + w.pick("30", "100"), "x-" + w.pick("N0", "2", "N100"), "y-" + w.pick("7.0", "2")}
	case 1:
		name, parts = "e-colorize", []string{"co-" + w.pick("gray", "navy", "123"), "in-" + w.pick("0", "100", "7")}
	case 2:
		return w.pick("cr-red", "cr-F00_35", "cr-navy_7_00ff00", "cr-123456_35_red")
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(append([]string{name}, strings.Join(parts[:1+w.IntN(len(parts))], "_")), "-")
}

func (w writer) value() string { return w.pick("300", "0300.0", w.expression(), w.expression()) }

func (w writer) number() string {
	return w.pick("0", "2", "002.50", "0.000001", "65535", fmt.Sprint(w.IntN(1000)), fmt.Sprintf("%.3f", 10*w.Float64()))
}

func (w writer) expression() string {
	var b strings.Builder
	b.WriteString(w.pick("iw", "ih", "iar", "cw", "ch", "car"))
	for range w.IntN(5) {
		b.WriteString("_" + w.pick("add", "sub", "mul", "div", "mod", "pow"))
		b.WriteString("_" + w.pick("iw", "ih", "iar", "cw", "ch", "car", w.number()))
	}
	return b.String()
}
