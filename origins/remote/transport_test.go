package remote

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTimeBelowZeroIsRefused(t *testing.T) {
	_, err := NewTransport(TransportConfig{ConnectTimeout: -time.Second})
	if err == nil || !strings.Contains(err.Error(), "connect_timeout -1s is below zero; write it like 5s") {
		t.Errorf("got %v", err)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	defer server.Close()
	server.Config.ErrorLog = nil
	ours := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for _, tt := range []struct {
		name   string
		config TransportConfig
		ok     bool
	}{
		{"by the system's authorities", TransportConfig{}, false},
		{"by the given authority", TransportConfig{RootCAs: ours}, true},
		{"for the given name", TransportConfig{RootCAs: ours, ServerName: "example.com"}, true}, // httptest's has it
		{"for another name", TransportConfig{RootCAs: ours, ServerName: "example.org"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transport, err := NewTransport(tt.config)
			if err != nil {
				t.Fatal(err)
			}
			defer transport.CloseIdleConnections()
			err = get(t, transport, server.URL)
			if (err == nil) != tt.ok || err != nil && origins.KindOf(Broken(t.Context(), "a.jpg", err)) != origins.Unreachable {
				t.Errorf("got %v, want success: %v", err, tt.ok)
			}
		})
	}
	if _, err := NewTransport(TransportConfig{RootCAs: []byte("nonsense")}); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("authorities that are none: got %v", err)
	}
}

// get asks for url.
func get(t *testing.T, transport http.RoundTripper, url string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(r)
	if err == nil {
		res.Body.Close()
	}
	return err
}

func TestEveryConnectionGoesThroughTheDialer(t *testing.T) {
	transport, err := NewTransport(TransportConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if transport.DialContext == nil || transport.DialTLSContext != nil || !transport.DisableCompression || !transport.ForceAttemptHTTP2 {
		t.Errorf("got %+v", transport)
	}
}

func TestARedirectIsAnAnswerEvenIfItLeadsNowhere(t *testing.T) {
	for _, location := range []string{"", "https://elsewhere.example/a.jpg?sig=hunter2", "https://[elsewhere/a.jpg?sig=hunter2"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		res, err := NewHTTPClient(server.Client().Transport).Get(server.URL)
		if err != nil {
			t.Errorf("to %q: %v", location, err)
		} else if res.Body.Close(); res.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("to %q: got %d", location, res.StatusCode)
		}
		server.Close()
	}
}
