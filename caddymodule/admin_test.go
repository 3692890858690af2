package caddymodule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caddymodule"
)

// freeAddress returns an address that nothing listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// runAdmin runs Caddy with the app and an admin API, whose address it returns.
func runAdmin(t *testing.T, app string) string {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	admin := freeAddress(t)
	config := fmt.Sprintf(`{
		"admin": {"listen": %q, "config": {"persist": false}},
		"logging": {"logs": {"default": {"level": "PANIC"}}},
		"apps": {"imageorigin": %s}
	}`, admin, app)
	if err := caddy.Load([]byte(config), true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return admin
}

// post sends a body to purge, and returns status and answer.
func post(t *testing.T, admin, body string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Post("http://"+admin+"/imageorigin/purge", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

const site = `{` + one + `}, "shop": {"origins": ["a"], "domains": ["shop.example.com"]}}}`

func TestAdminPurges(t *testing.T) {
	var mu sync.Mutex
	var dropped []caches.Pattern
	caddymodule.FakePurges(t, func(match caches.Pattern) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		dropped = append(dropped, match)
		return 3, nil
	})
	admin := runAdmin(t, site)
	for _, tt := range []struct{ name, body, targets string }{
		{"a tag", `{"tag": "red"}`, `["tag red"]`},
		{"tags", `{"tags": ["red", "blue"]}`, `["tag red","tag blue"]`},
		{"everything", `{"everything": true}`, `["everything"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, text := post(t, admin, tt.body)
			var answer struct {
				Purged  int
				TookMS  *int64 `json:"took_ms"`
				Targets json.RawMessage
			}
			if err := json.Unmarshal([]byte(text), &answer); err != nil || resp.StatusCode != 200 || answer.Purged < 3 || answer.TookMS == nil || string(answer.Targets) != tt.targets {
				t.Errorf("%s: got %s %s, %v", tt.body, resp.Status, text, err)
			}
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if len(dropped) != 4 || dropped[0].Tag != "red" || dropped[2].Tag != "blue" || dropped[3] != (caches.Pattern{}) {
		t.Errorf("dropped %+v", dropped)
	}
}

func TestAdminRefusesWhatIsUnclear(t *testing.T) {
	caddymodule.FakePurges(t, func(match caches.Pattern) (int, error) {
		t.Errorf("%+v was purged", match)
		return 0, nil
	})
	admin := runAdmin(t, site)
	many := `{"urls": ["/a.jpg"` + strings.Repeat(`, "/a.jpg"`, 1000) + `]}`
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", ``, "body: EOF; send a JSON object with one of"},
		{"no JSON", `url=/a.jpg`, "body: invalid character"},
		{"no object", `["/a.jpg"]`, "body: cannot unmarshal array"},
		{"two objects", `{"tag": "x"} {"tag": "y"}`, "body: something stands behind the JSON object"},
		{"empty", `{}`, `body: nothing is named; give one of "url", "urls", "endpoint", "tag", "tags" or "everything": true`},
		{"everything: false", `{"everything": false}`, `body: nothing is named`},
		{"an unknown field", `{"ulr": "/a.jpg"}`, `body: unknown field "ulr"; send a JSON object with one of "url"`},
		{"two kinds", `{"endpoint": "shop", "everything": true}`, `everything: it stands beside "endpoint"; give one of`},
		{"url and urls", `{"url": "/a.jpg", "urls": ["/b.jpg"]}`, `urls: it stands beside "url"`},
		{"an empty list", `{"urls": []}`, `urls: the list is empty`},
		{"an empty list beside", `{"tags": [], "everything": true}`, `everything: it stands beside "tags"`},
		{"a wrong type", `{"everything": "yes"}`, `body: cannot unmarshal string`},
		{"too many", many, `urls: 1001 stand there; send at most 1000`},
		{"too large", `{"url": "/` + strings.Repeat("a", 1<<20) + `"}`, `body: it is larger than 1 MiB`},
		{"a wrong URL", `{"url": "a.jpg"}`, `urls: "a.jpg": that is neither an http or https URL nor a path`},
		{"an unknown endpoint", `{"endpoint": "x"}`, `endpoint: "x" is not declared; declared: default and shop`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, text := post(t, admin, tt.body)
			var told struct{ Error string }
			if err := json.Unmarshal([]byte(text), &told); err != nil || resp.StatusCode != 400 || !strings.Contains(told.Error, tt.want) {
				t.Errorf("got %s %s\nwant %s", resp.Status, text, tt.want)
			}
		})
	}
	resp, err := http.Get("http://" + admin + "/imageorigin/purge")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: got %s, Allow %q", resp.Status, resp.Header.Get("Allow"))
	}
}

func TestAdminWithoutAConfigSaysSo(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	admin := freeAddress(t)
	if err := caddy.Load(fmt.Appendf(nil, `{"admin": {"listen": %q, "config": {"persist": false}}, "logging": {"logs": {"default": {"level": "PANIC"}}}}`, admin), true); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if resp, text := post(t, admin, `{"everything": true}`); resp.StatusCode != 503 || !strings.Contains(text, "no config with imageorigin is in force") {
		t.Errorf("got %s %s", resp.Status, text)
	}
}

func TestAPurgeThatFailsIsTold(t *testing.T) {
	caddymodule.FakePurges(t, func(caches.Pattern) (int, error) { return 2, errors.New("the disk is gone") })
	admin := runAdmin(t, site)
	if resp, text := post(t, admin, `{"everything": true}`); resp.StatusCode != 500 || !strings.Contains(text, "purging: the disk is gone; 2 entries were dropped before that") {
		t.Errorf("got %s %s", resp.Status, text)
	}
}

func TestCommandsPurgeAndTellOfARunningServer(t *testing.T) {
	caddymodule.FakePurges(t, func(caches.Pattern) (int, error) { return 7, nil })
	admin := runAdmin(t, site)
	out, err := caddymodule.Purge("--address", admin, "--tag", "red", "--tag", "blue")
	if err != nil || !strings.HasPrefix(out, "tag red\ntag blue\npurged 14 entries in ") {
		t.Errorf("purge: got %q, %v", out, err)
	}
	if _, err := caddymodule.Purge("--address", admin, "a.jpg"); err == nil || !strings.HasPrefix(err.Error(), `urls: "a.jpg": that is neither`) {
		t.Errorf("purge of no URL: got %v", err)
	}
	out, err = caddymodule.CacheStatusOf("--address", admin)
	for _, want := range []string{"CACHE ", "default ", "shop "} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("status: got %v and\n%s\nwant %s", err, out, want)
		}
	}
	out, err = caddymodule.CacheStatusOf("--address", admin, "--json")
	var status caddymodule.Status
	if err != nil || json.Unmarshal([]byte(out), &status) != nil || len(status.Endpoints) != 2 || status.Endpoints[1].Origins[0] != "a" || status.Endpoints[1].Domains[0] != "shop.example.com" {
		t.Errorf("status: got %v and\n%s", err, out)
	}
}

func TestCommandsSayWhyTheyCanNotAsk(t *testing.T) {
	off := filepath.Join(t.TempDir(), "off.json")
	if err := os.WriteFile(off, []byte(`{"admin": {"disabled": true}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing named", nil, "nothing is named; give URLs, --endpoint, --tag or --everything"},
		{"two kinds", []string{"--everything", "/a.jpg"}, "exclude each other; run the command once for each"},
		{"nobody there", []string{"--address", freeAddress(t), "/a.jpg"}, "is Caddy running there, with its admin API on?"},
		{"admin off", []string{"--config", off, "/a.jpg"}, "off.json turns the admin API off"},
		{"no file", []string{"--config", "no-such-file.json", "/a.jpg"}, "no-such-file.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := caddymodule.Purge(tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestWebhooksOfTheRunningConfigAreTold(t *testing.T) {
	caddymodule.FakePurges(t, func(caches.Pattern) (int, error) { return 1, nil })
	told := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- string(body)
	}))
	defer hook.Close()
	admin := runAdmin(t, fmt.Sprintf(`{%s}}, "purge_webhooks": [{"url": %q}]}`, one, hook.URL))
	if resp, text := post(t, admin, `{"tag": "red"}`); resp.StatusCode != 200 {
		t.Fatalf("got %s %s", resp.Status, text)
	}
	if got, want := <-told, `{"urls":[],"prefixes":[],"tags":["red"],"endpoint":"","everything":false,"time":"`; !strings.HasPrefix(got, want) {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestEndpointsOfHandlersArePurgedToo(t *testing.T) {
	caddymodule.FakePurges(t, func(caches.Pattern) (int, error) { return 1, nil })
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	admin := freeAddress(t)
	config := fmt.Sprintf(`{
		"admin": {"listen": %q, "config": {"persist": false}},
		"logging": {"logs": {"default": {"level": "PANIC"}}},
		"apps": {"imageorigin": %s, "http": {"servers": {"images": {"listen": ["127.0.0.1:0"], "routes": [
			{"handle": [{"handler": "imageorigin", "endpoint": "shop"}]},
			{"handle": [{"handler": "imageorigin", "inline": {}, "inline_origins": [{"name": "own", "source": {"type": "vault"}}]}]}
		]}}}}
	}`, admin, site)
	if err := caddy.Load([]byte(config), true); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	}()
	resp, text := post(t, admin, `{"url": "https://images.example.com/a.jpg"}`)
	for _, name := range []string{"default", "shop", "inline"} {
		if want := "endpoint " + name + ": a.jpg"; resp.StatusCode != 200 || !strings.Contains(text, want) {
			t.Errorf("got %s %s, want %s in it", resp.Status, text, want)
		}
	}
	if out, err := caddymodule.CacheStatusOf("--address", admin); err != nil || !strings.Contains(out, "inline    own ") {
		t.Errorf("status: got %v and\n%s", err, out)
	}
}
