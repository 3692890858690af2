package transform_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// slowEngine takes a second for each render and a minute for each probe, and remembers how many ran at once.
type slowEngine struct {
	mu            sync.Mutex
	running, most int
	order         []int // plan widths in the order in which they began
}

func (e *slowEngine) Probe(context.Context, transform.Original) (plan.Source, error) {
	time.Sleep(time.Minute)
	return plan.Source{Width: 1, Height: 1}, nil
}

func (e *slowEngine) Look(ctx context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	_, err := e.Render(ctx, in, plan.Plan{Width: l.Width})
	return plan.Window{Width: l.Width}, err
}

func (e *slowEngine) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	e.mu.Lock()
	e.running++
	e.most = max(e.most, e.running)
	e.order = append(e.order, p.Width)
	e.mu.Unlock()
	time.Sleep(time.Second)
	e.mu.Lock()
	e.running--
	e.mu.Unlock()
	if p.Height < 0 {
		panic("as asked")
	}
	return &transform.Image{Width: p.Width}, nil
}

func (e *slowEngine) Writable() plan.Set { return plan.SetOf(plan.JPEG) }

func (e *slowEngine) Readable() plan.Set { return plan.AllFormats }

func (e *slowEngine) Version() string { return "slow" }

// renderAll starts n renders, numbered by width in the order in which they queue, and returns when all have ended.
func renderAll(t *testing.T, e transform.Engine, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := e.Render(t.Context(), transform.Inputs{}, plan.Plan{Width: i}); err != nil {
				t.Errorf("render %d: %v", i, err)
			}
		})
		synctest.Wait()
	}
	wg.Wait()
}

func TestGateServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowEngine{}
		renderAll(t, transform.NewGate(1).Guard(slow), 10)
		if !slices.IsSorted(slow.order) {
			t.Errorf("renders began in the order %v", slow.order)
		}
	})
}

func TestGateBoundsRenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowEngine{}
		start := time.Now()
		renderAll(t, transform.NewGate(2).Guard(slow), 10)
		if slow.most != 2 {
			t.Errorf("at most %d renders ran at once, want 2", slow.most)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("10 renders of a second in 2 slots took %v", took)
		}
	})
}

func TestLooksTakeTheSlotsOfRenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, gate := &slowEngine{}, transform.NewGate(1)
		e := gate.Guard(slow)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{Width: 1}) })
		synctest.Wait()
		wg.Go(func() {
			if w, err := e.Look(t.Context(), transform.Inputs{}, plan.Look{Width: 2}); err != nil || w.Width != 2 {
				t.Errorf("the look found %v, %v", w, err)
			}
		})
		synctest.Wait()
		if got := gate.Load(); got.Running != 1 || got.Waiting != 1 {
			t.Errorf("%+v, want the look to wait for the render", got)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := e.Look(gone, transform.Inputs{}, plan.Look{}); transform.KindOf(err) != transform.Overloaded {
			t.Errorf("a look that found no slot in time: %v, want it overloaded", err)
		}
		wg.Wait()
		if slow.most != 1 || !slices.Equal(slow.order, []int{1, 2}) {
			t.Errorf("%d ran at once, in the order %v", slow.most, slow.order)
		}
	})
}

func TestGateIsSharedByAllEnginesItGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, gate := &slowEngine{}, transform.NewGate(1)
		var wg sync.WaitGroup
		for range 2 {
			e := gate.Guard(slow)
			wg.Go(func() { _, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{}) })
		}
		wg.Wait()
		if slow.most != 1 {
			t.Errorf("%d renders ran at once behind one slot", slow.most)
		}
	})
}

func TestGateIsResizedWhileWorkIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, gate := &slowEngine{}, transform.NewGate(1)
		e := gate.Guard(slow)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{}) })
		}
		synctest.Wait()
		expect := func(running, waiting int) {
			t.Helper()
			synctest.Wait()
			if got := gate.Load(); got.Running != running || got.Waiting != waiting {
				t.Fatalf("load is %+v; want %d running, %d waiting", got, running, waiting)
			}
		}
		expect(1, 7)
		gate.SetLimits(transform.GateLimits{Slots: 4})
		expect(4, 4)
		gate.SetLimits(transform.GateLimits{Slots: 1}) // work under way goes on
		expect(4, 4)
		time.Sleep(time.Second)
		expect(1, 3)
		gate.SetLimits(transform.GateLimits{Slots: 0}) // never closed for good
		time.Sleep(time.Second)
		expect(1, 2)
		gate.SetLimits(transform.GateLimits{Slots: 4})
		expect(3, 0)
		wg.Wait()
		expect(0, 0)
	})
}

func TestGateWaitsNoLongerThanTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, gate := &slowEngine{}, transform.NewGate(1)
		e := gate.Guard(slow)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{Width: 1}) })
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := e.Render(ctx, transform.Inputs{}, plan.Plan{Width: 2})
		if transform.KindOf(err) != transform.Overloaded || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %v (kind %v), want it overloaded", err, transform.KindOf(err))
		}
		if got := gate.Load(); got.Waiting != 0 {
			t.Errorf("%+v after the only one that waited gave up", got)
		}
		wg.Wait()

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.Render(gone, transform.Inputs{}, plan.Plan{Width: 3}); transform.KindOf(err) != transform.Canceled {
			t.Errorf("for a caller who is gone: %v, want canceled", err)
		}
		if !slices.Equal(slow.order, []int{1}) {
			t.Errorf("renders %v began, want only the first", slow.order)
		}
	})
}

func TestGateTakesTheSlotBackAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := transform.NewGate(1)
		e := gate.Guard(&slowEngine{})
		func() {
			defer func() { _ = recover() }()
			_, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{Height: -1})
		}()
		if got := gate.Load(); got != (transform.GateLoad{}) {
			t.Errorf("%+v after a panic", got)
		}
	})
}

// The slot that arrives in the moment in which the context ends must not be lost, nor the memory, nor a place in line.
func TestGateLosesNothingToRaces(t *testing.T) {
	gate := transform.NewGate(2)
	e := gate.Guard(instantEngine{})
	var wg sync.WaitGroup
	for i := range 800 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*50*time.Microsecond)
			defer cancel()
			o := transform.Original{Endpoint: string(rune('a' + i%5))}
			if i%9 == 0 {
				_, _ = e.Probe(ctx, o)
				return
			}
			_, _ = e.Render(ctx, transform.Inputs{Base: o}, plan.Plan{Memory: int64(i % 11), Work: time.Duration(i%3) * time.Second})
			gate.SetLimits(transform.GateLimits{Slots: 1 + i%3, Memory: 20 * int64(i%2), Line: 10 + i%50})
		})
	}
	wg.Wait()
	if got := gate.Load(); got != (transform.GateLoad{}) {
		t.Errorf("%+v after all have ended", got)
	}
	if got := gate.Lines(); len(got) != 0 {
		t.Errorf("the lines are %v after all have ended", got)
	}
}

type instantEngine struct{ *slowEngine }

func (instantEngine) Probe(context.Context, transform.Original) (plan.Source, error) {
	return plan.Source{}, nil
}

func (instantEngine) Render(context.Context, transform.Inputs, plan.Plan) (*transform.Image, error) {
	time.Sleep(20 * time.Microsecond)
	return &transform.Image{}, nil
}
