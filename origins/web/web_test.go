package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// site is a web server with files below /media.
type site struct {
	mu    sync.Mutex
	files map[string][]byte
	times map[string]time.Time
}

func newSite(files map[string][]byte) *site {
	return &site{files: files, times: map[string]time.Time{}}
}

func (s *site) put(key string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[key] = content
	s.times[key] = s.modified(key).Add(time.Second)
}

func (s *site) modified(key string) time.Time {
	if t, ok := s.times[key]; ok {
		return t
	}
	return time.Unix(1.7e9, 0)
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, ok := strings.CutPrefix(r.URL.Path, "/media/")
	s.mu.Lock()
	content, exists := s.files[key]
	modified := s.modified(key)
	s.mu.Unlock()
	if !ok || !exists {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
	http.ServeContent(w, r, key, modified, bytes.NewReader(content))
}

// transportFor returns a transport that trusts server.
func transportFor(t *testing.T, server *httptest.Server) *http.Transport {
	t.Helper()
	var c remote.TransportConfig
	if cert := server.Certificate(); cert != nil {
		c.RootCAs = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	}
	transport, err := remote.NewTransport(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// originAt returns an origin for the server at url.
func originAt(t *testing.T, server *httptest.Server, path string) *Origin {
	t.Helper()
	return newOrigin(t, Config{BaseURL: server.URL + path, Transport: transportFor(t, server)})
}

func newOrigin(t *testing.T, c Config) *Origin {
	t.Helper()
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWebConforms(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config originstest.Config // what is lacking
		start  func(h http.Handler) *httptest.Server
		front  func(h http.Handler) http.Handler
	}{
		{"over http/1.1", originstest.Config{}, httptest.NewServer, plain},
		{"over http/2", originstest.Config{}, startHTTP2, plain},
		{"behind redirects", originstest.Config{}, httptest.NewServer, redirecting},
		{"without ranges", originstest.Config{NoRanges: true}, httptest.NewServer, withoutRanges},
		{"compressed against our wish", originstest.Config{NoRanges: true, NoSize: true}, httptest.NewServer, gzipped},
		{"in chunks", originstest.Config{NoSize: true}, httptest.NewServer, chunked},
		{"with weak ETags", originstest.Config{}, httptest.NewServer, weakened},
		{"without conditions", originstest.Config{}, httptest.NewServer, unconditional},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *site
			c := tt.config
			c.New = func(t *testing.T, files map[string][]byte) origins.Origin {
				s = newSite(files)
				server := tt.start(tt.front(s))
				t.Cleanup(server.Close)
				return originAt(t, server, "/media")
			}
			c.Replace = func(_ *testing.T, key string, content []byte) { s.put(key, content) }
			originstest.Run(t, c)
		})
	}
}

func plain(h http.Handler) http.Handler { return h }

func startHTTP2(h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http.Error(w, "http/2 only", http.StatusHTTPVersionNotSupported)
			return
		}
		h.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	return server
}

// redirecting moves everything below /media/ to below /moved/, in two steps.
func redirecting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		switch {
		case strings.HasPrefix(path, "/media/"):
			w.Header().Set("Location", "/step/"+strings.TrimPrefix(path, "/media/"))
			w.WriteHeader(http.StatusMovedPermanently)
		case strings.HasPrefix(path, "/step/"):
			w.Header().Set("Location", "http://"+r.Host+"/moved/"+strings.TrimPrefix(path, "/step/"))
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			r.URL.Path = "/media/" + strings.TrimPrefix(r.URL.Path, "/moved/")
			h.ServeHTTP(w, r)
		}
	})
}

func withoutRanges(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Range")
		h.ServeHTTP(w, r)
	})
}

// gzipped compresses, whatever the client accepts, and cuts ranges out of what came out, as some servers do.
func gzipped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		part := r.Header.Get("Range")
		r.Header.Del("Range")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		if answer.Code != http.StatusOK {
			w.WriteHeader(answer.Code)
			return
		}
		body := compress(answer.Body.Bytes(), gzip.NoCompression) // the form is what matters here
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
		if part != "" {
			r.Header.Set("Range", part)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
			return
		}
		w.Write(body)
	})
}

