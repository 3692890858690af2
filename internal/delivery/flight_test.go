package delivery

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

func TestAFlightRunsOnceForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string, int]
		var runs, joined atomic.Int32
		work := func(context.Context) (int, func(), error) {
			time.Sleep(time.Second)
			return int(runs.Add(1)), nil, nil
		}
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				v, also, err := f.do(t.Context(), "a", false, work)
				if v != 1 || err != nil {
					t.Errorf("got %d, %v; want 1", v, err)
				}
				if also == waited {
					joined.Add(1)
				}
			})
		}
		wg.Wait()
		if runs.Load() != 1 || joined.Load() != 199 {
			t.Errorf("it ran %d times, and %d joined", runs.Load(), joined.Load())
		}
		if v, also, _ := f.do(t.Context(), "a", false, work); v != 2 || also != began {
			t.Errorf("who came afterwards got %d, joined %v; want a run of its own", v, also)
		}
	})
}

func TestAFlightIsCancelledByTheLastToLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string, int]
		var cancelled atomic.Bool
		work := func(ctx context.Context) (int, func(), error) {
			<-ctx.Done()
			cancelled.Store(true)
			return 0, nil, ctx.Err()
		}
		first, leaveFirst := context.WithCancel(t.Context())
		second, leaveSecond := context.WithTimeout(t.Context(), time.Minute)
		defer leaveSecond()
		var wg sync.WaitGroup
		for _, ctx := range []context.Context{first, second} {
			wg.Go(func() {
				if _, _, err := f.do(ctx, "a", false, work); err == nil {
					t.Error("who left has got something")
				}
			})
		}
		synctest.Wait()
		leaveFirst()
		synctest.Wait()
		if cancelled.Load() {
			t.Error("it was cancelled though somebody still waits")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !cancelled.Load() {
			t.Error("it goes on though nobody waits")
		}
		wg.Wait()
		if v, joined, err := f.do(t.Context(), "a", false, func(context.Context) (int, func(), error) { return 7, nil, nil }); v != 7 || joined != began || err != nil {
			t.Errorf("who came after the cancelled one got %d, joined %v, %v", v, joined, err)
		}
	})
}

func TestTheErrorOfAFlightIsForThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string, int]
		broken := errors.New("broken")
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, _, err := f.do(t.Context(), "a", false, func(context.Context) (int, func(), error) {
					time.Sleep(time.Second)
					return 0, nil, broken
				})
				if !errors.Is(err, broken) {
					t.Errorf("got %v, want %v", err, broken)
				}
			})
		}
		wg.Wait()
		if v, _, err := f.do(t.Context(), "a", false, func(context.Context) (int, func(), error) { return 1, nil, nil }); v != 1 || err != nil {
			t.Errorf("who came later got %d, %v", v, err)
		}
		synctest.Wait()
		if len(f.running) != 0 {
			t.Errorf("%d flights are still noted", len(f.running))
		}
	})
}

func TestAFlightKeepsValuesAndNotTheEndOfTheFirstContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type name struct{}
		var f flights[string, any]
		ctx, leave := context.WithCancel(context.WithValue(t.Context(), name{}, "trace"))
		var wg sync.WaitGroup
		work := func(ctx context.Context) (any, func(), error) {
			time.Sleep(time.Second)
			return ctx.Value(name{}), nil, ctx.Err()
		}
		wg.Go(func() { _, _, _ = f.do(ctx, "a", false, work) })
		synctest.Wait()
		wg.Go(func() {
			if v, joined, err := f.do(t.Context(), "a", false, work); v != "trace" || joined != waited || err != nil {
				t.Errorf("got %v, joined %v, %v", v, joined, err)
			}
		})
		synctest.Wait()
		leave()
		wg.Wait()
	})
}

func TestWhoComesWhileAFlightTidiesUpFindsItsValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string, int]
		shares := 0
		f.share = func(_, more int) { shares += more }
		work := func(context.Context) (int, func(), error) { return 1, func() { time.Sleep(time.Minute) }, nil }
		if v, how, err := f.do(t.Context(), "a", false, work); v != 1 || how != began || err != nil {
			t.Fatalf("got %d, %v, %v", v, how, err)
		}
		if v, how, err := f.do(t.Context(), "a", false, work); v != 1 || how != found || err != nil {
			t.Errorf("who came then got %d, %v, %v; want what was there", v, how, err)
		}
		if _, how, _ := f.do(t.Context(), "a", true, work); how != began {
			t.Errorf("who wants it anew got %v, want a flight of its own", how)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if shares != 3 {
			t.Errorf("%d shares are left, want those of the three callers", shares)
		}
	})
}

func TestAPanicOfAFlightIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[string, int]
		_, _, err := f.do(t.Context(), "a", false, func(context.Context) (int, func(), error) { panic("ouch") })
		if transform.KindOf(err) != transform.Internal || !strings.Contains(err.Error(), "ouch") {
			t.Errorf("got %v", err)
		}
	})
}
