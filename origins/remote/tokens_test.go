package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// issuer returns what fetches tokens that last so long, each after a second, and counts them.
func issuer(lasting time.Duration) (*Tokens, *atomic.Int32) {
	issued := new(atomic.Int32)
	return &Tokens{Fetch: func(context.Context) (Token, error) {
		time.Sleep(time.Second)
		return Token{Value: fmt.Sprint("token ", issued.Add(1)), Ends: time.Now().Add(lasting)}, nil
	}}, issued
}

func TestOneTokenIsFetchedForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, issued := issuer(time.Hour)
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if got, err := tokens.Get(t.Context()); got != "token 1" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		callers.Wait()
		if n := issued.Load(); n != 1 {
			t.Errorf("%d tokens for 20 callers", n)
		}
	})
}

func TestNobodyWaitsForATokenLongerThanTheyWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := Tokens{Fetch: func(ctx context.Context) (Token, error) {
			<-ctx.Done() // a service that falls silent
			return Token{}, context.Cause(ctx)
		}}
		began := time.Now()
		var callers sync.WaitGroup
		for i := range 5 { // who comes later waits for what was begun before
			callers.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := tokens.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
			})
		}
		callers.Wait()
		if took := time.Since(began); took != 1400*time.Millisecond {
			t.Errorf("the last one left after %v, want 1.4s", took)
		}
		if _, err := tokens.Get(t.Context()); err == nil || time.Since(began) != tokenTimeout {
			t.Errorf("who stays is told %v after %v, want a failure after %v", err, time.Since(began), tokenTimeout)
		}
	})
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, _ := issuer(time.Hour)
		for _, step := range []struct {
			name  string
			sleep time.Duration
			want  string
			waits time.Duration
		}{
			{"the first", 0, "token 1", time.Second},
			{"long before its end", 50 * time.Minute, "token 1", 0},
			{"shortly before its end", 8 * time.Minute, "token 1", 0},
			{"renewed meanwhile", 2 * time.Second, "token 2", 0},
			{"long after its end", 2 * time.Hour, "token 3", time.Second},
		} {
			time.Sleep(step.sleep)
			began := time.Now()
			got, err := tokens.Get(t.Context())
			if waited := time.Since(began); got != step.want || err != nil || waited != step.waits {
				t.Errorf("%s: got %q, %v after %v, want %q after %v", step.name, got, err, waited, step.want, step.waits)
			}
		}
	})
}

func TestARenewalThatFailsTakesNothingAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := errors.New("the service is down")
		var asked atomic.Int32
		tokens := Tokens{Fetch: func(context.Context) (Token, error) {
			if asked.Add(1) > 1 {
				return Token{}, fault
			}
			return Token{Value: "token", Ends: time.Now().Add(2 * time.Minute)}, nil
		}}
		for range 100 { // for 100 s, while the token is good
			if got, err := tokens.Get(t.Context()); got != "token" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
			time.Sleep(time.Second)
		}
		if n := asked.Load(); n < 2 || n > 12 {
			t.Errorf("the service was asked %d times in 100s", n)
		}
		time.Sleep(time.Minute)
		if got, err := tokens.Get(t.Context()); !errors.Is(err, fault) {
			t.Errorf("after the end of the token: got %q, %v", got, err)
		}
	})
}

func TestTokensThatEndSoonAreNotFetchedForEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, issued := issuer(time.Minute)
		for range 60 {
			if _, err := tokens.Get(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		if n := issued.Load(); n < 2 || n > 12 {
			t.Errorf("%d tokens of a minute were fetched in two", n)
		}
	})
}

func TestATokenThatIsRefusedIsForgottenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, _ := issuer(time.Hour)
		first, _ := tokens.Get(t.Context())
		tokens.Forget(first)
		second, _ := tokens.Get(t.Context())
		tokens.Forget(first) // by a request that was sent with it and is answered late
		if third, err := tokens.Get(t.Context()); first == second || third != second || err != nil {
			t.Errorf("got %q, %q, %q, %v", first, second, third, err)
		}
	})
}

func TestATokenWithoutAValueIsNone(t *testing.T) {
	tokens := Tokens{Fetch: func(context.Context) (Token, error) { return Token{}, nil }}
	if got, err := tokens.Get(t.Context()); err == nil {
		t.Errorf("got %q", got)
	}
}
