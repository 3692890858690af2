package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func init() {
	caddy.RegisterModule(new(Module))
	caddy.RegisterModule(new(ProxyModule))
}

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

	// Lets redirects lead to private addresses, too: those of this machine and of its networks. Where clouds keep the
	// credentials of a machine they never lead. Placeholders are not supported. Default: false.
	AllowPrivate bool `json:"allow_private,omitempty"`

	remote.Connection

	origin *Origin
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

// Secrets returns what nobody should write literally into a configuration, by option; the host warns of it.
func (m *Module) Secrets() map[string]string {
	secrets := map[string]string{}
	if m.Auth != nil {
		secrets["auth"] = m.Auth.Password + m.Auth.Token // of which one is set
	}
	for name, value := range m.Header {
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "Authorization", "Cookie", "X-Api-Key":
			secrets["header "+canonical] = value
		}
	}
	return secrets
}

// Provision resolves placeholders and takes transports from the pool. It connects to nothing.
func (m *Module) Provision(caddy.Context) error {
	if err := m.complete(); err != nil {
		return err
	}
	values := secrets{}
	config, err := m.config(remote.Resolve, values.read)
	if err != nil {
		return err
	}
	config.Current = func() (map[string]string, Auth) {
		header, auth, _ := m.sending(values.now)
		return header, auth
	}
	base, err := parseBase(config.BaseURL)
	if err != nil {
		return err
	}
	target := base.Scheme + "://" + hostPort(base)
	if config.Transport, err = m.Transport(target, remote.Reach{}); err != nil {
		return err
	}
	if len(m.FollowRedirects) > 0 {
		if config.Abroad, err = m.Transport(target, remote.Reach{Guarded: true, AllowPrivate: m.AllowPrivate}); err != nil {
			return err
		}
	}
	m.origin, err = New(config)
	return err
}

// secrets are the values of headers and credentials, by what stands in the configuration.
type secrets map[string]*remote.Secret

// read returns the value of text, and remembers where it comes from.
func (s secrets) read(text string) (string, error) {
	secret, err := remote.NewSecret(text)
	if err != nil {
		return "", err
	}
	s[text] = secret
	return secret.Value(), nil
}

// now returns the value of a text that was read before.
func (s secrets) now(text string) (string, error) { return s[text].Value(), nil }

// config returns the configuration with its placeholders replaced by resolve, those of what only one server may see
// by secret.
func (m *Module) config(resolve, secret func(string) (string, error)) (Config, error) {
	c := Config{ForwardHost: m.ForwardHost}
	var err error
	if c.BaseURL, err = resolve(m.BaseURL); err != nil {
		return c, fmt.Errorf("base_url: %w", err)
	}
	if c.Redirects, err = redirects(m.FollowRedirects, resolve); err != nil {
		return c, err
	}
	c.Header, c.Auth, err = m.sending(secret)
	return c, err
}

// complete says what is missing beside an option.
func (m *Module) complete() error {
	if m.AllowPrivate && len(m.FollowRedirects) == 0 {
		return errors.New("allow_private is about redirects, and none is followed; set follow_redirects too, or remove allow_private, which base_url doesn't need")
	}
	return nil
}

// sending returns the headers and the credentials, with their placeholders replaced by value.
func (m *Module) sending(value func(string) (string, error)) (map[string]string, Auth, error) {
	header := map[string]string{}
	for name, text := range m.Header {
		var err error
		if header[name], err = value(text); err != nil {
			return nil, Auth{}, fmt.Errorf("header %s: %w", name, err)
		}
	}
	auth, err := m.Auth.config(value)
	return header, auth, err
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
	err := remote.Fill(
		replace,
		remote.Field{Name: "user", Text: a.User, To: &auth.User},
		remote.Field{Name: "password", Text: a.Password, To: &auth.Password},
		remote.Field{Name: "token", Text: a.Token, To: &auth.Token},
	)
	if err != nil {
		return auth, fmt.Errorf("auth: %w", err)
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

// Cleanup gives the transports back.
func (m *Module) Cleanup() error { return m.Release() }

// Open asks the server.
func (m *Module) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	return m.origin.Open(ctx, req)
}

// ProxyModule fetches originals from where the path of the file says, which is an absolute URL: of the hosts that are
// listed, and of no other, or without a list of any.
type ProxyModule struct {
	// The hosts that may be asked, and be redirected to: images.example.com, or *.example.com for the names with
	// exactly one label more (neither example.com nor a.b.example.com), on the usual ports of http and https;
	// images.example.com:8080 for another port; https://images.example.com for https alone. An address is meant only
	// by an entry that is it. Placeholders: {env.*} and {file.*}, each for one entry. Default: every
	// host, which only endpoints that answer signed URLs alone may use.
	Hosts []string `json:"hosts,omitempty"`

	// Lets names and redirects lead to private addresses, too: those of this machine and of its networks. Where clouds
	// keep the credentials of a machine they never lead. Placeholders are not supported. Default: false.
	AllowPrivate bool `json:"allow_private,omitempty"`

	// How long opening a connection may take, and the TLS handshake after it. Placeholders are not supported.
	// Default: 5s.
	ConnectTimeout caddy.Duration `json:"connect_timeout,omitempty"`

	// A PEM file with the certificates of the authorities that may sign certificates, instead of those of the system.
	// Read when the configuration is loaded. Placeholders: {env.*} and {file.*}. Default: those of the system.
	TLSCA string `json:"tls_ca,omitempty"`

	connection remote.Connection
	origin     *Proxy
}

// CaddyModule returns the Caddy module information.
func (*ProxyModule) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.web_proxy",
		New: func() caddy.Module { return new(ProxyModule) },
	}
}

// Provision resolves placeholders and takes a transport from the pool. It connects to nothing.
func (m *ProxyModule) Provision(caddy.Context) error {
	config, err := m.config(remote.Resolve)
	if err != nil {
		return err
	}
	m.connection.ConnectTimeout, m.connection.TLSCA = m.ConnectTimeout, m.TLSCA
	config.Transport, err = m.connection.Transport("web_proxy", remote.Reach{Guarded: true, AllowPrivate: m.AllowPrivate})
	if err != nil {
		return err
	}
	m.origin, err = NewProxy(config)
	return err
}

// config returns the configuration with its placeholders replaced by resolve.
func (m *ProxyModule) config(resolve func(string) (string, error)) (ProxyConfig, error) {
	c := ProxyConfig{Anywhere: m.Anywhere()}
	for _, text := range m.Hosts {
		host, err := resolve(text)
		if err != nil {
			return c, fmt.Errorf("hosts: %w", err)
		}
		c.Hosts = append(c.Hosts, host)
	}
	return c, nil
}

// ManyServers tells that one server that doesn't answer says nothing about the others.
func (m *ProxyModule) ManyServers() bool { return true }

// Anywhere tells that this server would fetch whatever it is asked for.
func (m *ProxyModule) Anywhere() bool { return len(m.Hosts) == 0 }

// Cleanup gives the transport back.
func (m *ProxyModule) Cleanup() error { return m.connection.Release() }

// Open asks the server that the key names.
func (m *ProxyModule) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	return m.origin.Open(ctx, req)
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddy.CleanerUpper    = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ origins.Origin        = (*Module)(nil)
	_ caddy.Provisioner     = (*ProxyModule)(nil)
	_ caddy.CleanerUpper    = (*ProxyModule)(nil)
	_ caddyfile.Unmarshaler = (*ProxyModule)(nil)
	_ origins.Origin        = (*ProxyModule)(nil)
)
