package origins_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// Errors of origins that are down, and of some that are not.
var (
	errDial    = &origins.Error{Kind: origins.Timeout, Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}}
	errRefused = &origins.Error{Kind: origins.Unreachable, Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}}
	errSilent  = &origins.Error{Kind: origins.Timeout, Err: errors.New("no answer"), Remedy: "wake it"}
	errPuzzle  = &origins.Error{Kind: origins.Unknown, Err: errors.New("the server answers 500")}

	errDenied   = &origins.Error{Kind: origins.Denied}
	errCanceled = &origins.Error{Kind: origins.Canceled}
	errInLine   = &origins.Error{Kind: origins.Timeout, Err: origins.ErrBusy}
)

// patient is an origin whose behaviour the test changes, behind a breaker of 3 faults and 10 seconds.
type patient struct {
	origins.Origin

	asked   atomic.Int32
	answer  func(ctx context.Context, req origins.Request) error // nil is an object
	body    io.Reader                                            // of the object; nil is an empty one
	changes []string
}

func newPatient() *patient {
	p := &patient{}
	p.Origin = origins.Breaker(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		p.asked.Add(1)
		if p.answer != nil {
			if err := p.answer(ctx, req); err != nil {
				return nil, err
			}
		}
		if p.body == nil {
			return holding(strings.NewReader("")).Open(ctx, req)
		}
		return holding(p.body).Open(ctx, req)
	}), origins.BreakerConfig{Failures: 3, Window: 10 * time.Second, Changed: func(open bool, until time.Duration, cause error) {
		p.changes = append(p.changes, fmt.Sprint(open, until, origins.KindOf(cause)))
	}})
	return p
}

// ask asks for the keys, reads what there is, and returns the last error.
func (p *patient) ask(t *testing.T, keys ...string) (last error) {
	t.Helper()
	for _, key := range keys {
		last = readAll(t.Context(), p, key)
	}
	return last
}

func readAll(ctx context.Context, o origins.Origin, key string) error {
	obj, err := o.Open(ctx, origins.Request{Key: key})
	if err != nil {
		return err
	}
	defer obj.Body.Close()
	_, err = io.Copy(io.Discard, obj.Body)
	return err
}

// always fails in one way.
func always(err error) func(context.Context, origins.Request) error {
	return func(context.Context, origins.Request) error { return err }
}

func skips(err error) bool { return errors.Is(err, origins.ErrSkipped) }

func TestBreakerCountsFaultsInARow(t *testing.T) {
	absent := &origins.Error{Kind: origins.NotExist}
	for _, tt := range []struct {
		name   string
		events []error // of the keys k0, k1, …; nil is an object
		skips  bool    // the next request
	}{
		{"nothing happened", nil, false},
		{"two faults", []error{errSilent, errSilent}, false},
		{"three faults", []error{errSilent, errSilent, errSilent}, true},
		{"of any kind of fault", []error{errSilent, errRefused, errPuzzle}, true},
		{"an error of nobody's is a fault", []error{errors.New("a"), errors.New("b"), errors.New("c")}, true},
		{"an object between", []error{errSilent, errSilent, nil, errSilent, errSilent}, false},
		{"absence between", []error{errSilent, errSilent, absent, errSilent, errSilent}, false},
		{"absence is none", []error{absent, absent, absent, absent}, false},
		{"a refusal is none", []error{errDenied, errDenied, errDenied, errDenied}, false},
		{"a canceled one is neither", []error{errSilent, errSilent, errCanceled, errSilent}, true},
		{"canceled ones", []error{errCanceled, errCanceled, errCanceled, errCanceled}, false},
		{"waiting in line is neither", []error{errInLine, errInLine, errInLine, errInLine}, false},
		{"no connection in time is enough", []error{errDial}, true},
		{"a refused connection is not", []error{errRefused}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPatient()
			for i, event := range tt.events {
				p.answer = always(event)
				if err := p.ask(t, fmt.Sprint("k", i)); err != event {
					t.Fatalf("request %d: got %v, want %v", i, err, event)
				}
			}
			p.answer = nil
			if err := p.ask(t, "next"); skips(err) != tt.skips || !tt.skips && err != nil {
				t.Errorf("got %v, want it skipped: %v", err, tt.skips)
			}
		})
	}
}

