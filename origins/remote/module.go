package remote

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Resolve replaces the placeholders in text. One that is unknown or empty is an error, which repeats nothing of text but
// the names of placeholders that it knows: a secret may well hold a brace.
func Resolve(text string) (string, error) {
	value, err := caddy.NewReplacer().ReplaceOrErr(text, true, true)
	if err == nil {
		return value, nil
	}
	for _, known := range placeholders.FindAllString(text, -1) {
		if _, err := caddy.NewReplacer().ReplaceOrErr(known, true, true); err != nil {
			return "", fmt.Errorf("%s is empty or unknown where Caddy runs; set the variable, or write the file", known)
		}
	}
	return "", errors.New("it holds { and } that are no placeholder; write it as {env.NAME} or {file./path/of/it}, or put \\ before {")
}

// placeholders are those that configurations can hold.
var placeholders = regexp.MustCompile(`\{(env|file|system)\.[^{}]*\}`)

// Field is a setting with placeholders, and where its value goes.
type Field struct {
	Name, Text string
	To         *string
}

// Fill fills in the values of fields, their placeholders replaced by replace, which may be [Resolve]. Its error names
// the field.
func Fill(replace func(string) (string, error), fields ...Field) error {
	for _, f := range fields {
		value, err := replace(f.Text)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		*f.To = value
	}
	return nil
}

// Secret is a text whose {file.*} placeholders are read again when their files change, so that a rotated key needs no
// reload. It never prints itself. See [NewSecret].
type Secret struct {
	text  string   // with placeholders
	files []string // that text is made of

	mu    sync.Mutex
	value string
	seen  []os.FileInfo // of files, when value was read
}

// NewSecret returns the secret that text describes. A placeholder that is unknown or empty is an error.
func NewSecret(text string) (*Secret, error) {
	s := &Secret{text: text, files: filesIn(text)}
	s.seen = s.look()
	var err error
	s.value, err = Resolve(text)
	return s, err
}

// filesIn returns the names of the files whose content stands in text by {file.*}.
func filesIn(text string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(text, "{file.")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return names
		}
		names, text = append(names, name), after
	}
}

// look returns what the files are now; nil for one that isn't there.
func (s *Secret) look() []os.FileInfo {
	infos := make([]os.FileInfo, len(s.files))
	for i, name := range s.files {
		if info, err := os.Stat(name); err == nil {
			infos[i] = info
		}
	}
	return infos
}

// Value returns the secret as it is now; "" for a nil Secret. While a file is missing or empty, as in the middle of a
// rotation, it is what it was.
func (s *Secret) Value() string {
	if s == nil {
		return ""
	}
	if len(s.files) == 0 {
		return s.value
	}
	now := s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(now, nil) && !slices.EqualFunc(now, s.seen, SameFile) {
		if value, err := Resolve(s.text); err == nil {
			s.value, s.seen = value, now
		}
	}
	return s.value
}

// SameFile reports whether two files are one, which nobody wrote to in between.
func SameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// String hides the value from whatever prints it.
func (s *Secret) String() string { return "(secret)" }

// GoString hides the value from %#v.
func (s *Secret) GoString() string { return s.String() }

// Connection is how an origin connects to its server: settings that its module embeds.
type Connection struct {
	// How long opening a connection may take, and the TLS handshake after it. Placeholders are not supported.
	// Default: 5s.
	ConnectTimeout caddy.Duration `json:"connect_timeout,omitempty"`

	// A PEM file with the certificates of the authorities that may sign the server's certificate, instead of those of
	// the system. Read when the configuration is loaded. Placeholders: {env.*} and {file.*}. Default: those of
	// the system.
	TLSCA string `json:"tls_ca,omitempty"`

	// The name that the server's certificate must be for, where that isn't the host that is connected to. It says
	// nothing about the servers that redirects lead to.
	// Placeholders: {env.*} and {file.*}. Default: the host.
	TLSServerName string `json:"tls_server_name,omitempty"`

	serverName string         // TLSServerName, its placeholders replaced
	shared     []transportKey // what Cleanup gives back
}

// transports are shared by all configurations, so that a reload keeps the connections.
var transports = caddy.NewUsagePool()

// transportKey is the identity of a transport. There is nothing secret in it, nor in what it leads to: a corrected
// password works with the next request.
type transportKey struct {
	target         string
	connectTimeout time.Duration
	authorities    [sha256.Size]byte // of the content: the file may change between two loads
	serverName     string
	reach          Reach
}

// pooledTransport is a transport that the pool can end.
type pooledTransport struct{ *http.Transport }

// Destruct closes the connections that nobody uses any more.
func (t pooledTransport) Destruct() error {
	t.CloseIdleConnections()
	return nil
}

// Transport returns the transport for the server at target, a text that says which one it is, such as
// "https://www.example.com:443". [Connection.Release] gives it back.
func (c *Connection) Transport(target string, reach Reach) (*http.Transport, error) {
	config := TransportConfig{
		ConnectTimeout: time.Duration(c.ConnectTimeout), Reach: reach,
	}
	name, err := Resolve(c.TLSServerName)
	if err != nil {
		return nil, fmt.Errorf("tls_server_name: %w", err)
	}
	c.serverName = name
	if !reach.Guarded {
		config.ServerName = name // of the one server that the operator names, and of no other
	}
	if c.TLSCA != "" {
		name, err := Resolve(c.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("tls_ca: %w", err)
		}
		if config.RootCAs, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("reading tls_ca: %w", err)
		}
	}
	key := transportKey{
		target: target, connectTimeout: config.ConnectTimeout, serverName: config.ServerName,
		authorities: sha256.Sum256(config.RootCAs), reach: reach,
	}
	value, _, err := transports.LoadOrNew(key, func() (caddy.Destructor, error) {
		t, err := NewTransport(config)
		return pooledTransport{t}, err
	})
	if err != nil {
		return nil, err
	}
	c.shared = append(c.shared, key)
	return value.(pooledTransport).Transport, nil
}

// Release gives back what Transport took, for the Cleanup of a module.
func (c *Connection) Release() error {
	var errs []error
	for _, key := range c.shared {
		_, err := transports.Delete(key)
		errs = append(errs, err)
	}
	c.shared = nil
	return errors.Join(errs...)
}
