package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClientIsMadeOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		c := Client[string, *int]{Make: func(context.Context, string) (*int, error) {
			time.Sleep(time.Second) // somebody looks for credentials
			made++
			return new(made), nil
		}}
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				client, err := c.Get(t.Context(), "a")
				if err != nil || *client != 1 {
					t.Errorf("got %v, %v", client, err)
				}
			})
		}
		callers.Wait()
		if made != 1 {
			t.Errorf("made %d times", made)
		}
	})
}

func TestClientIsMadeAnewForOtherSettings(t *testing.T) {
	made := 0
	c := Client[string, string]{Make: func(_ context.Context, s string) (string, error) {
		made++
		return fmt.Sprint(s, made), nil
	}}
	for _, tt := range []struct{ settings, want string }{{"a", "a1"}, {"a", "a1"}, {"b", "b2"}, {"b", "b2"}, {"a", "a3"}} {
		if got, err := c.Get(t.Context(), tt.settings); got != tt.want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", tt.settings, got, err, tt.want)
		}
	}
}

func TestClientThatCouldNotBeMadeIsTriedAgain(t *testing.T) {
	made := 0
	fault := errors.New("no credentials yet")
	c := Client[int, int]{Make: func(context.Context, int) (int, error) {
		if made++; made == 1 {
			return 0, fault
		}
		return made, nil
	}}
	if _, err := c.Get(t.Context(), 0); err != fault {
		t.Errorf("got %v", err)
	}
	if got, err := c.Get(t.Context(), 0); got != 2 || err != nil {
		t.Errorf("at the second try: got %v, %v", got, err)
	}
}

func TestCallerThatLeavesDoesNotEndTheMakingForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Client[int, string]{Make: func(ctx context.Context, _ int) (string, error) {
			select {
			case <-time.After(time.Second):
				return "made", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}}
		left := errors.New("the visitor went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, left)
		defer cancel()
		began := time.Now()
		if _, err := c.Get(ctx, 0); err != left || time.Since(began) > 200*time.Millisecond {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if got, err := c.Get(t.Context(), 0); got != "made" || err != nil || time.Since(began) > 1100*time.Millisecond {
			t.Errorf("the next one got %q, %v after %v, want what was begun", got, err, time.Since(began))
		}
	})
}

func TestCallersWithDifferentSettingsEachGetTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Client[int, int]{Make: func(_ context.Context, s int) (int, error) {
			time.Sleep(10 * time.Millisecond)
			return 10 * s, nil
		}}
		var wrong atomic.Int32
		var callers sync.WaitGroup
		for s := range 4 {
			callers.Go(func() {
				if got, err := c.Get(t.Context(), s); got != 10*s || err != nil {
					wrong.Add(1)
				}
			})
		}
		callers.Wait()
		if wrong.Load() != 0 {
			t.Errorf("%d got another one's client", wrong.Load())
		}
	})
}

// carrierFunc is a transport that is a function.
type carrierFunc func(*http.Request) (*http.Response, error)

func (f carrierFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHTTPClientSaysFromAndFollowsNothing(t *testing.T) {
	for _, tt := range []struct{ name, from, want string }{
		{"somebody", "imagekit", "imagekit"}, {"nobody", "", ""}, {"a liar", "a\r\nb", ""},
	} {
		var asked []*http.Request
		client := NewHTTPClient(carrierFunc(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r)
			return &http.Response{
				StatusCode: http.StatusTemporaryRedirect, Body: http.NoBody, Request: r,
				Header: http.Header{"Location": {"https://evil.test/"}},
			}, nil
		}))
		r, err := http.NewRequestWithContext(WithFrom(t.Context(), tt.from), http.MethodGet, "https://store.test/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "signed")
		res, err := client.Do(r)
		if err != nil || res.StatusCode != http.StatusTemporaryRedirect || len(asked) != 1 {
			t.Errorf("%s: got %v, %v after %d requests, want the redirect itself", tt.name, res, err, len(asked))
			continue
		}
		if got := asked[0].Header; got.Get("X-Req-From") != tt.want || got.Get("Authorization") != "signed" || len(r.Header) != 1 {
			t.Errorf("%s: got %v; the caller's request has %v", tt.name, got, r.Header)
		}
	}
}
