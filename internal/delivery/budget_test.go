package delivery

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// public makes the kiosk's requests such that anybody can make.
func (k *kiosk) public(key, text string) string {
	k.t.Helper()
	req := k.request(key, text)
	req.Public = true
	got := k.tell(k.cache.Deliver(k.t.Context(), req))
	synctest.Wait()
	return got
}

const spentText = "error: 2 variants of this file were made within 1h, and no more may be (variants); ask for one that exists, or come back later"

func TestABudgetBoundsWhatIsMadeOfAFile(t *testing.T) {
	inKiosk(t, someFiles, func(k *kiosk) {
		k.e.Variants = Budget{Max: 2, Window: time.Hour}
		for _, tt := range []struct{ name, key, text, want string }{
			{"the first", "a.jpg", "w-200", "200x150 jpeg of one: uri-miss"},
			{"again", "a.jpg", "w-200", "200x150 jpeg of one: hit"},
			{"the same in other words", "a.jpg", "w-0.5", "200x150 jpeg of one: hit"},
			{"the second", "a.jpg", "w-100", "100x75 jpeg of one: miss"},
			{"one too many", "a.jpg", "w-101", spentText},
			{"and another", "a.jpg", "h-99", spentText},
			{"what is kept", "a.jpg", "w-100", "100x75 jpeg of one: hit"},
			{"another file", "b.jpg", "w-101", "101x76 jpeg of two: uri-miss"},
			{"no picture", "d.txt", "w-101", "four: uri-miss"},
			{"the file as it is", "a.jpg", "orig-true", "one: bypass"},
		} {
			if got := k.public(tt.key, tt.text); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
		k.asks("a.jpg", "w-102", "102x77 jpeg of one: miss") // signed, or by name
		k.asks("a.jpg", "w-101", "101x76 jpeg of one: miss")
		if got, want := k.public("a.jpg", "w-102"), "102x77 jpeg of one: hit"; got != want {
			t.Errorf("what a signed request has made: got %q, want %q", got, want)
		}
		other := *k.e
		other.Name = "other"
		k.e = &other
		if got, want := k.public("a.jpg", "w-103"), "103x77 jpeg of one: miss"; got != want {
			t.Errorf("another endpoint: got %q, want %q", got, want)
		}
	})
}

func TestTheWindowOfABudgetSlides(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Variants = Budget{Max: 2, Window: time.Hour}
		k.e.Keeping.Results = nil // each is made anew
		made := func(text string, want bool) {
			t.Helper()
			if got := !strings.HasPrefix(k.public("a.jpg", text), "error"); got != want {
				t.Errorf("%s: made %t, want %t", text, got, want)
			}
		}
		made("w-10", true)
		time.Sleep(40 * time.Minute)
		made("w-20", true)
		made("w-30", false)
		time.Sleep(time.Minute)
		made("w-10", true) // again: it counts from now on
		time.Sleep(30 * time.Minute)
		made("w-30", false)
		time.Sleep(28 * time.Minute)
		var over *BudgetError
		req := k.request("a.jpg", "w-30")
		req.Public = true
		if _, err := k.cache.Deliver(k.t.Context(), req); !errors.As(err, &over) || over.Retry != time.Minute {
			t.Errorf("got %v, %+v; want a minute to wait", err, over)
		}
		time.Sleep(time.Minute)
		made("w-30", true) // in place of w-20, an hour after that
		made("w-20", false)
		made("w-10", true)
		k.cache = NewCache(k.engine, k.memory) // a reload
		made("w-20", false)
		k.e.Variants.Max = 3
		made("w-20", true)
		k.e.Variants.Max = 1
		made("w-40", false)
		time.Sleep(time.Hour)
		made("w-40", true)
		made("w-10", false)
	})
}

func TestABudgetHoldsForACrowd(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Variants = Budget{Max: 5, Window: time.Hour}
		k.engine.delay = time.Second
		var mu sync.Mutex
		made := map[string]bool{}
		var all sync.WaitGroup
		for i := range 200 {
			text := fmt.Sprintf("w-%d", 10+i%50)
			req := k.request("a.jpg", text)
			req.Public = true
			all.Go(func() {
				resp, err := k.cache.Deliver(k.t.Context(), req)
				if err == nil {
					resp.Close()
					mu.Lock()
					defer mu.Unlock()
					made[text] = true
				} else if _, over := errors.AsType[*BudgetError](err); !over {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(made) != 5 || k.engine.painted() != 5 {
			t.Errorf("made %v", made)
		}
	})
}

func TestABudgetRemembersSoManyFilesAndResults(t *testing.T) {
	m := NewMemory()
	e := &Endpoint{Name: "e", Variants: Budget{Max: MaxVariants, Window: time.Hour}}
	req := &Request{Endpoint: e, Public: true}
	for i := range maxSpenders + 100 {
		if err := m.afford(req, fmt.Sprint(i), "00000000000000ff"); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.spending.of.Len(); n != maxSpenders {
		t.Errorf("%d files are remembered, want %d", n, maxSpenders)
	}
	for i := range 2 * MaxVariants {
		err := m.afford(req, "one", fmt.Sprintf("%016x", i))
		if (err == nil) != (i < MaxVariants) {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if list, _ := m.spending.of.Get(spender{"e", "one"}); len(list) != MaxVariants {
		t.Errorf("%d results are remembered", len(list))
	}
}

func TestWhatIsKeptIsSentAlsoWhereItsPageHasToBeLookedAtAnew(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Variants = Budget{Max: 1, Window: time.Hour}
		k.ask("a.jpg", "w-40")
		synctest.Wait()
		k.public("a.jpg", "w-50") // all that may be made
		n := name{source: k.request("a.jpg", "").Source()}
		known, _ := k.memory.known.Get(n)
		forgetful := *known.record
		forgetful.Facts = map[int]plan.Source{7: known.Facts[0]}
		known.record = &forgetful
		k.memory.known.Add(n, known)
		if got := k.public("a.jpg", "w-41"); !strings.Contains(got, "(variants)") {
			t.Errorf("another size: got %q", got)
		}
		k.memory.known.Add(n, known)
		k.cache = NewCache(k.engine, k.memory) // which has no recipe yet
		if got, want := k.public("a.jpg", "w-40"), "40x30 jpeg of one: hit"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
