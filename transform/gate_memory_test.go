package transform_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 8, Memory: 100})
		for i := range 10 {
			l.send("e", fmt.Sprint(i), quick, 40)
		}
		if got := l.gate.Load(); got != (transform.GateLoad{Running: 2, Memory: 80, Waiting: 8}) {
			t.Errorf("%+v, want two of 40 to run in 100", got)
		}
		l.served()
		if l.most.Memory != 80 {
			t.Errorf("at most %d were held, want 80", l.most.Memory)
		}
	})
}

func TestTheFileCountsAsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			format plan.Format
			want   int64
		}{{"a picture", plan.JPEG, 1100}, {"a document", plan.SVG, 3100}} {
			l := newLine(t, transform.GateLimits{Slots: 1})
			l.wg.Go(func() {
				in := transform.Inputs{Base: transform.Original{Bytes: make([]byte, 100)}}
				_, _ = l.e.Render(t.Context(), in, plan.Plan{Memory: 1000, Work: quick, Load: plan.Load{Format: tt.format}, Warnings: []string{"r"}})
			})
			synctest.Wait()
			if got := l.gate.Load().Memory; got != tt.want {
				t.Errorf("%s: %d bytes are counted, want %d", tt.name, got, tt.want)
			}
			l.end()
		}
	})
}

// What waits for memory comes in as soon as it could without anybody overtaking it, and what fits beside it needn't wait.
func TestTheLargeOneIsNeitherStarvedNorInTheWay(t *testing.T) {
	for _, tt := range []struct {
		name   string
		large  int64
		passed int // small ones that overtake, at the least; 0: none does
	}{{"with room beside it", 850, 60}, {"that takes all", 1000, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLine(t, transform.GateLimits{Slots: 4, Memory: 1000})
				l.send("e", "before1", 2*time.Second, 400)
				l.send("e", "before2", 4*time.Second, 400)
				l.send("e", "large", time.Second, tt.large)
				for i := range 200 { // more than can be done
					l.send("e", fmt.Sprint("small", i), quick, 50)
					time.Sleep(quick / 4)
				}
				l.served()
				if got := l.at["large"]; got != 4*time.Second {
					t.Errorf("the large one began after %v, want 4s, when what was there before it had ended", got)
				}
				if got := slices.Index(l.began, "large") - 2; got < tt.passed || tt.passed == 0 && got > 0 {
					t.Errorf("%d small ones began before the large one, want %d", got, tt.passed)
				}
				if got := l.at["small0"]; got > 5*time.Second {
					t.Errorf("the first small one began after %v", got)
				}
				if l.most.Memory > 1000 {
					t.Errorf("%d bytes were held", l.most.Memory)
				}
			})
		})
	}
}

func TestOneLargePictureAndFortyThumbnailsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 2, Memory: 1000})
		l.send("e", "thumb", quick, 300)
		l.send("e", "large", 5*time.Second, 900)
		for i := range 40 {
			l.send("e", fmt.Sprint("thumb", i), quick, 20)
		}
		l.served()
		if got := l.at["large"]; got != quick {
			t.Errorf("the large one began after %v", got)
		}
		if got := l.ended["thumb39"]; got > l.ended["large"] {
			t.Errorf("the last thumbnail was done after %v, the large one after %v", got, l.ended["large"])
		}
	})
}

func TestAReservationEndsWithWhoHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 4, Memory: 100})
		l.send("e", "before", time.Second, 50)
		ctx, cancel := context.WithCancel(t.Context())
		l.sendUntil(ctx, "e", "large", time.Second, 100)
		l.send("e", "small", quick, 50)
		if got := l.gate.Load(); got.Waiting != 2 || l.gate.Lines()["e"] != 2 {
			t.Errorf("%+v, lines %v; want both to wait", got, l.gate.Lines())
		}
		cancel()
		synctest.Wait()
		if l.at["small"] != 0 || len(l.began) != 2 {
			t.Errorf("%v began, want the small one at once when the large one gave up", l.began)
		}
		l.end()
		if err := l.err("large"); transform.KindOf(err) != transform.Canceled || !errors.Is(err, transform.ErrNoSlot) {
			t.Errorf("the large one: %v", err)
		}
	})
}

// What overtook one that gave up is there like all else for the next that waits for memory.
func TestTheNextReservationStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 8, Memory: 100})
		l.send("e", "before", time.Second, 50)
		ctx, cancel := context.WithCancel(t.Context())
		l.sendUntil(ctx, "e", "large1", quick, 80)
		l.send("e", "small1", time.Second, 20)
		cancel()
		synctest.Wait()
		l.send("e", "large2", quick, 80)
		l.send("e", "small2", quick, 20)
		l.served("large1")
		if got, want := strings.Join(l.began, " "), "before small1 small2 large2"; got != want || l.at["small2"] != 0 {
			t.Errorf("the order was %s, small2 after %v; want %s, at once", got, l.at["small2"], want)
		}
	})
}

// A slow one that waits for memory is sure of its slot, too.
func TestSlowWorkThatWaitsForMemoryIsNotOvertakenBySlowWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 3, Memory: 100})
		l.send("e", "before", 2*quick, 50)
		l.send("e", "large", 10*time.Second, 90)
		l.send("e", "slow1", 10*time.Second, 5)
		l.send("e", "slow2", 10*time.Second, 5)
		l.served()
		if got := l.at["large"]; got != 2*quick {
			t.Errorf("the large one began after %v, want %v; the order was %v", got, 2*quick, l.began)
		}
	})
}

func TestWhatNeedsMoreThanThereIsIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 1, Memory: 512 << 20})
		l.send("e", "running", time.Second, 1)
		l.send("e", "over", time.Second, 1300<<20+1)
		err := l.err("over")
		want := "making the picture: about 1,301 MiB of memory would be needed, and at most 512 MiB are allowed; " +
			"a smaller size, fewer effects or another format need less (limit memory)"
		if err == nil || err.Error() != want || transform.KindOf(err) != transform.TooLarge {
			t.Errorf("got %v (%v)\nwant %s", err, transform.KindOf(err), want)
		}
		if limit, ok := errors.AsType[*plan.LimitError](err); !ok || limit.Limit != "memory" {
			t.Errorf("%v names no limit", err)
		}
		l.served("over")
	})
}

func TestWhatWaitsIsRefusedWhenTheMemoryShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, transform.GateLimits{Slots: 4, Memory: 100})
		l.send("e", "running", time.Second, 90)
		l.send("e", "first", time.Second, 95)
		l.send("e", "second", time.Second, 96)
		l.send("e", "small", time.Second, 30)
		l.gate.SetLimits(transform.GateLimits{Slots: 4, Memory: 50})
		synctest.Wait()
		for _, name := range []string{"first", "second"} {
			if err := l.err(name); transform.KindOf(err) != transform.TooLarge {
				t.Errorf("%s: %v", name, err)
			}
		}
		l.served("first", "second")
		if got := l.at["small"]; got != time.Second {
			t.Errorf("the small one began after %v, want 1s, when there was memory again", got)
		}
	})
}
