package delivery

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Budget bounds how many different results of one original may be made for requests that anybody can make
// ([Request.Public]): who tries all widths there are gets no further than that. The zero Budget has no limit.
type Budget struct {
	Max    int           // different results, at most MaxVariants; 0 is any number
	Window time.Duration // within so long
}

// MaxVariants is the largest [Budget.Max].
const MaxVariants = 500

// BudgetError is the error of a result that is one too many.
type BudgetError struct {
	Budget
	Retry time.Duration // until one more may be made
}

// Error says what the budget is.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("%d variants of this file were made within %s, and no more may be (variants); ask for one that exists, or come back later",
		e.Max, spoken(e.Window))
}

// spoken is a time as it is written in the config: "1h" and not "1h0m0s".
func spoken(d time.Duration) string {
	text := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if n := len(text) - len(zeros); n > 0 && text[n:] == zeros {
			text = text[:n+1]
		}
	}
	return text
}

// spending remembers what was made of originals. It is safe for concurrent use.
type spending struct {
	mu sync.Mutex
	of *lru.Cache[spender, []spent]
}

// spender names an original at an endpoint. What else of a request decides which original is meant (its query, its host) is
// no part of it: a query that nobody has sent before would be a budget of its own.
type spender struct{ endpoint, source string }

// spent is a result that was made.
type spent struct {
	recipe uint64 // the first eight bytes of its RecipeHash: one result that passes for another costs nobody anything
	at     int64  // in nanoseconds since 1970
}

// maxSpenders is how many originals are remembered, those of which something was made latest. Each takes about 300 bytes,
// and 16 for each result.
const maxSpenders = 10_000

// spend notes that a result is going to be made, called by its RecipeHash. The error is a *BudgetError where it is one too
// many; what was made within the window may be made again.
func (s *spending) spend(who spender, recipe string, b Budget) error {
	if b.Max <= 0 {
		return nil
	}
	hash, err := strconv.ParseUint(recipe[:min(len(recipe), 16)], 16, 64)
	if err != nil {
		return fmt.Errorf("reading a hash of a recipe: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UnixNano()
	list, _ := s.of.Get(who)
	over := func(e spent) bool { return e.at <= now-int64(b.Window) }
	again := func(e spent) bool { return e.recipe == hash }
	known := slices.ContainsFunc(list, func(e spent) bool { return again(e) && !over(e) })
	list = slices.DeleteFunc(list, over) // by the window of now: that of the config before may have been another
	if !known && len(list) >= b.Max {
		s.of.Add(who, list)
		next := list[len(list)-b.Max] // when this one is over, fewer than Max are left
		return &BudgetError{Budget: b, Retry: time.Duration(next.at + int64(b.Window) - now)}
	}
	list = slices.DeleteFunc(list, again)
	s.of.Add(who, append(list, spent{hash, now})) // in the order of their times
	return nil
}

// afford notes that the recipe is going to be made for a request, if that counts.
func (m *Memory) afford(req *Request, source, recipe string) error {
	if !req.Public {
		return nil
	}
	return m.spending.spend(spender{req.Endpoint.Name, source}, recipe, req.Endpoint.Variants)
}
