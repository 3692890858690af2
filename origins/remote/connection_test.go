package remote

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// pooled returns how many transports the pool holds.
func pooled() (n int) {
	transports.Range(func(any, any) bool { n++; return true })
	return n
}

// authority returns the certificate of a server, in PEM form.
func authority(t *testing.T) string {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func transportOf(t *testing.T, c *Connection, target string, reach Reach) *http.Transport {
	t.Helper()
	transport, err := c.Transport(target, reach)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Release(); err != nil {
			t.Error(err)
		}
	})
	return transport
}

func TestTransportsAreSharedByTargetTLSOptionsAndReachOnly(t *testing.T) {
	const target = "https://example.com:443"
	ca := write(t, t.TempDir(), "ca.pem", authority(t))
	t.Setenv("IMAGEORIGIN_TEST_NAME", "example.org")
	for _, tt := range []struct {
		name   string
		c      Connection
		target string
		reach  Reach
		shared bool // with that of target
	}{
		{"the same", Connection{}, target, Reach{}, true},
		{"another target", Connection{}, "https://www.example.com:443", Reach{}, false},
		{"another patience", Connection{ConnectTimeout: caddy.Duration(time.Second)}, target, Reach{}, false},
		{"another name", Connection{TLSServerName: "{env.IMAGEORIGIN_TEST_NAME}"}, target, Reach{}, false},
		{"another authority", Connection{TLSCA: ca}, target, Reach{}, false},
		{"guarded", Connection{}, target, Reach{Guarded: true}, false},
		{"guarded, private allowed", Connection{}, target, Reach{Guarded: true, AllowPrivate: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := transportOf(t, new(Connection), target, Reach{})
			other := transportOf(t, &tt.c, tt.target, tt.reach)
			if (first == other) != tt.shared {
				t.Errorf("shared: %v, want %v", first == other, tt.shared)
			}
		})
	}
	if n := pooled(); n != 0 {
		t.Errorf("after everybody gave back, the pool holds %d", n)
	}
}

func TestReloadKeepsTheTransport(t *testing.T) {
	before, after := new(Connection), new(Connection)
	first := transportOf(t, before, "a", Reach{})
	second := transportOf(t, after, "a", Reach{})
	if err := before.Release(); err != nil || pooled() != 1 || first != second {
		t.Errorf("after the old configuration is gone (%v) the pool holds %d, want the one that both use", err, pooled())
	}
	for range 2 {
		if err := after.Release(); err != nil || pooled() != 0 {
			t.Errorf("after the last one is gone (%v) the pool holds %d", err, pooled())
		}
	}
}

func TestGuardedTransportsTakeNoNameFromTheOperator(t *testing.T) {
	for _, reach := range []Reach{{}, {Guarded: true}} {
		c := &Connection{TLSServerName: "www.example.com"}
		want := "www.example.com"
		if reach.Guarded {
			want = ""
		}
		if got := transportOf(t, c, "a", reach).TLSClientConfig.ServerName; got != want {
			t.Errorf("%+v: the certificate must be for %q, want %q", reach, got, want)
		}
	}
}

func TestMistakesOfAConnectionLeaveNothingBehind(t *testing.T) {
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	nonsense := write(t, t.TempDir(), "ca.pem", "nonsense")
	for _, tt := range []struct {
		name string
		c    Connection
		want string
	}{
		{"time below zero", Connection{ConnectTimeout: -1}, "connect_timeout -1ns is below zero"},
		{"missing variable in the name", Connection{TLSServerName: "{env.IMAGEORIGIN_TEST_UNSET}"}, "tls_server_name:"},
		{"missing variable in the file", Connection{TLSCA: "{env.IMAGEORIGIN_TEST_UNSET}"}, "tls_ca:"},
		{"no file", Connection{TLSCA: nonsense + "x"}, "reading tls_ca:"},
		{"no certificate", Connection{TLSCA: nonsense}, "PEM"},
	} {
		for _, reach := range []Reach{{}, {Guarded: true}} {
			if _, err := tt.c.Transport("a", reach); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
			}
		}
		if err := tt.c.Release(); err != nil || pooled() != 0 {
			t.Errorf("%s: after Release (%v) the pool holds %d", tt.name, err, pooled())
		}
	}
}

func TestPlaceholdersAreNotJudgedWithoutTheirValues(t *testing.T) {
	for _, tt := range []struct{ text, want string }{{"a", "a"}, {"", ""}, {"{env.X}", "known"}, {"a{file./x}b", "known"}} {
		if got := Known(tt.text, "known"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
