package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func init() {
	caddy.RegisterModule(new(Module))
	caddy.RegisterModule(new(Compatible))
}

// Module reads originals from a bucket of Amazon S3. What it doesn't say is looked up where Amazon's own programs look:
// in the environment, in the shared files of the SDK, at the machine's role.
type Module struct {
	// The name of the bucket. Placeholders: {env.*} and {file.*}. Required.
	Bucket string `json:"bucket"`

	// The region that the bucket is in. Placeholders: {env.*} and {file.*}. Default: AWS_REGION or AWS_DEFAULT_REGION of
	// the environment; us-east-1 for s3_compatible.
	Region string `json:"region,omitempty"`

	// The folder of the bucket that the files are in, which no request leaves. Placeholders: {env.*} and {file.*}.
	// Default: the whole bucket.
	Prefix string `json:"prefix,omitempty"`

	// The key that requests are signed with, its public half. Placeholders: {env.*} and {file.*}; a file is read again
	// when it changes. Default: what the SDK finds in the environment, in its shared files, as web identity, as the role of the
	// container or of the machine.
	AccessKey string `json:"access_key,omitempty"`

	// The secret half of the key. Placeholders: {env.*} and {file.*}; a file is read again when it changes. Required with
	// access_key.
	SecretKey string `json:"secret_key,omitempty"`

	// The token of temporary keys. Placeholders: {env.*} and {file.*}; a file is read again when it changes. Default: none.
	SessionToken string `json:"session_token,omitempty"`

	// The ARN of a role to assume with the keys. Its own keys are renewed before they end. Placeholders: {env.*} and
	// {file.*}. Default: none.
	RoleARN string `json:"role_arn,omitempty"`

	// The external ID that the role asks for. Placeholders: {env.*} and {file.*}. Default: none.
	ExternalID string `json:"external_id,omitempty"`

	// Pays for the requests in place of the bucket's owner, where the bucket asks for that. Placeholders are not
	// supported. Default: false.
	RequesterPays bool `json:"requester_pays,omitempty"`

	// Signs nothing, for buckets that everybody may read. Placeholders are not supported. Default: false.
	Anonymous bool `json:"anonymous,omitempty"`

	remote.Connection

	origin *Origin
}

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.s3",
		New: func() caddy.Module { return new(Module) },
	}
}

// Secrets returns what nobody should write literally into a configuration, by option; the host warns of it.
func (m *Module) Secrets() map[string]string {
	return map[string]string{"secret_key": m.SecretKey, "session_token": m.SessionToken}
}

// Provision resolves placeholders and takes a transport from the pool. It connects to nothing.
func (m *Module) Provision(caddy.Context) error {
	c, err := m.config(remote.Resolve)
	if err != nil {
		return err
	}
	if c.Region == "" {
		c.Region = environmentRegion()
	}
	return m.provision(c, "s3 "+c.Region)
}

// environmentRegion returns the region that the SDK would find in the environment, "" for none.
func environmentRegion() string {
	if region := os.Getenv("AWS_REGION"); region != "" {
		return region
	}
	return os.Getenv("AWS_DEFAULT_REGION")
}

// provision makes the origin that c describes, over the transport for target.
func (m *Module) provision(c Config, target string) error {
	var err error
	if c.Keys, err = m.keys(); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err // before a transport is taken
	}
	if c.Transport, err = m.Transport(target, remote.Reach{}); err != nil {
		return err
	}
	m.origin, err = New(c)
	return err
}

// config returns the configuration, less the keys, with its placeholders replaced by replace.
func (m *Module) config(replace func(string) (string, error)) (Config, error) {
	c := Config{RequesterPays: m.RequesterPays, Anonymous: m.Anonymous}
	err := remote.Fill(
		replace,
		remote.Field{Name: "bucket", Text: m.Bucket, To: &c.Bucket},
		remote.Field{Name: "region", Text: m.Region, To: &c.Region},
		remote.Field{Name: "prefix", Text: m.Prefix, To: &c.Prefix},
		remote.Field{Name: "role_arn", Text: m.RoleARN, To: &c.RoleARN},
		remote.Field{Name: "external_id", Text: m.ExternalID, To: &c.ExternalID},
	)
	return c, err
}

