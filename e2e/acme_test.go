package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

// secureSite is a Caddy that gets its certificates from an authority of the test's own. Its hosts are below example.test.
type secureSite struct {
	t         *testing.T
	dir       string
	ports     []int // HTTP, HTTPS, admin
	authority *stores.PebbleServer
	caddy     *server
}

// long is the size of a file that no buffer on the way holds.
const long = 48 << 20

func newSecureSite(t *testing.T) *secureSite {
	t.Helper()
	s := &secureSite{t: t, dir: t.TempDir()}
	for folder, width := range map[string]int{"photos": 400, "goods": 200} {
		if err := os.Mkdir(filepath.Join(s.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := writePicture(filepath.Join(s.dir, folder, "a.jpg"), width, 100); err != nil {
			t.Fatal(err)
		}
	}
	film := filepath.Join(s.dir, "photos", "film.bin")
	if err := os.WriteFile(film, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(film, long); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.ports, err = freePorts(3); err != nil {
		t.Fatal(err)
	}
	s.authority = stores.Pebble(t, s.ports[0], s.ports[1])
	s.list("customer.example.test shop\n")
	config := s.config("")
	if s.caddy, err = startCaddy(s.dir, s.address(1), os.Environ(), "run", "--config", config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.caddy.stop()
		if t.Failed() {
			t.Logf("caddy said:\n%s\npebble said:\n%s", s.caddy.log.String(), s.authority.Log())
		}
	})
	return s
}

func (s *secureSite) address(i int) string { return fmt.Sprintf("127.0.0.1:%d", s.ports[i]) }

// list writes the domains file.
func (s *secureSite) list(text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "domains")
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		s.t.Fatal(err)
	}
}

// config writes the Caddyfile, in which the endpoint shop has further domains, and returns its name.
func (s *secureSite) config(domains string) string {
	s.t.Helper()
	if domains != "" {
		domains = "domains " + domains
	}
	text := fmt.Sprintf(`{
	admin %s
	http_port %d
	https_port %d
	default_bind 127.0.0.1
	storage file_system %s/storage
	acme_ca %s
	acme_ca_root %s
	on_demand_tls {
		permission imageorigin
	}
	imageorigin {
		origin photos folder %[4]s/photos
		origin goods folder %[4]s/goods
		endpoint default {
			origins photos
		}
		endpoint shop {
			origins goods
			%[7]s
		}
		domains_file %[4]s/domains
	}
}
http.example.test {
	tls {
		issuer acme {
			disable_tlsalpn_challenge
		}
	}
	imageorigin
}
alpn.example.test {
	tls {
		issuer acme {
			disable_http_challenge
		}
	}
	imageorigin
}
https:// {
	tls {
		on_demand
	}
	imageorigin
}
`, s.address(2), s.ports[0], s.ports[1], s.dir, s.authority.Directory, s.authority.RootFile, domains)
	file := filepath.Join(s.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *secureSite) tls() *tls.Config { return &tls.Config{RootCAs: s.authority.Roots} }

// client returns one that trusts the authority, finds every host here, and speaks HTTP/2 unless it is told not to.
func (s *secureSite) client(http2 bool) *http.Client {
	transport := &http.Transport{DialContext: stores.DialTo(s.address(1)), TLSClientConfig: s.tls(), ForceAttemptHTTP2: http2}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// width returns how wide the picture is that a host sends, and by which version of HTTP.
func (s *secureSite) width(client *http.Client, host string) (width int, proto string, err error) {
	resp, err := client.Get("https://" + host + "/a.jpg")
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("%s: %s", host, resp.Status)
	}
	width, _, _, err = measure(body)
	return width, resp.Proto, err
}

// eventually asks a host until it sends a picture of the width.
func (s *secureSite) eventually(host string, width int) {
	s.t.Helper()
	client := s.client(true)
	var got int
	var err error
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if got, _, err = s.width(client, host); err == nil && got == width {
			return
		}
	}
	s.t.Errorf("%s: a picture %d pixels wide, %v; want %d", host, got, err, width)
}

// solved reports whether a host's certificate was got by a kind of challenge.
func (s *secureSite) solved(host, challenge string) bool {
	for line := range strings.Lines(s.caddy.log.String()) {
		if strings.Contains(line, `"trying to solve challenge"`) && strings.Contains(line, `"identifier":"`+host+`"`) {
			return strings.Contains(line, `"challenge_type":"`+challenge+`"`)
		}
	}
	return false
}

func TestDomainsGetTheirCertificates(t *testing.T) {
	s := newSecureSite(t)
	for host, challenge := range map[string]string{"http.example.test": "http-01", "alpn.example.test": "tls-alpn-01"} {
		s.eventually(host, 400)
		if !s.solved(host, challenge) {
			t.Errorf("%s was not proved by %s", host, challenge)
		}
	}
	if got := s.authority.Orders(); got != 2 {
		t.Errorf("for two sites there were %d orders", got)
	}
	s.run("on demand", s.onDemand)
	s.run("refused", s.refused)
	s.run("HTTP versions", s.versions)
	s.run("a line more", s.lineMore)
	s.run("a reload", s.reload)
	s.run("a line less", s.lineLess)
}