func compress(content []byte, level int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	z.Write(content)
	z.Close()
	return b.Bytes()
}

// chunked leaves out the length.
func chunked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(flushing{w}, r)
	})
}

type flushing struct{ http.ResponseWriter }

func (f flushing) WriteHeader(status int) {
	if status != http.StatusNotModified {
		f.Header().Del("Content-Length")
	}
	f.ResponseWriter.WriteHeader(status)
	f.ResponseWriter.(http.Flusher).Flush()
}

func TestBaseURLsThatCannotWorkAreRefused(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"", "base_url is empty"},
		{"www.example.com", "no scheme; write http:// or https:// before it"},
		{"www.example.com/a://b", "no scheme"},
		{"/media", "no scheme"},
		{"www.example.com:8080", "no scheme"},
		{"localhost:8080/media", "no scheme"},
		{"127.0.0.1:8080", "no scheme"},
		{"[::1]:8080", "no scheme"},
		{"user:hunter2@example.com", "no scheme"},
		{"://example.com", "not a URL"},
		{"ftp://example.com", `scheme "ftp"`},
		{"https://", "no host"},
		{"https:///media", "no host"},
		{"https:example.com", "not a URL"},
		{"https://user@example.com", "use auth basic"},
		{"https://user:hunter2@example.com", "use auth basic"},
		{"https://user:hunter2@exa mple.com:x", "not a URL"},
		{"https://example.com/?sig=hunter2", "has a query"},
		{"https://example.com/?", "has a query"},
		{"https://example.com/#hunter2", "fragment"},
		{"https://example.com/a/../b", "dot segment"},
		{"https://example.com/%2e%2e/b", "dot segment"},
	} {
		_, err := New(Config{BaseURL: tt.url})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v, want %q in it and no secret", tt.url, err, tt.want)
		}
	}
}

func TestConfigurationsThatContradictThemselvesAreRefused(t *testing.T) {
	const base = "https://example.com"
	for _, tt := range []struct {
		name   string
		config Config
		want   string
	}{
		{"two hosts", Config{BaseURL: base, ForwardHost: true, Header: map[string]string{"host": "x"}}, "contradict"},
		{"two credentials", Config{BaseURL: base, Auth: Auth{Token: "hunter2"}, Header: map[string]string{"authorization": "hunter2"}}, "same thing"},
		{"a header of each request", Config{BaseURL: base, Header: map[string]string{"range": "bytes=0-"}}, "remove it"},
		{"a bad name", Config{BaseURL: base, Header: map[string]string{"X Y": "1"}}, "not a name"},
		{"a bad value", Config{BaseURL: base, Header: map[string]string{"X-Y": "hunter2\r\nZ: 1"}}, "no header can carry"},
		{"a bad token", Config{BaseURL: base, Auth: Auth{Token: "hunter2\n"}}, "no header can carry"},
		{"a bad host", Config{BaseURL: base, Header: map[string]string{"Host": "a b"}}, "not a host name"},
		{"one header twice", Config{BaseURL: base, Header: map[string]string{"X-Y": "1", "x-y": "2"}}, "set twice"},
		{"a wildcard", Config{BaseURL: base, Redirects: Redirects{Hosts: []string{"*.example.com"}}}, "not a host"},
		{"a URL for a host", Config{BaseURL: base, Redirects: Redirects{Hosts: []string{"https://x.example.com"}}}, "not a host"},
		{"a path for a host", Config{BaseURL: base, Redirects: Redirects{Hosts: []string{"x.example.com/a"}}}, "not a host"},
		{"a user for a host", Config{BaseURL: base, Redirects: Redirects{Hosts: []string{"u@x.example.com"}}}, "not a host"},
		{"any among hosts", Config{BaseURL: base, Redirects: Redirects{Hosts: []string{"any", "x"}}}, "stands alone"},
	} {
		_, err := New(tt.config)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q in it and no secret", tt.name, err, tt.want)
		}
	}
}
