package web

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
)

// attack 1: from the path that a visitor writes to the request that an origin gets: it stays on the server of the base, below
// its path, and a query or a fragment in the path is none.
func TestPathsOfVisitorsStayBelowTheBase(t *testing.T) {
	for _, uri := range []string{
		"//evil.test/a.jpg", "///evil.test/a.jpg", "/%2Fevil.test/a.jpg", "/%2F%2Fevil.test%2Fa.jpg", `/%5Cevil.test/a.jpg`, `/%5C%5Cevil.test%5Ca.jpg`,
		"/..%2Fsecret", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/.%2e/secret", "/..%5Csecret", "/a%2F..%2F..%2Fsecret", "/%252e%252e/secret", "/..;/secret", "/%c0%ae%c0%ae/secret",
		"/@evil.test/a.jpg", "/:80@evil.test/a.jpg", "/user:pw@evil.test/a.jpg", "/%40evil.test/a.jpg", "/http://evil.test/a.jpg", "/http:%2F%2Fevil.test%2Fa.jpg", "/https:evil.test",
		"/a%3Fx=1", "/a%23x", "/a%3F/../secret", "/a%00.jpg", "/a%0D%0AHost:%20evil.test", "/a%0aGET%20/secret", "/a%20HTTP/1.1%0d%0aHost:%20evil.test", "/%09/evil.test",
		"/.evil.test/a.jpg", "/%2Eevil.test", "/\u3002\u3002/secret", "/\uff0f\uff0fevil.test", "/ik-seo/..%2Fsecret/x.jpg", "/ik-seo/..%2F..%2Fsecret%2Fx.jpg", "/tr:w-1/..%2Fsecret",
		"/a.jpg?@evil.test", "/a.jpg?x=%0d%0aHost:%20evil", "/a.jpg?/../../secret",
	} {
		escaped, query, _ := strings.Cut(uri, "?")
		address, err := imageurl.Parse(escaped, query)
		if err != nil {
			continue // a 400
		}
		o := newOrigin(t, Config{BaseURL: "https://example.com/media", Transport: roundTrip(func(r *http.Request) *http.Response {
			sent := r.URL.EscapedPath()
			if r.URL.Scheme != "https" || r.URL.Host != "example.com" || r.Host != "example.com" || r.URL.User != nil || r.URL.Fragment != "" {
				t.Errorf("%s: asked %s (host %s)", uri, r.URL, r.Host)
			}
			if !strings.HasPrefix(sent, "/media/") || !strings.HasPrefix(path.Clean(r.URL.Path), "/media/") || strings.ContainsAny(sent, "?#\\ \r\n\t\x00;+") {
				t.Errorf("%s: asked for %q", uri, sent)
			}
			if r.URL.RawQuery != query {
				t.Errorf("%s: the query is %q", uri, r.URL.RawQuery)
			}
			return response(http.StatusNotFound, "")
		})})
		if _, err := o.Open(t.Context(), origins.Request{Key: address.Key, Query: address.Query}); err == nil {
			t.Errorf("%s: opened", uri)
		}
	}
}
