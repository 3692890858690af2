package web

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// defaultConnectTimeout bounds the making of a connection where nothing else is said.
const defaultConnectTimeout = 5 * time.Second

// TransportConfig says how connections are made. It holds nothing secret.
type TransportConfig struct {
	ConnectTimeout time.Duration // of the dial and the TLS handshake, each; 0 is 5s
	RootCAs        []byte        // PEM; the only ones that may sign the server's certificate; nil: those of the system
	ServerName     string        // that the certificate must be for; "": the host
}

// NewTransport returns a transport for the requests of an [Origin]: HTTP/2 where the server speaks it, connections
// kept for the next request, proxies as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, as Caddy's reverse_proxy does.
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
	// The one place where connections are opened.
	dialer := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
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
	}, nil
}
