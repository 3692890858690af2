package caddymodule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/caddymodule"
)

// loaded returns the app of a JSON config, which is not started and ends with the test.
func loaded(t *testing.T, app string) (*caddymodule.App, error) {
	t.Helper()
	dataHome(t)
	a := new(caddymodule.App)
	if err := caddy.StrictUnmarshalJSON([]byte(app), a); err != nil {
		t.Fatalf("%s: %v", app, err)
	}
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	return a, a.Provision(ctx)
}

func mustLoad(t *testing.T, app string) *caddymodule.App {
	t.Helper()
	a, err := loaded(t, app)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func quoted(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

func TestJSONErrorsOfCachesNameTheField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, app, want string }{
		{"name", `{"caches": {"a b": {"store": {"type": "memory"}}}}`, `cache "a b": a name is`},
		{"name of none", `{"caches": {"off": {"store": {"type": "memory"}}}}`, `cache "off": the word stands for no cache at all`},
		{"null", `{"caches": {"a": null}}`, `cache "a": store: nothing is set; give an object with "type"`},
		{"no store", `{"caches": {"a": {}}}`, `cache "a": store: nothing is set`},
		{"type", `{"caches": {"a": {"store": {"type": "floppy"}}}}`, `cache "a": unknown type "floppy"; expected disk or memory`},
		{"reserved name", `{"caches": {"disk": {"store": {"type": "memory"}}}}`, `cache "disk": the name belongs to the built-in cache`},
		{"guest's own", `{"caches": {"a": {"store": {"type": "memory", "max_size": 1}}}}`, `cache "a": store: loading module 'memory'`},
		{"guest's field", `{"caches": {"a": {"store": {"type": "memory", "dir": "/x"}}}}`, `unknown field "dir"`},
		{"a file", `{"caches": {"a": {"store": {"type": "disk", "dir": ` + quoted(file) + `}}}}`, "is a file; name a folder"},
		{
			"one folder twice", `{"caches": {"a": {"store": {"type": "disk", "dir": "/srv/x"}}, "b": {"store": {"type": "disk", "dir": "/srv/y/../x"}}}}`,
			`cache "b": it keeps things in /srv/x, as cache "a" does; give each a place of its own`,
		},
		{
			"the built-in folder twice", `{"caches": {"a": {"store": {"type": "disk"}}}, ` + one + `, "results": ["memory", "disk"]}}}`,
			`results: cache "disk": it keeps things in`,
		},
		{"results", `{` + one + `, "results": ["bog"]}}}`, `endpoint "default": results: cache "bog" is not declared; expected disk or memory, or off`},
		{"results twice", `{` + one + `, "results": ["disk", "disk"]}}}`, `endpoint "default": results: "disk" stands twice`},
		{"results off and on", `{` + one + `, "results": ["off", "disk"]}}}`, `endpoint "default": results: "off" stands alone`},
		{"results empty", `{` + one + `, "results": [""]}}}`, `endpoint "default": results: the name of a cache is empty`},
		{"originals", `{` + one + `, "originals": ["bog"]}}}`, `endpoint "default": originals: cache "bog" is not declared`},
		{"originals alone", `{` + one + `, "results": ["off"], "originals": ["disk"]}}}`, `endpoint "default": originals: what is known of originals and files is kept where results are`},
		{"files", `{` + one + `, "files": ["bog"]}}}`, `endpoint "default": files: cache "bog" is not declared`},
		{"max_age", `{` + one + `, "max_age": -1}}}`, `endpoint "default": max_age: a time can't be negative`},
		{"stale", `{` + one + `, "stale": -1}}}`, `endpoint "default": stale: a time can't be negative`},
		{"stale_if_error", `{` + one + `, "stale_if_error": -1}}}`, `endpoint "default": stale_if_error: a time can't be negative`},
		{"cdn_cache_control", `{` + one + `, "cdn_cache_control": "a\nb"}}}`, `endpoint "default": cdn_cache_control: `},
		{"cdn_tags", `{` + one + `, "cdn_tags": "x"}}}`, `endpoint "default": cdn_tags: unknown value "x"; expected off, cache-tag or surrogate-key`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provision(t, tt.app); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s:\ngot  %v\nwant %s", tt.app, err, tt.want)
			}
		})
	}
}

