package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
)

// newAPI returns a provisioned API with the keys "private_one" and "private_two".
func newAPI(t *testing.T, rate *APIRate) *API {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	a := &API{Keys: []string{"private_one", "private_two"}, Rate: rate}
	if err := a.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	a.logger = zap.NewNop()
	return a
}

// call sends a request with a key, "" is none; a next handler answers 418.
func call(t *testing.T, a *API, key, method, path, body string) (*httptest.ResponseRecorder, map[string]string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		r.SetBasicAuth(key, "do_not_set") // as the SDK does
	}
	w := httptest.NewRecorder()
	err := a.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusTeapot)
		return nil
	}))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	var answer map[string]string
	if w.Code != http.StatusTeapot && json.Unmarshal(w.Body.Bytes(), &answer) != nil {
		t.Fatalf("%s %s: %d %s is no JSON", method, path, w.Code, w.Body)
	}
	return w, answer
}

// inForce puts a config into force until the test ends.
func putInForce(t *testing.T, a *App) {
	t.Helper()
	running.mu.Lock()
	running.apps = append(running.apps, a)
	running.mu.Unlock()
	t.Cleanup(func() { running.remove(a) })
}

func TestAPIPurgesAsImageKitDoes(t *testing.T) {
	release := make(chan struct{})
	got := make(chan caches.Pattern, 1)
	FakePurges(t, func(match caches.Pattern) (int, error) {
		got <- match
		<-release
		return 1, nil
	})
	app, _ := rememberingApp(t, false)
	putInForce(t, app)
	a := newAPI(t, nil)
	for _, mount := range []string{"", "/api"} {
		w, answer := call(t, a, "private_two", "POST", mount+"/v1/files/purge", `{"url": "https://images.example.com/shop/a.jpg"}`)
		id := answer["requestId"]
		if w.Code != 201 || len(id) != 32 || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("purge: got %d %s", w.Code, w.Body)
		}
		if match := <-got; match.Source != "shop/a.jpg" {
			t.Errorf("purged %+v", match)
		}
		if w, answer := call(t, a, "private_one", "GET", mount+"/v1/files/purge/"+id, ""); w.Code != 200 || answer["status"] != "Pending" {
			t.Errorf("under way: got %d %v", w.Code, answer)
		}
		release <- struct{}{}
		<-purgeRequests.find(id).done
		if w, answer := call(t, a, "private_one", "GET", mount+"/v1/files/purge/"+id, ""); w.Code != 200 || answer["status"] != "Completed" {
			t.Errorf("done: got %d %v", w.Code, answer)
		}
	}
	close(release)
}

func TestAPIRefuses(t *testing.T) {
	FakePurges(t, func(caches.Pattern) (int, error) { return 0, nil })
	app, _ := rememberingApp(t, false)
	putInForce(t, app)
	const path = "/v1/files/purge"
	for _, tt := range []struct {
		name, key, method, path, body string
		status                        int
		message, help                 string
	}{
		{name: "no key", method: "POST", path: path, body: `{"url": "/a.jpg"}`, status: 401, message: "does not contain a key", help: "user name of HTTP Basic Auth"},
		{name: "a wrong key", key: "private_thre", method: "POST", path: path, body: `{"url": "/a.jpg"}`, status: 401, message: "key of your request is wrong"},
		{name: "the beginning of a key", key: "private_on", method: "GET", path: path + "/1", status: 401},
		{name: "no JSON", key: "private_one", method: "POST", path: path, body: "x", status: 400, message: "The URL is not valid for cache purging.", help: "no JSON object"},
		{name: "no URL", key: "private_one", method: "POST", path: path, body: "{}", status: 400, message: "The URL is not valid for cache purging.", help: `"url" is missing`},
		{name: "a wrong URL", key: "private_one", method: "POST", path: path, body: `{"url": "a.jpg"}`, status: 400, message: "The URL is not valid for cache purging.", help: "neither an http or https URL"},
		{name: "a large body", key: "private_one", method: "POST", path: path, body: `{"url": "/` + strings.Repeat("a", 64<<10) + `"}`, status: 400, help: "larger than 64 KiB"},
		{name: "an unknown request", key: "private_one", method: "GET", path: path + "/123", status: 404, message: "No purge has this requestId."},
		{name: "GET", key: "private_one", method: "GET", path: path, status: 405},
		{name: "DELETE", key: "private_one", method: "DELETE", path: path + "/123", status: 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, answer := call(t, newAPI(t, nil), tt.key, tt.method, tt.path, tt.body)
			if w.Code != tt.status || !strings.Contains(answer["message"], tt.message) || !strings.Contains(answer["help"], tt.help) || answer["help"] == "" {
				t.Errorf("got %d %v", w.Code, answer)
			}
			if (w.Code == 401) != strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") || (w.Code == 405) != (w.Header().Get("Allow") != "") {
				t.Errorf("headers: %v", w.Header())
			}
		})
	}
}

