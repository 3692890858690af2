package vipsexec_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// order is something to be rendered.
type order struct {
	text   string
	source randomSource
	plan   plan.Plan
}

// TestParallelRendersEqualSequentialOnes renders random plans one after the other, then in another order and many at once:
// results are kept by their recipe, so it must decide every byte, whatever else the process does.
func TestParallelRendersEqualSequentialOnes(t *testing.T) {
	wanted := 200
	if testing.Short() {
		wanted = 60
	}
	e := newEngine(t)
	orders := randomOrders(t, e, wanted)
	want := make([][32]byte, len(orders))
	for i, o := range orders {
		sum, err := renderedSum(t, e, o)
		if err != nil {
			t.Fatalf("%q on a %s: %v\n%v", o.text, o.source.name, err, o.plan)
		}
		want[i] = sum
	}
	const atOnce = 8
	waiting := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range waiting {
				o := orders[i]
				if got, err := renderedSum(t, e, o); err != nil || got != want[i] {
					t.Errorf("%q on a %s: other bytes beside other work, or %v\n%s", o.text, o.source.name, err, o.plan.Recipe())
				}
			}
		})
	}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(orders)) {
		waiting <- i
	}
	close(waiting)
	wg.Wait()

	// Whether recipes could be fewer: two of them may lead to one picture, but seldom should.
	recipes, results := map[string]bool{}, map[string]bool{}
	for i, o := range orders {
		recipes[o.source.name+o.plan.Recipe()] = true
		results[o.source.name+fmt.Sprintf("%x", want[i])] = true
	}
	t.Logf("%d plans have %d recipes, which lead to %d results", len(orders), len(recipes), len(results))
	if len(results) < wanted*9/10 {
		t.Errorf("only %d results came of %d plans: the test proves little", len(results), len(orders))
	}
}

// TestOneRecipeIsOneResult renders chains and what they are in other words.
func TestOneRecipeIsOneResult(t *testing.T) {
	wanted := 60
	if testing.Short() {
		wanted = 15
	}
	e := newEngine(t)
	w := chaintest.New(77, 250)
	other := 0
	for _, o := range randomOrders(t, e, wanted) {
		chain, err := syntax.Parse(o.text)
		if err != nil {
			t.Fatal(err)
		}
		text := w.Rewrite(chain)
		if chain, err = syntax.Parse(text); err != nil {
			t.Fatal(err)
		}
		p, err := transformtest.Resolve(t, e, o.source.bytes, chain, orderHints, orderLimits)
		if err != nil || p.Recipe() != o.plan.Recipe() {
			t.Fatalf("%q on a %s is\n%s\n%q is\n%s%v", o.text, o.source.name, o.plan.Recipe(), text, p.Recipe(), err)
		}
		if o.text != text {
			other++
		}
		want, err := renderedSum(t, e, o)
		if err != nil {
			t.Fatal(err)
		}
		o.plan = p
		if got, err := renderedSum(t, e, o); err != nil || got != want {
			t.Errorf("%q and %q on a %s are other bytes, or %v", o.text, text, o.source.name, err)
		}
	}
	if other < wanted/2 {
		t.Errorf("only %d of %d chains were written in other words: the test proves little", other, wanted)
	}
}

var (
	orderHints  = plan.Hints{Accept: plan.SetOf(plan.WebP), Formats: []plan.Format{plan.WebP}, Smallest: true}
	orderLimits = plan.Limits{OutputPixels: 1 << 17}
)

// randomOrders returns so many plans of random chains for random sources, no two of which are the same.
func randomOrders(t *testing.T, e *vipsexec.Engine, wanted int) (orders []order) {
	t.Helper()
	sources := randomSources(t, e)
	seen := map[string]bool{}
	for seed := uint64(5_000); len(orders) < wanted; seed++ {
		if seed > uint64(5_000+20*wanted) {
			t.Fatalf("only %d of %d chains were planned", len(orders), 20*wanted)
		}
		w := chaintest.New(seed, 250)
		src := sources[w.IntN(len(sources))]
		text := w.Plausible()
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := transformtest.Resolve(t, e, src.bytes, c, orderHints, orderLimits)
		if wrong := (*syntax.Error)(nil); err != nil && !errors.As(err, &wrong) {
			if limit := (*plan.LimitError)(nil); !errors.As(err, &limit) {
				t.Fatalf("%q on a %s: %v", text, src.name, err)
			}
		}
		key := src.name + p.Recipe()
		if err != nil || p.Original || seen[key] {
			continue
		}
		seen[key] = true
		orders = append(orders, order{text, src, p})
	}
	return orders
}

func renderedSum(t *testing.T, e *vipsexec.Engine, o order) ([32]byte, error) {
	t.Helper()
	img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: o.source.bytes}}, o.plan)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(img.Bytes), nil
}
