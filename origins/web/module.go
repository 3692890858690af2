package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module fetches originals from a web server: the path of the file is appended to a base URL.
type Module struct {
	// The URL to whose path the path of the file is appended: http or https, with a path or without, no user, query
	// or fragment. Placeholders: {env.*} and {file.*}. Required.
	BaseURL string `json:"base_url"`

	// Sends the Host header of the client's request instead of the host of base_url, for servers that hold several
	// sites under one address. Placeholders are not supported. Default: false.
	ForwardHost bool `json:"forward_host,omitempty"`

	// Further request headers, by name, each with one value. Host replaces the host of base_url, User-Agent the
	// default "imageorigin". They go to the server of base_url only, not to where it redirects to. Headers that each
	// request needs its own value of (Range, If-None-Match, Accept-Encoding …) are refused. Placeholders in values, not
	// in names: {env.*} and {file.*}. Default: none.
	Header map[string]string `json:"header,omitempty"`

	// Credentials for the server of base_url; they are not sent to where it redirects to. Placeholders: in the
	// user, the password and the token. Default: none.
	Auth *AuthConfig `json:"auth,omitempty"`

	// The hosts to which the server may redirect, besides its own: host (on the ports 80 and 443), host:port, or the
	// single word any. At most five redirects are followed. Another port of the same host is another server, and so is
	// http where base_url says https. Placeholders: {env.*} and {file.*}, each for one host. Default: none.
	FollowRedirects []string `json:"follow_redirects,omitempty"`

	// How long opening a connection may take, and the TLS handshake after it. Placeholders are not supported.
	// Default: 5s.
	ConnectTimeout caddy.Duration `json:"connect_timeout,omitempty"`

	// A PEM file with the certificates of the authorities that may sign the server's certificate, instead of those of
	// the system. Read when the configuration is loaded. Placeholders: {env.*} and {file.*}. Default: those of
	// the system.
	TLSCA string `json:"tls_ca,omitempty"`

	// The name that the server's certificate must be for, where that isn't the host of base_url. Placeholders:
	// {env.*} and {file.*}. Default: the host.
	TLSServerName string `json:"tls_server_name,omitempty"`

	origin *Origin
	shared *transportKey // what Cleanup gives back; nil is nothing
}

