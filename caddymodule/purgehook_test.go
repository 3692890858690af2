package caddymodule

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// listener is the server of a webhook: it answers with statuses one after the other, the last one for ever.
type listener struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	got      chan heard
}

type heard struct {
	notice purgeNotice
	header http.Header
	path   string
}

func listen(t *testing.T, statuses ...int) *listener {
	l := &listener{statuses: statuses, got: make(chan heard, 10)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := heard{header: r.Header, path: r.RequestURI}
		if body, _ := io.ReadAll(r.Body); r.Method != http.MethodPost || json.Unmarshal(body, &h.notice) != nil {
			t.Errorf("got %s with %s", r.Method, body)
		}
		l.mu.Lock()
		status := l.statuses[0]
		l.statuses = l.statuses[min(1, len(l.statuses)-1):]
		l.mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		l.got <- h
	}))
	t.Cleanup(l.Close)
	return l
}

// hooksOf returns webhooks without pauses, and their log.
func hooksOf(t *testing.T, configs ...PurgeWebhook) (*webhooks, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	hooks, err := newWebhooks(configs, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hooks.list {
		h.pauses = []time.Duration{0, time.Millisecond, time.Millisecond}
	}
	t.Cleanup(hooks.stop)
	return hooks, logs
}

var notice = purgeNotice{
	URLs: []string{"https://images.example.com/a.jpg"}, Prefixes: []string{}, Tags: []string{"io-0123456789abcdef"},
	Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
}

func TestWebhooksAreToldWithTheirHeaders(t *testing.T) {
	t.Setenv("TEST_SECRET", "hunter2")
	l := listen(t, 204)
	hooks, _ := hooksOf(t, PurgeWebhook{URL: l.URL + "/purge?zone=1", Header: map[string]string{"Authorization": "Bearer {env.TEST_SECRET}"}})
	hooks.start()
	hooks.post(notice)
	got := <-l.got
	if !reflect.DeepEqual(got.notice, notice) || got.path != "/purge?zone=1" {
		t.Errorf("got %+v", got)
	}
	if got.header.Get("Authorization") != "Bearer hunter2" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers: %v", got.header)
	}
}

