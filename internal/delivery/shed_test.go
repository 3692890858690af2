package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

const refusal = "error: beginning a miss: as many pictures are under way as the limit queue allows"

// begins starts a request, and returns what it comes to.
func (k *kiosk) begins(ctx context.Context, key, text string) (answer func() string) {
	done := make(chan string, 1)
	req := k.request(key, text)
	go func() { done <- k.tell(k.cache.Deliver(ctx, req)) }()
	synctest.Wait()
	return func() string { return <-done }
}

// under compares how many misses are under way.
func (k *kiosk) under(want int) {
	k.t.Helper()
	synctest.Wait()
	if got := k.memory.Shed().UnderWay(); got != want {
		k.t.Errorf("%d misses are under way, want %d", got, want)
	}
}

var someFiles = map[string]string{"a.jpg": "one", "b.jpg": "two", "c.jpg": "three", "d.txt": "four"}

func TestAMissBeyondTheQueueIsRefusedBeforeAnythingIsFetched(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.asks("c.jpg", "w-50", "50x38 jpeg of three: uri-miss")
		k.asks("d.txt", "", "four: uri-miss")
		k.did("2 fetched, 0 confirmed, 0 refused", 1)
		k.memory.Shed().SetLimit(2)
		k.engine.delay = time.Second
		first, second := k.begins(k.t.Context(), "a.jpg", "w-200"), k.begins(k.t.Context(), "b.jpg", "w-200")
		k.under(2)
		k.did("2 fetched, 0 confirmed, 0 refused", 0)
		began := time.Now()
		for _, tt := range []struct{ name, key, text, want string }{
			{"an unknown file", "x.jpg", "w-200", refusal},
			{"another size", "c.jpg", "w-60", refusal},
			{"what is kept", "c.jpg", "w-50", "50x38 jpeg of three: hit"},
			{"what is known to be no picture", "d.txt", "w-200", "four: bypass"},
			{"an original as it is", "b.jpg", "orig-true", "two: bypass"},
		} {
			if got := k.ask(tt.key, tt.text); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("refusing took %v", took)
		}
		k.did("2 fetched, 0 confirmed, 0 refused", 0)
		if _, err := k.cache.Deliver(k.t.Context(), k.request("x.jpg", "")); transform.KindOf(err) != transform.Overloaded || !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		follower := k.begins(k.t.Context(), "a.jpg", "w-200")
		k.under(2)
		for i, answer := range []func() string{first, follower, second} {
			if got := answer(); strings.HasPrefix(got, "error") {
				t.Errorf("%d: got %s", i, got)
			}
		}
		k.under(0)
		k.asks("c.jpg", "w-60", "60x45 jpeg of three: miss")
	})
}

func TestAMissThatHasBegunIsNotRefusedOnItsWay(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.memory.Shed().SetLimit(1)
		k.origin.delay, k.engine.delay = time.Second, time.Second
		first := k.begins(k.t.Context(), "a.jpg", "w-200,t-true")
		for range 19 {
			k.under(1)
			if got := k.ask("b.jpg", "w-200"); got != refusal {
				t.Errorf("got %s", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got, want := first(), "200x100 jpeg of one: uri-miss"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		k.under(0)
	})
}

func TestAFlightKeepsItsPlaceWhenWhoBeganItLeaves(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.memory.Shed().SetLimit(1)
		k.engine.delay = time.Minute / 2
		ctx, cancel := context.WithCancel(k.t.Context())
		first, second := k.begins(ctx, "a.jpg", "w-200"), k.begins(k.t.Context(), "a.jpg", "w-200")
		cancel()
		first()
		k.under(1)
		if got := k.ask("b.jpg", "w-200"); got != refusal {
			t.Errorf("got %s", got)
		}
		if got, want := second(), "200x150 jpeg of one: "; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		k.under(0)
		ctx, cancel = context.WithCancel(k.t.Context())
		alone := k.begins(ctx, "b.jpg", "w-200")
		k.under(1)
		cancel()
		alone()
		k.under(0)
	})
}

func TestWhereNothingIsKeptMissesCountToo(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.e.Keeping.Results = nil
		k.memory.Shed().SetLimit(1)
		k.engine.delay = time.Second
		first := k.begins(k.t.Context(), "a.jpg", "w-200")
		k.under(1)
		k.did("1 fetched, 0 confirmed, 0 refused", 0)
		for key, want := range map[string]string{"b.jpg": refusal, "d.txt": refusal} {
			if got := k.ask(key, "w-200"); got != want {
				t.Errorf("%s: got %q, want %q", key, got, want)
			}
		}
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
		if got, want := k.ask("d.txt", "orig-true"), "four: bypass"; got != want {
			t.Errorf("as it is: got %q, want %q", got, want)
		}
		if got := first(); got != "200x150 jpeg of one: bypass" {
			t.Errorf("got %q", got)
		}
		k.under(0)
		k.asks("d.txt", "w-200", "four: bypass")
		k.under(0)
	})
}

