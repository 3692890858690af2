package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

// hop is what one server of a chain of redirects saw.
type hop struct {
	url, host, auth, token, from, rng, agent string
}

// follow opens a.jpg at base, where locations are the redirects, by URL. It returns what the servers saw.
func follow(t *testing.T, c Config, locations map[string]string) ([]hop, error) {
	t.Helper()
	var hops []hop
	c.Header = map[string]string{"X-Token": "hunter2", "User-Agent": "own"}
	c.Auth = Auth{Token: "hunter2"}
	c.Transport = roundTrip(func(r *http.Request) *http.Response {
		if r.Header.Get("Referer") != "" || r.URL.User != nil {
			t.Errorf("%s is told that we come from %q, as %v", r.URL.Host, r.Header.Get("Referer"), r.URL.User)
		}
		h := r.Header
		hops = append(hops, hop{r.URL.String(), r.Host, h.Get("Authorization"), h.Get("X-Token"), h.Get("X-Req-From"), h.Get("Range"), h.Get("User-Agent")})
		if to, ok := locations[r.URL.String()]; ok {
			return response(http.StatusFound, "moved", "Location", to)
		}
		return response(http.StatusOK, "content")
	})
	c.Abroad = c.Transport
	obj, err := newOrigin(t, c).Open(t.Context(), origins.Request{Key: "a.jpg", Host: "client.test", From: "imagekit", Range: &origins.Range{Length: 5}})
	if err == nil {
		obj.Body.Close()
	}
	return hops, err
}

func TestRedirectsStayOnTheHostUnlessAllowed(t *testing.T) {
	const (
		plain  = "http://example.com/a.jpg"
		secure = "https://example.com/a.jpg"
	)
	for _, tt := range []struct {
		name    string
		base    string
		to      string
		allow   Redirects
		follows bool
	}{
		{"relative", secure, "b.jpg", Redirects{}, true},
		{"by path", secure, "/other/b.jpg", Redirects{}, true},
		{"same host", secure, "https://example.com/b.jpg", Redirects{}, true},
		{"same host, other case", secure, "HTTPS://EXAMPLE.com./b.jpg", Redirects{}, true},
		{"same port, said", secure, "https://example.com:443/b.jpg", Redirects{}, true},
		{"up to https", plain, "https://example.com/b.jpg", Redirects{}, true},
		{"down to http", secure, "http://example.com/b.jpg", Redirects{}, false},
		{"other port", secure, "https://example.com:8443/b.jpg", Redirects{}, false},
		{"up to https on another port", plain, "https://example.com:8443/b.jpg", Redirects{}, false},
		{"other host", secure, "https://evil.test/b.jpg", Redirects{}, false},
		{"other host, scheme-relative", secure, "//evil.test/b.jpg", Redirects{}, false},
		{"other host, with backslashes", secure, `/\evil.test/b.jpg`, Redirects{}, true}, // a path, to us
		{"subdomain", secure, "https://cdn.example.com/b.jpg", Redirects{}, false},
		{"superdomain", "https://www.example.com/a.jpg", "https://example.com/b.jpg", Redirects{}, false},
		{"host as a user", secure, "https://example.com@evil.test/b.jpg", Redirects{}, false},
		{"host as a prefix", secure, "https://example.com.evil.test/b.jpg", Redirects{}, false},
		{"metadata service", secure, "http://169.254.169.254/latest/meta-data", Redirects{}, false},
		{"file", secure, "file:///etc/passwd", Redirects{Any: true}, false},
		{"ftp", secure, "ftp://example.com/b.jpg", Redirects{Any: true}, false},
		{"script", secure, "javascript:alert(1)", Redirects{Any: true}, false},
		{"no host", secure, "https:///b.jpg", Redirects{Any: true}, false},
		{"any", secure, "https://other.test/b.jpg", Redirects{Any: true}, true},
		{"a listed host", secure, "https://other.test/b.jpg", Redirects{Hosts: []string{"x.test", "other.test"}}, true},
		{"a listed host over http", secure, "http://other.test/b.jpg", Redirects{Hosts: []string{"other.test"}}, true},
		{"a listed host, other case", secure, "https://OTHER.test/b.jpg", Redirects{Hosts: []string{"Other.Test"}}, true},
		{"a listed host, other port", secure, "https://other.test:444/b.jpg", Redirects{Hosts: []string{"other.test"}}, false},
		{"a listed port", secure, "https://other.test:444/b.jpg", Redirects{Hosts: []string{"other.test:444"}}, true},
		{"below a listed host", secure, "https://x.other.test/b.jpg", Redirects{Hosts: []string{"other.test"}}, false},
		{"in Unicode and in ASCII", "https://b\u00fccher.example/a.jpg", "https://xn--bcher-kva.example/b.jpg", Redirects{}, true},
		{"an IPv6 address", "http://[::1]:80/a.jpg", "http://[::1]/b.jpg", Redirects{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := strings.TrimSuffix(tt.base, "/a.jpg")
			var first string
			hops, err := follow(t, Config{BaseURL: base, Redirects: tt.allow}, map[string]string{})
			if err != nil {
				t.Fatal(err)
			}
			first = hops[0].url
			hops, err = follow(t, Config{BaseURL: base, Redirects: tt.allow}, map[string]string{first: tt.to})
			if tt.follows {
				if err != nil || len(hops) != 2 {
					t.Errorf("got %v after %d hops, want it followed", err, len(hops))
				}
				return
			}
			if err == nil || origins.KindOf(err) != origins.Denied || len(hops) != 1 {
				t.Errorf("got %v after %d hops, want it denied", err, len(hops))
			}
		})
	}
}