func TestBreakerHidesNoOriginBehindOneBrokenKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		p.answer = func(_ context.Context, req origins.Request) error {
			if req.Key == "broken" {
				return errSilent
			}
			return nil
		}
		for i := range 20 {
			_, err := p.Open(t.Context(), origins.Request{Key: "broken", Query: fmt.Sprint(i)})
			if err != errSilent {
				t.Fatalf("request %d: got %v, want the fault itself", i, err)
			}
		}
		if err := p.ask(t, "good"); err != nil {
			t.Errorf("the broken key hides another: %v", err)
		}

		// The same after an outage: whoever asks most often would be the probe each time.
		p.answer = always(errDial)
		p.ask(t, "good")
		p.answer = func(_ context.Context, req origins.Request) error {
			if req.Key == "broken" {
				return errSilent
			}
			return nil
		}
		time.Sleep(10*time.Second + 1)
		if err := p.ask(t, "broken"); err != errSilent {
			t.Errorf("the first probe: got %v, want the fault", err)
		}
		time.Sleep(10*time.Second + 1)
		if err := p.ask(t, "broken", "broken"); !skips(err) {
			t.Errorf("the key whose probe failed: got %v, want it skipped", err)
		}
		if err := p.ask(t, "good"); err != nil {
			t.Errorf("the broken key still hides another: %v", err)
		}
		if err := p.ask(t, "broken"); err != errSilent {
			t.Errorf("once the origin is asked again: got %v, want the fault", err)
		}
	})
}

func TestBreakerCountsAKeyOnceInARow(t *testing.T) {
	for _, tt := range []struct {
		name  string
		asked string // "a!" is a fault of a, "a#" no connection in time, "a" an object
		skips bool
	}{
		{"three keys", "a! b! c!", true},
		{"two keys", "a! b! a! b! a!", false},
		{"and then a third", "a! b! a! b! c!", true},
		{"one that is fine again between", "a! b! a b! c!", false},
		{"a new row", "a! b! c a! b!", false},
		{"the same keys in a new row", "a! b! x a! b! c!", true},
		{"no connection, for a key that counted already", "a! a#", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPatient()
			p.answer = func(_ context.Context, req origins.Request) error {
				switch {
				case strings.HasSuffix(req.From, "!"):
					return errSilent
				case strings.HasSuffix(req.From, "#"):
					return errDial
				}
				return nil
			}
			for step := range strings.FieldsSeq(tt.asked) {
				obj, err := p.Open(t.Context(), origins.Request{Key: step[:1], From: step})
				if skips(err) {
					t.Fatalf("%s is skipped already", step)
				}
				if err == nil {
					obj.Body.Close()
				}
			}
			if err := p.ask(t, "next"); skips(err) != tt.skips {
				t.Errorf("got %v, want it skipped: %v", err, tt.skips)
			}
		})
	}
}

func TestBreakerProbesOneByOne(t *testing.T) {
	for _, tt := range []struct {
		name  string
		probe error // of the probe
		then  []string
		next  bool // the next request is skipped
	}{
		{"an object", nil, []string{"false 0s unknown"}, false},
		{"an answer", &origins.Error{Kind: origins.NotModified}, []string{"false 0s unknown"}, false},
		{"a fault", errRefused, []string{"true 10s unreachable"}, true},
		{"canceled", errCanceled, nil, false},
		{"waiting in line", errInLine, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient()
				p.answer = always(errSilent)
				p.ask(t, "a", "b", "c")
				p.answer = always(nil)
				asked := p.asked.Load()
				time.Sleep(10 * time.Second)
				if err := p.ask(t, "d"); !skips(err) || p.asked.Load() != asked {
					t.Fatalf("within the window: got %v, asked %d times", err, p.asked.Load()-asked)
				}
				time.Sleep(time.Nanosecond)
				p.answer = func(context.Context, origins.Request) error {
					time.Sleep(time.Second)
					return tt.probe
				}
				probe := make(chan error)
				go func() { probe <- readAll(t.Context(), p, "a") }() // a key of the row before
				synctest.Wait()
				if err := p.ask(t, "f"); !skips(err) || !strings.Contains(err.Error(), "another request tries it") {
					t.Errorf("beside the probe: got %v, want it skipped", err)
				}
				if err := <-probe; err != tt.probe && !(err == nil && tt.probe == nil) {
					t.Errorf("the probe: got %v, want %v", err, tt.probe)
				}
				want := append([]string{"true 10s timeout"}, tt.then...)
				if got := fmt.Sprint(p.changes); got != fmt.Sprint(want) {
					t.Errorf("changes: got %v, want %v", got, want)
				}
				p.answer = nil
				if err := p.ask(t, "g"); skips(err) != tt.next {
					t.Errorf("after it: got %v, want it skipped: %v", err, tt.next)
				}
			})
		})
	}
}

func TestBreakerSurvivesAPanickingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		p.answer = always(errDial)
		p.ask(t, "a")
		time.Sleep(10*time.Second + 1)
		p.answer = func(context.Context, origins.Request) error { panic("as told") }
		func() {
			defer func() { recover() }()
			p.ask(t, "b")
		}()
		p.answer = nil
		if err := p.ask(t, "c"); err != nil {
			t.Errorf("got %v, want the next probe to go through", err)
		}
	})
}

func TestBreakerWaitsForTheBody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sends string
		then  error // nil is the end
		skips bool
	}{
		{"whole bodies", "content", nil, false},
		{"broken bodies", "", errRefused, true},
		{"bodies that break late", "content", errSilent, true},
		{"bodies that are refused", "", errDenied, false},
		{"bodies that are not waited for", "", errCanceled, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPatient()
			for i := range 3 {
				p.body = strings.NewReader(tt.sends)
				if tt.then != nil {
					p.body = io.MultiReader(p.body, iotest.ErrReader(tt.then))
				}
				if err := p.ask(t, fmt.Sprint("k", i)); err != tt.then {
					t.Errorf("body %d: got %v, want %v", i, err, tt.then)
				}
			}
			p.body = nil
			if err := p.ask(t, "next"); skips(err) != tt.skips {
				t.Errorf("got %v, want it skipped: %v", err, tt.skips)
			}
		})
	}
}

func TestBreakerDoesNotBlameTheOriginForItsCaller(t *testing.T) {
	t.Run("who goes while reading", func(t *testing.T) {
		p := newPatient()
		for i := range 5 {
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
			p.body = iotest.ErrReader(errSilent)
			readAll(ctx, p, fmt.Sprint("k", i))
			cancel()
		}
		p.body = nil
		if err := p.ask(t, "next"); err != nil {
			t.Errorf("got %v, want the object", err)
		}
	})
	t.Run("whose deadline leaves no time to connect", func(t *testing.T) {
		p := newPatient()
		p.answer = always(errDial)
		ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
		defer cancel()
		readAll(ctx, p, "a")
		p.answer = nil
		if err := p.ask(t, "next"); err != nil {
			t.Errorf("got %v, want the object", err)
		}
	})
	t.Run("but for outlasting a deadline", func(t *testing.T) {
		for _, hang := range []error{errCanceled, errSilent} {
			p := newPatient()
			p.answer = always(hang)
			for i := range 3 {
				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(context.DeadlineExceeded)
				if err := readAll(ctx, p, fmt.Sprint("k", i)); err != hang {
					t.Errorf("got %v, want the error as it was", err)
				}
			}
			if err := p.ask(t, "next"); !skips(err) || origins.KindOf(err) != origins.Timeout {
				t.Errorf("got %v, want it skipped, as timeout", err)
			}
		}
	})
}

func TestBreakerIsNotHeldUpBySlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		p.answer = always(errDial)
		p.ask(t, "a")
		time.Sleep(10*time.Second + 1)
		p.answer, p.body = nil, strings.NewReader("a long video")
		probe, err := p.Open(t.Context(), origins.Request{Key: "b"})
		if err != nil {
			t.Fatal(err)
		}
		defer probe.Body.Close()
		if err := p.ask(t, "c"); err != nil {
			t.Errorf("while the probe is being read: got %v", err)
		}
	})
}

