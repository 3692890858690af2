package stores_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

// webGet asks for a path as it stands and returns the answer and its body.
func webGet(t *testing.T, target string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	c := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestNginxAnswersTheFilesOfTheFolder(t *testing.T) {
	n := stores.Nginx(t, t.TempDir())
	n.Put("a.jpg", []byte("picture"), "", "")
	n.Put("typed", []byte("picture"), "image/x-invented", "max-age=60")
	n.Put("folder/b.png", []byte("other"), "", "no-cache")
	for _, tt := range []struct {
		path, status, contentType, cacheControl string
	}{
		{"/a.jpg", "200 OK", "image/jpeg", ""},
		{"/typed", "200 OK", "image/x-invented", "max-age=60"},
		{"/folder/b.png", "200 OK", "image/png", "no-cache"},
		{"/missing.jpg", "404 Not Found", "text/html", ""},
		{"/folder", "404 Not Found", "text/html", ""},
		{"/folder/", "404 Not Found", "text/html", ""},
	} {
		resp, _ := webGet(t, n.URL+tt.path, http.Header{"X-Req-From": {"imagekit"}})
		got := []string{resp.Status, resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control")}
		if want := []string{tt.status, tt.contentType, tt.cacheControl}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.path, got, want)
		}
	}
	for _, key := range awkward {
		n.Put(key, []byte(key), "", "")
		if _, body := webGet(t, n.URL+(&url.URL{Path: "/" + key}).EscapedPath(), nil); body != key {
			t.Errorf("%q: got %q", key, body)
		}
	}
	log := n.Requests(6 + len(awkward))
	if log[0] != "GET /a.jpg 200 7 imagekit -" || !strings.HasPrefix(log[3], "GET /missing.jpg 404 ") || len(log) != 6+len(awkward) {
		t.Errorf("logged\n%s", strings.Join(log, "\n"))
	}
	n.Delete("a.jpg")
	if resp, _ := webGet(t, n.URL+"/a.jpg", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("after it was removed: got %s", resp.Status)
	}
}

func TestNginxTellsVersionsApart(t *testing.T) {
	n := stores.Nginx(t, t.TempDir())
	n.Put("a.jpg", []byte("one"), "", "")
	first, _ := webGet(t, n.URL+"/a.jpg", nil)
	again, _ := webGet(t, n.URL+"/a.jpg", http.Header{"If-None-Match": first.Header["Etag"], "Range": {"bytes=0-0"}})
	n.Put("a.jpg", []byte("two"), "", "")
	second, body := webGet(t, n.URL+"/a.jpg", http.Header{"If-None-Match": first.Header["Etag"]})
	if again.StatusCode != http.StatusNotModified || second.StatusCode != http.StatusOK || body != "two" {
		t.Errorf("got %s, then %s and %q", again.Status, second.Status, body)
	}
	if log := n.Requests(3); log[1] != "GET /a.jpg 304 0 - bytes=0-0" {
		t.Errorf("logged %q", log)
	}
}

func TestNginxCompressesWhenAskedTo(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []stores.NginxOption
		want    string
	}{{"with gzip", []stores.NginxOption{stores.Gzip()}, "gzip"}, {"without", nil, ""}} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/a.svg", []byte(strings.Repeat("<svg/>", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		n := stores.Nginx(t, dir, tt.options...)
		resp, _ := webGet(t, n.URL+"/a.svg", http.Header{"Accept-Encoding": {"gzip"}})
		if got := resp.Header.Get("Content-Encoding"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