func TestTheBuiltInCachesAreThereAndBounded(t *testing.T) {
	a := mustLoad(t, `{`+one+`}, "small": {"origins": ["a"], "results": ["memory"]}, "off": {"origins": ["a"], "results": ["off"]}}}`)
	k := a.Keeping("default")
	if k.Results == nil || k.Originals != nil || k.Files != nil {
		t.Fatalf("got %+v", k)
	}
	if got := k.Results.Stats().Limit; got != 10<<30 {
		t.Errorf("disk: got a limit of %d, want 10 GiB", got)
	}
	if got := a.Keeping("small").Results.Stats().Limit; got < 1<<20 || got > 256<<20 {
		t.Errorf("memory: got a limit of %d, want at most 256 MiB", got)
	}
	if got := a.Keeping("off").Results; got != nil {
		t.Errorf("results off: got %v", got)
	}
	if n := len(a.Stores()); n != 2 {
		t.Errorf("got %d stores to purge, want those of the two lists", n)
	}
}

func TestEndpointsKnowTheirCanonicalURLs(t *testing.T) {
	a := mustLoad(t, `{"origins": {"a": {"source": {"type": "vault"}}, "b": {"source": {"type": "vault"}, "canonical": "https://www.example.com/media"}},
		"endpoints": {"default": {"origins": ["a", "b"]}}}`)
	k := a.Keeping("default")
	if want := []string{"", "https://www.example.com/media"}; !slices.Equal(k.Canonical, want) || len(k.Origins) != len(want) {
		t.Errorf("got %q for %q, want %q", k.Canonical, k.Origins, want)
	}
}

func TestTheBuiltInCachesCanHaveOtherSettings(t *testing.T) {
	dir := t.TempDir()
	a := mustLoad(t, `{"caches": {"memory": {"store": {"type": "memory", "max_size": 2097152}}, "disk": {"store": {"type": "disk", "dir": `+quoted(dir)+`, "max_size": 3145728}}},
		`+one+`}, "small": {"origins": ["a"], "results": ["memory"]}}}`)
	if got := a.Keeping("default").Results.Stats().Limit; got != 3<<20 {
		t.Errorf("disk: got %d", got)
	}
	if got := a.Keeping("small").Results.Stats().Limit; got != 2<<20 {
		t.Errorf("memory: got %d", got)
	}
}

func TestEndpointsWithTheSameListShareOneStore(t *testing.T) {
	a := mustLoad(t, `{`+one+`, "originals": ["disk"]}, "b": {"origins": ["a"]}, "c": {"origins": ["a"], "results": ["disk"], "files": ["memory", "disk"]}}}`)
	if a.Keeping("default").Results != a.Keeping("b").Results || a.Keeping("b").Results != a.Keeping("c").Files {
		t.Error("memory and disk are not one store")
	}
	if a.Keeping("default").Originals != a.Keeping("c").Results {
		t.Error("disk alone is not one store")
	}
	if n := len(a.Stores()); n != 2 {
		t.Errorf("got %d stores, want 2", n)
	}
}

func TestBuiltInCachesThatNobodyUsesAreNotLoaded(t *testing.T) {
	a := mustLoad(t, `{"caches": {"hot": {"store": {"type": "memory"}}}, `+one+`, "results": ["hot"]}}}`)
	if got := a.LoadedCaches(); !slices.Equal(got, []string{"hot"}) {
		t.Errorf("got %v", got)
	}
}

func TestLoadingMakesNoFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	mustLoadIn := func(app string) {
		t.Helper()
		var c caddy.Config
		if err := json.Unmarshal(configIn(app, "127.0.0.1:0"), &c); err != nil {
			t.Fatal(err)
		}
		if err := caddy.Validate(&c); err != nil {
			t.Fatal(err)
		}
	}
	mustLoadIn(`{` + one + `}}}`)
	if _, err := caddymodule.Explain(string(configIn(`{`+one+`}}}`, "127.0.0.1:0")), "/tr:w-300/a.jpg"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(home, "caddy", "imageorigin")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
}

func TestFreshnessReachesTheDelivery(t *testing.T) {
	a := mustLoad(t, `{`+one+`}, "other": {"origins": ["a"], "max_age": "1h", "max_age_origin": true, "stale": 0, "stale_if_error": "1m",
		"degraded_ttl": "5s", "miss_ttl": "6s", "prefer_last_good": "1m"}}}`)
	k := a.Keeping("default")
	if k.MaxAge != 24*time.Hour || k.Obey || k.Stale != time.Hour || k.StaleIfError != 24*time.Hour || k.Degraded != time.Minute || k.Miss != 30*time.Second || k.Unordered {
		t.Errorf("defaults: got %+v", k)
	}
	k = a.Keeping("other")
	if k.MaxAge != time.Hour || !k.Obey || k.Stale != 0 || k.StaleIfError != time.Minute || k.Degraded != 5*time.Second || k.Miss != 6*time.Second || !k.Unordered {
		t.Errorf("set: got %+v", k)
	}
}

func TestFingerprintsNameWhatIsAsked(t *testing.T) {
	const bucket = `{"source": {"type": "vault", "bucket": %q, "token": %q}}`
	origins := func(list ...string) string {
		return fmt.Sprintf(`{"origins": {"x": %s, "y": %s}, "endpoints": {"default": {"origins": ["x", "y"] %s}}}`, list[0], list[1], list[2])
	}
	pictures, films := fmt.Sprintf(bucket, "pictures", "1"), fmt.Sprintf(bucket, "films", "1")
	of := func(app string) string { return mustLoad(t, app).Keeping("default").Fingerprint }
	same := of(origins(pictures, films, ""))
	if len(same) != 16 || strings.Trim(same, "0123456789abcdef") != "" {
		t.Errorf("got %q, want 8 bytes in hex", same)
	}
	for _, tt := range []struct {
		name, app string
		same      bool
	}{
		{"once more", origins(pictures, films, ""), true},
		{"other credentials", origins(fmt.Sprintf(bucket, "pictures", "2"), films, ""), true},
		{"other words of the host", origins(`{"timeout": "3s", `+pictures[1:], films, ""), true},
		{"the same kinds of failures in another order", origins(pictures, films, `, "fallback_on": ["unknown", "timeout", "unreachable", "denied", "not_exist"]`), true},
		{"another bucket", origins(fmt.Sprintf(bucket, "photos", "1"), films, ""), false},
		{"another order", origins(films, pictures, ""), false},
		{"one less", `{"origins": {"x": ` + pictures + `}, "endpoints": {"default": {"origins": ["x"]}}}`, false},
		{"a library before them", strings.Replace(origins(pictures, films, ""), `{"origins"`, `{"library": "y", "origins"`, 1), false},
		{"other failures", origins(pictures, films, `, "fallback_on": ["timeout"]`), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := of(tt.app); (got == same) != tt.same {
				t.Errorf("got %s beside %s, want the same: %v", got, same, tt.same)
			}
		})
	}
}

