package transform_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestSlowWorkLeavesASlot(t *testing.T) {
	for _, tt := range []struct {
		name        string
		slots, slow int
	}{{"of three", 3, 2}, {"of two", 2, 1}, {"but not of one", 1, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, transform.GateLimits{Slots: tt.slots})
				for i := range 6 {
					l.send("e", fmt.Sprint("slow", i), 10*time.Second, 0)
				}
				if got := l.gate.Load(); got != (transform.GateLoad{Running: tt.slow, Slow: tt.slow, Waiting: 6 - tt.slow}) {
					t.Errorf("%+v, want %d slow ones to run", got, tt.slow)
				}
				for i := range 5 {
					l.send("e", fmt.Sprint("quick", i), quick, 0)
				}
				l.served()
				if l.most.Slow != tt.slow {
					t.Errorf("at most %d slow ones ran, want %d", l.most.Slow, tt.slow)
				}
				if last := l.ended["quick4"]; tt.slots > 1 && last != 5*quick {
					t.Errorf("five quick ones took %v behind slow ones", last)
				}
			})
		})
	}
}

func TestHeadersAreReadBeforeAnythingElse(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes string
		want  string
	}{
		{"of a picture", "\xff\xd8\xff\xe0", "r0 e r1 r2"},
		{"but an svg is a whole document", "<svg/>", "r0 r1 r2 e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, transform.GateLimits{Slots: 1, Memory: 1000})
				for i := range 3 {
					l.send("e", fmt.Sprint("r", i), quick, 1000)
				}
				l.wg.Go(func() {
					if _, err := l.e.Probe(t.Context(), transform.Original{Endpoint: "e", Bytes: []byte(tt.bytes)}); err != nil {
						t.Error(err)
					}
				})
				l.served()
				if got := strings.Join(l.began, " "); got != tt.want {
					t.Errorf("the order was %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestHeadersTakeSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 2})
		for range 10 {
			l.wg.Go(func() { _, _ = l.e.Probe(t.Context(), transform.Original{}) })
		}
		l.served()
		if l.most.Running != 2 {
			t.Errorf("%d headers were read at once, want 2", l.most.Running)
		}
	})
}

func TestImagesTellHowLongTheyWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1})
		for _, want := range []time.Duration{0, time.Second} {
			l.wg.Go(func() {
				img, err := l.e.Render(t.Context(), transform.Inputs{}, plan.Plan{Work: time.Second, Warnings: []string{"r"}})
				if err != nil || img.Queued != want {
					t.Errorf("queued for %v, %v; want %v", img.Queued, err, want)
				}
			})
			synctest.Wait()
		}
		l.end()
	})
}

func TestAPanicGivesBackAllThatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 2, Memory: 100})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_, _ = l.e.Render(t.Context(), transform.Inputs{}, plan.Plan{Memory: 70, Work: time.Second, Frames: -1, Warnings: []string{"p"}})
		}()
		l.send("e", "next", time.Second, 70)
		l.served()
	})
}

// Whatever comes and goes, no limit is broken and nothing waits while there is room for it.
func TestAdmissionKeepsItsLimits(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			limits := transform.GateLimits{Slots: 1 + random.IntN(5), Memory: 100 + random.Int64N(300), Line: 20 + random.IntN(30)}
			l := newLine(t, limits)
			for i := range 200 {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if random.IntN(4) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Millisecond)
				}
				work := time.Duration(1+random.IntN(1000)) * time.Millisecond
				if random.IntN(10) == 0 {
					l.wg.Go(func() { _, _ = l.e.Probe(ctx, transform.Original{}) })
				} else {
					l.sendUntil(ctx, fmt.Sprint(random.IntN(4)), fmt.Sprint(i), work, random.Int64N(110))
				}
				l.wg.Go(func() { time.Sleep(4 * time.Second); cancel() })
				if load := l.gate.Load(); load.Running == 0 && load.Waiting > 0 || load.Waiting > limits.Line {
					t.Fatalf("seed %d: %+v of %+v", seed, load, limits)
				}
				if random.IntN(3) == 0 {
					time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
				}
			}
			l.end()
			if l.most.Running > limits.Slots || l.most.Memory > limits.Memory || l.most.Slow > max(1, limits.Slots-1) {
				t.Errorf("seed %d: %+v was reached of %+v", seed, l.most, limits)
			}
			for name, err := range l.errs {
				if k := transform.KindOf(err); err != nil && k != transform.Overloaded && k != transform.Canceled && k != transform.TooLarge {
					t.Errorf("seed %d: %s: %v", seed, name, err)
				}
			}
		})
	}
}

func BenchmarkGateWithRoom(b *testing.B) {
	gate := transform.NewGate(2)
	gate.SetLimits(transform.GateLimits{Slots: 2, Memory: 1 << 30, Line: 100})
	e := gate.Guard(idleEngine{})
	in, p := transform.Inputs{Base: transform.Original{Endpoint: "default"}}, plan.Plan{Memory: 1 << 20, Work: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = e.Render(b.Context(), in, p)
	}
}

// BenchmarkGateInLine has many more ask than there is room for, of many endpoints.
func BenchmarkGateInLine(b *testing.B) {
	gate := transform.NewGate(2)
	e := gate.Guard(idleEngine{})
	b.SetParallelism(500)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		in := transform.Inputs{Base: transform.Original{Endpoint: fmt.Sprint(rand.IntN(100))}}
		for pb.Next() {
			_, _ = e.Render(b.Context(), in, plan.Plan{})
		}
	})
}

// idleEngine does nothing.
type idleEngine struct{ transform.Engine }

func (idleEngine) Render(context.Context, transform.Inputs, plan.Plan) (*transform.Image, error) {
	return nil, nil
}
