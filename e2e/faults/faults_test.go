package faults_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/e2e/faults"
)

func TestWithoutFaultsAllPassesUnchanged(t *testing.T) {
	target := server(t)
	p := faults.Start(t, target)
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	// The path, the query and the spaces in a value are such as a client library would have written in another way.
	for _, tt := range []struct{ request, want string }{
		{
			"GET /a%2fb/%41//../ü+%20?x=%7e&y HTTP/1.1\r\nhost: bucket.example:123\r\nX-Amz-Date:   now\r\n\r\n",
			"GET /a%2fb/%41//../ü+%20?x=%7e&y bucket.example:123 map[X-Amz-Date:[now]] 0\n",
		},
		{
			"PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345",
			"PUT /p h map[Content-Length:[5]] 5\n",
		},
		{
			"PUT /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
			"PUT /p h map[] 7\n",
		},
		{
			"PUT /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
			"PUT /p h map[Content-Length:[2] Expect:[100-continue]] 2\n",
		},
		{
			"GET http://bucket.example:123/a%2fb?x=%7e HTTP/1.1\r\nHost: bucket.example:123\r\n\r\n",
			"GET /a%2fb?x=%7e bucket.example:123 map[] 0\n",
		},
		{"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h map[] 0\n"},
		{"GET http://h?x=/y HTTP/1.1\r\nHost: h\r\n\r\n", "GET /?x=/y h map[] 0\n"},
		{"DELETE /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "DELETE /p h map[Connection:[close]] 0\n"},
	} {
		if _, err := io.WriteString(conn, tt.request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err == nil && resp.StatusCode == http.StatusContinue {
			resp, err = http.ReadResponse(in, nil)
		}
		if err != nil {
			t.Fatalf("%q: %v", tt.request, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != tt.want {
			t.Errorf("%q: got %q and %v, want %q", tt.request, body, err, tt.want)
		}
	}
	if got, want := p.Counts(), (faults.Counts{Connections: 1, Requests: 8}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}

	c := client(t, p)
	for _, base := range []string{p.URL(), p.SecureURL()} {
		for _, path := range []string{"/sized", "/chunked", "/open"} {
			intact(t, c, base+path)
		}
		resp, err := c.Head(base + "/sized")
		if err != nil || resp.ContentLength != int64(len(picture)) {
			t.Errorf("HEAD %s: got %v and %v", base, resp, err)
		}
	}
}

func TestEachFaultIsWhatItSays(t *testing.T) {
	reset := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset connection", err)
		}
	}
	cutShort := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want an unexpected end", err)
		}
	}
	for _, tt := range []struct {
		name  string
		fault faults.Fault
		path  string
		body  []byte // as far as it comes
		err   func(t *testing.T, err error)
	}{
		{"reset before the headers", faults.Reset(), "/sized", nil, reset},
		{"reset after some bytes", faults.ResetInBody(1000), "/sized", picture[:1000], reset},
		{"reset before the first byte", faults.ResetInBody(0), "/sized", nil, reset},
		{"reset between chunks", faults.ResetInBody(1500), "/chunked", picture[:1500], reset},
		{"reset before the connection ends", faults.ResetInBody(1500), "/open", picture[:1500], reset},
		{"truncated", faults.Truncate(70_000), "/sized", picture[:70_000], cutShort},
		{"truncated at the last byte", faults.Truncate(299_999), "/sized", picture[:299_999], cutShort},
		{"truncated between chunks", faults.Truncate(1), "/chunked", picture[:1], cutShort},
		{"announced too short", faults.Overflow(100_000), "/sized", picture[:200_000], nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := faults.Start(t, server(t))
			c := client(t, p)
			for round, base := range []string{p.URL(), p.SecureURL()} {
				p.Set(tt.fault)
				// Where more comes than was announced, a connection that is kept has an answer that nobody asked for.
				c.Transport.(*http.Transport).DisableKeepAlives = tt.err == nil
				_, body, err := fetch(t, c, base+tt.path)
				if tt.err == nil && err != nil {
					t.Errorf("got %v, want none", err)
				} else if tt.err != nil {
					tt.err(t, err)
				}
				// A TLS record that is not whole is not handed out.
				if !bytes.Equal(body, tt.body) && (round == 0 || !bytes.HasPrefix(tt.body, body)) {
					t.Errorf("%s: got %d bytes, want the first %d", base, len(body), len(tt.body))
				}
				if got := p.Counts().Faults; got != round+1 {
					t.Errorf("counted %d faults, want %d", got, round+1)
				}
				p.Heal()
				intact(t, c, base+tt.path)
			}
		})
	}
}

