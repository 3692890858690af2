package caddymodule

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/delivery"
)

// filed is content in a file, behind a head of so many bytes.
type filed struct {
	*io.SectionReader
	file *os.File
	head int64
	told *int // how often the file was asked for
}

func (f filed) File() (*os.File, error) {
	*f.told++
	at, err := f.SectionReader.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	_, err = f.file.Seek(f.head+at, io.SeekStart)
	return f.file, err
}

func (f filed) Close() error { return f.file.Close() }

// wrapped is content in what delivery puts around it.
type wrapped struct{ io.ReadSeekCloser }

func (w wrapped) Unwrap() io.ReadSeekCloser { return w.ReadSeekCloser }

const headOfFile = 100

// fileOf writes body to a file, behind a head and before a tail, and returns what opens it.
func fileOf(t *testing.T, body []byte, tail int) func() filed {
	t.Helper()
	name := filepath.Join(t.TempDir(), "entry")
	whole := slices.Concat(make([]byte, headOfFile), body, make([]byte, tail))
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return func() filed {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
		}
		return filed{io.NewSectionReader(f, headOfFile, int64(len(body))), f, headOfFile, new(int)}
	}
}

// watchedConn counts the bytes that come to a connection as a file, which the kernel then sends.
type watchedConn struct {
	*net.TCPConn
	sent *atomic.Int64
}

func (c watchedConn) ReadFrom(r io.Reader) (int64, error) {
	from := r
	if limited, ok := r.(*io.LimitedReader); ok { // the kernel can be told where to stop, but by one such reader only
		from = limited.R
	}
	_, file := from.(syscall.Conn)
	n, err := c.TCPConn.ReadFrom(r)
	if file {
		c.sent.Add(n)
	}
	return n, err
}

type watchedListener struct {
	net.Listener
	sent *atomic.Int64
}

func (l watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return watchedConn{c.(*net.TCPConn), l.sent}, nil
}

// sendingServer starts a server whose handler sends what open returns through the writers that Caddy puts around net/http's.
// asFile waits until a request has been answered, and returns how many bytes of it came to the connection as a file.
func sendingServer(t *testing.T, size int, open func() io.ReadSeekCloser, start func(*httptest.Server)) (url string, client *http.Client, asFile func() int64) {
	t.Helper()
	sent, answered := new(atomic.Int64), make(chan struct{}, 8)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { answered <- struct{}{} }()
		resp := &delivery.Response{Content: open(), Size: int64(size), Modified: time.Unix(1e9, 0)}
		defer resp.Close()
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Etag", `"tag"`)
		var out http.ResponseWriter = &caddyhttp.IdleTimeoutWriter{
			ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, Ctrl: http.NewResponseController(w),
			Deadline: caddyhttp.IdleDeadline{Start: time.Now(), Timeout: time.Minute}, Logger: zap.NewNop(),
		}
		out = caddyhttp.NewResponseRecorder(out, nil, nil)
		x := &exchange{Handler: &Handler{logger: zap.NewNop()}, w: out, r: r}
		if err := x.send(resp); err != nil {
			t.Error(err)
		}
	}))
	s.Listener = watchedListener{s.Listener, sent}
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	start(s)
	t.Cleanup(s.Close)
	return s.URL, s.Client(), func() int64 {
		<-answered
		return sent.Swap(0)
	}
}

func fetch(t *testing.T, client *http.Client, method, url string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func TestBodiesComeWholeHoweverTheyAreSent(t *testing.T) {
	body := make([]byte, 200_000)
	_, _ = rand.Read(body)
	onDisk, withTail := fileOf(t, body, 0), fileOf(t, body, 5000)
	for _, content := range []struct {
		name string
		open func() io.ReadSeekCloser
		file bool // the kernel may send it
	}{
		{"from memory", func() io.ReadSeekCloser { return caches.Bytes(body) }, false},
		{"from a file", func() io.ReadSeekCloser { return onDisk() }, true},
		{"from a file in a wrapper", func() io.ReadSeekCloser { return wrapped{onDisk()} }, true},
		{"from a file that goes on behind it", func() io.ReadSeekCloser { return withTail() }, false},
		{"from anything else", func() io.ReadSeekCloser { return content{bytes.NewReader(body)} }, false},
	} {
		for _, server := range []struct {
			name  string
			start func(*httptest.Server)
			plain bool
		}{
			{"HTTP/1.1", (*httptest.Server).Start, true},
			{"TLS", func(s *httptest.Server) { s.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}; s.StartTLS() }, false},
			{"HTTP/2", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }, false},
		} {
			t.Run(content.name+" over "+server.name, func(t *testing.T) {
				url, client, asFile := sendingServer(t, len(body), content.open, server.start)
				for _, tt := range []struct {
					name, method string
					headers      []string
					status       int
					want         []byte
					kernel       bool
				}{
					{"whole", "GET", nil, 200, body, true},
					{"nothing but the head", "HEAD", nil, 200, nil, false},
					{"known", "GET", []string{"If-None-Match", `"tag"`}, 304, nil, false},
					{"a part", "GET", []string{"Range", "bytes=1000-99999"}, 206, body[1000:100000], false},
					{"the end", "GET", []string{"Range", "bytes=1000-"}, 206, body[1000:], true},
					{"the last byte", "GET", []string{"Range", "bytes=-1"}, 206, body[len(body)-1:], false},
					{"whole, if it is another one", "GET", []string{"Range", "bytes=0-9", "If-Range", `"other"`}, 200, body, true},
				} {
					resp, got, err := fetch(t, client, tt.method, url, tt.headers...)
					if err != nil {
						t.Fatalf("%s: %v", tt.name, err)
					}
					if resp.StatusCode != tt.status || !bytes.Equal(got, tt.want) {
						t.Errorf("%s: got %s with %d bytes, want %d with %d", tt.name, resp.Status, len(got), tt.status, len(tt.want))
					}
					want := int64(0)
					if tt.kernel && content.file && server.plain {
						want = int64(len(tt.want)) - 512 // net/http copies the first bytes itself
					}
					if got := asFile(); got != want {
						t.Errorf("%s: %d bytes came to the connection as a file, want %d", tt.name, got, want)
					}
				}
			})
		}
	}
}

