package faults_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/e2e/faults"
)

// picture is what the server of these tests answers.
var picture = func() []byte {
	b := make([]byte, 300_000)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}()

// server answers /sized with a length, /chunked without one, /open up to the end of the connection, /empty with
// nothing, and /echo with the request as it came.
func server(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sized":
			http.ServeContent(w, r, "x.bin", time.Unix(1.7e9, 0), bytes.NewReader(picture))
		case "/chunked":
			w.Write(picture[:1000])
			w.(http.Flusher).Flush()
			w.Write(picture[1000:])
		case "/open":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", picture)
		case "/empty":
			w.Header().Set("Content-Length", "0")
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s %v %d\n", r.Method, r.RequestURI, r.Host, r.Header, len(body))
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// client is one that neither retries nor shares connections with another test.
func client(t *testing.T, p *faults.Proxy) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: p.CA()}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// fetch returns the answer, the body as far as it came, and what went wrong, before the headers or after them.
func fetch(t *testing.T, c *http.Client, url string) (*http.Response, []byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// intact fails the test unless the picture arrives whole.
func intact(t *testing.T, c *http.Client, url string) {
	t.Helper()
	resp, body, err := fetch(t, c, url)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(body, picture) {
		t.Errorf("%s: got %d bytes and %v, want the picture", url, len(body), err)
	}
}
