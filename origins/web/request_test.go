package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// response returns an answer with headers given as name, value, …
func response(status int, body string, headers ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	for i := 0; i < len(headers); i += 2 {
		res.Header.Add(headers[i], headers[i+1])
	}
	return res
}

// sent returns the request that an origin sends.
func sent(t *testing.T, c Config, req origins.Request) *http.Request {
	t.Helper()
	var got *http.Request
	c.Transport = roundTrip(func(r *http.Request) *http.Response {
		got = r
		return response(http.StatusNotFound, "")
	})
	if _, err := newOrigin(t, c).Open(t.Context(), req); origins.KindOf(err) != origins.NotExist || err == nil {
		t.Fatalf("Open(%+v): %v", req, err)
	}
	return got
}

func TestRequestNeverLeavesTheBase(t *testing.T) {
	for _, tt := range []struct{ base, key, query, want string }{
		{"https://example.com", "a.jpg", "", "https://example.com/a.jpg"},
		{"https://example.com/", "a.jpg", "", "https://example.com/a.jpg"},
		{"https://example.com/media/", "b/a.jpg", "", "https://example.com/media/b/a.jpg"},
		{"https://example.com/m%C3%A9dia%2Fx", "a.jpg", "", "https://example.com/m%C3%A9dia%2Fx/a.jpg"},
		{"https://example.com/a b", "c d.jpg", "", "https://example.com/a%20b/c%20d.jpg"},
		{"https://example.com/m", "@evil.test", "", "https://example.com/m/@evil.test"},
		{"https://example.com", "@evil.test", "", "https://example.com/@evil.test"},
		{"https://example.com", ":80@evil.test", "", "https://example.com/:80@evil.test"},
		{"https://example.com", `\evil.test`, "", "https://example.com/%5Cevil.test"},
		{"https://example.com", `\\evil.test/x`, "", "https://example.com/%5C%5Cevil.test/x"},
		{"https://example.com/m", "a?x=1", "", "https://example.com/m/a%3Fx=1"},
		{"https://example.com/m", "a#b", "", "https://example.com/m/a%23b"},
		{"https://example.com/m", "%2e%2e/a", "", "https://example.com/m/%252e%252e/a"},
		{"https://example.com/m", "..%2fa", "", "https://example.com/m/..%252fa"},
		{"https://example.com/m", "..;/a", "", "https://example.com/m/..%3B/a"},
		{"https://example.com/m", "a+b;c.jpg", "", "https://example.com/m/a%2Bb%3Bc.jpg"},
		{"https://example.com/m", "a\r\nHost: evil", "", "https://example.com/m/a%0D%0AHost:%20evil"},
		{"https://example.com/m", "\xe9.jpg", "", "https://example.com/m/%E9.jpg"},
		{"https://example.com/m", "a.jpg", "v=1&b=%20", "https://example.com/m/a.jpg?v=1&b=%20"},
		{"https://example.com/m", "a.jpg", "v=1#x y\r\nHost: evil", "https://example.com/m/a.jpg?v=1%23x%20y%0D%0AHost:%20evil"},
		{"http://127.0.0.1:8080/m", "a.jpg", "", "http://127.0.0.1:8080/m/a.jpg"},
		{"http://[::1]:8080", "a.jpg", "", "http://[::1]:8080/a.jpg"},
	} {
		got := sent(t, Config{BaseURL: tt.base}, origins.Request{Key: tt.key, Query: tt.query})
		if got.URL.String() != tt.want || got.Host != got.URL.Host {
			t.Errorf("%s with %q: got %s (host %s), want %s", tt.base, tt.key, got.URL, got.Host, tt.want)
		}
	}
	for _, key := range []string{"", "/evil.test/x", "//evil.test/x", "../a", "a/../../b", "a/..", `..\a`, `a\..\..\b`, "a\x00b"} {
		o := newOrigin(t, Config{BaseURL: "https://example.com/m", Transport: roundTrip(func(r *http.Request) *http.Response {
			t.Errorf("%q: asked for %s", key, r.URL)
			return response(http.StatusNotFound, "")
		})})
		if _, err := o.Open(t.Context(), origins.Request{Key: key}); err == nil {
			t.Errorf("%q: opened", key)
		}
	}
}

