package web

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func newProxy(t *testing.T, transport http.RoundTripper, hosts ...string) *Proxy {
	t.Helper()
	p, err := NewProxy(ProxyConfig{Hosts: hosts, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// below is the proxy as an origin of the files below base: a key is made the text of a URL.
func below(o origins.Origin, base string) origins.Origin {
	asText := strings.NewReplacer("%", "%25", "?", "%3F")
	return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		key := req.Key
		req.Key = base + asText.Replace(key)
		obj, err := o.Open(ctx, req)
		if err != nil {
			return nil, about(key, err)
		}
		obj.Body = keyedBody{obj.Body, key}
		return obj, nil
	})
}

func about(key string, err error) error {
	if e, ok := err.(*origins.Error); ok {
		e.Key = key
	}
	return err
}

type keyedBody struct {
	io.ReadCloser

	key string
}

func (b keyedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, about(b.key, err)
}

// abroadFor returns a transport that trusts server and is guarded as those are that go where others lead.
func abroadFor(t *testing.T, private bool) *http.Transport {
	t.Helper()
	transport, err := remote.NewTransport(remote.TransportConfig{Reach: remote.Reach{Guarded: true, AllowPrivate: private}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestWebProxyConforms(t *testing.T) {
	for _, tt := range []struct {
		name  string
		front func(h http.Handler) http.Handler
	}{{"directly", plain}, {"behind redirects", redirecting}} {
		t.Run(tt.name, func(t *testing.T) {
			var s *site
			originstest.Run(t, originstest.Config{
				New: func(t *testing.T, files map[string][]byte) origins.Origin {
					s = newSite(files)
					server := httptest.NewServer(tt.front(s))
					t.Cleanup(server.Close)
					return below(newProxy(t, abroadFor(t, true), server.Listener.Addr().String()), server.URL+"/media/")
				},
				Replace: func(_ *testing.T, key string, content []byte) { s.put(key, content) },
			})
		})
	}
}

func TestKeysBecomeURLs(t *testing.T) {
	for _, tt := range []struct{ name, key, query, want string }{
		{"as it is written", "https://www.example.com/a.jpg", "", "https://www.example.com/a.jpg"},
		{"with slashes merged", "https:/www.example.com/b/a.jpg", "", "https://www.example.com/b/a.jpg"},
		{"over http", "http://www.example.com/a.jpg", "", "http://www.example.com/a.jpg"},
		{"in capitals", "HTTPS://WWW.Example.COM/A.jpg", "", "https://www.example.com/A.jpg"},
		{"with the dot of the root", "https://www.example.com./a.jpg", "", "https://www.example.com/a.jpg"},
		{"with the usual port", "https://www.example.com:443/a.jpg", "", "https://www.example.com/a.jpg"},
		{"with an empty port", "https://www.example.com:/a.jpg", "", "https://www.example.com/a.jpg"},
		{"with a listed port", "https://www.example.com:08443/a.jpg", "", "https://www.example.com:8443/a.jpg"},
		{"without a path", "https://www.example.com", "", "https://www.example.com/"},
		{"with a space, from %20", "https://www.example.com/a b.jpg", "", "https://www.example.com/a%20b.jpg"},
		{"with %20, from %2520 or an encoded URL", "https://www.example.com/a%20b.jpg", "", "https://www.example.com/a%20b.jpg"},
		{"with a percent sign, from %25", "https://www.example.com/100%.jpg", "", "https://www.example.com/100%25.jpg"},
		{"with half an escape", "https://www.example.com/a%2", "", "https://www.example.com/a%252"},
		{"with a plus", "https://www.example.com/a+b.jpg", "", "https://www.example.com/a%2Bb.jpg"},
		{"with a hash", "https://www.example.com/a#b.jpg", "", "https://www.example.com/a%23b.jpg"},
		{"in Unicode", "https://b\u00fccher.example/caf\u00e9.jpg", "", "https://xn--bcher-kva.example/caf%C3%A9.jpg"},
		{"with a query in the key", "https://www.example.com/a.jpg?x=1&y=a%20b", "", "https://www.example.com/a.jpg?x=1&y=a%20b"},
		{"with a query in the key, and no path", "https://www.example.com?x=1", "", "https://www.example.com/?x=1"},
		{"with a URL in its query", "https://www.example.com/a?u=http://b/?c", "", "https://www.example.com/a?u=http://b/?c"},
		{"with a query beside it", "https://www.example.com/a.jpg", "v=2", "https://www.example.com/a.jpg?v=2"},
		{"with both", "https://www.example.com/a.jpg?x=1", "v=2", "https://www.example.com/a.jpg?x=1&v=2"},
		{"with line ends in its query", "https://www.example.com/a.jpg?x=1\r\nHost: evil", "", "https://www.example.com/a.jpg?x=1%0D%0AHost:%20evil"},
		{"with a URL in its path", "https://www.example.com/20260101/https://b.test/a.jpg", "", "https://www.example.com/20260101/https://b.test/a.jpg"},
		{"with a host in its path", "https://www.example.com//evil.test/a.jpg", "", "https://www.example.com//evil.test/a.jpg"},
		{"with a user in its path", "https://www.example.com/@evil.test", "", "https://www.example.com/@evil.test"},
		{"with a backslash in its path", `https://www.example.com/\evil.test`, "", "https://www.example.com/%5Cevil.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got *http.Request
			p := newProxy(t, roundTrip(func(r *http.Request) *http.Response {
				got = r
				return response(http.StatusOK, "content", "ETag", `"x"`)
			}), "www.example.com", "www.example.com:8443", "b\u00fccher.example")
			obj, err := p.Open(t.Context(), origins.Request{Key: tt.key, Query: tt.query, From: "imagekit", Host: "client.test"})
			if err != nil {
				t.Fatal(err)
			}
			defer obj.Body.Close()
			if got.URL.String() != tt.want || got.Host != got.URL.Host {
				t.Errorf("%q: got %s (host %s), want %s", tt.key, got.URL, got.Host, tt.want)
			}
			if len(got.Header) != 3 || got.Header.Get("X-Req-From") != "imagekit" || got.Header.Get("User-Agent") != "imageorigin" {
				t.Errorf("%q: got the headers %v", tt.key, got.Header)
			}
			if obj.ETag != `"x"` || obj.Size != 7 {
				t.Errorf("got %+v", obj.Attributes)
			}
		})
	}
}

func TestURLsOfVisitorsReachTheProxyAsMeant(t *testing.T) {
	for _, tt := range []struct{ path, query, want string }{
		{"/tr:w-300/https://www.example.com/a.jpg", "", "https://www.example.com/a.jpg"},
		{"/tr:w-300/https:/www.example.com/a.jpg", "", "https://www.example.com/a.jpg"},
		{"/tr:w-300/https%3A%2F%2Fwww.example.com%2Fa.jpg", "", "https://www.example.com/a.jpg"},
		{"/https%3A%2F%2Fwww.example.com%2Fa.jpg/tr:w-300", "", "https://www.example.com/a.jpg"},
		{"/https%3A%2F%2Fwww.example.com%2Fa.jpg%3Fv%3D2", "tr=w-300", "https://www.example.com/a.jpg?v=2"},
		{"/https://www.example.com/a.jpg", "v=2&tr=w-300", "https://www.example.com/a.jpg?v=2"},
		{"/https://www.example.com/a%20b.jpg", "", "https://www.example.com/a%20b.jpg"},
		{"/https%3A%2F%2Fwww.example.com%2Fa%2520b.jpg", "", "https://www.example.com/a%20b.jpg"},
		{"/https%3A%2F%2Fwww.example.com%2Fwhat%253F.jpg", "", "https://www.example.com/what%3F.jpg"},
		{"/https://www.example.com/a%252520b.jpg", "", "https://www.example.com/a%2520b.jpg"},
		{"/https%3A%2F%2Fwww.example.com%2Ftr:w-9%2Fa.jpg", "", "https://www.example.com/tr:w-9/a.jpg"},
		{"//https://www.example.com/a.jpg", "", "https://www.example.com/a.jpg"},
	} {
		address, err := imageurl.Parse(tt.path, tt.query)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		var got string
		p := newProxy(t, roundTrip(func(r *http.Request) *http.Response {
			got = r.URL.String()
			return response(http.StatusNotFound, "")
		}), "www.example.com")
		_, err = p.Open(t.Context(), origins.Request{Key: address.Key, Query: address.Query})
		if got != tt.want {
			t.Errorf("%s?%s: asked for %s (%v), want %s", tt.path, tt.query, got, err, tt.want)
		}
	}
}

func TestKeysThatLeadElsewhereAskNobody(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		want      origins.Kind
	}{
		{"no URL", "folder/a.jpg", origins.NotExist},
		{"nothing", "", origins.NotExist},
		{"a scheme alone", "https:", origins.NotExist},
		{"a scheme and slashes", "https://", origins.NotExist},
		{"no host", "https:///a.jpg", origins.NotExist},
		{"no host, a query", "https://?x", origins.NotExist},
		{"no slash", "https:www.example.com/a.jpg", origins.NotExist},
		{"backslashes for slashes", `https:\\www.example.com\a.jpg`, origins.NotExist},
		{"no scheme", "www.example.com/a.jpg", origins.NotExist},
		{"no scheme, a port", "www.example.com:443/a.jpg", origins.NotExist},
		{"another scheme", "ftp://www.example.com/a.jpg", origins.NotExist},
		{"a file", "file:///etc/passwd", origins.NotExist},
		{"an old scheme", "gopher://www.example.com/_GET", origins.NotExist},
		{"data", "data:image/png;base64,xx", origins.NotExist},
		{"a scheme that begins alike", "httpsx://www.example.com/a.jpg", origins.NotExist},
		{"a space before", " https://www.example.com/a.jpg", origins.NotExist},
		{"another host", "https://evil.test/a.jpg", origins.Denied},
		{"the allowed host as a user", "https://www.example.com@evil.test/a.jpg", origins.Denied},
		{"the allowed host as user and password", "https://www.example.com:x@evil.test/a.jpg", origins.Denied},
		{"a user on the allowed host", "https://user@www.example.com/a.jpg", origins.Denied},
		{"an empty user", "https://@www.example.com/a.jpg", origins.Denied},
		{"the allowed host as a prefix", "https://www.example.com.evil.test/a.jpg", origins.Denied},
		{"the allowed host as a suffix", "https://evilwww.example.com/a.jpg", origins.Denied},
		{"the parent", "https://example.com/a.jpg", origins.Denied},
		{"a child", "https://a.www.example.com/a.jpg", origins.Denied},
		{"one label below a wildcard", "https://a.cdn.example.com/a.jpg", origins.NotExist}, // asked: see below
		{"two labels below a wildcard", "https://a.b.cdn.example.com/a.jpg", origins.Denied},
		{"the wildcard's parent", "https://cdn.example.com/a.jpg", origins.Denied},
		{"a backslash before another host", `https://www.example.com\.evil.test/a.jpg`, origins.Denied},
		{"a backslash and a user", `https://evil.test\@www.example.com/a.jpg`, origins.Denied},
		{"a hash before the host's end", "https://evil.test#.www.example.com/a.jpg", origins.Denied},
		{"an encoded slash in the host", "https://evil.test%2F.www.example.com/a.jpg", origins.Denied},
		{"an encoded host", "https://%77ww.example.com/a.jpg", origins.Denied},
		{"a NUL in the host", "https://www.example.com\x00.evil.test/a.jpg", origins.Denied},
		{"a line end in the host", "https://www.example.com\r\nHost: evil/a.jpg", origins.Denied},
		{"a tab in the host", "https://www.exam\tple.com/a.jpg", origins.Denied},
		{"a slash that only looks like one", "https://evil.test\uff0f.www.example.com/a.jpg", origins.Denied},
		{"a dot that is wide, before another host", "https://www.example.com\u3002evil.test/a.jpg", origins.Denied},
		{"another port", "https://www.example.com:8443/a.jpg", origins.Denied},
		{"the port of the other scheme", "http://www.example.com:443/a.jpg", origins.Denied},
		{"a port that is none", "https://www.example.com:x/a.jpg", origins.Denied},
		{"a port too large", "https://www.example.com:65979/a.jpg", origins.Denied},
		{"two ports", "https://www.example.com:443:80/a.jpg", origins.Denied},
		{"this machine", "http://127.0.0.1/a.jpg", origins.Denied},
		{"this machine in decimal", "http://2130706433/a.jpg", origins.Denied},
		{"this machine in hex", "http://0x7f.1/a.jpg", origins.Denied},
		{"this machine in octal", "http://0177.0.0.1/a.jpg", origins.Denied},
		{"this machine, IPv6", "http://[::1]/a.jpg", origins.Denied},
		{"this machine, v4-mapped", "http://[::ffff:127.0.0.1]/a.jpg", origins.Denied},
		{"this machine with a zone", "http://[::1%lo]/a.jpg", origins.Denied},
		{"no dot, the metadata service", "http://metadata/computeMetadata/v1/", origins.Denied},
		{"the metadata service", "http://169.254.169.254/latest/meta-data/", origins.Denied},
		{"up from the path", "https://www.example.com/a/../b.jpg", origins.Invalid},
		{"up from the path, encoded", "https://www.example.com/a/%2e%2e/b.jpg", origins.Invalid},
		{"up from the path, with an encoded slash", "https://www.example.com/a%2f..%2fb.jpg", origins.Invalid},
		{"up from the path, with a backslash", `https://www.example.com/a\..\b.jpg`, origins.Invalid},
		{"a NUL in the path", "https://www.example.com/a\x00.jpg", origins.Invalid},
		{"a NUL in the path, encoded", "https://www.example.com/a%00.jpg", origins.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			p := newProxy(t, roundTrip(func(*http.Request) *http.Response {
				asked++
				return response(http.StatusNotFound, "")
			}), "https://www.example.com", "*.cdn.example.com")
			_, err := p.Open(t.Context(), origins.Request{Key: tt.key, Query: "sig=hunter2"})
			if err == nil || origins.KindOf(err) != tt.want {
				t.Errorf("%q: got %v, want %v", tt.key, err, tt.want)
			}
			if want := strings.Count(tt.name, "one label below"); asked != want {
				t.Errorf("%q: asked %d times, want %d", tt.key, asked, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the query: %v", err)
			}
		})
	}
}

func TestHostThatIsNotListedIsDeniedWithARemedy(t *testing.T) {
	p := newProxy(t, nil, "www.example.com")
	_, err := p.Open(t.Context(), origins.Request{Key: "https://images.test/a.jpg?sig=hunter2"})
	e, ok := err.(*origins.Error)
	if !ok || e.Kind != origins.Denied || !strings.Contains(e.Remedy, "add it to the hosts") || !strings.Contains(err.Error(), "https://images.test is not asked") ||
		strings.Contains(err.Error()+e.Remedy, "hunter2") {
		t.Errorf("got %v, want it denied, with the host in the remedy and no query", err)
	}
}

func TestProxyFollowsRedirectsWithinTheListOnly(t *testing.T) {
	for _, tt := range []struct {
		name, to string
		kind     origins.Kind // of the failure, if it isn't followed
		follows  bool
	}{
		{"the same host", "/b.jpg", 0, true},
		{"a listed host", "https://b.cdn.example.com/b.jpg", 0, true},
		{"a listed host, other spelling", "HTTPS://B.cdn.EXAMPLE.com./b.jpg", 0, true},
		{"a listed host as somebody", "https://user:hunter2@b.cdn.example.com/b.jpg", 0, true}, // as nobody
		{"down to http where https is asked for", "http://www.example.com/b.jpg", origins.Denied, false},
		{"another host", "https://evil.test/hunter2", origins.Denied, false},
		{"a host below a listed one", "https://x.www.example.com/b.jpg", origins.Denied, false},
		{"another port", "https://www.example.com:8443/b.jpg", origins.Denied, false},
		{"the listed host as a user", "https://www.example.com@evil.test/b.jpg", origins.Denied, false},
		{"this machine", "http://127.0.0.1/b.jpg", origins.Denied, false},
		{"the metadata service", "http://169.254.169.254/latest/meta-data/", origins.Denied, false},
		{"another host, scheme-relative", "//evil.test/b.jpg", origins.Denied, false},
		{"a file", "file:///etc/passwd", origins.Denied, false},
		{"a host that is none", "https://ex_%C3%BC/b.jpg", origins.Denied, false},
		{"nowhere", "", origins.Unknown, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			p := newProxy(t, roundTrip(func(r *http.Request) *http.Response {
				asked = append(asked, r.URL.String())
				if r.URL.User != nil || r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
					t.Errorf("%s is told %v, %v", r.URL.Host, r.URL.User, r.Header)
				}
				if len(asked) == 1 {
					return response(http.StatusFound, "", "Location", tt.to)
				}
				return response(http.StatusOK, "content")
			}), "https://www.example.com", "*.cdn.example.com")
			obj, err := p.Open(t.Context(), origins.Request{Key: "https://www.example.com/a.jpg"})
			if tt.follows {
				if err != nil || len(asked) != 2 {
					t.Fatalf("got %v after %q", err, asked)
				}
				obj.Body.Close()
				return
			}
			if err == nil || origins.KindOf(err) != tt.kind || len(asked) != 1 || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v after %q, want %v", err, asked, tt.kind)
			}
		})
	}
}

