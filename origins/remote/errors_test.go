package remote

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// listen starts a server of one's own that does as serve says with each connection. It returns its address.
func listen(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c.(*net.TCPConn))
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func TestBrokenRequestsHaveAKindAndARemedy(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	gone := listen(t, func(*net.TCPConn) {})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	reset := listen(t, func(c *net.TCPConn) {
		http.ReadRequest(bufio.NewReader(c))
		c.SetLinger(0)
	})
	for _, tt := range []struct {
		name      string
		url       string
		config    TransportConfig
		want      origins.Kind
		remedy    string
		transient bool
	}{
		{"nobody listens", "http://" + closed.Addr().String(), TransportConfig{}, origins.Unreachable, "nothing listens at this address", false},
		{"hangs up", "http://" + gone, TransportConfig{}, origins.Unreachable, "", true},
		{"resets", "http://" + reset, TransportConfig{}, origins.Unreachable, "", true},
		{"says nothing in the handshake", "https://" + silent.Addr().String(), TransportConfig{ConnectTimeout: 50 * time.Millisecond}, origins.Timeout, "", true},
		{"an unknown authority", secure.URL, TransportConfig{}, origins.Unreachable, "tls_ca", false},
		{"a certificate for another name", secure.URL, TransportConfig{RootCAs: authority, ServerName: "example.org"}, origins.Unreachable, "tls_server_name", false},
		{"no TLS at this port", strings.Replace(plain.URL, "http://", "https://", 1), TransportConfig{}, origins.Unreachable, "write http:// instead of https://", false},
		{"a refused address", plain.URL, TransportConfig{Reach: Reach{Guarded: true}}, origins.Denied, "allow_private", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport, err := NewTransport(tt.config)
			if err != nil {
				t.Fatal(err)
			}
			defer transport.CloseIdleConnections()
			for name, carry := range map[string]func(*http.Request) (*http.Response, error){
				"transport": transport.RoundTrip, "client": NewHTTPClient(transport).Do,
			} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url+"/a.jpg?signature=hunter2", nil)
				if err != nil {
					t.Fatal(err)
				}
				res, err := carry(r)
				if err == nil {
					res.Body.Close()
					t.Fatalf("%s: answered %d", name, res.StatusCode)
				}
				e := Broken(t.Context(), "a.jpg", err)
				if e.Kind != tt.want || e.Transient != tt.transient || !strings.Contains(e.Remedy, tt.remedy) || (tt.remedy == "") != (e.Remedy == "") {
					t.Errorf("%s: got %v, transient %v, remedy %q", name, e, e.Transient, e.Remedy)
				}
				if strings.Contains(e.Error(), "hunter2") {
					t.Errorf("%s: the error tells the query: %v", name, e)
				}
			}
		})
	}
}

func TestBrokenLookUpsHaveARemedy(t *testing.T) {
	for _, tt := range []struct {
		name      string
		err       error
		want      origins.Kind
		remedy    string
		transient bool
	}{
		{"no such name", &net.DNSError{Err: "no such host", Name: "x.test", IsNotFound: true}, origins.Unreachable, "correct the host name", false},
		{"the name server fails", &net.DNSError{Err: "server misbehaving", Name: "x.test", IsTemporary: true}, origins.Unreachable, "name server of this machine", true},
		{"the name server is silent", &net.DNSError{Err: "i/o timeout", Name: "x.test", IsTimeout: true, IsTemporary: true}, origins.Timeout, "name server of this machine", false},
		{"no way there", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}, origins.Unreachable, "open the way", false},
		{"a firewall that drops", &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, origins.Timeout, "open the way", false},
	} {
		for _, err := range []error{tt.err, &url.Error{Op: "Get", URL: "https://x.test/?signature=hunter2", Err: &net.OpError{Op: "dial", Net: "tcp", Err: tt.err}}} {
			if _, dial := errors.AsType[*net.OpError](tt.err); dial && err != tt.err {
				continue // wrapped already
			}
			e := Broken(t.Context(), "a.jpg", err)
			if e.Kind != tt.want || e.Transient != tt.transient || !strings.Contains(e.Remedy, tt.remedy) || strings.Contains(e.Error(), "hunter2") {
				t.Errorf("%s: got %v, transient %v, remedy %q", tt.name, e, e.Transient, e.Remedy)
			}
		}
	}
}

func TestEndOfTheContextOutranksWhatTheLibraryMakesOfIt(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, tt := range []struct {
		ctx  context.Context
		want origins.Kind
	}{{canceled, origins.Canceled}, {expired, origins.Timeout}} {
		e := Broken(tt.ctx, "a.jpg", &net.OpError{Op: "dial", Err: errors.New("operation was canceled")})
		if e.Kind != tt.want || e.Transient || e.Remedy != "" {
			t.Errorf("got %v, transient %v, remedy %q, want %v", e, e.Transient, e.Remedy, tt.want)
		}
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name, value string
		want        time.Duration
	}{
		{"nothing", "", 0},
		{"seconds", "7", 7 * time.Second},
		{"at once", "0", 0},
		{"below zero", "-7", 0},
		{"a fraction", "1.5", 0},
		{"too many", "99999999999999999999", (1<<20 - 1) * time.Second},
		{"half a year", "15552000", (1<<20 - 1) * time.Second},
		{"a date", "Fri, 02 Jan 2026 03:04:15 GMT", 10 * time.Second},
		{"a date that is over", "Fri, 02 Jan 2026 03:04:00 GMT", 0},
		{"nonsense", "soon", 0},
	} {
		h := http.Header{}
		if tt.value != "" {
			h.Set("Retry-After", tt.value)
		}
		if got := RetryAfter(h, now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestStatusesThatMayPass(t *testing.T) {
	for status, want := range map[int]bool{
		400: false, 401: false, 403: false, 404: false, 408: true, 410: false, 416: false, 429: true, 500: true, 501: false,
		502: true, 503: true, 504: true, 505: false, 507: false,
	} {
		if got := TransientStatus(status); got != want {
			t.Errorf("%d: got %v", status, got)
		}
	}
}
