package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// config returns a Caddy config with the app and one site that it answers on address.
func config(t *testing.T, app, address string) []byte {
	t.Helper()
	dataHome(t)
	return configIn(app, address)
}

// configIn does the same in whatever data directory is set.
func configIn(app, address string) []byte {
	return fmt.Appendf(nil, `{
		"admin": {"disabled": true, "config": {"persist": false}},
		"logging": {"logs": {"default": {"level": "ERROR"}}},
		"apps": {
			"imageorigin": %s,
			"http": {"servers": {"images": {
				"listen": [%q],
				"automatic_https": {"disable": true},
				"routes": [{"handle": [{"handler": "imageorigin"}]}]
			}}}
		}
	}`, app, address)
}

// dataHomes has the names of the tests that have a data directory of their own.
var dataHomes sync.Map

// dataHome gives a test a data directory of its own, once.
func dataHome(t *testing.T) {
	t.Helper()
	if _, has := dataHomes.LoadOrStore(t.Name(), true); !has {
		t.Setenv("XDG_DATA_HOME", t.TempDir())
		t.Cleanup(func() { dataHomes.Delete(t.Name()) })
	}
}

// provision loads the app's JSON without starting it.
func provision(t *testing.T, app string) error {
	t.Helper()
	var c caddy.Config
	if err := json.Unmarshal(config(t, app, "127.0.0.1:0"), &c); err != nil {
		t.Fatalf("%s: %v", app, err)
	}
	return caddy.Validate(&c)
}

const one = `"origins": {"a": {"source": {"type": "vault"}}}, "endpoints": {"default": {"origins": ["a"] `