// keys returns what reads the keys, nil if there are none.
func (m *Module) keys() (func() Keys, error) {
	if err := m.checkPairs(); err != nil || m.AccessKey == "" {
		return nil, err
	}
	access, err := remote.NewSecret(m.AccessKey)
	if err != nil {
		return nil, fmt.Errorf("access_key: %w", err)
	}
	secret, err := remote.NewSecret(m.SecretKey)
	if err != nil {
		return nil, fmt.Errorf("secret_key: %w", err)
	}
	var token *remote.Secret // whose value is ""
	if m.SessionToken != "" {
		if token, err = remote.NewSecret(m.SessionToken); err != nil {
			return nil, fmt.Errorf("session_token: %w", err)
		}
	}
	return func() Keys { return Keys{access.Value(), secret.Value(), token.Value()} }, nil
}

// checkPairs says which half of the keys is missing.
func (m *Module) checkPairs() error {
	switch {
	case m.AccessKey != "" && m.SecretKey == "":
		return errors.New("access_key has no secret_key beside it; set both, or neither for the keys that the SDK finds")
	case m.AccessKey == "" && m.SecretKey != "":
		return errors.New("secret_key has no access_key beside it; set both, or neither for the keys that the SDK finds")
	case m.AccessKey == "" && m.SessionToken != "":
		return errors.New("session_token belongs to access_key and secret_key; set all three, or none for the keys that the SDK finds")
	}
	return nil
}

// Cleanup gives the transport back.
func (m *Module) Cleanup() error { return m.Release() }

// Open asks the bucket.
func (m *Module) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	return m.origin.Open(ctx, req)
}

// Compatible reads originals from a bucket of a store that speaks the protocol of Amazon S3.
type Compatible struct {
	// The URL of the store: http or https, a host and maybe a port, without the bucket. Placeholders: {env.*} and
	// {file.*}. Required.
	Endpoint string `json:"endpoint"`

	// Writes the bucket into the path (https://host/bucket/file) instead of the host name (https://bucket.host/file).
	// Placeholders are not supported. Default: false.
	PathStyle bool `json:"path_style,omitempty"`

	Module
}

// CaddyModule returns the Caddy module information.
func (*Compatible) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.s3_compatible",
		New: func() caddy.Module { return new(Compatible) },
	}
}

// defaultRegion is what most stores take where regions mean nothing to them.
const defaultRegion = "us-east-1"

// Provision resolves placeholders and takes a transport from the pool. It connects to nothing.
func (m *Compatible) Provision(caddy.Context) error {
	c, err := m.config(remote.Resolve)
	if err != nil {
		return err
	}
	if c.Endpoint == "" {
		return errNoEndpoint
	}
	return m.provision(c, target(c.Endpoint))
}

var errNoEndpoint = errors.New("endpoint is empty; write the URL of the store, as in: endpoint https://s3.example.com")

// target returns what is the same in all URLs of an endpoint.
func target(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "" // refused later
	}
	return "s3 " + u.Scheme + "://" + u.Host
}

// config returns the configuration, less the keys, with its placeholders replaced by replace.
func (m *Compatible) config(replace func(string) (string, error)) (Config, error) {
	c, err := m.Module.config(replace)
	if err != nil {
		return c, err
	}
	if c.Endpoint, err = replace(m.Endpoint); err != nil {
		return c, fmt.Errorf("endpoint: %w", err)
	}
	c.PathStyle = m.PathStyle
	if c.Region == "" {
		c.Region = defaultRegion
	}
	return c, nil
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Module)(nil)
	_ caddy.CleanerUpper    = (*Module)(nil)
	_ caddyfile.Unmarshaler = (*Module)(nil)
	_ origins.Origin        = (*Module)(nil)

	_ caddy.Provisioner     = (*Compatible)(nil)
	_ caddy.CleanerUpper    = (*Compatible)(nil)
	_ caddyfile.Unmarshaler = (*Compatible)(nil)
	_ origins.Origin        = (*Compatible)(nil)
)
