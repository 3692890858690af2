package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// remembers returns picture as it comes from an endpoint that remembers.
func remembers(how delivery.How, change ...func(*delivery.Response)) *delivery.Response {
	resp := picture()
	resp.Source, resp.How = "0123456789abcdef/a.jpg", how
	if how.Hit {
		resp.Timing = delivery.Timing{}
	}
	resp.Timing.Cache = 140 * time.Microsecond
	for _, c := range change {
		c(resp)
	}
	return resp
}

var (
	aHit   = delivery.How{Hit: true, Known: true, Age: 90*time.Minute + time.Millisecond, TTL: time.Hour + 999*time.Millisecond}
	aStale = delivery.How{Hit: true, Known: true, Age: 25 * time.Hour, TTL: -29500 * time.Millisecond}
)

func TestAnswersTellHowTheyCameAbout(t *testing.T) {
	for _, tt := range []struct {
		name, status, age, timing, word string
		how                             delivery.How
	}{
		{"a hit", "imageorigin; hit; ttl=3600", "5400", "cache;desc=hit;dur=0.1", "hit", aHit},
		{"a hit of unknown age", "imageorigin; hit", "", "cache;desc=hit;dur=0.1", "hit", delivery.How{Hit: true}},
		{"a stale hit", "imageorigin; hit; ttl=-30", "", "cache;desc=stale;dur=0.1", "stale", aStale},
		{
			"a miss that is kept", "imageorigin; fwd=uri-miss; stored", "", "cache;desc=miss;dur=0.1, download;dur=1.5, transformation;dur=20.0",
			"miss",
			delivery.How{Forward: delivery.URIMiss, Stored: true, Known: true, TTL: time.Hour},
		},
		{
			"another's work", "imageorigin; fwd=miss; collapsed", "", "cache;desc=collapsed;dur=0.1, download;dur=1.5, transformation;dur=20.0",
			"collapsed",
			delivery.How{Forward: delivery.Miss, Collapsed: true},
		},
		{
			"another's work, kept", "imageorigin; fwd=stale; stored; collapsed", "",
			"cache;desc=collapsed;dur=0.1, download;dur=1.5, transformation;dur=20.0",
			"collapsed",
			delivery.How{Forward: delivery.Expired, Stored: true, Collapsed: true},
		},
		{
			"what is never kept", "imageorigin; fwd=bypass", "", "download;dur=1.5, transformation;dur=20.0",
			"bypass",
			delivery.How{Forward: delivery.Bypass},
		},
		{"an endpoint that remembers nothing", "imageorigin; fwd=bypass", "", "download;dur=1.5, transformation;dur=20.0", "bypass", delivery.How{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := remembers(tt.how)
			if got := cacheWord(resp); got != tt.word {
				t.Errorf("got the word %q, want %q", got, tt.word)
			}
			w, err := ask(t, nil, false, always(resp), httptest.NewRequest("GET", "/a.jpg", nil))
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{"Cache-Status": tt.status, "Age": tt.age, "Server-Timing": tt.timing} {
				if got := strings.Join(w.Header().Values(name), "|"); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestCacheStatusStandsBehindThatOfCachesBefore(t *testing.T) {
	h := http.Header{"Cache-Status": {"inner; hit"}}
	full := header{Header: h}
	full.add("Cache-Status", "imageorigin; hit")
	if got := strings.Join(h["Cache-Status"], "|"); got != "inner; hit|imageorigin; hit" {
		t.Errorf("got %q", got)
	}
}

func TestHeadersDoNotShareTheirValues(t *testing.T) {
	w := httptest.NewRecorder()
	h := newHeader(w)
	for _, name := range []string{"A", "B", "C"} {
		h.fill(name, name)
	}
	w.Header().Add("A", "more")
	h.fill("B", "not this")
	if got := w.Header(); strings.Join(got["A"], "|") != "A|more" || strings.Join(got["B"], "|") != "B" || strings.Join(got["C"], "|") != "C" {
		t.Errorf("got %v", got)
	}
}

func TestClientsKeepAnswersNoLongerThanIsRight(t *testing.T) {
	const usual = defaultCacheControl
	stale := func(r *delivery.Response) { r.How = aStale }
	says := func(value string) func(*delivery.Response) {
		return func(r *delivery.Response) { r.Origin.CacheControl = value }
	}
	both := func(a, b func(*delivery.Response)) func(*delivery.Response) {
		return func(r *delivery.Response) { a(r); b(r) }
	}
	degraded := func(r *delivery.Response) { r.Origin.Degraded = true }
	standIn := func(r *delivery.Response) { r.Missing = &origins.Error{Kind: origins.NotExist} }
	none := func(*delivery.Response) {}
	for _, tt := range []struct {
		name, own, cdn string
		change         func(*delivery.Response)
		control, age   string
		forCDN         string
	}{
		{"nothing said", "", "", none, usual, "5400", ""},
		{"a time for CDNs", "", "max-age=60", none, usual, "", "max-age=60"},
		{"a time of the site", "max-age=60", "", none, "max-age=60", "", ""},
		{"the origin's", "origin", "", says("max-age=7"), "max-age=7", "5400", ""},
		{"the origin says nothing", "origin", "", none, usual, "5400", ""},
		{"public at the origin", "", "max-age=60", says("public, max-age=7"), usual, "", "max-age=60"},
		{"private at the origin", "", "max-age=60", says("max-age=7, Private"), "max-age=7, Private", "5400", ""},
		{"private fields at the origin", "", "", says(`private="set-cookie", max-age=7`), `private="set-cookie", max-age=7`, "5400", ""},
		{"not to be kept", "", "max-age=60", says("no-cache, NO-STORE"), "no-cache, NO-STORE", "5400", ""},
		{"private, passed on", "origin", "max-age=60", says("private"), "private", "5400", ""},
		{"what only sounds private", "", "", says("x-private, privately=1"), usual, "5400", ""},
		{"the site knows better", "public, max-age=60", "max-age=5", says("private"), "public, max-age=60", "", "max-age=5"},
		{"stale", "", "max-age=60", stale, "public, max-age=60, must-revalidate", "", ""},
		{"stale, of a time of the site", "max-age=9999", "", stale, "public, max-age=60, must-revalidate", "", ""},
		{"degraded", "", "max-age=60", degraded, "public, max-age=60, must-revalidate", "", ""},
		{"degraded and private", "", "", both(degraded, says("private, max-age=7")), "private, max-age=60, must-revalidate", "", ""},
		{"degraded and private to the site", "private", "", degraded, "private, max-age=60, must-revalidate", "", ""},
		{"degraded and not to be kept", "", "", both(degraded, says("no-store")), "no-store", "", ""},
		{"a stand-in", "", "max-age=60", standIn, "public, max-age=30", "", ""},
		{"a private stand-in", "", "", both(standIn, says("private")), "private, max-age=30", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := &Endpoint{CacheControl: tt.own, CDNCacheControl: tt.cdn}
			w, err := ask(t, config, false, always(remembers(aHit, tt.change)), httptest.NewRequest("GET", "/a.jpg", nil))
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{"Cache-Control": tt.control, "Age": tt.age, "CDN-Cache-Control": tt.forCDN} {
				if got := strings.Join(w.Header().Values(name), "|"); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAnswersNameTheTagsThatPurgeThem(t *testing.T) {
	const source = "io-2ab4416d56cbf4d9" // SHA-256 of 0123456789abcdef/a.jpg
	for _, tt := range []struct {
		name, form, header, want string
		source, tags             string
	}{
		{"separated by commas", "cache-tag", "Cache-Tag", source + ",io-default,red,blue", "0123456789abcdef/a.jpg", "red  blue"},
		{"separated by spaces", "surrogate-key", "Surrogate-Key", source + " io-default red blue", "0123456789abcdef/a.jpg", "red blue"},
		{"of what is not remembered", "cache-tag", "Cache-Tag", "io-default", "", ""},
		{"those that no header can hold are left out", "cache-tag", "Cache-Tag", "io-default,ok", "", "a,b r\u00e9d ok"},
		{"off", "off", "Cache-Tag", "", "0123456789abcdef/a.jpg", "red"},
		{"not chosen", "", "Surrogate-Key", "", "0123456789abcdef/a.jpg", "red"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := remembers(aHit)
			resp.Source, resp.Origin.Tags = tt.source, tt.tags
			w, err := ask(t, &Endpoint{CDNTags: tt.form}, false, always(resp), httptest.NewRequest("GET", "/a.jpg", nil))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.Header().Values(tt.header), "|"); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestLogAndPlaceholdersTellOfTheCache(t *testing.T) {
	for _, tt := range []struct {
		name string
		how  delivery.How
		want map[string]any
		none []string
	}{
		{"a hit", aHit, map[string]any{"cache": "hit", "cache_ms": 0.14}, []string{"download_ms", "transformation_ms"}},
		{"a miss", delivery.How{Forward: delivery.Miss}, map[string]any{"cache": "miss", "cache_ms": 0.14, "download_ms": 1.5, "transformation_ms": 20.0}, nil},
		{"a bypass", delivery.How{}, map[string]any{"cache": "bypass", "download_ms": 1.5}, []string{"cache_ms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&log), zapcore.DebugLevel))
			x := &exchange{response: remembers(tt.how), r: httptest.NewRequest("GET", "/", nil)}
			logger.Info("", zap.Object("imageorigin", x))
			var line struct{ Imageorigin map[string]any }
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			for name, want := range tt.want {
				if got := line.Imageorigin[name]; got != want {
					t.Errorf("%s: got %v, want %v", name, got, want)
				}
			}
			for _, name := range tt.none {
				if got, there := line.Imageorigin[name]; there {
					t.Errorf("%s: got %v, want none", name, got)
				}
			}
			if got, ok := x.placeholder("cache"); !ok || got != tt.want["cache"] {
				t.Errorf("the placeholder: got %v, want %v", got, tt.want["cache"])
			}
		})
	}
}

func TestPlaceholdersAreThoseOfTheHandlerThatAnsweredLast(t *testing.T) {
	repl := caddy.NewReplacer()
	ctx := context.WithValue(t.Context(), caddy.ReplacerCtxKey, repl)
	ctx = context.WithValue(ctx, caddyhttp.ExtraLogFieldsCtxKey, new(caddyhttp.ExtraLogFields))
	r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	all := func() string {
		return repl.ReplaceAll("{http.imageorigin.endpoint} {http.imageorigin.key} {http.imageorigin.transform} {http.imageorigin.origin} "+
			"{http.imageorigin.format} {http.imageorigin.width} {http.imageorigin.height} {http.imageorigin.degraded} "+
			"{http.imageorigin.cache} {http.imageorigin.error} {http.imageorigin.nonsense}", "-")
	}
	if got, want := all(), "- - - - - - - - - - -"; got != want {
		t.Errorf("before: got  %q, want %q", got, want)
	}
	first := &exchange{r: r, code: "ENOENT", passed: true, endpoint: &endpoint{name: "first"}}
	first.address.Key = "a.jpg"
	first.note()
	if got, want := all(), "first a.jpg - - - - - false - ENOENT -"; got != want {
		t.Errorf("the first: got %q, want %q", got, want)
	}
	second := &exchange{r: r, endpoint: &endpoint{name: "second"}, response: remembers(aHit, func(r *delivery.Response) {
		r.Width, r.Height, r.Format = 40, 30, plan.WebP
		r.Origin = origins.Attributes{Origin: "folder", Degraded: true}
	})}
	second.address.Key = "b.jpg"
	second.note()
	if got, want := all(), "second b.jpg - folder webp 40 30 true hit - -"; got != want {
		t.Errorf("the second: got %q, want %q", got, want)
	}
}
