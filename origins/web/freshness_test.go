package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// headers returns those that alternate with their values in pairs.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestCacheControlSaysAllThatCountsForKeeping(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	const date, hour, past = "Fri, 02 Jan 2026 02:00:00 GMT", "Fri, 02 Jan 2026 03:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"
	for _, tt := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"nothing is said", nil, ""},
		{"as it is written", []string{"Cache-Control", "Public,max-age=60"}, "Public,max-age=60"},
		{"in two lines", []string{"Cache-Control", "public", "Cache-Control", "max-age=5"}, "public, max-age=5"},

		{"an end", []string{"Date", date, "Expires", hour}, "max-age=3600"},
		{"an end in an old form", []string{"Date", date, "Expires", "Friday, 02-Jan-26 03:00:00 GMT"}, "max-age=3600"},
		{"an end and no date", []string{"Expires", "Fri, 02 Jan 2026 03:00:30 GMT"}, "max-age=30"},
		{"an end and a date that is none", []string{"Date", "now", "Expires", "Fri, 02 Jan 2026 03:00:30 GMT"}, "max-age=30"},
		{"an end beside other words", []string{"Date", date, "Expires", hour, "Cache-Control", "public"}, "public, max-age=3600"},
		{"an end beside that of shared caches", []string{"Date", date, "Expires", hour, "Cache-Control", "s-maxage=5"}, "s-maxage=5, max-age=3600"},
		{"an end beside a number", []string{"Date", date, "Expires", hour, "Cache-Control", "public, MAX-AGE = 5"}, "public, MAX-AGE = 5"},
		{"an end beside a number that is none", []string{"Date", date, "Expires", hour, "Cache-Control", "max-age=soon"}, "max-age=soon"},
		{"an end beside a number in quotes", []string{"Date", date, "Expires", hour, "Cache-Control", `no-cache="a\",max-age=9,b"`}, `no-cache="a\",max-age=9,b", max-age=3600`},
		{"the past", []string{"Date", date, "Expires", past}, "max-age=0"},
		{"the same moment", []string{"Date", date, "Expires", date}, "max-age=0"},
		{"no time", []string{"Date", date, "Expires", "0"}, "max-age=0"},
		{"an empty time", []string{"Date", date, "Expires", ""}, "max-age=0"},
		{"of two ends the first", []string{"Date", date, "Expires", past, "Expires", hour}, "max-age=0"},
		{"an end beyond numbers", []string{"Date", date, "Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}, "max-age=2147483647"},

		{"an old word", []string{"Pragma", "no-cache"}, "no-cache"},
		{"an old word with an end", []string{"Pragma", "No-Cache", "Date", date, "Expires", hour}, "no-cache, max-age=3600"},
		{"an old word beside new ones", []string{"Pragma", "no-cache", "Cache-Control", "max-age=60"}, "max-age=60"},
		{"another old word", []string{"Pragma", "cache"}, ""},

		{"varies with the unknown", []string{"Vary", "*"}, "no-store"},
		{"varies with the unknown among others", []string{"Vary", "Accept", "Vary", "Origin , *", "Cache-Control", "max-age=60"}, "max-age=60, no-store"},
		{"varies with the unknown, and isn't to be kept", []string{"Vary", "*", "Cache-Control", "No-Store"}, "No-Store"},
		{"varies with headers", []string{"Vary", "Accept-Encoding, Origin", "Cache-Control", "max-age=60"}, "max-age=60"},
		{"all at once", []string{"Vary", "*", "Pragma", "no-cache", "Date", date, "Expires", past}, "no-cache, max-age=0, no-store"},
	} {
		if got := cacheControl(headers(tt.headers...), now); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAgeIsANumberOfSeconds(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name, header string
		want         time.Duration
	}{
		{"none", "", 0},
		{"seconds", "90", 90 * time.Second},
		{"zero", "0", 0},
		{"below zero", "-5", 0},
		{"a sign", "+5", 0},
		{"a fraction", "1.5", 0},
		{"a word", "old", 0},
		{"several, of which the first counts", " 7 , 9", 7 * time.Second},
		{"several, the first of which is none", "x, 9", 0},
		{"a year", "31536000", year},
		{"more", "31536001", year},
		{"more than numbers", "99999999999999999999999", year},
	} {
		if got := age(headers("Age", tt.header)); got != tt.want {
			t.Errorf("%s, %q: got %v, want %v", tt.name, tt.header, got, tt.want)
		}
	}
}

func TestWhatCountsForKeepingReachesTheAttributes(t *testing.T) {
	obj, err := ask(t, response(200, "12345",
		"Age", "30", "Cache-Tag", "shoe, red", "Cache-Tag", "summer", "Surrogate-Key", "red page/7", "Vary", "*"), origins.Request{})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	if obj.Age != 30*time.Second || obj.Tags != "shoe red summer page/7" || obj.CacheControl != "no-store" {
		t.Errorf("got age %v, tags %q, %q", obj.Age, obj.Tags, obj.CacheControl)
	}
}

func TestAnUnchangedAnswerRenewsWhatIsSaidOfKeeping(t *testing.T) {
	for _, tt := range []struct {
		name         string
		status       int
		headers      []string
		cacheControl string
		age          time.Duration
	}{
		{"nothing is said", 304, nil, "", 0},
		{"other words", 304, []string{"Cache-Control", "max-age=60", "Age", "20"}, "max-age=60", 20 * time.Second},
		{"an end", 304, []string{"Date", "Fri, 02 Jan 2026 02:00:00 GMT", "Expires", "Fri, 02 Jan 2026 02:01:00 GMT"}, "max-age=60", 0},
		{"by a server that knows no conditions", 200, []string{"ETag", `W/"1"`, "Cache-Control", "max-age=60", "Age", "20"}, "max-age=60", 20 * time.Second},
	} {
		_, err := ask(t, response(tt.status, "", tt.headers...), origins.Request{Validator: origins.Validator{Origin: "o", ETag: `W/"1"`}})
		e, ok := err.(*origins.Error)
		if !ok || e.Kind != origins.NotModified || e.CacheControl != tt.cacheControl || e.Age != tt.age {
			t.Errorf("%s: got %+v", tt.name, err)
		}
	}
}

func TestAStarIsNoETag(t *testing.T) {
	obj, err := ask(t, response(200, "12345", "ETag", "*"), origins.Request{})
	if err != nil {
		t.Fatal(err)
	}
	obj.Body.Close()
	if obj.ETag != "" {
		t.Errorf("got the ETag %q, which If-None-Match would take for any version", obj.ETag)
	}
}

// weakened makes all ETags weak ones, as servers do that compress on the way.
func weakened(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(weakening{w}, r) })
}

type weakening struct{ http.ResponseWriter }

func (w weakening) WriteHeader(status int) {
	if tag := w.Header().Get("ETag"); tag != "" {
		w.Header().Set("ETag", "W/"+tag)
	}
	w.ResponseWriter.WriteHeader(status)
}

// unconditional takes away the conditions by ETag, which many programs that write ETags know nothing of.
func unconditional(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			r.Header.Del("If-None-Match")
			r.Header.Del("If-Modified-Since")
		}
		h.ServeHTTP(w, r)
	})
}