func TestFaultsSpareWhatTheyCannotBreak(t *testing.T) {
	for _, tt := range []struct {
		fault faults.Fault
		path  string
	}{
		{faults.ResetInBody(300_000), "/sized"},
		{faults.ResetInBody(300_000), "/chunked"},
		{faults.ResetInBody(faults.Anywhere), "/empty"},
		{faults.Truncate(400_000), "/sized"},
		{faults.Truncate(400_000), "/open"},
		{faults.Overflow(1), "/chunked"},
		{faults.Overflow(300_001), "/sized"},
		{faults.Garbage(), "/sized"},
		{faults.BadCertificate(), "/sized"},
	} {
		t.Run(fmt.Sprint(tt.fault, tt.path), func(t *testing.T) {
			p := faults.Start(t, server(t))
			p.Set(tt.fault)
			if tt.path == "/empty" {
				if resp, body, err := fetch(t, client(t, p), p.URL()+tt.path); err != nil || len(body) != 0 || resp.StatusCode != http.StatusOK {
					t.Errorf("got %d bytes and %v", len(body), err)
				}
			} else {
				intact(t, client(t, p), p.URL()+tt.path)
			}
			// The proxy takes the count back when the body has ended, a moment after the client has it.
			for range 200 {
				if p.Counts().Faults == 0 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("counted %d faults, want none", p.Counts().Faults)
		})
	}
}

func TestChanceAndPlacesAreThoseOfTheSeed(t *testing.T) {
	for _, path := range []string{"/sized", "/chunked"} {
		t.Run(path, func(t *testing.T) {
			p := faults.Start(t, server(t))
			c := client(t, p)
			p.Set(faults.ResetInBody(faults.Anywhere).Chance(0.2))
			const requests = 200
			round := func() (broken []string) {
				for range requests {
					_, body, err := fetch(t, c, p.URL()+path)
					switch {
					case err == nil && !bytes.Equal(body, picture):
						t.Fatalf("got %d bytes without an error", len(body))
					case err != nil && !bytes.HasPrefix(picture, body):
						t.Fatalf("got %d wrong bytes and %v", len(body), err)
					}
					broken = append(broken, fmt.Sprint(err != nil))
				}
				return broken
			}
			first := round()
			count := p.Counts()
			if count.Faults < requests/10 || count.Faults > requests*3/10 || strings.Count(fmt.Sprint(first), "true") != count.Faults {
				t.Errorf("counted %+v, want about a fifth of %d, and all of them seen: %v", count, requests, first)
			}
			p.Seed(1)
			if again := round(); fmt.Sprint(again) != fmt.Sprint(first) {
				t.Errorf("the same seed broke other requests:\n%v\n%v", first, again)
			}
			p.Seed(2)
			if other := round(); fmt.Sprint(other) == fmt.Sprint(first) {
				t.Error("another seed broke the same requests")
			}
		})
	}
}

func TestTimesAndOnlyLimitAFault(t *testing.T) {
	p := faults.Start(t, server(t))
	c := client(t, p)
	p.Set(faults.Unavailable(1500 * time.Millisecond).Times(2).Only(func(r *http.Request) bool { return r.URL.Path != "/chunked" }))
	for i, tt := range []struct {
		path   string
		status int
	}{{"/sized", 503}, {"/chunked", 200}, {"/sized", 503}, {"/sized", 200}, {"/sized", 200}} {
		resp, _, err := fetch(t, c, p.URL()+tt.path)
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("request %d, %s: got %v and %v, want %d", i, tt.path, resp, err, tt.status)
			continue
		}
		if got := resp.Header.Get("Retry-After"); (got == "2") != (tt.status == 503) {
			t.Errorf("request %d: Retry-After is %q", i, got)
		}
	}
	p.Set(faults.Unavailable(0))
	resp, err := c.Head(p.URL() + "/sized")
	if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "" {
		t.Errorf("got %v and %v, want 503 without Retry-After", resp, err)
	}
	if got, want := p.Counts(), (faults.Counts{Connections: 1, Requests: 6, Faults: 3}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestSlowFaultsTakeTheirTime(t *testing.T) {
	p := faults.Start(t, server(t))
	c := client(t, p)
	for _, tt := range []struct {
		fault   faults.Fault
		atLeast time.Duration
	}{
		{faults.Latency(300 * time.Millisecond), 300 * time.Millisecond},
		{faults.Drip(600_000), 450 * time.Millisecond},
	} {
		p.Set(tt.fault)
		begin := time.Now()
		intact(t, c, p.URL()+"/sized")
		if took := time.Since(begin); took < tt.atLeast || took > tt.atLeast+5*time.Second {
			t.Errorf("%v: took %v, want at least %v", tt.fault, took, tt.atLeast)
		}
	}
}

func TestHangNeverAnswers(t *testing.T) {
	p := faults.Start(t, server(t))
	p.Set(faults.Hang())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL()+"/sized", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client(t, p).Do(req); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v and %v, want no answer", resp, err)
	}
	if got, want := p.Counts(), (faults.Counts{Connections: 1, Requests: 1, Faults: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestTLSFails(t *testing.T) {
	p := faults.Start(t, server(t))
	c := client(t, p)
	intact(t, c, p.SecureURL()+"/sized")
	for _, tt := range []struct {
		fault faults.Fault
		right func(err error) bool
	}{
		{faults.Garbage(), func(err error) bool {
			var header tls.RecordHeaderError
			return errors.As(err, &header)
		}},
		{faults.BadCertificate(), func(err error) bool {
			var unknown x509.UnknownAuthorityError
			return errors.As(err, &unknown)
		}},
	} {
		p.Set(tt.fault) // the connection that is there already has to go
		if _, _, err := fetch(t, c, p.SecureURL()+"/sized"); err == nil || !tt.right(err) {
			t.Errorf("%v: got %v", tt.fault, err)
		}
	}
	p.Heal()
	intact(t, c, p.SecureURL()+"/sized")
	if got := p.Counts().Faults; got != 2 {
		t.Errorf("counted %d faults, want 2", got)
	}

	file, err := os.ReadFile(p.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(file) || !pool.Equal(p.CA()) {
		t.Errorf("the file holds %s", file)
	}
}

func TestRefusingAddressComesBack(t *testing.T) {
	p := faults.Start(t, server(t))
	c := client(t, p)
	for range 3 {
		intact(t, c, p.URL()+"/sized")
		p.Set(faults.Refuse())
		if _, _, err := fetch(t, c, p.URL()+"/sized"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want a refused connection", err)
		}
		p.Heal()
	}
	intact(t, c, p.URL()+"/sized")
}

func TestBlackHoleLetsNobodyConnect(t *testing.T) {
	if !faults.CanBlackHole {
		t.Skip("there is no black hole: only Linux drops connections that its queue has no room for")
	}
	p := faults.Start(t, server(t))
	c := client(t, p)
	for range 2 {
		intact(t, c, p.URL()+"/sized")
		p.Set(faults.BlackHole())
		conn, err := net.DialTimeout("tcp", p.Addr(), 300*time.Millisecond)
		if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v and %v, want no connection in time", conn, err)
		}
		p.Heal()
	}
	intact(t, c, p.URL()+"/sized")
}
