// Package remote is what origins behind HTTP have in common: connections, the reading of an answer, the classes of
// failures, and the settings that all of them have.
package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"
)

// defaultConnectTimeout bounds the making of a connection where nothing else is said.
const defaultConnectTimeout = 5 * time.Second

// Reach says whom a transport connects to.
type Reach struct {
	// Guarded is for servers that somebody else than the operator names: connections are made to public addresses
	// only, and never by a proxy of the environment, which would connect for us.
	Guarded bool

	// AllowPrivate lets a guarded transport connect to private addresses, too.
	AllowPrivate bool
}

// TransportConfig says how connections are made. It holds nothing secret.
type TransportConfig struct {
	ConnectTimeout time.Duration // of the dial and the TLS handshake, each; 0 is 5s
	RootCAs        []byte        // PEM; the only ones that may sign the server's certificate; nil: those of the system
	ServerName     string        // that the certificate must be for; "": the host

	Reach
}

// NewTransport returns a transport that speaks HTTP/2 where the server does, keeps connections for the next request
// and doesn't decompress. Unless it is guarded it obeys HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as Caddy's reverse_proxy
// does. No transport connects to a metadata service of a cloud: what is there are credentials, never pictures.
func NewTransport(c TransportConfig) (*http.Transport, error) {
	switch {
	case c.ConnectTimeout < 0:
		return nil, fmt.Errorf("connect_timeout %v is below zero; write it like 5s", c.ConnectTimeout)
	case c.ConnectTimeout == 0:
		c.ConnectTimeout = defaultConnectTimeout
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.RootCAs != nil {
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(c.RootCAs) {
			return nil, errors.New("tls_ca holds no certificate in PEM form")
		}
	}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            newDialer(c).DialContext,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		// A connection that a firewall forgot would otherwise take every request with it until TCP gives up.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
	if c.Guarded {
		t.Proxy = nil
	}
	return t, nil
}

// newDialer returns what opens all connections of a transport.
func newDialer(c TransportConfig) *net.Dialer {
	return &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second, Control: guard(c)}
}

// NewHTTPClient returns a client for the library of a store. Requests carry the x-req-from of their context (see
// [WithFrom]) besides what the library sets and signs. Redirects are answers: a library that followed one would show
// its credentials to whoever it leads to.
func NewHTTPClient(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     libraryTransport{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type fromKey struct{}

// WithFrom returns a context whose requests say from in x-req-from; "" says nothing.
func WithFrom(ctx context.Context, from string) context.Context {
	if from == "" || !httpguts.ValidHeaderFieldValue(from) {
		return ctx
	}
	return context.WithValue(ctx, fromKey{}, from)
}

// libraryTransport carries the requests of a library.
type libraryTransport struct{ http.RoundTripper }

// RoundTrip sends r.
func (t libraryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if from, ok := r.Context().Value(fromKey{}).(string); ok {
		r = r.Clone(r.Context()) // a RoundTripper changes no request
		r.Header.Set("X-Req-From", from)
	}
	res, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		// An http.Client repeats in an error a location that it can't read, signature and all, before it asks whether to
		// go there.
		if _, err := r.URL.Parse(res.Header.Get("Location")); err != nil {
			res.Header.Del("Location")
		}
	}
	return res, err
}
