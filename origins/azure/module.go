package azure

import (
	"context"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func init() { caddy.RegisterModule(new(Module)) }

// Module reads originals from a container of Azure Blob Storage. At most one of sas_token, account_key and anonymous is
// set; without them, requests carry a token of this machine's identity: that of the environment variables AZURE_…, a
// workload identity, a managed identity, or that of the Azure command line.
type Module struct {
	// The name of the storage account. Placeholders: {env.*} and {file.*}. Required, unless endpoint is set and
	// account_key is not.
	Account string `json:"account,omitempty"`

	// The name of the container. Placeholders: {env.*} and {file.*}. Required.
	Container string `json:"container"`

	// The folder in the container below which the files are; nothing leads out of it. Slashes around it don't matter.
	// Placeholders: {env.*} and {file.*}. Default: the whole container.
	Prefix string `json:"prefix,omitempty"`

	// A shared access signature of the container or the account, with its question mark or without. It needs the
	// permission r, and no other. Placeholders: {env.*} and {file.*}; a file is read again when it changes.
	SASToken string `json:"sas_token,omitempty"`

	// A key of the storage account, which may do everything: prefer a SAS or an identity. Placeholders: {env.*} and
	// {file.*}; a file is read again when it changes.
	AccountKey string `json:"account_key,omitempty"`

	// Sends no credentials, to a container that is public. Placeholders are not supported. Default: false.
	Anonymous bool `json:"anonymous,omitempty"`

	// The URL of the account's blob service, for other clouds, private endpoints and emulators. Placeholders: {env.*}
	// and {file.*}. Default: https://<account>.blob.core.windows.net.
	Endpoint string `json:"endpoint,omitempty"`

	remote.Connection

	origin *Origin
}

// CaddyModule returns the Caddy module information.
func (*Module) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "imageorigin.origins.azure",
		New: func() caddy.Module { return new(Module) },
	}
}

// Secrets returns what nobody should write literally into a configuration, by option; the host warns of it.
func (m *Module) Secrets() map[string]string {
	return map[string]string{"sas_token": m.SASToken, "account_key": m.AccountKey}
}

// Provision resolves placeholders and takes a transport from the pool. It connects to nothing, and asks for no token.
func (m *Module) Provision(ctx caddy.Context) error {
	config, err := m.config(remote.Resolve, func(text string) (func() string, error) {
		secret, err := remote.NewSecret(text)
		return secret.Value, err
	})
	if err != nil {
		return err
	}
	endpoint, err := parseEndpoint(config.Endpoint, config.Account)
	if err != nil {
		return err
	}
	if config.Transport, err = m.Transport(endpoint.Scheme+"://"+endpoint.Host, remote.Reach{}); err != nil {
		return err
	}
	if m.origin, err = New(config); err != nil {
		return err
	}
	// No reason not to load: a server that starts again must not stay down for an origin among others.
	if why := m.origin.sasOutside(); why != "" {
		ctx.Logger().Warn("the sas_token is of no use now", zap.String("reason", why))
	}
	return nil
}

// config returns the configuration with its placeholders replaced by resolve, those of secrets by secret.
func (m *Module) config(resolve func(string) (string, error), secret func(string) (func() string, error)) (Config, error) {
	c := Config{Anonymous: m.Anonymous}
	err := remote.Fill(
		resolve,
		remote.Field{Name: "account", Text: m.Account, To: &c.Account},
		remote.Field{Name: "container", Text: m.Container, To: &c.Container},
		remote.Field{Name: "prefix", Text: m.Prefix, To: &c.Prefix},
		remote.Field{Name: "endpoint", Text: m.Endpoint, To: &c.Endpoint},
	)
	if err != nil {
		return c, err
	}
	for _, field := range []struct {
		name, from string
		to         *func() string
	}{
		{"sas_token", m.SASToken, &c.SAS},
		{"account_key", m.AccountKey, &c.Key},
	} {
		if field.from == "" {
			continue
		}
		value, err := secret(field.from)
		if err != nil {
			return c, fmt.Errorf("%s: %w", field.name, err)
		}
		*field.to = value
	}
	return c, nil
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
