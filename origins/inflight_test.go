package origins_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestInFlightLetsOnlySoManyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opening, most, open := 0, 0, make(chan int, 1)
		open <- 0
		enter := func(change int) {
			n := <-open + change
			most = max(most, n)
			open <- n
		}
		o := origins.InFlight(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			enter(1)
			time.Sleep(time.Second)
			obj, err := having.Open(ctx, req)
			if err != nil {
				enter(-1)
				return nil, err
			}
			obj.Body = struct {
				readerFunc
				closerFunc
			}{obj.Body.Read, func() error { enter(-1); return nil }}
			return obj, nil
		}), 3)
		began := time.Now()
		done := make(chan error)
		for i := range 12 {
			go func() {
				obj, err := o.Open(t.Context(), origins.Request{Key: []string{"a.jpg", "missing.jpg"}[i%2]})
				if err == nil {
					time.Sleep(time.Second) // the body is open as well
					obj.Body.Close()
				}
				done <- err
			}()
		}
		for range 12 {
			if err := <-done; err == nil {
				opening++
			} else if origins.KindOf(err) != origins.NotExist {
				t.Error(err)
			}
		}
		if most != 3 || opening != 6 {
			t.Errorf("up to %d at a time, and %d opened; want 3 and 6", most, opening)
		}
		if took := time.Since(began); took < 6*time.Second {
			t.Errorf("took %v, less than 18 s of work for 3 at a time", took)
		}
	})
}

func TestInFlightGivesItsPlaceBackOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		use  func(t *testing.T, o origins.Origin)
	}{
		{"closed", func(t *testing.T, o origins.Origin) { mustOpen(t, o).Close() }},
		{"closed twice", func(t *testing.T, o origins.Origin) {
			body := mustOpen(t, o)
			body.Close()
			body.Close()
		}},
		{"not there", func(t *testing.T, o origins.Origin) { o.Open(t.Context(), origins.Request{Key: "missing"}) }},
		{"panics", func(t *testing.T, o origins.Origin) {
			defer func() { recover() }()
			o.Open(t.Context(), origins.Request{Key: "panic"})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := origins.InFlight(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
					if req.Key == "panic" {
						panic("as told")
					}
					return having.Open(ctx, req)
				}), 1)
				for range 3 {
					tt.use(t, o)
				}
				held := mustOpen(t, o)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
				if origins.KindOf(err) != origins.Timeout || !errors.Is(err, origins.ErrBusy) {
					t.Errorf("with the only place taken: got %v, want timeout", err)
				}
				held.Close()
				mustOpen(t, o).Close()
			})
		})
	}
}

func TestInFlightTellsWhoEndedTheWaiting(t *testing.T) {
	for _, tt := range []struct {
		name string
		wrap func(o origins.Origin) origins.Origin
		ctx  func(ctx context.Context) (context.Context, context.CancelFunc)
		want origins.Kind
	}{
		{"the caller goes", nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, origins.Canceled},
		{"a deadline", nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, origins.Timeout},
		{"Limit", func(o origins.Origin) origins.Origin { return origins.Limit(o, 0, time.Second) }, context.WithCancel, origins.Timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := origins.InFlight(having, 1)
				defer mustOpen(t, o).Close()
				if tt.wrap != nil {
					o = tt.wrap(o)
				}
				ctx, cancel := tt.ctx(t.Context())
				defer cancel()
				_, err := o.Open(ctx, origins.Request{Key: "a.jpg"})
				if e, ok := err.(*origins.Error); !ok || e.Kind != tt.want || e.Key != "a.jpg" || !errors.Is(err, origins.ErrBusy) {
					t.Errorf("got %v, want %v about a.jpg", err, tt.want)
				}
			})
		})
	}
}
