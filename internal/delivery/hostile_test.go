package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// clean reports what a Memory still holds of work that is done.
func (k *kiosk) clean() {
	k.t.Helper()
	synctest.Wait()
	m := k.memory
	if n := []int{len(m.held), len(m.marks), len(m.fetches.running), len(m.looks.running), len(m.results.running)}; n[0]+n[1]+n[2]+n[3]+n[4] != 0 {
		k.t.Errorf("held, marks, fetches, looks, results: %v are left", n)
	}
}

func TestAnOriginalThatBecomesPrivateIsForgotten(t *testing.T) {
	inKiosk(t, map[string]string{"a.jpg": "one"}, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.origin.set(func() { k.origin.files["a.jpg"], k.origin.private = "secret", true })
		time.Sleep(time.Hour + time.Minute)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit stale") // while it is renewed
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unreachable, Origin: "depot"} })
		if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "error: ") {
			t.Errorf("its origin called it private, and then %q was sent", got)
		}
		if got := k.store.variants(); len(got) > 0 && strings.HasPrefix(got[len(got)-1], "record") {
			t.Errorf("the store has %q", got)
		}
		k.clean()
	})
}

func TestAConfirmationMayMakeAnOriginalPrivate(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.e.Origin = origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
			return nil, &origins.Error{Kind: origins.NotModified, Origin: "depot", CacheControl: "private"}
		})
		time.Sleep(2 * time.Hour)
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: stale")
		if k.memory.known.Len() != 0 {
			t.Error("it is still remembered")
		}
	})
}

func TestAFollowerKeepsItsOwnDeadline(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.Originals = new(shelves)
		k.origin.delay, k.engine.delay = 30*time.Second, 40*time.Second
		var all sync.WaitGroup
		all.Go(func() {
			_, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-200"))
			if transform.KindOf(err) != transform.Timeout || isOrigins(err) {
				t.Errorf("the first got %v", err)
			}
		})
		time.Sleep(45 * time.Second)
		if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one") {
			t.Errorf("who had time left got %q", got)
		}
		all.Wait()
		k.clean()
	})
}

func TestAnOriginThatDoesntAnswerInTimeIsBlamedByAllWhoWait(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.origin.delay = time.Hour
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Second)
				begin := time.Now()
				_, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", fmt.Sprintf("w-%d", 10+i%2)))
				if !isOrigins(err) || origins.KindOf(err) != origins.Timeout {
					t.Errorf("%d got %v", i, err)
				}
				if took := time.Since(begin); took < time.Minute || took > time.Minute+grace {
					t.Errorf("%d waited %v", i, took)
				}
			})
		}
		all.Wait()
		k.clean()
	})
}

func TestOriginalsThatCantBeReadAreSentAsTheyAre(t *testing.T) {
	for name, change := range map[string]func(*kiosk){
		"too large": func(k *kiosk) { k.e.Limits.SourceSize = 100 },
		"damaged": func(k *kiosk) {
			k.cache = NewCache(&painter{err: &transform.Error{Kind: transform.Broken, Op: "reading the header"}}, k.memory)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inKiosk(t, oneFile, func(k *kiosk) {
				k.e.Keeping.Originals = new(shelves)
				change(k)
				k.asks("a.jpg", "orig-true", "one: bypass")
				k.asks("a.jpg", "orig-true", "one: bypass")
				k.clean()
			})
		})
	}
}

func TestEachEndpointHasItsOwnSourceSize(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		small := *k.e
		small.Limits.SourceSize = 100
		ask := func() error {
			req := k.request("a.jpg", "w-200")
			req.Endpoint = &small
			_, err := k.cache.Deliver(k.t.Context(), req)
			return err
		}
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		if _, over := errors.AsType[*plan.LimitError](ask()); !over {
			t.Error("an endpoint sent what another one had made of an original that is too large for it")
		}
		k.restart()
		k.store.entries = nil
		k.origin.delay = time.Second
		go ask()
		time.Sleep(time.Second / 2)
		if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one") {
			t.Errorf("who joined the fetch for a smaller limit got %q", got)
		}
	})
}

