package transform_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestEndpointsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1})
		for i := range 5 {
			l.send("flood", fmt.Sprint("f", i), quick, 0)
		}
		for i := range 2 {
			l.send("shop", fmt.Sprint("s", i), quick, 0)
			l.send("blog", fmt.Sprint("b", i), quick, 0)
		}
		l.served()
		if got, want := strings.Join(l.began, " "), "f0 s0 b0 f1 s1 b1 f2 f3 f4"; got != want {
			t.Errorf("the order was %s, want %s", got, want)
		}
	})
}

func TestEndpointsShareByTheWorkTheyAskFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1})
		for i := range 20 {
			l.send("dear", fmt.Sprint("d", i), 4*quick, 0)
		}
		for i := range 40 {
			l.send("cheap", fmt.Sprint("c", i), quick, 0)
		}
		time.Sleep(8*time.Second + quick/2)
		l.works.mu.Lock()
		began := slices.Clone(l.began)
		l.works.mu.Unlock()
		dear, cheap := 0, 0
		for _, name := range began {
			if name[0] == 'd' {
				dear++
			} else {
				cheap++
			}
		}
		if dear < 9 || dear > 11 || cheap < 38 {
			t.Errorf("in 8 s %d of 400 ms and %d of 100 ms began; want each to have had half of the time", dear, cheap)
		}
		l.served()
	})
}

func TestWhatWasNotAskedForIsNotSavedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1})
		l.send("late", "early", quick, 0)
		for i := range 20 {
			l.send("busy", fmt.Sprint("b", i), quick, 0)
		}
		time.Sleep(10*quick + quick/2)
		for i := range 4 {
			l.send("late", fmt.Sprint("l", i), quick, 0)
		}
		l.served()
		got := strings.Join(l.began[10:19], " ")
		if want := "b9 l0 b10 l1 b11 l2 b12 l3 b13"; got != want {
			t.Errorf("the order was %s, want %s", got, want)
		}
	})
}

// One client at a time that floods with dear work gains nothing by never having more than one in line.
func TestAnEmptyLineIsNoAdvantage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1})
		for i := range 40 {
			l.send("cheap", fmt.Sprint("c", i), quick, 0)
		}
		l.wg.Go(func() {
			in := transform.Inputs{Base: transform.Original{Endpoint: "dear"}}
			for i := range 4 {
				if _, err := l.e.Render(t.Context(), in, plan.Plan{Work: 4 * quick, Warnings: []string{fmt.Sprint("d", i)}}); err != nil {
					t.Error(err)
				}
			}
		})
		l.served()
		cheap := 0
		for _, name := range l.began[:slices.Index(l.began, "d3")] {
			if name[0] == 'c' {
				cheap++
			}
		}
		if cheap < 12 {
			t.Errorf("three of 400 ms had gone when %d of 100 ms had; want 12 at the least: %v", cheap, l.began)
		}
	})
}

func TestAFullLineRefusesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1, Line: 2})
		for i := range 4 {
			l.send("e", fmt.Sprint(i), quick, 0)
		}
		err := l.err("3")
		if transform.KindOf(err) != transform.Overloaded || !errors.Is(err, transform.ErrLineFull) {
			t.Errorf("got %v, want the line to be full", err)
		}
		if _, err := l.e.Probe(t.Context(), transform.Original{Endpoint: "e"}); !errors.Is(err, transform.ErrLineFull) {
			t.Errorf("a header: got %v, want the line to be full", err)
		}
		l.served("3")
		if len(l.began) != 3 {
			t.Errorf("%v began", l.began)
		}
	})
}

// Who has most in line gives a place to who has less: an endpoint can't keep others out.
func TestAFloodDoesNotFillTheLineForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1, Line: 4})
		for i := range 5 {
			l.send("flood", fmt.Sprint("f", i), quick, 0)
		}
		for i := range 3 {
			l.send("shop", fmt.Sprint("s", i), quick, 0)
		}
		if got := l.gate.Lines(); got["flood"] != 2 || got["shop"] != 2 {
			t.Errorf("the lines are %v, want two each", got)
		}
		for _, name := range []string{"f4", "f3", "s2"} {
			if err := l.err(name); !errors.Is(err, transform.ErrLineFull) {
				t.Errorf("%s: got %v, want the line to be full", name, err)
			}
		}
		l.served("f4", "f3", "s2")
		if got, want := strings.Join(l.began, " "), "f0 s0 f1 s1 f2"; got != want {
			t.Errorf("the order was %s, want %s", got, want)
		}
	})
}

func TestThePlaceInLineIsTakenFromWhoCameLast(t *testing.T) {
	for _, tt := range []struct {
		name string
		work []time.Duration // of what waits
	}{{"to the quick ones", []time.Duration{quick, time.Second, quick}}, {"to the slow ones", []time.Duration{quick, quick, time.Second}}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, transform.GateLimits{Slots: 1, Line: 3})
				l.send("flood", "running", quick, 0)
				for i, work := range tt.work {
					l.send("flood", fmt.Sprint("f", i), work, 0)
				}
				l.send("shop", "s", quick, 0)
				if err := l.err("f2"); !errors.Is(err, transform.ErrLineFull) {
					t.Errorf("the last of the flood: %v", err)
				}
				l.served("f2")
			})
		})
	}
}

// A line that is full of what waits for something else turns nobody away for whom there is room.
func TestAFullLineLetsInWhatHasRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 2, Line: 1})
		l.send("e", "slow1", time.Second, 0)
		l.send("e", "slow2", time.Second, 0)
		l.send("e", "quick", quick, 0)
		if l.gate.Load().Running != 2 {
			t.Errorf("%+v, want the quick one to run beside the slow one", l.gate.Load())
		}
		l.served()
	})
}

func TestManyEndpointsAreForgotten(t *testing.T) {
	gate := transform.NewGate(2)
	e := gate.Guard(instantEngine{})
	grown := testing.AllocsPerRun(2000, func() {
		in := transform.Inputs{Base: transform.Original{Endpoint: fmt.Sprint(rand.Uint64())}}
		if _, err := e.Render(t.Context(), in, plan.Plan{}); err != nil {
			t.Fatal(err)
		}
	})
	if n := gate.Endpoints(); n > 200 {
		t.Errorf("%d endpoints are remembered after 2000 of one picture each (%.0f allocations each)", n, grown)
	}
}
