package gcs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module fetches originals from a bucket of Google Cloud Storage. Without credentials_file, client_email and anonymous
// it uses the application default credentials, which are looked for at the first request: the file that
// GOOGLE_APPLICATION_CREDENTIALS names (of any type, workload identity federation included), that of gcloud, or the
// service account of the machine. It asks for read access only, and neither lists nor writes.
type Module struct {
	// The name of the bucket, without gs://. Placeholders: {env.*} and {file.*}. Required.
	Bucket string `json:"bucket"`

	// The folder in the bucket that the path of the file is appended to. Slashes around it don't matter. Placeholders:
	// {env.*} and {file.*}. Default: the bucket's root.
	Prefix string `json:"prefix,omitempty"`

	// A file with the key of a service account, in JSON, as Google hands it out. It must be there when the configuration
	// is loaded, and is read again when it changes. Placeholders: {env.*} and {file.*}, for the name. Default: none.
	CredentialsFile string `json:"credentials_file,omitempty"`

	// The address of a service account, together with private_key, instead of credentials_file. Placeholders: {env.*}
	// and {file.*}, whose files are read again when they change. Default: none.
	ClientEmail string `json:"client_email,omitempty"`

	// The private key of client_email, in PEM form. Line breaks may be written as \n. Placeholders: {env.*} and
	// {file.*}, whose files are read again when they change; nobody should write it literally. Default: none.
	PrivateKey string `json:"private_key,omitempty"`

	// The ID of private_key, which Google doesn't need. Placeholders: {env.*} and {file.*}, whose files are read again
	// when they change. Default: none.
	PrivateKeyID string `json:"private_key_id,omitempty"`

	// Where tokens are fetched for client_email; a credentials_file says it itself. Placeholders: {env.*} and {file.*}.
	// Default: https://oauth2.googleapis.com/token.
	TokenURI string `json:"token_uri,omitempty"`

	// Sends no credentials, for a bucket that everybody may read. Placeholders are not supported. Default: false.
	Anonymous bool `json:"anonymous,omitempty"`

	// The URL of the store, for private endpoints and emulators: http or https and a host, and the path of the JSON API
	// where it isn't /storage/v1/. STORAGE_EMULATOR_HOST of the environment is ignored. Placeholders: {env.*} and
	// {file.*}. Default: https://storage.googleapis.com.
	Endpoint string `json:"endpoint,omitempty"`

	// The project that pays for reading a bucket whose requesters pay. Placeholders: {env.*} and {file.*}. Default: the
	// owner of the bucket pays.
	UserProject string `json:"user_project,omitempty"`

	remote.Connection

	origin *Origin
}

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.gcs",
		New: func() caddy.Module { return new(Module) },
	}
}

// Secrets returns what nobody should write literally into a configuration, by option; the host warns of it.
func (m *Module) Secrets() map[string]string {
	return map[string]string{"private_key": m.PrivateKey}
}

// Provision resolves placeholders, reads the key and takes a transport from the pool. It connects to nothing.
func (m *Module) Provision(caddy.Context) error {
	if err := errors.Join(m.contradictions(), m.halves()); err != nil {
		return err
	}
	config := Config{Anonymous: m.Anonymous}
	err := remote.Fill(
		remote.Resolve,
		remote.Field{Name: "bucket", Text: m.Bucket, To: &config.Bucket},
		remote.Field{Name: "prefix", Text: m.Prefix, To: &config.Prefix},
		remote.Field{Name: "endpoint", Text: m.Endpoint, To: &config.Endpoint},
		remote.Field{Name: "user_project", Text: m.UserProject, To: &config.UserProject},
	)
	if err != nil {
		return err
	}
	if config.Key, err = m.key(); err != nil {
		return err
	}
	endpoint, err := parseEndpoint(config.Endpoint)
	if err != nil {
		return err
	}
	if config.Transport, err = m.Transport(target(endpoint), remote.Reach{}); err != nil {
		return err
	}
	m.origin, err = New(config)
	return err
}

// target returns which server a URL leads to.
func target(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint // it was parsed before
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port)
}

// key returns what Config.Key is to be.
func (m *Module) key() (func() []byte, error) {
	switch {
	case m.CredentialsFile != "":
		name, err := remote.Resolve(m.CredentialsFile)
		if err != nil {
			return nil, fmt.Errorf("credentials_file: %w", err)
		}
		file, err := NewKeyFile(name)
		if err != nil {
			return nil, err
		}
		return file.Value, nil
	case m.PrivateKey != "":
		return m.keyOfParts()
	}
	return nil, nil
}

// keyOfParts returns a function that makes a key of client_email and private_key as they are then.
func (m *Module) keyOfParts() (func() []byte, error) {
	var email, private, id *remote.Secret
	for _, field := range []struct {
		name, from string
		to         **remote.Secret
	}{
		{"client_email", m.ClientEmail, &email}, {"private_key", m.PrivateKey, &private}, {"private_key_id", m.PrivateKeyID, &id},
	} {
		var err error
		if *field.to, err = remote.NewSecret(field.from); err != nil {
			return nil, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	tokenURI, err := remote.Resolve(m.TokenURI)
	if err != nil {
		return nil, fmt.Errorf("token_uri: %w", err)
	}
	account := func() ServiceAccount {
		return ServiceAccount{
			ClientEmail: email.Value(), PrivateKey: private.Value(), PrivateKeyID: id.Value(), TokenURI: tokenURI,
		}
	}
	return func() []byte { return account().JSON() }, account().Check()
}

// contradictions says which options exclude each other.
func (m *Module) contradictions() error {
	parts := m.ClientEmail != "" || m.PrivateKey != "" || m.PrivateKeyID != "" || m.TokenURI != ""
	switch {
	case strings.HasPrefix(strings.TrimSpace(m.CredentialsFile), `{"`):
		return errors.New("credentials_file is the key itself; write it to a file, and here the name of the file")
	case m.CredentialsFile != "" && parts:
		return errors.New("credentials_file holds client_email, private_key, private_key_id and token_uri; remove it, or remove them")
	case m.Anonymous && (m.CredentialsFile != "" || parts):
		return errAnonymous
	}
	return nil
}

// halves says what is missing beside an option that is set.
func (m *Module) halves() error {
	switch {
	case m.ClientEmail == "" && (m.PrivateKey != "" || m.PrivateKeyID != "" || m.TokenURI != ""):
		return errors.New("client_email is missing; write the address of the service account, or use credentials_file instead")
	case m.ClientEmail != "" && m.PrivateKey == "":
		return errors.New("private_key is missing; write the key of client_email, or use credentials_file instead")
	}
	return nil
}

// Cleanup gives the transport back.
func (m *Module) Cleanup() error { return m.Release() }

// Open asks the store.
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