func TestBreakerIgnoresWhatBeganBeforeTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		late := make(chan error, 3)
		p.answer = func(_ context.Context, req origins.Request) error {
			if strings.HasPrefix(req.Key, "slow") {
				time.Sleep(time.Minute)
				return errSilent
			}
			return errDial
		}
		for i := range 3 {
			go func() { late <- readAll(t.Context(), p, fmt.Sprint("slow", i)) }()
		}
		synctest.Wait()
		p.ask(t, "a")
		time.Sleep(10*time.Second + 1)
		p.answer = nil
		if err := p.ask(t, "b"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			<-late
		}
		p.answer = always(errCanceled) // which changes nothing
		if err := p.ask(t, "c"); err != errCanceled {
			t.Errorf("faults from before the recovery count: %v", err)
		}
		p.answer = always(errSilent)
		if p.ask(t, "slow0", "slow1", "slow2"); !skips(p.ask(t, "c")) {
			t.Error("faults from before the recovery hide those that come after")
		}
	})
}

func TestBreakerTellsWhatItSkips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		p.answer = always(errSilent)
		p.ask(t, "a", "b", "c")
		time.Sleep(4 * time.Second)
		err := p.ask(t, "d")
		want := `"d": timeout: the origin is skipped for 4s, and asked again in 6s; its last fault: no answer`
		e, ok := err.(*origins.Error)
		if !ok || e.Error() != want || e.Remedy != "wake it" {
			t.Errorf("got %v\nwant %v", err, want)
		}
		if errors.Is(err, errSilent.Err) {
			t.Error("another request's fault is in the chain")
		}

		p.answer = always(errRefused)
		time.Sleep(7 * time.Second)
		p.ask(t, "d")
		time.Sleep(time.Second)
		want = `"e": unreachable: the origin is skipped for 12s, and asked again in 9s; its last fault: dial tcp: connection refused`
		if err := p.ask(t, "e"); err.Error() != want {
			t.Errorf("after a probe: got %v\nwant %v", err, want)
		}
	})
}

func TestBreakerMayBeAskedByChanged(t *testing.T) {
	var o origins.Origin
	told := 0
	o = origins.Breaker(broken(errDial), origins.BreakerConfig{Failures: 1, Window: time.Hour, Changed: func(bool, time.Duration, error) {
		told++
		if err := readAll(t.Context(), o, "b"); !skips(err) {
			t.Errorf("got %v, want it skipped", err)
		}
	}})
	if readAll(t.Context(), o, "a"); told != 1 {
		t.Errorf("told %d times, want once", told)
	}
}

func TestBreakerTellsChangesInOrderUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []bool
		o := origins.Breaker(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			if len(req.Key)%2 == 0 {
				return nil, errDial
			}
			return holding(strings.NewReader("")).Open(ctx, req)
		}), origins.BreakerConfig{Failures: 2, Window: time.Second, Changed: func(open bool, _ time.Duration, _ error) {
			told = append(told, open)
		}})
		done := make(chan bool)
		for i := range 8 {
			go func() {
				for j := range 200 {
					readAll(t.Context(), o, strings.Repeat("k", i+j))
					time.Sleep(time.Duration(i+1) * 50 * time.Millisecond)
				}
				done <- true
			}()
		}
		for range 8 {
			<-done
		}
		if len(told) < 4 {
			t.Fatalf("told only %v", told)
		}
		for i := range told {
			if i > 0 && !told[i] && !told[i-1] {
				t.Fatalf("told twice in a row that the origin is asked again: %v", told)
			}
		}
	})
}

func TestABreakerSkipsADeadOriginForTheFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := origins.OriginFunc(func(ctx context.Context, _ origins.Request) (*origins.Object, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		dead := stack(hanging, origins.BreakerConfig{Failures: 5, Window: time.Minute})
		o := origins.Fallback([]origins.Origin{dead, having})
		for i, want := range []time.Duration{30 * time.Second, 0, 0, 0} {
			began := time.Now()
			req := origins.Request{Key: "a.jpg"}
			if i == 0 {
				req.Key = "b.jpg"
			}
			obj, err := o.Open(t.Context(), req)
			if i == 0 {
				if origins.KindOf(err) != origins.Timeout {
					t.Errorf("request %d: got %v, want timeout", i, err)
				}
			} else if err != nil || !obj.Degraded {
				t.Errorf("request %d: got %v, want the object, degraded", i, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("request %d took %v, want %v", i, took, want)
			}
		}
	})
}

func TestBreakerNeedsACountAndAWindow(t *testing.T) {
	for _, c := range []origins.BreakerConfig{{Failures: 0, Window: time.Hour}, {Failures: 1}, {Failures: -1, Window: -1}} {
		o := origins.Breaker(broken(errDial), c)
		readAll(t.Context(), o, "a")
		if err := readAll(t.Context(), o, "b"); err != errDial {
			t.Errorf("%+v: got %v, want the origin's own error", c, err)
		}
	}
}

func TestBreakerSkipsASilentOriginAtOnceUnlessItAnswersOthers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		others  bool // somebody else is answered while the silence lasts
		skipped bool
	}{
		{"nobody is answered", false, true},
		{"others are answered", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := origins.Breaker(origins.Limit(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
					if req.Key == "hangs.jpg" {
						<-ctx.Done()
						return nil, &origins.Error{Kind: origins.Canceled, Err: ctx.Err()}
					}
					return holding(strings.NewReader("")).Open(ctx, req)
				}), 0, 10*time.Second), origins.BreakerConfig{Failures: 5, Window: time.Minute})
				if err := readAll(t.Context(), o, "before.jpg"); err != nil {
					t.Fatal(err)
				}
				ended := make(chan error)
				go func() {
					time.Sleep(time.Second)
					ended <- readAll(t.Context(), o, "hangs.jpg")
				}()
				if tt.others {
					time.Sleep(5 * time.Second)
					if err := readAll(t.Context(), o, "meanwhile.jpg"); err != nil {
						t.Fatal(err)
					}
				}
				if err := <-ended; origins.KindOf(err) != origins.Timeout {
					t.Fatalf("got %v, want timeout", err)
				}
				if err := readAll(t.Context(), o, "after.jpg"); errors.Is(err, origins.ErrSkipped) != tt.skipped {
					t.Errorf("got %v, skipped: want %v", err, tt.skipped)
				}
			})
		})
	}
}

func TestBreakerTakesNoOffenceAtWhatAnswersOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient()
		p.answer = func(_ context.Context, req origins.Request) error {
			if req.Key == "good" {
				return nil
			}
			return &origins.Error{Kind: origins.Unknown, Alive: true, Err: errors.New("the server answers 414")}
		}
		for i := range 20 {
			p.ask(t, fmt.Sprint("too long ", i))
		}
		if err := p.ask(t, "good"); err != nil || len(p.changes) > 0 {
			t.Errorf("got %v, and the changes %q", err, p.changes)
		}
	})
}

func TestBreakerSkipsAnOriginWhoseAnswersDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		dripping := origins.OriginFunc(func(ctx context.Context, _ origins.Request) (*origins.Object, error) {
			asked++
			obj := &origins.Object{Attributes: origins.Attributes{Size: 1 << 20}}
			obj.Body = origins.NewBody(ctx, "a", io.NopCloser(iotest.OneByteReader(slowly{ctx})))
			return obj, nil
		})
		o := origins.Breaker(origins.Limit(dripping, 0, 10*time.Second), origins.BreakerConfig{Failures: 5, Window: time.Minute})
		for range 3 { // the same key, too
			_ = readAll(t.Context(), o, "a.jpg")
		}
		if asked != 1 {
			t.Errorf("asked %d times in a window, want once", asked)
		}
	})
}

// slowly reads a byte a second.
type slowly struct{ ctx context.Context }

func (s slowly) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		return len(p), nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}