func TestAPILeavesOtherPathsAlone(t *testing.T) {
	a := newAPI(t, nil)
	for _, path := range []string{"/a.jpg", "/v1/files", "/v1/files/purge/1/2", "/v1/files/purged", "/healthy"} {
		if w, _ := call(t, a, "private_one", "GET", path, ""); w.Code != http.StatusTeapot {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
}

func TestHealthNeedsNoKeyAndWaitsForNothing(t *testing.T) {
	release := make(chan struct{})
	FakePurges(t, func(caches.Pattern) (int, error) { <-release; return 0, nil })
	defer close(release)
	for range narrowPurges + narrowWaiting {
		if _, err := purges.take(&purge{patterns: []caches.Pattern{{Source: "x"}}}); err != nil {
			t.Fatal(err)
		}
	}
	app, _ := rememberingApp(t, false)
	putInForce(t, app)
	a := newAPI(t, nil)
	if w, answer := call(t, a, "private_one", "POST", "/v1/files/purge", `{"url": "/a.jpg"}`); w.Code != 429 || w.Header().Get("Retry-After") == "" || answer["message"] != "Too many purges are waiting." {
		t.Errorf("one too many: got %d %v", w.Code, answer)
	}
	for _, path := range []string{"/health", "/api/health"} {
		if w, answer := call(t, a, "", "GET", path, ""); w.Code != 200 || answer["status"] != "ok" {
			t.Errorf("%s: got %d %v", path, w.Code, answer)
		}
	}
	if w, _ := call(t, a, "", "POST", "/health", ""); w.Code != 405 {
		t.Errorf("POST: got %d", w.Code)
	}
}

func TestAPIAnswersSoManyRequestsAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, &APIRate{Requests: 2, Window: caddy.Duration(time.Second)})
		ask := func() int {
			w, _ := call(t, a, "private_one", "GET", "/v1/files/purge/1", "")
			return w.Code
		}
		for i := range 10 {
			if got := ask(); got != 404 {
				t.Fatalf("request %d of a burst: got %d", i, got)
			}
		}
		if w, _ := call(t, a, "private_two", "GET", "/v1/files/purge/1", ""); w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("one more: got %d %v", w.Code, w.Header())
		}
		time.Sleep(500 * time.Millisecond)
		if got := ask(); got != 404 {
			t.Errorf("later: got %d", got)
		}
	})
}

func TestWrongKeysAreCountedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, nil)
		from := func(address, key string) int {
			r := httptest.NewRequest("GET", "/v1/files/purge/1", nil)
			r = r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: address}))
			r.SetBasicAuth(key, "")
			w := httptest.NewRecorder()
			if err := a.ServeHTTP(w, r, nil); err != nil {
				t.Fatal(err)
			}
			return w.Code
		}
		for range 10 {
			if got := from("2001:db8::1", "guess"); got != 401 {
				t.Fatalf("a wrong key: got %d", got)
			}
		}
		for _, tt := range []struct {
			name, address, key string
			want               int
		}{
			{"the eleventh", "2001:db8::1", "guess", 429},
			{"a right key from there", "2001:db8::1", "private_one", 429},
			{"an address of the same network", "2001:db8::2", "guess", 429},
			{"another network", "2001:db8:0:1::1", "guess", 401},
			{"another address", "192.0.2.1", "private_one", 404},
		} {
			if got := from(tt.address, tt.key); got != tt.want {
				t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
			}
		}
		time.Sleep(6 * time.Second)
		if got := from("2001:db8::1", "private_one"); got != 404 {
			t.Errorf("a right key later: got %d", got)
		}
	})
}

func TestRequestsWithoutAKeyAreNoGuesses(t *testing.T) {
	a := newAPI(t, nil)
	for i := range 2 * wrongKeys {
		if w, _ := call(t, a, "", "GET", "/v1/files/purge/1", ""); w.Code != 401 {
			t.Fatalf("request %d: got %d", i, w.Code)
		}
	}
	if w, _ := call(t, a, "private_one", "GET", "/v1/files/purge/1", ""); w.Code != 404 {
		t.Errorf("with a right key then: got %d", w.Code)
	}
}

func TestRequestsAreForgottenAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := newRequestLog()
		id := requests.add(&job{})
		time.Sleep(time.Hour)
		if requests.find(id) == nil {
			t.Error("forgotten within the hour")
		}
		time.Sleep(time.Second)
		if requests.find(id) != nil {
			t.Error("known after the hour")
		}
	})
}

func TestAPurgeThatFailedIsNotCompleted(t *testing.T) {
	FakePurges(t, func(caches.Pattern) (int, error) { return 0, errors.New("the disk is gone") })
	app, _ := rememberingApp(t, false)
	putInForce(t, app)
	a := newAPI(t, nil)
	_, answer := call(t, a, "private_one", "POST", "/v1/files/purge", `{"url": "/a.jpg"}`)
	<-purgeRequests.find(answer["requestId"]).done
	if w, answer := call(t, a, "private_one", "GET", "/v1/files/purge/"+answer["requestId"], ""); w.Code != 500 || answer["message"] != "The purge failed." {
		t.Errorf("got %d %v", w.Code, answer)
	}
}

func TestAPIKeysThatCanNotWorkAreRefused(t *testing.T) {
	t.Setenv("TEST_EMPTY", "\n")
	for _, tt := range []struct {
		name string
		api  API
		want string
	}{
		{"none", API{}, "keys: none is set"},
		{"an empty one", API{Keys: []string{""}}, "keys: none is set"},
		{"an unknown placeholder", API{Keys: []string{"{env.NO_SUCH_VARIABLE}"}}, "keys: resolving placeholders"},
		{"an empty file", API{Keys: []string{"{env.TEST_EMPTY}"}}, "keys: none is set"},
		{"a colon", API{Keys: []string{"hunter2:x"}}, "keys: one has a colon"},
		{"a rate below 0", API{Keys: []string{"x"}, Rate: &APIRate{Requests: -1}}, "rate: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
			defer cancel()
			err := tt.api.Provision(ctx)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