func TestAPanicLeavesNothingBehind(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.cache = NewCache(mad{k.engine}, k.memory)
		for range 3 {
			if got := k.ask("a.jpg", "w-200"); !strings.Contains(got, "ouch") {
				t.Error(got)
			}
			if got := k.ask("a.jpg", "t-true"); !strings.Contains(got, "ouch") {
				t.Error(got)
			}
		}
		k.clean()
		k.e.Origin = origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) { panic("ouch") })
		k.ask("b.jpg", "w-200")
		k.clean()
	})
}

// mad is an engine that panics.
type mad struct{ *brush }

func (mad) Render(context.Context, transform.Inputs, plan.Plan) (*transform.Image, error) {
	panic("ouch")
}

func (mad) Look(context.Context, transform.Inputs, plan.Look) (plan.Window, error) { panic("ouch") }

func TestAStillOfWhatBecomesAPictureIsMade(t *testing.T) {
	inKiosk(t, map[string]string{}, func(k *kiosk) {
		file := "text"
		k.e.Origin = origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
			return &origins.Object{
				Attributes: origins.Attributes{Origin: "depot", Size: int64(len(file)), ETag: fmt.Sprintf("%q", file[:4])},
				Body:       io.NopCloser(strings.NewReader(file)),
			}, nil
		})
		ask := func() error {
			req := k.request("a", "")
			req.Still = true
			resp, err := k.cache.Deliver(k.t.Context(), req)
			if err == nil {
				resp.Close()
			}
			synctest.Wait()
			return err
		}
		for range 2 {
			if err := ask(); !errors.Is(err, ErrNoStill) {
				t.Errorf("a text: %v", err)
			}
		}
		file = string(jpeg)
		time.Sleep(4 * time.Hour)
		if err := ask(); err != nil {
			t.Errorf("a picture by now: %v", err)
		}
		k.clean()
	})
}

func TestWhatIsKnownOfAnOriginalIsBounded(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.cache = NewCache(&painter{facts: plan.Source{Format: plan.TIFF, Width: 400, Height: 300, Orientation: 1, Frames: 1, Pages: 1000}}, k.memory)
		k.e.Keeping.Originals = new(shelves)
		for i := range 200 {
			req := k.request("a.jpg", fmt.Sprintf("pg-%d", i+1))
			req.Still = true
			if resp, err := k.cache.Deliver(k.t.Context(), req); err != nil {
				t.Fatal(err)
			} else {
				resp.Close()
			}
			if got := k.ask("a.jpg", fmt.Sprintf("w-%d:t-%d", i+50, i%99+1)); strings.HasPrefix(got, "error") {
				t.Fatal(got)
			}
			req = k.request("a.jpg", "w-10")
			req.Versions = fmt.Sprintf("v=%d", i)
			k.tell(k.cache.Deliver(k.t.Context(), req))
			synctest.Wait()
		}
		r, _ := k.memory.known.Peek(name{source: "f/a.jpg"})
		if len(r.Facts) > maxKnown || len(r.Trims) > maxKnown || len(r.Seen) > maxKnown {
			t.Errorf("%d facts, %d trims, %d versions", len(r.Facts), len(r.Trims), len(r.Seen))
		}
		if n := len(r.encode()); n > 32<<10 {
			t.Errorf("the record takes %d bytes", n)
		}
		k.clean()
	})
}

func TestWhatIsMissingCostsNoPurge(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		purged := &counter{Store: k.store}
		k.e.Keeping.Results = purged
		for range 5 {
			k.ask("b.jpg", "w-200")
		}
		if purged.n != 0 {
			t.Errorf("%d purges of what was never there", purged.n)
		}
	})
}

// counter counts purges.
type counter struct {
	caches.Store
	n int
}

func (c *counter) Purge(ctx context.Context, match caches.Pattern) (int, error) {
	c.n++
	return c.Store.Purge(ctx, match)
}

func TestACopyThatStandsInDoesntHaveItsOriginsAskedByAll(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		second := newDepot(map[string]string{"a.jpg": "copy"})
		second.name = "second"
		k.e.Origin = origins.Fallback([]origins.Origin{k.origin, second})
		k.e.Keeping.Origins = []string{"depot", "second"}
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unreachable, Origin: "depot"} })
		time.Sleep(2 * time.Hour)
		for range 10 {
			k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit stale")
		}
		if got := second.counts(); got != "1 fetched, 0 confirmed, 0 refused" {
			t.Errorf("the second origin: %s", got)
		}
	})
}

