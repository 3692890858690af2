package web

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestWebConformsBehindRedirectsToAnotherHost(t *testing.T) {
	var s *site
	originstest.Run(t, originstest.Config{
		New: func(t *testing.T, files map[string][]byte) origins.Origin {
			s = newSite(files)
			other := httptest.NewServer(s)
			t.Cleanup(other.Close)
			first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", other.URL+"/media/"+strings.TrimPrefix(r.URL.EscapedPath(), "/images/"))
				w.WriteHeader(http.StatusFound)
			}))
			t.Cleanup(first.Close)
			return newOrigin(t, Config{
				BaseURL: first.URL + "/images", Transport: transportFor(t, first), Abroad: abroadFor(t, true),
				Redirects: Redirects{Hosts: []string{other.Listener.Addr().String()}},
			})
		},
		Replace: func(_ *testing.T, key string, content []byte) { s.put(key, content) },
	})
}

func TestRedirectsToOtherHostsAreGuarded(t *testing.T) {
	other := httptest.NewServer(newSite(map[string][]byte{"a.jpg": []byte("content")}))
	defer other.Close()
	for _, tt := range []struct {
		name    string
		to      string
		private bool
		abroad  bool // there is a transport for other hosts
		remedy  string
		want    origins.Kind
		ok      bool
	}{
		{name: "to a private address", to: other.URL + "/media/a.jpg", abroad: true, want: origins.Denied, remedy: "allow_private"},
		{name: "to a private address, allowed", to: other.URL + "/media/a.jpg", abroad: true, private: true, ok: true},
		{name: "to a metadata service", to: "http://169.254.169.254/latest/meta-data/", abroad: true, want: origins.Denied, remedy: "whatever is allowed"},
		{name: "to a metadata service, private allowed", to: "http://169.254.169.254/latest/meta-data/", abroad: true, private: true, want: origins.Denied, remedy: "whatever is allowed"},
		{name: "to a metadata service, embedded", to: "http://[::ffff:a9fe:a9fe]/", abroad: true, private: true, want: origins.Denied, remedy: "whatever is allowed"},
		{name: "without a transport", to: other.URL + "/media/a.jpg", want: origins.Denied, remedy: "follow_redirects"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The base is on the same machine: the operator's word is enough for that.
			base := httptest.NewServer(http.RedirectHandler(tt.to, http.StatusFound))
			defer base.Close()
			c := Config{BaseURL: base.URL, Transport: transportFor(t, base), Redirects: Redirects{Any: true}}
			if tt.abroad {
				c.Abroad = abroadFor(t, tt.private)
			}
			obj, err := newOrigin(t, c).Open(t.Context(), origins.Request{Key: "a.jpg"})
			if tt.ok {
				if err != nil {
					t.Fatal(err)
				}
				obj.Body.Close()
				return
			}
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != tt.want || e.Transient || !strings.Contains(e.Remedy, tt.remedy) {
				t.Errorf("got %v, want %v with %q as the remedy", err, tt.want, tt.remedy)
			}
		})
	}
}

func TestServerThatWasChosenByOthersIsNoDeadOrigin(t *testing.T) {
	late := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	for _, tt := range []struct {
		name   string
		at     string // where the connection can't be opened
		inside bool   // the dial is in the chain, by which a breaker knows a dead origin
	}{{"the server of the base", "example.com", true}, {"another one", "cdn.test", false}} {
		carry := func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == tt.at {
				return nil, late
			}
			return response(http.StatusFound, "", "Location", "https://cdn.test/a.jpg"), nil
		}
		o := newOrigin(t, Config{BaseURL: "https://example.com", Transport: carrierFunc(carry), Abroad: carrierFunc(carry), Redirects: Redirects{Any: true}})
		_, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
		_, inside := errors.AsType[*net.OpError](err)
		if origins.KindOf(err) != origins.Timeout || inside != tt.inside || !strings.Contains(err.Error(), "dial tcp") {
			t.Errorf("%s: got %v, with the dial in the chain: %v", tt.name, err, inside)
		}
	}
}

// carrierFunc is a transport that is a function.
type carrierFunc func(*http.Request) (*http.Response, error)

func (f carrierFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRemediesFitTheServer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		after  []string // headers
		moved  bool     // another server answers
		remedy string
		hidden bool
		wait   time.Duration
		again  bool
	}{
		{name: "no credentials", status: 401, remedy: "with auth or header"},
		{name: "no credentials, elsewhere", status: 401, moved: true, remedy: "none are sent to where keys and redirects lead"},
		{name: "forbidden", status: 403, remedy: "missing_on_denied", hidden: true},
		{name: "forbidden, elsewhere", status: 403, moved: true, remedy: "missing_on_denied", hidden: true},
		{name: "missing", status: 404},
		{name: "too many requests", status: 429, remedy: "overloaded", after: []string{"Retry-After", "7"}, wait: 7 * time.Second, again: true},
		{name: "overloaded", status: 503, remedy: "overloaded", again: true},
		{name: "not implemented", status: 501, remedy: "log of the server"},
	} {
		answer := func(r *http.Request) *http.Response {
			if tt.moved && r.URL.Host == "example.com" {
				return response(http.StatusFound, "", "Location", "https://cdn.test/a.jpg")
			}
			return response(tt.status, "", tt.after...)
		}
		o := newOrigin(t, Config{BaseURL: "https://example.com", Transport: roundTrip(answer), Abroad: roundTrip(answer), Redirects: Redirects{Any: true}})
		_, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
		e, ok := err.(*origins.Error)
		if !ok || !strings.Contains(e.Remedy, tt.remedy) || (tt.remedy == "") != (e.Remedy == "") || e.Hidden != tt.hidden || e.After != tt.wait || e.Transient != tt.again {
			t.Errorf("%s: got %+v", tt.name, err)
		}
	}
}

func TestRotatedSecretsWorkAtTheNextRequest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Write([]byte(user + ":" + password + " " + r.Header.Get("X-Token")))
	}))
	defer server.Close()
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("password", "first\n")
	write("token", "one\n")
	m := &Module{
		BaseURL: server.URL,
		Header:  map[string]string{"X-Token": "t-{file." + dir + "/token}"},
		Auth:    &AuthConfig{Scheme: "basic", User: "me", Password: "{file." + dir + "/password}"},
	}
	if err := provision(t, m); err != nil {
		t.Fatal(err)
	}
	defer m.Cleanup()
	expect := func(want string) {
		t.Helper()
		if got := content(t, m, "a.jpg"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect("me:first t-one")
	write("password", "another one\n")
	expect("me:another one t-one")
	if err := os.Remove(filepath.Join(dir, "token")); err != nil {
		t.Fatal(err)
	}
	expect("me:another one t-one")
	write("token", "the second\n")
	expect("me:another one t-the second")
	write("token", "bro\nken\n")
	_, err := m.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if e, ok := err.(*origins.Error); !ok || e.Kind != origins.Denied || e.Remedy == "" || strings.Contains(err.Error(), "bro") {
		t.Errorf("a value that no header can carry: got %v", err)
	}
}
