// Package chaintest writes random transformations for property tests and fuzzing: well-formed ones, in every spelling
// there is, of every parameter of the table.
package chaintest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Writer writes chains. What it writes is parsed without error, but not all of it means something to a plan.
type Writer struct {
	*rand.Rand
	MaxSide int // the longest side that is asked for in plain pixels
}

// New returns a Writer for sides of up to maxSide pixels. The same seed writes the same chains.
func New(seed uint64, maxSide int) Writer {
	return Writer{rand.New(rand.NewPCG(seed, 1)), maxSide}
}

// Names returns the short names of the parameters that work, without the condition.
var Names = sync.OnceValue(func() []string {
	var names []string
	for _, p := range syntax.Parameters() {
		if p.Missing == "" && p.Name != "if" {
			names = append(names, p.Name)
		}
	}
	return names
})

// Untold returns the names of parameters that work and for which no value is known here.
func Untold() []string {
	return slices.DeleteFunc(slices.Clone(Names()), func(name string) bool { return values[name] != nil })
}

// Pick returns one of words.
func (w Writer) Pick(words ...string) string { return words[w.IntN(len(words))] }

// One reports true once in n times.
func (w Writer) One(n int) bool { return w.IntN(n) == 0 }

// Chain writes up to three steps of any parameters, whether they go together or not. Some are conditions.
func (w Writer) Chain() string {
	return w.steps(3, func() string {
		if w.One(3) {
			return w.If(func() string { return w.steps(2, w.Step) })
		}
		return w.Step()
	})
}

// Plausible writes up to three steps of parameters that go together more often than not. Some are conditions.
func (w Writer) Plausible() string {
	return w.steps(3, func() string {
		if w.One(6) {
			return w.If(func() string { return w.steps(2, w.PlausibleStep) })
		}
		return w.PlausibleStep()
	})
}

func (w Writer) steps(most int, step func() string) string {
	steps := make([]string, 1+w.IntN(most))
	for i := range steps {
		steps[i] = step()
	}
	return strings.Join(steps, ":")
}

// If writes a condition whose branches are written by branch.
func (w Writer) If(branch func() string) string {
	text := "if-" + w.Condition() + "," + inBranch(branch)
	if w.One(2) {
		text += ",if-else," + inBranch(branch)
	}
	return text + ",if-end"
}

// inBranch has a branch written that holds nothing which may not stand in one.
func inBranch(write func() string) string {
	for {
		if text := write(); !strings.Contains(strings.ReplaceAll(","+text, ":", ","), ",pg-") {
			return text
		}
	}
}

// Step writes up to eight items of any parameters.
func (w Writer) Step() string {
	names := Names()
	var items []string
	for _, i := range w.Perm(len(names))[:1+w.IntN(8)] {
		items = append(items, w.Item(names[i]))
	}
	return strings.Join(items, ",")
}

// PlausibleStep writes a box, most of the time, and some other parameters, all of which may stand beside each other.
func (w Writer) PlausibleStep() string {
	items := w.Box()
	for _, name := range Names() {
		if w.One(9) && !slices.Contains(boxNames, name) && name != "orig" {
			items = append(items, w.Item(name))
		}
	}
	if len(items) == 0 {
		return w.Item("w")
	}
	w.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return strings.Join(items, ",")
}

var boxNames = []string{"w", "h", "ar", "c", "cm", "fo", "x", "y", "xc", "yc", "dpr"}

// Box writes the items that say how a step fits the picture: one time in six none.
func (w Writer) Box() []string {
	var items []string
	switch w.IntN(6) {
	case 0:
		return nil
	case 1:
		items = []string{w.Item("w")}
	case 2:
		items = []string{w.Item("h")}
	case 3:
		items = []string{w.Item(w.Pick("w", "h")), w.Item("ar")}
	default:
		items = []string{w.Item("w"), w.Item("h")}
	}
	switch w.IntN(5) {
	case 0, 1:
		items = append(items, w.Item("c"))
	case 2, 3:
		mode := w.Item("cm")
		items = append(items, mode)
		if mode == "cm-extract" && w.One(2) {
			items = append(items, w.Item(w.Pick("x", "xc")), w.Item(w.Pick("y", "yc")))
		}
	}
	for _, name := range []string{"fo", "dpr"} {
		if w.One(3) {
			items = append(items, w.Item(name))
		}
	}
	return items
}

// Item writes a parameter with a value.
func (w Writer) Item(name string) string {
	value := values[name]
	if value == nil {
		panic("chaintest: no value is known for " + name)
	}
	if text := value(w); text != "" {
		return name + "-" + text
	}
	return name
}

// Condition writes what stands between "if-" and the comma.
func (w Writer) Condition() string {
	comparisons := make([]string, 1+w.IntN(4))
	for i := range comparisons {
		property, value := w.Pick("w", "h", "ar", "iw", "ih", "iar"), w.Number()
		if strings.HasSuffix(property, "ar") && w.One(2) {
			value = fmt.Sprintf("%d-%d", 1+w.IntN(20), 1+w.IntN(20))
		}
		comparisons[i] = property + "_" + w.Pick("eq", "ne", "gt", "gte", "lt", "lte") + "_" + value
		if i > 0 {
			comparisons[i] = w.Pick("and_", "or_") + comparisons[i]
		}
	}
	return strings.Join(comparisons, "_")
}

// Number writes a decimal number of 0 or more.
func (w Writer) Number() string {
	return w.Pick("0", "2", "002.50", "0.000001", "65535", fmt.Sprint(w.IntN(1000)), fmt.Sprintf("%.3f", 10*w.Float64()))
}

// Expression writes arithmetic, which may come to anything.
func (w Writer) Expression() string {
	var b strings.Builder
	b.WriteString(w.variable())
	for range w.IntN(5) {
		b.WriteString("_" + w.Pick("add", "sub", "mul", "div", "mod", "pow") + "_")
		if w.One(2) {
			b.WriteString(w.Number())
		} else {
			b.WriteString(w.variable())
		}
	}
	return b.String()
}

func (w Writer) variable() string { return w.Pick("iw", "ih", "iar", "cw", "ch", "car") }