func TestAnUnseenVersionIsNotAskedForByAllWhileItsOriginIsDown(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unreachable, Origin: "depot"} })
		for i := range 10 {
			req := k.request("a.jpg", "w-200")
			req.Versions = fmt.Sprintf("v=%d", i)
			if got := k.tell(k.cache.Deliver(k.t.Context(), req)); !strings.HasPrefix(got, "200x150 jpeg of one: hit") {
				t.Error(got)
			}
		}
		k.did("0 fetched, 0 confirmed, 1 refused", 0)
	})
}

func TestAnOriginOnThisMachineThatFailsIsAFault(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.Locals = []Local{{Name: "depot", Place: 0, Origin: k.origin}}
		k.asks("a.jpg", "w-200", "200x150 jpeg of one: uri-miss")
		for range 30 { // its being there is noted now and then
			time.Sleep(time.Hour)
			k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit")
		}
		k.restart()
		k.origin.counts()
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unknown, Origin: "depot"} })
		for range 10 {
			k.asks("a.jpg", "w-200", "200x150 jpeg of one: hit")
		}
		time.Sleep(4 * time.Hour)
		if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "error: ") {
			t.Errorf("behind stale_if_error: %q", got)
		}
	})
}

func TestFilesThatTheStoreDoesntTakeAreNotFetchedForItAgain(t *testing.T) {
	inKiosk(t, map[string]string{"a.txt": "text"}, func(k *kiosk) {
		k.e.Keeping.Files = full{k.store}
		for range 10 {
			k.ask("a.txt", "")
			synctest.Wait()
		}
		k.did("11 fetched, 0 confirmed, 0 refused", 0)
		k.clean()
	})
}

// full is a store that has no room.
type full struct{ caches.Store }

func (full) Put(context.Context, caches.Key, caches.Meta, io.Reader) error { return caches.ErrTooLarge }

func TestVersionsThatOriginsSeeAreFetchedEachForItself(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.QueryCounts = true
		k.e.Origin = origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
			time.Sleep(time.Second)
			file := string(jpeg) + req.Query
			return &origins.Object{
				Attributes: origins.Attributes{Origin: "depot", Size: int64(len(file)), ETag: fmt.Sprintf("%q", req.Query)},
				Body:       io.NopCloser(strings.NewReader(file)),
			}, nil
		})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				req := k.request("a.jpg", "w-200")
				req.Query = fmt.Sprintf("v=%d", i)
				req.Versions = req.Query
				if got := k.tell(k.cache.Deliver(k.t.Context(), req)); !strings.HasPrefix(got, "200x150 jpeg of "+req.Query) {
					t.Errorf("?%s: %s", req.Query, got)
				}
			})
		}
		all.Wait()
		k.clean()
	})
}

func TestAResponseThatIsClosedTwiceGivesItsOriginalBackOnce(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Keeping.Originals = &shelves{delay: time.Hour}
		var open []*Response
		for range 2 {
			resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "orig-true"))
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, resp)
		}
		open[0].Close()
		open[0].Close()
		open[0].Close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for _, o := range k.memory.held {
			if o.looking != 1 {
				t.Errorf("%d look at it, want one", o.looking)
			}
		}
		if len(k.memory.held) != 1 {
			t.Errorf("%d are held, want what is still being sent", len(k.memory.held))
		}
		open[1].Close()
		k.clean()
	})
}

func TestNothingIsRememberedUnderVeryLongNames(t *testing.T) {
	usual, long := strings.Repeat("a", maxKey), strings.Repeat("a", maxKey+1)
	inKiosk(t, map[string]string{usual: "one", long: "two"}, func(k *kiosk) {
		for range 2 {
			k.ask(usual, "w-200")
		}
		k.did("1 fetched, 0 confirmed, 0 refused", 1)
		for range 2 {
			k.ask(long, "w-200")
		}
		k.did("2 fetched, 0 confirmed, 0 refused", 2)
		if got := k.memory.known.Len(); got != 1 {
			t.Errorf("%d records are remembered, want one", got)
		}
		k.clean()
	})
}
