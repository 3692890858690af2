package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// lookout is a web server that remembers what it was asked. Below /base/ it has pictures, beside it secrets.
type lookout struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []*http.Request
	version int           // of its pictures
	hang    chan struct{} // files called slow.png come when it is closed
}

func newLookout(t *testing.T) *lookout {
	l := &lookout{hang: make(chan struct{})}
	small, noise := pngOf(t, 600, 400), noisePNG(t, 1200, 900)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.asked = append(l.asked, r)
		version := l.version
		l.mu.Unlock()
		w.Header().Set("Etag", fmt.Sprintf(`"%d"`, version))
		w.Header().Set("Set-Cookie", "origin=1")
		w.Header().Set("X-Secret", "secret")
		switch {
		case !strings.HasPrefix(path.Clean(r.URL.Path), "/base/"):
			_, _ = io.WriteString(w, "secret")
		case strings.HasSuffix(r.URL.Path, "/noise.png"):
			_, _ = w.Write(noise)
		case strings.HasSuffix(r.URL.Path, "/slow.png"):
			select {
			case <-l.hang:
			case <-r.Context().Done():
			}
			_, _ = w.Write(small)
		case strings.HasSuffix(r.URL.Path, "/a.txt"):
			_, _ = fmt.Fprintf(w, "%d: %s", version, r.Host)
		case strings.HasSuffix(r.URL.Path, "/a.png"):
			if version > 0 {
				_, _ = w.Write(noise)
				return
			}
			_, _ = w.Write(small)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(l.Close)
	t.Cleanup(func() { l.mu.Lock(); defer l.mu.Unlock(); close(l.hang) })
	return l
}

// requests returns what was asked since the last time.
func (l *lookout) requests() []*http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.asked
	l.asked = nil
	return asked
}

