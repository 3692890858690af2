package caddymodule_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// staffed is an engine with workers.
const staffed = `"engine": {"type": "vips", "slots": 3, "restarted": {"crash": 2, "memory": 1}}, `

// fetched returns what the admin API answers.
func fetched(t *testing.T, admin, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %s %s, %v", path, resp.Status, text, err)
	}
	return string(text)
}

// ours returns the lines of metrics that are ours, without comments.
func ours(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "caddy_imageorigin_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestMetricsTellOfTheProcessAfterEveryReload(t *testing.T) {
	admin := runAdmin(t, `{`+staffed+site[1:])
	check := func(when string, want ...string) {
		t.Helper()
		text := fetched(t, admin, "/metrics")
		got := ours(text)
		if len(got) != 6 {
			t.Errorf("%s: got\n%s", when, strings.Join(got, "\n"))
		}
		all := "\n" + strings.Join(got, "\n") + "\n"
		for _, line := range want {
			if !strings.Contains(all, "\n"+line+"\n") {
				t.Errorf("%s: got\n%s\nwant %s", when, all, line)
			}
		}
		for _, word := range []string{"requests_shed_total counter", "renders_in_flight gauge", "renders_queued gauge", "worker_restarts_total counter", "worker_memory_bytes gauge"} {
			if !strings.Contains(text, "# TYPE caddy_imageorigin_"+word+"\n") {
				t.Errorf("%s: no %s", when, word)
			}
		}
	}
	first := []string{
		`caddy_imageorigin_worker_restarts_total{reason="crash"} 2`, `caddy_imageorigin_worker_restarts_total{reason="memory"} 1`,
		"caddy_imageorigin_worker_memory_bytes 3000", "caddy_imageorigin_renders_in_flight 0", "caddy_imageorigin_renders_queued 0",
	}
	check("at first", first...)
	reload := func(app string) error {
		config := `{"admin": {"listen": "` + admin + `", "config": {"persist": false}}, "logging": {"logs": {"default": {"level": "PANIC"}}}, "apps": {"imageorigin": ` + app + `}}`
		return caddy.Load([]byte(config), true)
	}
	if err := reload(`{` + strings.Replace(staffed, `"slots": 3`, `"slots": 4`, 1) + site[1:]); err != nil {
		t.Fatal(err)
	}
	check("after a reload", "caddy_imageorigin_worker_memory_bytes 4000")
	if err := reload(`{"library": "nobody"}`); err == nil {
		t.Fatal("a wrong config loads")
	}
	check("after a failed reload", "caddy_imageorigin_worker_memory_bytes 4000")
}

func TestStatusTellsOfEngineAndAdmission(t *testing.T) {
	admin := runAdmin(t, `{`+staffed+site[1:])
	var status struct {
		Engine    map[string]any
		Admission map[string]any
	}
	text := fetched(t, admin, "/imageorigin/status")
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	if status.Engine["workers"] != 3.0 || status.Engine["sandbox"] != "all of it" {
		t.Errorf("engine: got %v", status.Engine)
	}
	for _, name := range []string{"running", "waiting", "misses", "shed"} {
		if n, ok := status.Admission[name].(float64); !ok || n < 0 {
			t.Errorf("admission: got %v, want %s in it", status.Admission, name)
		}
	}
	out, err := caddymodule.CacheStatusOf("--address", admin)
	if err != nil || !strings.Contains(out, "RUNNING  WAITING  MISSES  SHED\n0        0        0       ") {
		t.Errorf("got %v and\n%s", err, out)
	}
	if text := fetched(t, runAdmin(t, site), "/imageorigin/status"); strings.Contains(text, `"engine"`) {
		t.Errorf("an engine without workers: got %s", text)
	}
}

func TestTheQueueIsThatOfTheConfigInForce(t *testing.T) {
	check := func(want int) {
		t.Helper()
		if got := caddymodule.Queue(t); got != want {
			t.Errorf("%d misses are let in, want %d", got, want)
		}
	}
	load := func(queue string) error {
		return caddy.Load(config(t, `{"limits": {"queue": `+queue+`}, `+site[1:], "127.0.0.1:0"), true)
	}
	if err := load("2"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	}()
	check(2)
	if err := load("5"); err != nil {
		t.Fatal(err)
	}
	check(5)
	if err := load("-1"); err == nil {
		t.Fatal("a negative queue loads")
	}
	check(5)
}
