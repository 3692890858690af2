package caddymodule

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
)

func TestNoCacheKeepsAnAnswerLongerThanItsSignatureHolds(t *testing.T) {
	for _, tt := range []struct {
		name      string
		control   string
		left, age int64
		want      string
	}{
		{"longer", "public, max-age=31536000, must-revalidate", 60, 0, "public, max-age=60, must-revalidate"},
		{"shorter", "public, max-age=30, must-revalidate", 60, 0, "public, max-age=30, must-revalidate"},
		{"an age", "public, max-age=100, must-revalidate", 60, 90, "public, max-age=10, must-revalidate"},
		{"an age, and longer", "public, max-age=1000, must-revalidate", 60, 90, "public, max-age=60, must-revalidate"},
		{"older than it may be", "public, max-age=30, must-revalidate", 60, 90, "public, max-age=0, must-revalidate"},
		{"for shared caches", "public, max-age=10, s-maxage=900", 60, 0, "public, max-age=10, s-maxage=60, must-revalidate"},
		{"for shared caches alone", "s-maxage=900", 60, 0, "s-maxage=60, max-age=60, must-revalidate"},
		{"stale ones", "max-age=900, stale-while-revalidate=9999, Stale-If-Error=9999", 60, 0, "max-age=60, must-revalidate"},
		{"no time", "public", 60, 0, "public, max-age=60, must-revalidate"},
		{"a time that nobody can read", "max-age=soon", 60, 0, "max-age=0, must-revalidate"},
		{"a quoted time", `max-age="900"`, 60, 0, "max-age=60, must-revalidate"},
		{"spaces that do not belong there", "max-age = 900", 60, 0, "max-age=60, must-revalidate"},
		{"immutable", "public, max-age=900, immutable", 60, 0, "public, max-age=60, immutable, must-revalidate"},
		{"nothing", "", 60, 0, "max-age=60, must-revalidate"},
		{"upper case", "Public, Max-Age=900, Must-Revalidate", 60, 0, "Public, Max-Age=60, Must-Revalidate"},
		{"private", "private, max-age=900", 60, 0, "private, max-age=60, must-revalidate"},
		{"nobody may", "private, no-store, max-age=900", 60, 0, "private, no-store, max-age=900"},
		{"empty members", "public,, max-age=900,", 60, 0, "public, max-age=60, must-revalidate"},
		{"over", "public, max-age=900", 0, 0, "public, max-age=0, must-revalidate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := boundedAged(tt.control, tt.left, tt.age); got != tt.want {
				t.Errorf("boundedAged(%q, %d, %d): got %q, want %q", tt.control, tt.left, tt.age, got, tt.want)
			}
		})
	}
}

func TestSignedAnswersSayTheirEnd(t *testing.T) {
	key := []byte("private_key_test")
	for _, tt := range []struct {
		name   string
		config Endpoint
		set    http.Header // by the site, before
		status int
		ends   []string // headers that say how long
		change func(*delivery.Response)
	}{
		{name: "the default", status: 200, ends: []string{"Cache-Control"}},
		{name: "the site's own", config: Endpoint{CacheControl: "public, max-age=99999", CDNCacheControl: "max-age=88888"}, status: 200, ends: []string{"Cache-Control", "Cdn-Cache-Control"}},
		{name: "set before", set: http.Header{"Cache-Control": {"max-age=99999"}, "Cdn-Cache-Control": {"max-age=99999"}}, status: 200, ends: []string{"Cache-Control", "Cdn-Cache-Control"}},
		{name: "for one CDN", set: http.Header{"Cloudflare-Cdn-Cache-Control": {"max-age=99999"}, "Surrogate-Control": {"max-age=99999"}, "Expires": {"Fri, 01 Jan 2100 00:00:00 GMT"}}, status: 200, ends: []string{"Cache-Control", "Cloudflare-Cdn-Cache-Control", "Surrogate-Control"}},
		{name: "set to nothing", set: http.Header{"Cache-Control": {""}}, status: 200, ends: []string{"Cache-Control"}},
		{name: "a hit with an age", status: 200, ends: []string{"Cache-Control"}, change: func(r *delivery.Response) {
			r.How = delivery.How{Hit: true, Known: true, Age: time.Hour, TTL: time.Hour}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.setDefaults()
			e := &endpoint{name: "default", config: &tt.config, query: tt.config.Query, delivery: &delivery.Endpoint{}, keys: [][]byte{key}}
			resp := picture()
			if tt.change != nil {
				tt.change(resp)
			}
			h := &Handler{app: &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: always(resp)}, logger: zap.NewNop()}
			uri := imageurl.WithQuery("/a.jpg", imageurl.Sign(key, "", "a.jpg", time.Now().Unix()+100, false))
			w := httptest.NewRecorder()
			for name, values := range tt.set {
				w.Header()[name] = values
			}
			if err := h.ServeHTTP(w, httptest.NewRequest("GET", uri, nil), nil); err != nil || w.Code != tt.status {
				t.Fatalf("got %d, %v", w.Code, err)
			}
			for _, name := range tt.ends {
				value := w.Header().Get(name)
				found := regexp.MustCompile(`max-age=(\d+)`).FindStringSubmatch(value)
				if found == nil {
					t.Fatalf("%s: got %q", name, value)
				}
				if n, _ := strconv.Atoi(found[1]); n < 90 || n > 100 {
					t.Errorf("%s: got %q, want 100 seconds at most", name, value)
				}
			}
			for _, name := range []string{"Age", "Expires"} {
				if value := w.Header().Get(name); value != "" {
					t.Errorf("%s: got %s", name, value)
				}
			}
		})
	}
}

func TestNothingThatTheSiteHasSetLetsCachesKeepPrivateOriginals(t *testing.T) {
	resp := picture()
	resp.Origin.Private = true
	h := http.Header{
		"Cache-Control": {"public, max-age=99", "immutable"}, "Cdn-Cache-Control": {"max-age=99"}, "Cloudflare-Cdn-Cache-Control": {"max-age=99"},
		"Surrogate-Control": {"max-age=99"}, "Expires": {"Fri, 01 Jan 2100 00:00:00 GMT"}, "Age": {"1"}, "Vary": {"Accept"},
	}
	new(exchange).boundKeeping(h, resp)
	if want := (http.Header{"Cache-Control": {noCopies}, "Vary": {"Accept"}}); !reflect.DeepEqual(h, want) {
		t.Errorf("got %v, want %v", h, want)
	}
}

func TestNothingThatTheSiteHasSetLetsCDNsKeepARefusal(t *testing.T) {
	config := Endpoint{SignedOnly: signedOnlyAll}
	config.setDefaults()
	e := &endpoint{name: "default", config: &config, query: config.Query, delivery: &delivery.Endpoint{}, keys: [][]byte{[]byte("private_key_test")}}
	h := &Handler{app: &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: always(picture())}, logger: zap.NewNop()}
	w := httptest.NewRecorder()
	for _, name := range []string{"Cache-Control", "Cdn-Cache-Control", "Surrogate-Control"} {
		w.Header().Set(name, "max-age=99")
	}
	if err := h.ServeHTTP(w, httptest.NewRequest("GET", "/a.jpg", nil), nil); err != nil || w.Code != http.StatusUnauthorized {
		t.Fatalf("got %d, %v", w.Code, err)
	}
	got := []string{w.Header().Get("Cache-Control"), w.Header().Get("Cdn-Cache-Control"), w.Header().Get("Surrogate-Control")}
	if want := []string{"no-store", "", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