func TestSecretsStayOnTheHost(t *testing.T) {
	hops, err := follow(t, Config{BaseURL: "http://example.com", ForwardHost: true, Redirects: Redirects{Any: true}}, map[string]string{
		"http://example.com/a.jpg":       "/b.jpg",
		"http://example.com/b.jpg":       "https://example.com/c.jpg",
		"https://example.com/c.jpg":      "https://user:pw@cdn.example.com/d.jpg#x",
		"https://cdn.example.com/d.jpg":  "https://example.com:8443/e.jpg",
		"https://example.com:8443/e.jpg": "http://example.com/f.jpg",
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []hop{
		{"http://example.com/a.jpg", "client.test", "Bearer hunter2", "hunter2", "imagekit", "bytes=0-4", "own"},
		{"http://example.com/b.jpg", "client.test", "Bearer hunter2", "hunter2", "imagekit", "bytes=0-4", "own"},
		{"https://example.com/c.jpg", "client.test", "Bearer hunter2", "hunter2", "imagekit", "bytes=0-4", "own"},
		{"https://cdn.example.com/d.jpg", "cdn.example.com", "", "", "imagekit", "bytes=0-4", "imageorigin"},
		{"https://example.com:8443/e.jpg", "example.com:8443", "", "", "imagekit", "bytes=0-4", "imageorigin"},
		{"http://example.com/f.jpg", "example.com", "", "", "imagekit", "bytes=0-4", "imageorigin"}, // others chose the path
	} {
		if i >= len(hops) || hops[i] != want {
			t.Errorf("hop %d: got %+v, want %+v", i, hops[min(i, len(hops)-1)], want)
		}
	}
}

func TestRedirectsEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		last int // of a chain of redirects
		ok   bool
	}{{"five", 5, true}, {"six", 6, false}, {"in a circle", 1000, false}} {
		chain := map[string]string{"https://example.com/a.jpg": "/1"}
		for i := 1; i < tt.last; i++ {
			chain[fmt.Sprintf("https://example.com/%d", i)] = fmt.Sprintf("/%d", i+1)
		}
		hops, err := follow(t, Config{BaseURL: "https://example.com"}, chain)
		if (err == nil) != tt.ok || len(hops) != 6 {
			t.Errorf("%s: got %v after %d requests", tt.name, err, len(hops))
		}
		if err != nil && origins.KindOf(err) != origins.Unknown {
			t.Errorf("%s: got %v, want unknown", tt.name, err)
		}
	}
}

func TestEveryRedirectStatusIsFollowed(t *testing.T) {
	for _, tt := range []struct {
		status  int
		headers []string
		want    origins.Kind
		ok      bool
	}{
		{301, []string{"Location", "/b"}, 0, true},
		{302, []string{"Location", "/b"}, 0, true},
		{303, []string{"Location", "/b"}, 0, true},
		{307, []string{"Location", "/b"}, 0, true},
		{308, []string{"Location", "/b"}, 0, true},
		{300, []string{"Location", "/b"}, origins.Unknown, false},
		{302, nil, origins.Unknown, false},
		{302, []string{"Location", "http://[bad?sig=hunter2"}, origins.Unknown, false},
		{302, []string{"Location", "https://evil.test/?sig=hunter2"}, origins.Denied, false},
		{302, []string{"Location", "https://u:hunter2@evil.test/hunter2"}, origins.Denied, false},
	} {
		o := newOrigin(t, Config{BaseURL: "https://example.com", Transport: roundTrip(func(r *http.Request) *http.Response {
			if r.URL.Path == "/b" {
				return response(200, "content")
			}
			return response(tt.status, "", tt.headers...)
		})})
		obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
		if (err == nil) != tt.ok || err != nil && origins.KindOf(err) != tt.want {
			t.Errorf("%d %v: got %v", tt.status, tt.headers, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: the error tells a secret: %v", tt.status, err)
		}
		if err == nil {
			obj.Body.Close()
		}
	}
}