// noisePNG returns a picture that doesn't compress.
func noisePNG(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(img.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attackedSite is a site before a lookout. options are of its endpoint.
func attackedSite(t *testing.T, web, options string) (*site, *lookout) {
	t.Helper()
	l := newLookout(t)
	return startSite(t, fmt.Sprintf("origin web web %s/base {\n breaker off\n retries 0\n %s\n}\nengine vips {\n workers 1\n}\nendpoint default {\n origins web\n %s\n}", l.URL, web, options)), l
}

// send sends a request as it is written and returns the answer.
func (s *site) send(t *testing.T, lines ...string) (*http.Response, []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", lines, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp, body
}

func (s *site) host() string { return strings.TrimPrefix(s.url, "http://") }

// attack 1: nothing that a URL says, of the file, of a default image or of an overlay, leads beside the base of the origin.
func TestNoURLLeadsBesideTheOrigin(t *testing.T) {
	s, l := attackedSite(t, "", "query all")
	for _, target := range []string{
		"/%2e%2e/secret", "/..%2fsecret", "/../secret", "/base/../../secret", "/a/..%2f..%2fsecret", "/%2e%2e%2fsecret", "/..%5csecret", "/%5c..%5csecret", "//evil.test/x",
		"/%2f%2fevil.test/x", "/@evil.test/x", "/:80@evil.test/x", "/%40evil.test%2fx", "/a.png%3Fx=1", "/a.png%23x", "/%00a", "/a%00.png", "/%252e%252e/secret",
		"/..;/secret", "/.%2e/secret", "/a.png%0d%0aHost:%20evil.test", "/tr:w-10/%2e%2e/secret", "/ik-seo/..%2fsecret/x.png", "/%c0%ae%c0%ae/secret", "/http://evil.test/a.png",
		"/tr:w-10,di-..@@secret/nope.png", "/tr:w-10,di-@@@@evil.test@@x.png/nope.png", "/tr:w-10,di-..%2f..%2fsecret/nope.png", "/nope.png?tr=w-10,di-@@secret",
		"/nope.png?tr=w-10,di-%2e%2e@@secret", "/nope.png?tr=di-http:@@@@evil.test@@x", "/a.png?tr=l-image,i-..@@secret,l-end", "/a.png?tr=l-image,i-@@@@evil.test@@x,l-end",
		"/a.png?x=%0d%0aHost:%20evil.test", "/a.png?@evil.test", "http://evil.test/secret", "http://evil.test/../secret",
	} {
		resp, body := s.send(t, "GET "+target+" HTTP/1.1", "Host: "+s.host(), "Connection: close")
		if bytes.Contains(body, []byte("secret")) || resp.Header.Get("X-Secret") != "" {
			t.Errorf("%s: %s %v %.100q", target, resp.Status, resp.Header, body)
		}
		for _, r := range l.requests() {
			if !strings.HasPrefix(path.Clean(r.URL.Path), "/base/") || strings.Contains(r.URL.Path, "/../") || r.Host != strings.TrimPrefix(l.URL, "http://") || r.Header.Get("Host") != "" {
				t.Errorf("%s: the origin was asked for %s at %s", target, r.URL, r.Host)
			}
		}
	}
	s.picture("/tr:w-10/a.png")
	if got := len(l.requests()); got != 1 {
		t.Errorf("the test saw %d requests for one picture", got)
	}
}

// attacks 7, 8, 12, 13: origins are told nothing of who asks, clients nothing of what an origin says to one of them, and all
// get the same, by the same key and with the same canonical URL.
func TestAnswersDoNotDependOnWhoAsks(t *testing.T) {
	s, l := attackedSite(t, "canonical https://www.example.com", "")
	var first []byte
	for i, headers := range [][]string{
		{"Cookie: session=1"},
		{"Cookie: session=2", "Authorization: Basic dTpw", "Proxy-Authorization: Basic dTpw"},
		{"X-Forwarded-Host: evil.test", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: https", "Forwarded: host=evil.test", "X-Original-URL: /secret", "X-Rewrite-Url: /secret"},
		{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="},
		{"Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"},
		{"Origin: https://evil.test", "Referer: https://evil.test/", "Accept-Language: de", "User-Agent: x", "Via: 1.1 x", "Cache-Control: no-cache", "Pragma: no-cache"},
	} {
		lines := append([]string{"GET /tr:w-50,f-png/a.png HTTP/1.1", "Host: " + s.host()}, headers...)
		if !slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Connection:") }) {
			lines = append(lines, "Connection: close")
		}
		resp, body := s.send(t, lines...)
		if i == 0 {
			first = body
		}
		if resp.StatusCode != 200 || !bytes.Equal(body, first) || resp.Header.Get("Set-Cookie")+resp.Header.Get("Upgrade")+resp.Header.Get("X-Secret") != "" {
			t.Errorf("%q: got %s, %v", headers, resp.Status, resp.Header)
		}
		if got := resp.Header.Get("Link"); got != `<https://www.example.com/a.png>; rel="canonical"` {
			t.Errorf("%q: Link: %s", headers, got)
		}
		if hit := strings.Contains(resp.Header.Get("Cache-Status"), "imageorigin; hit"); hit != (i > 0) {
			t.Errorf("%q: Cache-Status: %s", headers, resp.Header.Get("Cache-Status"))
		}
		// Files that pass through are asked for each time.
		lines[0] = "GET /a.txt HTTP/1.1"
		if resp, body := s.send(t, lines...); resp.StatusCode != 200 || !strings.HasPrefix(string(body), "0: ") || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%q: got %s %q, %v", headers, resp.Status, body, resp.Header)
		}
	}
	asked := l.requests()
	for _, r := range asked {
		for name := range r.Header {
			if !slices.Contains([]string{"User-Agent", "Accept-Encoding", "X-Req-From", "If-None-Match", "If-Modified-Since", "Range"}, name) {
				t.Errorf("the origin is told %s: %s", name, r.Header.Get(name))
			}
		}
		if agent := r.Header.Get("User-Agent"); agent != "imageorigin" || r.Host != strings.TrimPrefix(l.URL, "http://") {
			t.Errorf("the origin is asked at %s by %s", r.Host, agent)
		}
	}
	if len(asked) < 2 {
		t.Errorf("the test saw %d requests", len(asked))
	}
	for _, line := range []string{"CONNECT evil.test:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "TRACE /a.png HTTP/1.1", "PURGE /a.png HTTP/1.1", "POST /a.png HTTP/1.1"} {
		resp, _ := s.send(t, line, "Host: "+s.host(), "Connection: close")
		if resp.StatusCode < 400 && !strings.HasPrefix(line, "CONNECT") && !strings.HasPrefix(line, "OPTIONS *") {
			t.Errorf("%s: got %s", line, resp.Status)
		}
	}
	if more := l.requests(); len(more) > 0 {
		t.Errorf("the origin was asked for %s %s", more[0].Method, more[0].URL)
	}
}

// attack 13: of however many Accept headers no more is made than there are formats to choose from.
func TestFloodsOfAcceptHeadersMakeFewResults(t *testing.T) {
	s, _ := attackedSite(t, "", "")
	made := 0
	for i := range 300 {
		a := ask(t, s.url+"/tr:w-40/a.png", "Accept", fmt.Sprintf("image/x-%d, image/webp;q=0.%d, image/avif;q=%d, text/%d;level=%d, */*;q=0.%03d", i, i%10, i%2, i, i, i))
		if a.status != 200 || a.header.Get("Vary") != "Accept" {
			t.Fatalf("got %d, Vary %q", a.status, a.header.Get("Vary"))
		}
		if !strings.Contains(a.header.Get("Cache-Status"), "imageorigin; hit") {
			made++
		}
	}
	if made > 4 { // with and without WebP, with and without AVIF
		t.Errorf("%d results were made", made)
	}
}

// attack 14: where clients' hosts are forwarded, what one was answered is never another's.
func TestForwardedHostsAreKeptApart(t *testing.T) {
	l := newLookout(t)
	s := startSite(t, fmt.Sprintf("origin web web %s/base {\n forward_host\n}\nendpoint default {\n origins web\n files disk\n}", l.URL))
	_, port, _ := net.SplitHostPort(s.host())
	for range 3 {
		for _, host := range []string{"127.0.0.1:" + port, "127.0.0.1", "127.0.0.1:80"} {
			resp, body := s.send(t, "GET /a.txt HTTP/1.1", "Host: "+host, "X-Forwarded-Host: evil.test", "Connection: close")
			if resp.StatusCode != 200 || string(body) != "0: "+host {
				t.Errorf("%s: got %s %q", host, resp.Status, body)
			}
		}
	}
}

// attack 17: a part that is asked for of a version that is gone is not taken from another.
func TestPartsAreOfTheVersionThatTheClientHas(t *testing.T) {
	s, l := attackedSite(t, "", "max_age 0s\n stale 0s")
	for _, target := range []string{"/tr:w-100,f-png/a.png", "/a.txt"} {
		old := s.get(target)
		tag := old.header.Get("Etag")
		if old.status != 200 || tag == "" {
			t.Fatalf("%s: %d, Etag %q", target, old.status, tag)
		}
		part := ask(t, s.url+target, "Range", "bytes=1-", "If-Range", tag)
		if part.status != 206 || !bytes.Equal(part.body, old.body[1:]) {
			t.Errorf("%s of the version that is there: %d with %d bytes", target, part.status, len(part.body))
		}
		l.mu.Lock()
		l.version++
		l.mu.Unlock()
		whole := ask(t, s.url+target, "Range", "bytes=1-", "If-Range", tag)
		if whole.status != 200 || bytes.Equal(whole.body, old.body) || whole.header.Get("Etag") == tag || whole.header.Get("Content-Range") != "" {
			t.Errorf("%s of the version that is gone: %d, Etag %s, %d bytes", target, whole.status, whole.header.Get("Etag"), len(whole.body))
		}
		part = ask(t, s.url+target, "Range", "bytes=1-", "If-Range", whole.header.Get("Etag"))
		if part.status != 206 || !bytes.Equal(part.body, whole.body[1:]) {
			t.Errorf("%s of the new version: %d with %d bytes", target, part.status, len(part.body))
		}
	}
}

// attacks 29, 30: on what is made and on what passes through, HEAD says what GET would, and ranges never cost more than the file.
func TestHEADAndRangesOfEverything(t *testing.T) {
	s, _ := attackedSite(t, "", "")
	for _, target := range []string{
		"/tr:w-50/a.png", "/a.png", "/tr:orig-true/a.png", "/a.txt", "/a.txt?ik-attachment=true", "/nope.png", "/tr:w-0/a.png", "/tr:hh-1/a.png", "/%2e%2e/a.png", "/tr:w-10/a.txt",
	} {
		s.get(target)
		get := s.get(target)
		resp, err := http.Head(s.url + target)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for _, name := range []string{"Date", "Age", "Server-Timing", "Cache-Status"} { // about the moment
			get.header.Del(name)
			resp.Header.Del(name)
		}
		if resp.StatusCode != get.status || !maps.EqualFunc(resp.Header, get.header, slices.Equal) {
			t.Errorf("%s:\nHEAD %d %v\nGET  %d %v", target, resp.StatusCode, resp.Header, get.status, get.header)
		}
	}
	for _, target := range []string{"/tr:w-50,f-png/a.png", "/a.txt", "/tr:orig-true/a.png"} {
		whole := s.get(target).body
		for value, want := range map[string]int{
			"bytes=" + strings.TrimSuffix(strings.Repeat("0-0,", 1000), ","): 200,
			"bytes=0-,0-,0-,0-,0-":                   200,
			"bytes=0-0,2-2,1-1":                      206,
			"bytes=-0":                               416,
			fmt.Sprintf("bytes=%d-", len(whole)):     416,
			"bytes=-99999999":                        206,
			fmt.Sprintf("bytes=%d-", len(whole)-1):   206,
			"bytes=9223372036854775807-":             416,
			"bytes=9223372036854775808-":             200,
			"bytes=0-0,-0":                           206,
			fmt.Sprintf("bytes=0-1,%d-", len(whole)): 206,
		} {
			a := ask(t, s.url+target, "Range", value)
			if a.status != want || len(a.body) > len(whole)+1000 {
				t.Errorf("%s %.40s: got %d with %d bytes of %d, want %d", target, value, a.status, len(a.body), len(whole), want)
			}
			if want == 200 && !bytes.Equal(a.body, whole) {
				t.Errorf("%s %.40s: got %d bytes, want the whole", target, value, len(a.body))
			}
		}
	}
}

// attacks 31, 32: while an origin hangs, while clients read nothing, and while hundreds leave, with one slot for all pictures,
// others get theirs.
func TestSlowAndLeavingClientsHoldUpNobody(t *testing.T) {
	s, _ := attackedSite(t, "", "max_age 1h")
	quick := func(when string, width int) {
		t.Helper()
		start := time.Now()
		if got, _ := s.picture(fmt.Sprintf("/tr:w-%d,f-jpg/a.png", width)); got != width {
			t.Errorf("%s: got a width of %d", when, got)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: a small picture took %v", when, took)
		}
	}
	quick("before", 100)
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	begin := func(target string) net.Conn {
		conn, err := net.Dial("tcp", s.host())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, s.host())
		return conn
	}
	for i := range 40 {
		open = append(open, begin(fmt.Sprintf("/tr:w-%d/x%d/slow.png", 10+i, i)))
	}
	time.Sleep(200 * time.Millisecond)
	quick("while an origin hangs", 101)
	size := len(s.get("/tr:w-1100,f-png/noise.png").body)
	if size < 2<<20 {
		t.Fatalf("the picture that nobody reads has %d bytes, which fit into buffers", size)
	}
	for range 40 {
		open = append(open, begin("/tr:w-1100,f-png/noise.png"))
	}
	time.Sleep(200 * time.Millisecond)
	quick("while nobody reads", 102)
	var leaving sync.WaitGroup
	for i := range 300 {
		conn := begin(fmt.Sprintf("/tr:w-%d/a.png", 200+i))
		leaving.Go(func() {
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			conn.Close()
		})
	}
	leaving.Wait()
	quick("while hundreds leave", 103)
	for _, message := range []string{"panic", "http: panic serving"} {
		if strings.Contains(s.log.String(), message) {
			t.Errorf("the log has a %s", message)
		}
	}
}