// run runs a part of a test, whose helpers then speak for that.
func (s *secureSite) run(name string, part func(t *testing.T)) {
	whole := s.t
	defer func() { s.t = whole }()
	whole.Run(name, func(t *testing.T) {
		s.t = t
		part(t)
	})
}

func (s *secureSite) onDemand(t *testing.T) {
	before := s.authority.Orders()
	if width, _, err := s.width(s.client(true), "customer.example.test"); err != nil || width != 200 {
		t.Errorf("the first visitor of a domain: a picture %d pixels wide, %v; want that of its endpoint, 200", width, err)
	}
	if got := s.authority.Orders() - before; got != 1 {
		t.Errorf("there were %d orders, want 1", got)
	}
}

func (s *secureSite) refused(t *testing.T) {
	before := s.authority.Orders()
	for _, host := range []string{"stranger.example.test", "a.customer.example.test", "example.test", "xcustomer.example.test", "new.example.test"} {
		for range 3 {
			_, _, err := s.width(s.client(true), host)
			if err == nil || !strings.Contains(err.Error(), "tls: internal error") { // the alert's name
				t.Errorf("%s: got %v, want the handshake refused", host, err)
			}
		}
	}
	time.Sleep(time.Second) // what was ordered all the same would be under way
	if got := s.authority.Orders() - before; got != 0 {
		t.Errorf("%d certificates were ordered for strangers", got)
	}
}

func (s *secureSite) versions(t *testing.T) {
	three := &http3.Transport{TLSClientConfig: s.tls(), Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
		return quic.DialAddrEarly(ctx, s.address(1), c, q)
	}}
	defer three.Close()
	for want, client := range map[string]*http.Client{
		"HTTP/1.1": s.client(false), "HTTP/2.0": s.client(true), "HTTP/3.0": {Transport: three, Timeout: 30 * time.Second},
	} {
		for _, host := range []string{"http.example.test", "customer.example.test"} {
			width := map[string]int{"http.example.test": 400, "customer.example.test": 200}[host]
			if got, proto, err := s.width(client, host); err != nil || got != width || proto != want {
				t.Errorf("%s by %s: a picture %d pixels wide by %s, %v; want %d", host, want, got, proto, err, width)
			}
		}
	}
}

// lineMore binds a further domain by the file alone: the connections stay what they are.
func (s *secureSite) lineMore(t *testing.T) {
	client := s.client(true)
	if _, _, err := s.width(client, "customer.example.test"); err != nil {
		t.Fatal(err)
	}
	s.list("customer.example.test default\nsecond.example.test shop\n")
	s.eventually("second.example.test", 200)
	var kept bool
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { kept = info.Reused }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, "https://customer.example.test/a.jpg", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if width, _, _, err := measure(body); err != nil || width != 400 || !kept {
		t.Errorf("on the connection from before (%v): a picture %d pixels wide, %v; want that of its new endpoint, 400", kept, width, err)
	}
}

// reload binds a further domain by a reload, while files are being sent.
func (s *secureSite) reload(t *testing.T) {
	var bodies []io.ReadCloser
	for _, http2 := range []bool{false, true} {
		resp, err := s.client(http2).Get("https://http.example.test/film.bin")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
	}
	out, err := exec.Command(caddyBinary, "reload", "--address", s.address(2), "--config", s.config("new.example.test")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.eventually("new.example.test", 200)
	for i, body := range bodies {
		if n, err := io.Copy(io.Discard, body); err != nil || n != long-1<<20 {
			t.Errorf("a file that was being sent by HTTP/%d: %d bytes more, %v; want %d", i+1, n, err, long-1<<20)
		}
	}
	if conn, err := net.DialTimeout("tcp", s.address(1), time.Second); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	s.eventually("second.example.test", 200)
}

// lineLess takes a domain out of the file and starts the server anew: the certificate that is in its storage serves no more.
func (s *secureSite) lineLess(t *testing.T) {
	s.list("customer.example.test default\n")
	s.caddy.stop()
	said := s.caddy.log.String()
	caddy, err := startCaddy(s.dir, s.address(1), os.Environ(), "run", "--config", filepath.Join(s.dir, "Caddyfile"))
	if err != nil {
		t.Fatalf("%v\nbefore that it said:\n%s", err, said)
	}
	s.caddy = caddy
	before := s.authority.Orders()
	s.eventually("customer.example.test", 400)
	if _, _, err := s.width(s.client(true), "second.example.test"); err == nil || !strings.Contains(err.Error(), "tls: internal error") {
		t.Errorf("a domain that was taken out: got %v, want the handshake refused", err)
	}
	if got := s.authority.Orders() - before; got != 0 {
		t.Errorf("%d certificates were ordered anew", got)
	}
}