func TestSeveralRangesOfAFileAreThoseOfTheBody(t *testing.T) {
	body := []byte("0123456789abcdefghij")
	open := fileOf(t, body, 0)
	url, client, _ := sendingServer(t, len(body), func() io.ReadSeekCloser { return open() }, (*httptest.Server).Start)
	resp, got, err := fetch(t, client, "GET", url, "Range", "bytes=2-4,-3")
	if err != nil || resp.StatusCode != 206 || !bytes.Contains(got, []byte("\r\n234\r\n")) || !bytes.Contains(got, []byte("\r\nhij\r\n")) {
		t.Errorf("got %v, %q, %v", resp, got, err)
	}
}

func TestConditionsAndHEADReadNothing(t *testing.T) {
	body := []byte("0123456789")
	open := fileOf(t, body, 0)
	for _, tt := range []struct {
		name, method string
		headers      []string
		status       int
	}{
		{"HEAD", "HEAD", nil, 200},
		{"known by its tag", "GET", []string{"If-None-Match", `"other", "tag"`}, 304},
		{"known by a weak tag", "GET", []string{"If-None-Match", `W/"tag"`}, 304},
		{"known by its date", "GET", []string{"If-Modified-Since", "Thu, 02 Jan 2020 03:04:05 GMT"}, 304},
		{"the tag outranks the date", "GET", []string{"If-None-Match", `"other"`, "If-Modified-Since", "Thu, 02 Jan 2020 03:04:05 GMT"}, 200},
		{"not what is wanted", "GET", []string{"If-Match", `"other"`}, 412},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := open()
			resp := remembers(aHit)
			resp.Content = failingFile{f}
			if tt.status == 200 && tt.method == "GET" {
				resp.Content = f
			}
			r := httptest.NewRequest(tt.method, "/a.jpg", nil)
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			w, err := ask(t, &Endpoint{CDNCacheControl: "max-age=60"}, false, always(resp), r)
			if err != nil || w.Code != tt.status {
				t.Fatalf("got %d, %v; want %d", w.Code, err, tt.status)
			}
			if read := *f.told > 0; read != (tt.status == 200 && tt.method == "GET") {
				t.Errorf("the file was asked for: %v", read)
			}
			said := w.Header()
			if tt.status >= 400 {
				if said.Get("CDN-Cache-Control") != "" || said.Get("Cache-Control") != "no-store" {
					t.Errorf("a failure may be kept: %v", said)
				}
				return
			}
			for name, want := range map[string]string{
				"Etag": `"tag"`, "Vary": "Accept", "Cache-Control": defaultCacheControl, "Cache-Status": "imageorigin; hit; ttl=3600", "CDN-Cache-Control": "max-age=60",
			} {
				if got := said.Values(name); len(got) == 0 || got[len(got)-1] != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// failingFile is content that must not be read.
type failingFile struct{ filed }

func (failingFile) Read([]byte) (int, error) { return 0, errors.New("read although nobody needs it") }

func TestAFileThatIsCutShortBreaksTheConnection(t *testing.T) {
	body := make([]byte, 100_000)
	for _, server := range []struct {
		name  string
		start func(*httptest.Server)
	}{
		{"HTTP/1.1", (*httptest.Server).Start},
		{"HTTP/2", func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }},
	} {
		t.Run(server.name, func(t *testing.T) {
			open := fileOf(t, body, 0)
			url, client, _ := sendingServer(t, len(body), func() io.ReadSeekCloser {
				f := open()
				if err := os.Truncate(f.file.Name(), headOfFile+50_000); err != nil {
					t.Error(err)
				}
				return f
			}, server.start)
			if _, got, err := fetch(t, client, "GET", url); err == nil {
				t.Errorf("%d bytes came as if they were whole", len(got))
			}
		})
	}
}
