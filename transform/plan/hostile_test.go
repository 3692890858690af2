package plan_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

// usualLimits are those of a server that is not told any.
var usualLimits = plan.Limits{SourcePixels: 100_000_000, OutputPixels: 50_000_000, OutputSide: syntax.MaxSide, Frames: 500, Steps: 20}

// largest is as large a source as the usual limits let pass, and has everything that makes a plan longer.
var largest = plan.Source{Format: plan.JPEG, Width: 10_000, Height: 10_000, Orientation: 7, Frames: 1, Profile: true, Metadata: true}

// What Resolve may do at most, counted so that a busy machine changes nothing.
const (
	opsPerItem         = 4 // of the chain: fitting, background and padding; corners, border and corners of the border
	allocationsPerByte = 12
	memoryPerByte      = 1500
	freeAllocations    = 500
	freeMemory         = 64 << 10
)

// checkCost fails where the plan of a chain is longer, or takes more memory to make, than the chain explains.
func checkCost(t *testing.T, text string, s plan.Source, l plan.Limits, trims ...plan.Window) {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		return
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := plan.Resolve(c, plan.Sources{Base: s, Trims: trims}, plan.Hints{Writable: everything}, l)
	if err == nil {
		_ = p.String()
	} else {
		_ = err.Error()
	}
	runtime.ReadMemStats(&after)
	if n, most := int(after.Mallocs-before.Mallocs), freeAllocations+allocationsPerByte*len(text); n > most {
		t.Errorf("%.60q... of %d bytes: %d allocations, at most %d are allowed", text, len(text), n, most)
	}
	if n, most := int(after.TotalAlloc-before.TotalAlloc), freeMemory+memoryPerByte*len(text); n > most {
		t.Errorf("%.60q... of %d bytes: %d bytes of memory, at most %d are allowed", text, len(text), n, most)
	}
	if items := 1 + strings.Count(text, ",") + strings.Count(text, ":"); len(p.Ops) > opsPerItem*(1+items) {
		t.Errorf("%.60q...: %d ops for %d items", text, len(p.Ops), items)
	}
	if unseen, ok := errors.AsType[*plan.Unseen](err); ok && len(trims) < plan.MaxTrims {
		checkCost(t, text, s, l, append(trims, plan.Window{Width: unseen.Look.Width, Height: unseen.Look.Height})...)
		return
	}
	if err != nil {
		wrong, limit := (*syntax.Error)(nil), (*plan.LimitError)(nil)
		if s.Width > 0 && s.Height > 0 && !errors.As(err, &wrong) && !errors.As(err, &limit) {
			t.Errorf("%.60q... on %+v: %T %v", text, s, err, err)
		}
	}
}

func TestHostileChainsArePlannedForWhatTheirLengthExplains(t *testing.T) {
	animation := plan.Source{Format: plan.GIF, Width: 65_535, Height: 65_535, Frames: 1 << 40, Alpha: true}
	for _, h := range chaintest.Hostiles() {
		t.Run(h.Name, func(t *testing.T) {
			for _, s := range []plan.Source{largest, animation, still(1, 1)} {
				checkCost(t, h.Text, s, usualLimits)
				checkCost(t, h.Text, s, plan.Limits{})
			}
		})
	}
}

// BenchmarkHostileChains shows what it takes to refuse, or to plan, the worst chains that parse: as a server with the usual
// limits does it, and without limits.
func BenchmarkHostileChains(b *testing.B) {
	for _, h := range chaintest.Hostiles() {
		c, err := syntax.Parse(h.Text)
		if err != nil {
			continue
		}
		for _, bounds := range []struct {
			name   string
			limits plan.Limits
		}{{"usual limits", usualLimits}, {"no limits", plan.Limits{}}} {
			b.Run(h.Name+"/"+bounds.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := plan.Resolve(c, plan.Sources{Base: largest}, plan.Hints{Writable: everything}, bounds.limits); err != nil {
						_ = err.Error()
					}
				}
			})
		}
	}
}

// FuzzCost looks for chains and sources that cost much to plan. It counts, and measures no time.
func FuzzCost(f *testing.F) {
	for _, h := range chaintest.Hostiles() {
		f.Add(h.Text, 640, 865, 1, false)
	}
	f.Fuzz(func(t *testing.T, text string, width, height, frames int, limited bool) {
		limits := plan.Limits{}
		if limited {
			limits = usualLimits
		}
		s := plan.Source{Format: plan.GIF, Width: width, Height: height, Frames: frames, Alpha: true, Orientation: 1}
		checkCost(t, text, s, limits)
	})
}

// FuzzCondition plans both branches of a condition for a picture.
func FuzzCondition(f *testing.F) {
	w := chaintest.New(2, 2000)
	for range 40 {
		f.Add(w.Condition(), w.PlausibleStep(), w.PlausibleStep(), 1+w.IntN(2000), 1+w.IntN(2000))
	}
	f.Fuzz(func(t *testing.T, condition, then, otherwise string, width, height int) {
		s := still(width, height)
		s.Orientation = 6
		in := input{
			text: "w-0.7:if-" + condition + "," + then + ",if-else," + otherwise + ",if-end", source: s,
			hints: plan.Hints{Writable: everything}, limits: usualLimits, look: lookAnywhere,
		}
		if p, err := in.resolve(); err == nil {
			walk(t, in, p)
		}
	})
}

// FuzzExpression plans arithmetic wherever it may stand.
func FuzzExpression(f *testing.F) {
	for _, b := range vectest.Read(f) {
		if in := inputOf(f, b.Header); strings.HasSuffix(b.File, "expressions.vec") {
			for item := range strings.FieldsFuncSeq(in.text, func(r rune) bool { return r == ',' || r == ':' }) {
				_, value, _ := strings.Cut(item, "-")
				f.Add(value, in.source.Width, in.source.Height)
			}
		}
	}
	w := chaintest.New(3, 2000)
	for range 40 {
		f.Add(w.Expression(), 1+w.IntN(2000), 1+w.IntN(2000))
	}
	f.Fuzz(func(t *testing.T, text string, width, height int) {
		for _, chain := range []string{
			"w-" + text, "w-0.4:h-" + text + ",ar-" + text, "h-0.9:w-0.5,cm-extract,x-" + text + ",yc-" + text, "w-0.3,dpr-" + text, "b-" + text + "_red",
		} {
			in := input{text: chain, source: still(width, height), hints: plan.Hints{Writable: everything}}
			if p, err := in.resolve(); err == nil {
				walk(t, in, p)
			}
		}
	})
}

// FuzzModel holds plans against the model.
func FuzzModel(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { compare(t, seed) })
}
