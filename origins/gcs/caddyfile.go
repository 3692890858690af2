package gcs

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/origins/remote"
)

var options = block.Checked((*Module).check, append([]block.Option[*Module]{
	{Usage: "bucket <name>", Args: block.One(func(m *Module) *string { return &m.Bucket })},
	{Usage: "prefix <folder>", Args: block.One(func(m *Module) *string { return &m.Prefix })},
	{Usage: "credentials_file <file>", Args: block.One(func(m *Module) *string { return &m.CredentialsFile })},
	{Usage: "client_email <address>", Args: block.One(func(m *Module) *string { return &m.ClientEmail })},
	{Usage: "private_key <pem>", Args: block.One(func(m *Module) *string { return &m.PrivateKey })},
	{Usage: "private_key_id <id>", Args: block.One(func(m *Module) *string { return &m.PrivateKeyID })},
	{Usage: "token_uri <url>", Args: block.One(func(m *Module) *string { return &m.TokenURI })},
	{Usage: "anonymous", Args: block.Flag(func(m *Module) *bool { return &m.Anonymous })},
	{Usage: "endpoint <url>", Args: block.One(func(m *Module) *string { return &m.Endpoint })},
	{Usage: "user_project <project>", Args: block.One(func(m *Module) *string { return &m.UserProject })},
}, remote.ConnectionOptions(func(m *Module) *remote.Connection { return &m.Connection })...)...)

// UnmarshalCaddyfile reads
//
//	gcs [<bucket>] {
//		bucket           <name>
//		prefix           <folder>
//		credentials_file <file>
//		client_email     <address>
//		private_key      <pem>
//		private_key_id   <id>
//		token_uri        <url>
//		anonymous
//		endpoint         <url>
//		user_project     <project>
//		connect_timeout  <duration>
//		tls_ca           <file>
//		tls_server_name  <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the type
	at := block.Here(d)
	set := map[string]block.Place{}
	switch args := d.RemainingArgs(); len(args) {
	case 0:
	case 1:
		m.Bucket = args[0]
		set["bucket"] = block.Here(d)
		if err := m.check(); err != nil {
			return at.Wrap(err)
		}
	default:
		return d.Errf("a bucket is one argument, not %d", len(args))
	}
	if err := block.ReadMore(d, m, options, set); err != nil {
		return err
	}
	if err := m.complete(); err != nil {
		return at.Wrap(err)
	}
	return nil
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders, without looking at the machine, which may be another one, and before all of the block is read.
func (m *Module) check() error {
	if err := m.contradictions(); err != nil {
		return err
	}
	config := Config{
		Bucket: remote.Known(m.Bucket, "placeholder"), Prefix: remote.Known(m.Prefix, "placeholder"),
		Endpoint: remote.Known(m.Endpoint, "https://placeholder"), Anonymous: m.Anonymous, UserProject: m.UserProject,
	}
	if config.Bucket == "" {
		config.Bucket = "to-come"
	}
	_, err := New(config)
	return err
}

// complete says what is missing, or wrong with what is said by several options.
func (m *Module) complete() error {
	if err := m.check(); err != nil {
		return err
	}
	if m.Bucket == "" {
		return checkBucket("")
	}
	if err := m.halves(); err != nil || m.PrivateKey == "" {
		return err
	}
	account := ServiceAccount{
		ClientEmail: remote.Known(m.ClientEmail, "a@placeholder"),
		TokenURI:    remote.Known(m.TokenURI, "https://placeholder"),
		PrivateKey:  remote.Known(m.PrivateKey, ""),
	}
	if account.PrivateKey == "" {
		return account.checkRest()
	}
	return account.Check()
}