func TestJSONErrorsNameTheField(t *testing.T) {
	for _, tt := range []struct{ name, app, want string }{
		{"account", `{"account": "a/b"}`, `account: "a/b" is not a path segment`},
		{"account's placeholder", `{"account": "{env.NO_SUCH_VARIABLE}"}`, "account: resolving placeholders"},
		{"library", `{"library": "a"}`, `library: origin "a" is not declared; no origin is`},
		{"origin's name", `{"origins": {"a b": {"source": {"type": "vault"}}}}`, `origin "a b": a name is`},
		{"origin null", `{"origins": {"a": null}}`, `origin "a": nothing is set`},
		{"origin's source", `{"origins": {"a": {}}}`, `origin "a": source: nothing is set; give an object with "type"`},
		{"origin's type", `{"origins": {"a": {"source": {"type": "floppy"}}}}`, `origin "a": source: loading module 'floppy'`},
		{"origin's canonical", `{"origins": {"a": {"canonical": "x", "source": {"type": "vault"}}}}`, `origin "a": canonical: "x" is not a base URL`},
		{"origin's timeout", `{"origins": {"a": {"timeout": -1, "source": {"type": "vault"}}}}`, `origin "a": timeout: a time can't be negative`},
		{"origin's max_size", `{"origins": {"a": {"max_size": -1, "source": {"type": "vault"}}}}`, `origin "a": max_size: a size can't be negative`},
		{"host and guest words apart", `{"origins": {"a": {"source": {"type": "vault", "timeout": "1s"}}}}`, `unknown field "timeout"`},
		{"endpoint's name", `{"origins": {"a": {"source": {"type": "vault"}}}, "endpoints": {"my_shop": {"origins": ["a"]}}}`, `endpoint "my_shop": a name is`},
		{"endpoint null", `{"endpoints": {"shop": null}}`, `endpoint "shop": nothing is set`},
		{"endpoint is account", `{"account": "shop", "endpoints": {"shop": {}}}`, `endpoint "shop": that is the account as well`},
		{"limit's bound", `{"limits": {"queue": 3000000000}}`, "limits: queue: 3000000000 is more than 2147483647, the most that is possible"},
		{"limit negative", `{"limits": {"memory": -1}}`, "limits: memory: a limit is positive"},
		{"limit too small", `{"limits": {"memory": 1000}}`, "limits: memory: 1000 bytes are less than one picture takes; give it 16MiB or more"},
		{"a limit of a later version", `{"limits": {"layers": 20}}`, `unknown field "layers"`},
		{"endpoint's variants, empty", `{` + one + `, "variants": {}}}}`, `endpoint "default": variants: 0 variants are out of range; set a number from 1 to 500`},
		{"endpoint's variants, no window", `{` + one + `, "variants": {"max": 5}}}}`, `endpoint "default": variants: a window of 0s is out of range; set a time from 1s to 30d`},
		{"endpoint's on_transform_error", `{` + one + `, "on_transform_error": "404"}}}`, `endpoint "default": on_transform_error: unknown value "404"; expected error or original`},
		{"endpoint's on_transform_error beside always", `{` + one + `, "on_transform_error": "original", "always": "r-5"}}}`, `endpoint "default": on_transform_error: original would send pictures without what always does`},
		{"endpoint's on_transform_error beside signed_only", `{` + one + `, "on_transform_error": "original", "sign": ["0123456789"], "signed_only": "all"}}}`, `endpoint "default": on_transform_error: original would send files to whoever has a signed URL`},
		{"endpoint's origins, none", `{"endpoints": {"shop": {}}}`, `endpoint "shop": origins: none is named`},
		{"endpoint's origins, undeclared", `{"endpoints": {"shop": {"origins": ["a"]}}}`, `endpoint "shop": origins: origin "a" is not declared`},
		{"endpoint's origins, twice", `{"endpoints": {"shop": {"origins": ["a", "a"]}}}`, `endpoint "shop": origins: "a" stands twice`},
		{"unknown field", `{` + one + `, "qualtiy": 80}}}`, `unknown field "qualtiy"`},
		{"fallback_on", `{` + one + `, "fallback_on": ["too_large"]}}}`, `endpoint "default": fallback_on: unknown value "too_large"`},
		{"domains", `{` + one + `, "domains": ["a:80"]}}}`, `endpoint "default": domains: "a:80" has a port`},
		{"domains' placeholder", `{` + one + `, "domains": ["{env.NO_SUCH_VARIABLE}"]}}}`, `endpoint "default": domains: resolving placeholders`},
		{"query", `{` + one + `, "query": ["tr"]}}}`, `endpoint "default": query: "tr" belongs to the URL language`},
		{"transforms' name", `{` + one + `, "transforms": {"a-b": "w-1"}}}}`, `endpoint "default": transform "a-b": a name is made of letters`},
		{"transforms", `{` + one + `, "transforms": {"a": "tr:w-1,"}}}}`, `endpoint "default": transform "a": an item is empty: nothing stands before, after or between commas (column 8)`},
		{"transforms' circle", `{` + one + `, "transforms": {"a": "n-b", "b": "n-a"}}}}`, `endpoint "default": transform "b": n: the names lead in a circle, a -> b -> a`},
		{"unnamed", `{` + one + `, "unnamed": "no"}}}`, `endpoint "default": unnamed: unknown value "no"; expected allow or deny`},
		{"always", `{` + one + `, "always": "w-0"}}}`, `endpoint "default": always: w: "0" is not accepted`},
		{"sizes", `{` + one + `, "sizes": {"widths": [1, 65536]}}}}`, `endpoint "default": sizes: a width of 65536 pixels is out of range; write one from 1 to 65535`},
		{"sizes without widths", `{` + one + `, "sizes": {"strict": true}}}}`, `endpoint "default": sizes: no width is named; name at least one, or leave sizes out`},
		{"formats", `{` + one + `, "formats": ["gif"]}}}`, `endpoint "default": formats: unknown value "gif"`},
		{"quality", `{` + one + `, "quality": 101}}}`, `endpoint "default": quality: 101 is out of range; set a number from 1 to 100`},
		{"quality below", `{` + one + `, "quality": -1}}}`, `endpoint "default": quality: -1 is out of range`},
		{"cache_control", `{` + one + `, "cache_control": "max-age=1\r\nX: y"}}}`, `endpoint "default": cache_control: `},
		{"miss_ttl", `{` + one + `, "miss_ttl": -1}}}`, `endpoint "default": miss_ttl: a time can't be negative`},
		{"degraded_ttl", `{` + one + `, "degraded_ttl": -1}}}`, `endpoint "default": degraded_ttl: a time can't be negative`},
		{"default_image", `{` + one + `, "default_image": "a/../../b"}}}`, `endpoint "default": default_image: "a/../../b" is not the path of a picture`},
		{"active_content", `{` + one + `, "active_content": "run"}}}`, `endpoint "default": active_content: unknown value "run"; expected block or allow`},
		{"error_status", `{` + one + `, "error_status": "200"}}}`, `endpoint "default": error_status: unknown value "200"; expected imagekit or native`},
		{"req_from", `{` + one + `, "req_from": "a\nb"}}}`, `endpoint "default": req_from: "a\nb" can't be sent in a header`},
		{
			"two endpoints of a domain", `{"origins": {"a": {"source": {"type": "vault"}}}, "endpoints": {
			"x": {"origins": ["a"], "domains": ["img.example.com"]}, "y": {"origins": ["a"], "domains": ["IMG.example.com"]}}}`,
			`endpoint "y": domains: "img.example.com" belongs to endpoint "x" already`,
		},
		{"limits", `{"limits": {"frames": -1}}`, `limits: frames: a limit is positive`},
		{"limits' side", `{"limits": {"output_side": 70000}}`, `limits: output_side: 70000 is more than 65535`},
		{"purge_webhooks", `{"purge_webhooks": [{"url": "https://x.example.com"}, {"url": "x"}]}`, `purge_webhooks: 2: that is no http or https URL`},
		{"engine", `{"engine": {"type": "magick"}}`, `unknown engine "magick"; expected vips`},
		{"engine without type", `{"engine": {}}`, `engine: type is not set`},
		{"engine's own", `{"engine": {"type": "vips", "threads": 3}}`, `engine "vips": loading module 'vips'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provision(t, tt.app); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s:\ngot  %v\nwant %s", tt.app, err, tt.want)
			}
		})
	}
}

func TestAHandlerWithoutAnyEndpointIsRefused(t *testing.T) {
	if err := provision(t, `{}`); err == nil || !strings.Contains(err.Error(), "no endpoint is declared") {
		t.Errorf("a handler that can serve nothing: got %v", err)
	}
}

func TestPlaceholdersAreResolvedWhenTheConfigIsLoaded(t *testing.T) {
	t.Setenv("TEST_ACCOUNT", "demo")
	t.Setenv("TEST_HOST", "Img.Example.com")
	err := provision(t, `{
		"account": "{env.TEST_ACCOUNT}",
		"origins": {"a": {"canonical": "https://{env.TEST_HOST}/x", "source": {"type": "vault"}}},
		"endpoints": {
			"demo": {"origins": ["a"], "domains": ["{env.TEST_HOST}"]}
		}
	}`)
	if want := `endpoint "demo": that is the account as well`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadingDialsNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dialed := make(chan bool, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			conn.Close()
		}
		dialed <- err == nil
	}()
	app := fmt.Sprintf(`{"origins": {"a": {"source": {"type": "web", "base_url": "http://%s"}}}, "endpoints": {"default": {"origins": ["a"]}}}`, listener.Addr())
	err = provision(t, app)
	listener.Close()
	if <-dialed {
		t.Error("a connection was opened")
	}
	if err != nil {
		t.Error(err)
	}
}

// TestFailedReloadKeepsTheOldConfigInForce loads a config whose http app can't bind. Caddy starts apps in random
// order, so ours is sometimes started and stopped again, and sometimes not started at all.
func TestFailedReloadKeepsTheOldConfigInForce(t *testing.T) {
	dataHome(t) // goes after the last config has stopped
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	app := func(slots int) string {
		return fmt.Sprintf(`{%s }}, "engine": {"type": "vips", "slots": %d}}`, one, slots)
	}
	load := func(slots int, address string) error { return caddy.Load(config(t, app(slots), address), true) }
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
		if n := caddymodule.Running(); n != 0 {
			t.Errorf("%d configs run after the stop", n)
		}
	})

	inForce := func(when string, slots int) {
		t.Helper()
		if got := caddymodule.GateSlots(t); got != slots {
			t.Errorf("%s: got %d slots, want %d", when, got, slots)
		}
		if got := ruling.Load().Slots(); got != slots {
			t.Errorf("%s: the engine of %d slots rules, want that of %d", when, got, slots)
		}
		if n := caddymodule.Running(); n != 1 {
			t.Errorf("%s: %d configs run, want 1", when, n)
		}
		resp, err := http.Get("http://" + address + "/missing.jpg")
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s, want 404", when, resp.Status)
		}
	}
	if err := load(2, address); err != nil {
		t.Fatal(err)
	}
	inForce("first config", 2)
	for range 8 {
		if err := load(5, taken.Addr().String()); err == nil {
			t.Fatal("a server could listen on a taken address")
		}
		inForce("after a failed reload", 2)
	}
	if err := load(3, address); err != nil {
		t.Fatal(err)
	}
	inForce("after a reload", 3)
	if err := caddy.Load(config(t, `{"origins": {"a": {"source": {"type": "vault"}}, "b": {"source": {"type": "floppy"}}}}`, address), true); err == nil {
		t.Fatal("an unknown type of origin was loaded")
	}
	inForce("after half a provision", 3)
}