func FuzzRequestsStayBelowTheBase(f *testing.F) {
	for _, key := range []string{"a.jpg", "//evil", "@evil", `\..\x`, "a/../b", "%2e%2e/x", "?q#f", "\xff"} {
		f.Add(key, "q=1")
	}
	o, err := New(Config{BaseURL: "https://example.com/media"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key, query string) {
		if origins.CheckKey(key) != nil {
			return
		}
		u, err := o.base.Parse(o.target(key, query).String())
		if err != nil {
			t.Fatalf("key %q, query %q: %v", key, query, err)
		}
		if u.Host != "example.com" || u.Path != "/media/"+key || u.Fragment != "" {
			t.Errorf("key %q, query %q: got %s", key, query, u)
		}
	})
}

func TestRequestHeaders(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	const base = "https://example.com/media"
	for _, tt := range []struct {
		name   string
		config Config
		req    origins.Request
		header string
		want   string
	}{
		{"we say who we are", Config{}, origins.Request{}, "User-Agent", "imageorigin"},
		{"or somebody else", Config{Header: map[string]string{"user-agent": "x"}}, origins.Request{}, "User-Agent", "x"},
		{"nothing compressed", Config{}, origins.Request{}, "Accept-Encoding", "identity"},
		{"from", Config{}, origins.Request{From: "imagekit"}, "X-Req-From", "imagekit"},
		{"from nobody", Config{}, origins.Request{}, "X-Req-From", ""},
		{"from a liar", Config{}, origins.Request{From: "a\r\nb"}, "X-Req-From", ""},
		{"further header", Config{Header: map[string]string{"x-token": "t"}}, origins.Request{}, "X-Token", "t"},
		{"basic", Config{Auth: Auth{User: "u", Password: "p"}}, origins.Request{}, "Authorization", "Basic dTpw"},
		{"bearer", Config{Auth: Auth{Token: "t"}}, origins.Request{}, "Authorization", "Bearer t"},
		{"range", Config{}, origins.Request{Range: &origins.Range{Start: 5, Length: 10}}, "Range", "bytes=5-14"},
		{"open range", Config{}, origins.Request{Range: &origins.Range{Start: 5, Length: -1}}, "Range", "bytes=5-"},
		{"endless range", Config{}, origins.Request{Range: &origins.Range{Start: 5, Length: 1<<63 - 1}}, "Range", "bytes=5-"},
		{"etag", Config{}, origins.Request{Validator: origins.Validator{ETag: `W/"x"`}}, "If-None-Match", `W/"x"`},
		{"etag of a liar", Config{}, origins.Request{Validator: origins.Validator{ETag: "\"\n\""}}, "If-None-Match", ""},
		{"date", Config{}, origins.Request{Validator: origins.Validator{Modified: since}}, "If-Modified-Since", "Fri, 02 Jan 2026 02:04:05 GMT"},
		{"unconditional", Config{}, origins.Request{}, "If-Modified-Since", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.BaseURL, tt.req.Key = base, "a.jpg"
			r := sent(t, tt.config, tt.req)
			if got := r.Header.Get(tt.header); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestHostIsThatOfTheBaseUnlessTold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		client string
		want   string
	}{
		{"of the base", Config{}, "img.example.com", "example.com"},
		{"of the client", Config{ForwardHost: true}, "img.example.com", "img.example.com"},
		{"of a client without", Config{ForwardHost: true}, "", "example.com"},
		{"of a client that lies", Config{ForwardHost: true}, "a b\r\n", "example.com"},
		{"a fixed one", Config{Header: map[string]string{"Host": "legacy.example.com"}}, "img.example.com", "legacy.example.com"},
	} {
		tt.config.BaseURL = "https://example.com"
		r := sent(t, tt.config, origins.Request{Key: "a.jpg", Host: tt.client})
		if r.Host != tt.want || r.URL.Host != "example.com" || r.Header.Get("Host") != "" {
			t.Errorf("%s: got %q to %s, want %q", tt.name, r.Host, r.URL.Host, tt.want)
		}
	}
}