func TestNoticesHaveAllFields(t *testing.T) {
	raw, err := json.Marshal(notice)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"urls":["https://images.example.com/a.jpg"],"prefixes":[],"tags":["io-0123456789abcdef"],"endpoint":"","everything":false,"time":"2026-01-02T03:04:05Z"}`
	if string(raw) != want {
		t.Errorf("got  %s\nwant %s", raw, want)
	}
}

func TestWebhooksAreAskedAgainWhereThatMayHelp(t *testing.T) {
	for _, tt := range []struct {
		name     string
		statuses []int
		asked    int
		remedy   string // "" is told in the end
	}{
		{"at once", []int{200}, 1, ""},
		{"after an outage", []int{503, 429, 200}, 3, ""},
		{"out for long", []int{500}, 3, "it failed three times"},
		{"a wrong secret", []int{403}, 1, "is the secret in a header"},
		{"a wrong path", []int{404}, 1, "does it take a POST request"},
		{"a redirect", []int{307}, 1, "redirects are not followed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, tt.statuses...)
			hooks, logs := hooksOf(t, PurgeWebhook{URL: l.URL + "?token=hunter2", Header: map[string]string{"Authorization": "Bearer hunter2"}})
			hooks.start()
			hooks.post(notice)
			for range tt.asked {
				<-l.got
			}
			for range 500 {
				if logs.Len() > 0 || tt.remedy == "" {
					break
				}
				time.Sleep(time.Millisecond)
			}
			hooks.stop()
			if len(l.got) > 0 {
				t.Errorf("it was asked %d times too often", len(l.got))
			}
			text := fmt.Sprint(logs.All())
			if (tt.remedy == "") != (logs.Len() == 0) || !strings.Contains(text, tt.remedy) {
				t.Errorf("the log says %s, want %q", text, tt.remedy)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("the log has the secret: %s", text)
			}
		})
	}
}

func TestAWebhookThatCanNotBeReachedIsLoggedWithoutItsSecrets(t *testing.T) {
	l := listen(t, 200)
	l.Close()
	hooks, logs := hooksOf(t, PurgeWebhook{URL: l.URL + "/x?token=hunter2"})
	hooks.start()
	hooks.post(notice)
	for range 2000 {
		if logs.Len() > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	text := fmt.Sprint(logs.All())
	if !strings.Contains(text, "is the address of purge_webhook right") || strings.Contains(text, "hunter2") {
		t.Errorf("the log says %s", text)
	}
}

func TestTooManyNoticesAreDroppedAndLogged(t *testing.T) {
	hooks, logs := hooksOf(t, PurgeWebhook{URL: "http://127.0.0.1:1"})
	for range hookWaiting + 1 { // nobody works on them
		hooks.post(notice)
	}
	if logs.FilterMessageSnippet("too many purges wait").Len() != 1 {
		t.Errorf("the log says %v", logs.All())
	}
}

func TestAReloadHandsOverWhatWasNotTold(t *testing.T) {
	l := listen(t, 200)
	same, gone := PurgeWebhook{URL: l.URL}, PurgeWebhook{URL: "http://127.0.0.1:1/gone"}
	before, logs := hooksOf(t, same, gone)
	before.post(notice)
	before.post(notice)
	after, _ := hooksOf(t, same)
	after.start()
	before.handOver(after)
	<-l.got
	<-l.got
	if logs.Len() != 1 || logs.All()[0].ContextMap()["purges"] != int64(2) {
		t.Errorf("of the webhook that is gone the log says %v", logs.All())
	}
}

func TestAConfigDoesNotEndWhileItIsGivenANotice(t *testing.T) {
	a := new(App)
	c := &configs{apps: []*App{a}}
	told := false
	looks := zap.Hooks(func(zapcore.Entry) error { // in the middle of it
		told = true
		if c.mu.TryLock() {
			c.mu.Unlock()
			t.Error("it may end, and what comes after that is never told nor handed over")
		}
		return nil
	})
	core, _ := observer.New(zap.DebugLevel)
	var err error
	if a.hooks, err = newWebhooks([]PurgeWebhook{{URL: "http://127.0.0.1:1"}}, zap.New(core, looks)); err != nil {
		t.Fatal(err)
	}
	for range hookWaiting + 1 { // the last one is logged
		c.announce(notice)
	}
	if !told {
		t.Error("nothing was logged")
	}
}

func TestANoticeUnderWayAtTheStopIsHandedOver(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan struct{}, 1)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(release)
	before, _ := hooksOf(t, PurgeWebhook{URL: slow.URL})
	before.start()
	before.post(notice)
	<-arrived
	before.stop()
	if rest := before.list[0].rest(); len(rest) != 1 {
		t.Errorf("%d notices are left, want 1", len(rest))
	}
}

func TestWebhooksThatCanNotWorkAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook PurgeWebhook
		want string
	}{
		{"no URL", PurgeWebhook{URL: "hooks.example.com"}, "that is no http or https URL"},
		{"another scheme", PurgeWebhook{URL: "ftp://hooks.example.com"}, "that is no http or https URL"},
		{"credentials", PurgeWebhook{URL: "https://me:pw@hooks.example.com"}, "send them in a header"},
		{"an unknown placeholder", PurgeWebhook{URL: "{env.NO_SUCH_VARIABLE}"}, "url: resolving placeholders"},
		{"one in a header", PurgeWebhook{URL: "https://x.example.com", Header: map[string]string{"A": "{env.NO_SUCH_VARIABLE}"}}, "header A: resolving placeholders"},
		{"a header's name", PurgeWebhook{URL: "https://x.example.com", Header: map[string]string{"a b": "x"}}, "header a b can't be sent"},
		{"a header's value", PurgeWebhook{URL: "https://x.example.com", Header: map[string]string{"a": "x\ny"}}, "header a can't be sent"},
		{"a header twice", PurgeWebhook{URL: "https://x.example.com", Header: map[string]string{"a": "x", "A": "y"}}, "stands twice"},
		{"a header of ours", PurgeWebhook{URL: "https://x.example.com", Header: map[string]string{"host": "x"}}, "leave it out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := newWebhooks([]PurgeWebhook{tt.hook}, zap.NewNop()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
