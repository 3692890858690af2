package azure

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/origins/remote"
)

var options = block.Checked((*Module).checkSoFar, append([]block.Option[*Module]{
	{Usage: "account <name>", Args: block.One(func(m *Module) *string { return &m.Account })},
	{Usage: "container <name>", Args: block.One(func(m *Module) *string { return &m.Container })},
	{Usage: "prefix <folder>", Args: block.One(func(m *Module) *string { return &m.Prefix })},
	{Usage: "sas_token <token>", Args: block.One(func(m *Module) *string { return &m.SASToken })},
	{Usage: "account_key <key>", Args: block.One(func(m *Module) *string { return &m.AccountKey })},
	{Usage: "anonymous", Args: block.Flag(func(m *Module) *bool { return &m.Anonymous })},
	{Usage: "endpoint <url>", Args: block.One(func(m *Module) *string { return &m.Endpoint })},
}, remote.ConnectionOptions(func(m *Module) *remote.Connection { return &m.Connection })...)...)

// UnmarshalCaddyfile reads
//
//	azure {
//		account         <name>
//		container       <name>
//		prefix          <folder>
//		sas_token       <token>
//		account_key     <key>
//		anonymous
//		endpoint        <url>
//		connect_timeout <duration>
//		tls_ca          <file>
//		tls_server_name <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	at := block.Here(d)
	if args := d.RemainingArgs(); len(args) != 0 {
		// Not repeated: it may be a SAS.
		return at.Errf("azure takes no arguments; write account and container into a block behind it")
	}
	if _, err := block.Read(d, m, options); err != nil {
		return err
	}
	known, err := m.known()
	if err == nil {
		_, err = New(known)
	}
	if err != nil {
		return at.Wrap(err)
	}
	return nil
}

// known returns the configuration as far as it can be seen without the values of placeholders, for which something
// right stands in.
func (m *Module) known() (Config, error) {
	c, err := m.config(
		func(text string) (string, error) { return remote.Known(text, "placeholder"), nil },
		func(text string) (func() string, error) { return func() string { return text }, nil },
	)
	if m.SASToken != "" {
		sas := remote.Known(m.SASToken, "sig=placeholder")
		c.SAS = func() string { return sas }
	}
	if m.AccountKey != "" {
		key := remote.Known(m.AccountKey, "cGxhY2Vob2xkZXI=")
		c.Key = func() string { return key }
	}
	c.Endpoint = remote.Known(m.Endpoint, "https://placeholder")
	return c, err
}

// checkSoFar says what would stop the configuration from being loaded, whatever follows in the block.
func (m *Module) checkSoFar() error {
	c, err := m.known()
	if err != nil {
		return err
	}
	if c.Account == "" {
		c.Account = "placeholder"
	}
	if c.Container == "" {
		c.Container = "placeholder"
	}
	if c.SAS == nil && c.Key == nil {
		c.Anonymous = true // so that no token is asked for
	}
	_, err = New(c)
	return err
}