// AuthConfig is how to log in.
type AuthConfig struct {
	// The scheme: basic or bearer. Placeholders are not supported. Required.
	Scheme string `json:"scheme"`

	// The user name for basic. Placeholders: {env.*} and {file.*}.
	User string `json:"user,omitempty"`

	// The password for basic. Placeholders: {env.*} and {file.*}.
	Password string `json:"password,omitempty"`

	// The token for bearer. Placeholders: {env.*} and {file.*}.
	Token string `json:"token,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.web",
		New: func() caddy.Module { return new(Module) },
	}
}

// Secrets returns the values that nobody should write literally into a configuration; the host warns of those.
func (m *Module) Secrets() []string {
	var secrets []string
	if m.Auth != nil {
		secrets = append(secrets, m.Auth.Password, m.Auth.Token)
	}
	for name, value := range m.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Cookie", "X-Api-Key":
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// Provision resolves placeholders and takes a transport from the pool. It connects to nothing.
func (m *Module) Provision(caddy.Context) error {
	config, err := m.config(resolve)
	if err != nil {
		return err
	}
	base, err := parseBase(config.BaseURL)
	if err != nil {
		return err
	}
	if config.Transport, err = m.transport(base.Scheme + "://" + hostPort(base)); err != nil {
		return err
	}
	m.origin, err = New(config)
	return err
}

// resolve replaces the placeholders in text. One that is unknown or empty is an error.
func resolve(text string) (string, error) { return caddy.NewReplacer().ReplaceOrErr(text, true, true) }

// config returns the configuration with its placeholders replaced by replace.
func (m *Module) config(replace func(string) (string, error)) (Config, error) {
	c := Config{ForwardHost: m.ForwardHost, Header: map[string]string{}}
	var err error
	if c.BaseURL, err = replace(m.BaseURL); err != nil {
		return c, fmt.Errorf("base_url: %w", err)
	}
	for name, value := range m.Header {
		if c.Header[name], err = replace(value); err != nil {
			return c, fmt.Errorf("header %s: %w", name, err)
		}
	}
	if c.Redirects, err = redirects(m.FollowRedirects, replace); err != nil {
		return c, err
	}
	c.Auth, err = m.Auth.config(replace)
	return c, err
}

// redirects returns where words allow to be redirected to, with their placeholders replaced.
func redirects(words []string, replace func(string) (string, error)) (Redirects, error) {
	var hosts []string
	for _, word := range words {
		host, err := replace(word)
		if err != nil {
			return Redirects{}, fmt.Errorf("follow_redirects: %w", err)
		}
		hosts = append(hosts, host)
	}
	if len(hosts) == 1 && hosts[0] == "any" {
		return Redirects{Any: true}, nil
	}
	return Redirects{Hosts: hosts}, nil
}

// config returns the credentials with their placeholders replaced by replace.
func (a *AuthConfig) config(replace func(string) (string, error)) (Auth, error) {
	if a == nil {
		return Auth{}, nil
	}
	var auth Auth
	for _, field := range []struct {
		name, from string
		to         *string
	}{{"user", a.User, &auth.User}, {"password", a.Password, &auth.Password}, {"token", a.Token, &auth.Token}} {
		value, err := replace(field.from)
		if err != nil {
			return auth, fmt.Errorf("auth: %s: %w", field.name, err)
		}
		*field.to = value
	}
	switch {
	case a.Scheme == "basic" && auth.User != "" && a.Token == "":
		return auth, nil
	case a.Scheme == "bearer" && auth.Token != "" && a.User == "" && a.Password == "":
		return auth, nil
	case a.Scheme == "basic":
		return auth, errors.New("auth basic takes a user and a password")
	case a.Scheme == "bearer":
		return auth, errors.New("auth bearer takes a token")
	}
	return auth, fmt.Errorf("auth has the scheme %q; use basic or bearer", a.Scheme)
}

// transports are shared by all configurations, so that a reload keeps the connections.
var transports = caddy.NewUsagePool()

// transportKey is the identity of a transport. There is nothing secret in it, nor in what it leads to: a corrected
// password works with the next request.
type transportKey struct {
	target         string // scheme://host:port
	connectTimeout time.Duration
	authorities    [sha256.Size]byte // of the content: the file may change between two loads
	serverName     string
}

// pooledTransport is a transport that the pool can end.
type pooledTransport struct{ *http.Transport }

// Destruct closes the connections that nobody uses any more.
func (t pooledTransport) Destruct() error {
	t.CloseIdleConnections()
	return nil
}

// transport returns the transport for the server at target. Cleanup gives it back.
func (m *Module) transport(target string) (http.RoundTripper, error) {
	c := TransportConfig{ConnectTimeout: time.Duration(m.ConnectTimeout)}
	var err error
	if c.ServerName, err = resolve(m.TLSServerName); err != nil {
		return nil, fmt.Errorf("tls_server_name: %w", err)
	}
	if m.TLSCA != "" {
		name, err := resolve(m.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("tls_ca: %w", err)
		}
		if c.RootCAs, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("reading tls_ca: %w", err)
		}
	}
	key := transportKey{
		target: target, connectTimeout: c.ConnectTimeout, serverName: c.ServerName,
		authorities: sha256.Sum256(c.RootCAs),
	}
	value, _, err := transports.LoadOrNew(key, func() (caddy.Destructor, error) {
		t, err := NewTransport(c)
		return pooledTransport{t}, err
	})
	if err != nil {
		return nil, err
	}
	m.shared = &key
	return value.(pooledTransport), nil
}

// Cleanup gives the transport back.
func (m *Module) Cleanup() error {
	if m.shared == nil {
		return nil
	}
	_, err := transports.Delete(*m.shared)
	m.shared = nil
	return err
}

// Open asks the server.
func (m *Module) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	return m.origin.Open(ctx, req)
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddy.CleanerUpper    = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ origins.Origin        = (*Module)(nil)
)