func TestProxyWithoutHostsIsRefused(t *testing.T) {
	for _, hosts := range [][]string{nil, {}} {
		_, err := NewProxy(ProxyConfig{Hosts: hosts})
		if err == nil || !strings.Contains(err.Error(), "hosts is empty") || !strings.Contains(err.Error(), "images.example.com") {
			t.Errorf("got %v", err)
		}
	}
}

func TestProxyIsGuarded(t *testing.T) {
	server := httptest.NewServer(newSite(map[string][]byte{"a.jpg": []byte("content")}))
	defer server.Close()
	address := server.Listener.Addr().String()
	for _, private := range []bool{false, true} {
		p := newProxy(t, abroadFor(t, private), address)
		obj, err := p.Open(t.Context(), origins.Request{Key: "http://" + address + "/media/a.jpg"})
		if private {
			if err != nil {
				t.Fatal(err)
			}
			obj.Body.Close()
			continue
		}
		e, ok := err.(*origins.Error)
		if !ok || e.Kind != origins.Denied || !strings.Contains(e.Remedy, "allow_private") {
			t.Errorf("got %v, want it denied, with allow_private as the remedy", err)
		}
	}
}

func FuzzProxyAsksListedHostsOnly(f *testing.F) {
	for _, key := range []string{
		"https://www.example.com/a.jpg", "https:/www.example.com/a?b#c", "https://www.example.com@evil/", `https://a\b/`, "http://[::1]:80/",
		"https://\uff45xample.com/%2e%2e/x", "https://www.example.com:443@x:1/\xff", "https://www.example.com%00.evil/a",
	} {
		f.Add(key, "q=1")
	}
	f.Fuzz(func(t *testing.T, key, query string) {
		p := newProxy(t, roundTrip(func(r *http.Request) *http.Response {
			again, err := r.URL.Parse(r.URL.String())
			if err != nil || again.Scheme != "https" || again.Host != "www.example.com" || r.Host != again.Host || again.User != nil || again.Fragment != "" {
				t.Errorf("key %q: asked for %s (%v), host %s", key, r.URL, err, r.Host)
			}
			return response(http.StatusNotFound, "")
		}), "https://www.example.com")
		if _, err := p.Open(t.Context(), origins.Request{Key: key, Query: query}); err == nil {
			t.Errorf("key %q: opened", key)
		}
	})
}