func TestWhatIsStaleIsBetterThanARefusal(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.e.Keeping.Originals = k.store
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		time.Sleep(2 * time.Hour) // longer than it may be sent while its origin is asked
		k.memory.Shed().SetLimit(1)
		k.engine.delay = time.Second
		first := k.begins(k.t.Context(), "b.jpg", "w-200")
		k.did("2 fetched, 0 confirmed, 0 refused", 1)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit stale")
		k.asks("a.jpg", "w-100", refusal) // the original is there, but this was never made of it
		k.did("0 fetched, 0 confirmed, 0 refused", 0)
		first()
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
		time.Sleep(24 * time.Hour) // longer than it may be sent at all
		second := k.begins(k.t.Context(), "c.jpg", "w-200")
		k.asks("a.jpg", "w-200", refusal)
		second()
		k.under(0)
	})
}

// fragile is an engine that panics.
type fragile struct{ brush }

func (*fragile) Render(context.Context, transform.Inputs, plan.Plan) (*transform.Image, error) {
	panic("a bug")
}

func TestAnEngineThatPanicsGivesItsPlaceBack(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.cache = NewCache(new(fragile), k.memory)
		k.memory.Shed().SetLimit(1)
		for range 3 {
			if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "error: panic") {
				t.Errorf("got %q", got)
			}
			k.under(0)
		}
	})
}

// crowd is an engine that knows how many pictures it had at once.
type crowd struct {
	brush
	mu        sync.Mutex
	now, most int
}

func (c *crowd) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.now--
		c.mu.Unlock()
	}()
	return c.brush.Render(ctx, in, p)
}

func TestACrowdFillsTheQueueAndNoMore(t *testing.T) {
	const limit, visitors = 8, 200
	inKiosk(t, someFiles, func(k *kiosk) {
		engine := &crowd{brush: brush{delay: 50 * time.Millisecond}}
		k.cache = NewCache(engine, k.memory)
		k.memory.Shed().SetLimit(limit)
		var mu sync.Mutex
		counts := map[bool]int{}
		var all sync.WaitGroup
		for i := range visitors {
			req := k.request([]string{"a.jpg", "b.jpg", "c.jpg"}[i%3], fmt.Sprintf("w-%d", 10+i))
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				resp, err := k.cache.Deliver(k.t.Context(), req)
				if err == nil {
					resp.Close()
				} else if !errors.Is(err, ErrBusy) {
					t.Errorf("%d: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				counts[err == nil]++
			})
		}
		all.Wait()
		k.under(0)
		if engine.most != limit {
			t.Errorf("%d pictures were made at once, want %d", engine.most, limit)
		}
		if counts[true] < limit || counts[false] == 0 || counts[true]+counts[false] != visitors {
			t.Errorf("answered and refused: %v", counts)
		}
	})
}

func TestThePlaceOfAMissIsOneFromItsFirstFlightToItsLast(t *testing.T) {
	s := new(Shed)
	s.SetLimit(1)
	check := func(when string, want int) {
		t.Helper()
		if got := s.UnderWay(); got != want {
			t.Errorf("%s: %d are under way, want %d", when, got, want)
		}
	}
	enter := func(m *miss, want bool) {
		t.Helper()
		if err := m.enter(); (err == nil) != want {
			t.Errorf("let in: %v, want %t", err, want)
		}
	}
	m, other := &miss{shed: s}, &miss{shed: s}
	enter(m, true)
	m.leave()
	check("between two flights", 1)
	enter(other, false)
	enter(m, true)
	enter(m, true) // one within the other
	m.end()
	m.leave()
	check("answered, with a flight that others wait for", 1)
	enter(other, false)
	m.leave()
	check("when all is over", 0)
	enter(other, true)
	other.leave()
	other.end()
	other.end()
	check("in the usual order", 0)
	(&miss{shed: s}).end()
	check("without any flight", 0)
}

// looker is an engine that counts looks.
type looker struct {
	brush
	looks int
}

func (l *looker) Look(context.Context, transform.Inputs, plan.Look) (plan.Window, error) {
	l.looks++
	return plan.Window{Width: 200, Height: 100}, nil
}

func TestWhatIsKeptOfOriginalsIsNotWorkedOnBeyondTheQueue(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		engine := new(looker)
		k.cache = NewCache(engine, k.memory)
		k.e.Keeping.Originals = k.store
		k.asks("a.jpg", "w-10", "10x8 jpeg of one: uri-miss")
		k.memory.Shed().SetLimit(1)
		engine.delay = time.Second
		first := k.begins(k.t.Context(), "c.jpg", "w-200")
		k.under(1)
		k.asks("a.jpg", "t-true", refusal)
		if engine.looks != 0 {
			t.Errorf("the engine looked %d times", engine.looks)
		}
		k.asks("a.jpg", "orig-true", "one: hit")
		k.asks("b.jpg", "orig-true", "two: uri-miss") // fetched, but nothing is made of it
		k.under(1)
		first()
		k.asks("a.jpg", "t-true", "200x100 jpeg of one: miss")
	})
}

// A URL that says that the original is a new one must not have the old one kept by those who ask, however fresh that is.
func TestWhatIsSentInPlaceOfSomethingNewerIsStale(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.asks("c.jpg", "w-50", "50x38 jpeg of three: uri-miss")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		k.memory.Shed().SetLimit(1)
		k.engine.delay = time.Second
		first := k.begins(k.t.Context(), "a.jpg", "w-200")
		k.under(1)
		req := k.request("c.jpg", "w-50")
		req.Versions = "v=2"
		resp, err := k.cache.Deliver(k.t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Close()
		if !resp.How.Hit || !resp.How.Stale() {
			t.Errorf("got %+v, want something stale", resp.How)
		}
		first()
	})
}