func TestWhatCanChangeAnAnswerIsKnown(t *testing.T) {
	a := mustLoad(t, `{"origins": {"v": {"source": {"type": "vault"}}, "q": {"source": {"type": "vault", "query": true}}, "h": {"source": {"type": "vault", "host": true}},
		"l": {"source": {"type": "folder", "root": `+quoted(t.TempDir())+`}}},
		"endpoints": {"default": {"origins": ["v"]}, "query": {"origins": ["v", "q"]}, "host": {"origins": ["h", "v"]}, "local": {"origins": ["v", "l", "q"]}}}`)
	for _, tt := range []struct {
		endpoint    string
		query, host bool
		locals      int
	}{
		{"default", false, false, 0},
		{"query", true, false, 0},
		{"host", false, true, 0},
		{"local", true, false, 1},
	} {
		k := a.Keeping(tt.endpoint)
		if k.QueryCounts != tt.query || k.HostCounts != tt.host || len(k.Locals) != tt.locals {
			t.Errorf("%s: got %+v", tt.endpoint, k)
		}
	}
	if l := a.Keeping("local").Locals[0]; l.Name != "l" || l.Place != 1 || l.Origin == nil {
		t.Errorf("got %+v", l)
	}
}

// TestAReloadKeepsCachesAndTheirLimitsFollow loads configs one after the other, one of which can't start.
func TestAReloadKeepsCachesAndTheirLimitsFollow(t *testing.T) {
	dataHome(t)
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	load := func(mib int, address string) error {
		return caddy.Load(config(t, fmt.Sprintf(`{"caches": {
			"hot": {"store": {"type": "memory", "max_size": %d}},
			"big": {"store": {"type": "disk", "dir": %s, "max_size": %d}}
		}, %s, "results": ["hot"], "originals": ["big"]}}}`, mib<<20, quoted(dir), mib<<20, one), address), true)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	k := caches.Key{Source: "e/a.jpg"}
	inForce := func(when string, mib int64) {
		t.Helper()
		for _, name := range []string{"hot", "big"} {
			store := caddymodule.RunningCache(name)
			if got := store.Stats().Limit; got != mib<<20 {
				t.Errorf("%s: %s takes %d bytes, want %d MiB", when, name, got, mib)
			}
			e, err := store.Get(t.Context(), k)
			if err != nil {
				t.Errorf("%s: %s has lost what it held: %v", when, name, err)
				continue
			}
			body, err := io.ReadAll(e.Content)
			e.Content.Close()
			if string(body) != "body" || err != nil {
				t.Errorf("%s: %s holds %q, %v", when, name, body, err)
			}
		}
	}
	if err := load(8, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, store := range caddymodule.RunningStores() {
		if err := store.Put(t.Context(), k, caches.Meta{}, strings.NewReader("body")); err != nil {
			t.Fatal(err)
		}
	}
	inForce("first config", 8)
	for range 6 {
		if err := load(32, taken.Addr().String()); err == nil {
			t.Fatal("a server could listen on a taken address")
		}
		inForce("after a failed reload", 8)
	}
	if err := load(4, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	inForce("after a reload", 4)
}

func TestEndpointsOfHandlersKeepThingsToo(t *testing.T) {
	home := t.TempDir()
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("XDG_DATA_HOME", home)
	load := func(inline string) error {
		return caddy.Load(fmt.Appendf(nil, `{
			"admin": {"disabled": true, "config": {"persist": false}},
			"logging": {"logs": {"default": {"level": "ERROR"}}},
			"apps": {"http": {"servers": {"images": {"listen": ["127.0.0.1:0"], "automatic_https": {"disable": true}, "routes": [{"handle": [
				{"handler": "imageorigin", "inline": %s, "inline_origins": [{"name": "own", "source": {"type": "vault"}}]}
			]}]}}}}
		}`, inline), true)
	}
	if err := load(`{"results": ["bog"]}`); err == nil || !strings.Contains(err.Error(), `inline endpoint: results: cache "bog" is not declared; expected disk or memory, or off`) {
		t.Errorf("a cache that isn't declared: got %v", err)
	}
	folder := filepath.Join(home, "caddy", "imageorigin", "cache")
	if err := load(`{"results": ["memory"]}`); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cache on disk was opened though nobody uses it: %v", err)
	}
	if err := load(`{}`); err != nil {
		t.Fatal(err)
	}
	if n := len(caddymodule.RunningStores()); n != 1 {
		t.Errorf("got %d stores, want that of memory and disk", n)
	}
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("the cache on disk is not open: %v", err)
	}
}
