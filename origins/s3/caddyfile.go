package s3

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/origins/remote"
)

// shared are the options of both types.
func shared() []block.Option[*Module] {
	return slices.Concat([]block.Option[*Module]{
		{Usage: "bucket <name>", Args: block.One(func(m *Module) *string { return &m.Bucket })},
		{Usage: "region <name>", Args: block.One(func(m *Module) *string { return &m.Region })},
		{Usage: "prefix <folder>", Args: block.One(func(m *Module) *string { return &m.Prefix })},
		{Usage: "access_key <key>", Args: block.One(func(m *Module) *string { return &m.AccessKey })},
		{Usage: "secret_key <key>", Args: block.One(func(m *Module) *string { return &m.SecretKey })},
		{Usage: "session_token <token>", Args: block.One(func(m *Module) *string { return &m.SessionToken })},
		{Usage: "role_arn <arn>", Args: block.One(func(m *Module) *string { return &m.RoleARN })},
		{Usage: "external_id <id>", Args: block.One(func(m *Module) *string { return &m.ExternalID })},
		{Usage: "requester_pays", Args: block.Flag(func(m *Module) *bool { return &m.RequesterPays })},
		{Usage: "anonymous", Args: block.Flag(func(m *Module) *bool { return &m.Anonymous })},
	}, remote.ConnectionOptions(func(m *Module) *remote.Connection { return &m.Connection }))
}

var options = append(
	block.Checked((*Module).check, shared()...),
	block.Option[*Module]{Usage: "endpoint", Elsewhere: belongsToCompatible},
	block.Option[*Module]{Usage: "path_style", Elsewhere: belongsToCompatible},
)

const belongsToCompatible = "belongs to another store than Amazon's; write the type s3_compatible instead of s3"

var compatibleOptions = block.Checked((*Compatible).check, slices.Concat(
	[]block.Option[*Compatible]{
		{Usage: "endpoint <url>", Args: block.One(func(m *Compatible) *string { return &m.Endpoint })},
		{Usage: "path_style", Args: block.Flag(func(m *Compatible) *bool { return &m.PathStyle })},
	},
	block.Lift(shared(), func(m *Compatible) *Module { return &m.Module }),
)...)

// UnmarshalCaddyfile reads
//
//	s3 {
//		bucket          <name>
//		region          <name>
//		prefix          <folder>
//		access_key      <key>
//		secret_key      <key>
//		session_token   <token>
//		role_arn        <arn>
//		external_id     <id>
//		requester_pays
//		anonymous
//		connect_timeout <duration>
//		tls_ca          <file>
//		tls_server_name <name>
//	}
func (m *Module) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	at, err := begin(d)
	if err != nil {
		return err
	}
	if _, err := block.Read(d, m, options); err != nil {
		return err
	}
	c := m.standIns(m.config)
	if c.Region == "" {
		c.Region = "placeholder" // the environment's, which may be that of another machine
	}
	return m.finish(at, c)
}

// UnmarshalCaddyfile reads
//
//	s3_compatible {
//		endpoint <url>
//		path_style
//		<options of s3>
//	}
func (m *Compatible) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	at, err := begin(d)
	if err != nil {
		return err
	}
	if _, err := block.Read(d, m, compatibleOptions); err != nil {
		return err
	}
	if m.Endpoint == "" {
		return at.Wrap(errNoEndpoint)
	}
	return m.finish(at, m.standIns(m.config))
}

// begin reads the line of the type, which holds nothing else, and returns where it is.
func begin(d *caddyfile.Dispenser) (block.Place, error) {
	d.Next() // the type
	at := block.Here(d)
	if d.CountRemainingArgs() > 0 {
		return at, at.Errf("%s takes no arguments; write what it needs into its block, as in: bucket product-images", at.Text())
	}
	return at, nil
}

// finish says what is missing behind the last option. c has stand-ins for what placeholders hold.
func (m *Module) finish(at block.Place, c Config) error {
	if err := m.checkPairs(); err != nil {
		return at.Wrap(err)
	}
	if err := c.complete(); err != nil {
		return at.Wrap(err)
	}
	return nil
}

// check says what would stop the configuration from being loaded, as far as that can be seen without the values of
// placeholders, and without the options that are still to come.
func (m *Module) check() error { return m.standIns(m.config).validate() }

func (m *Compatible) check() error {
	c := m.standIns(m.config)
	if c.Endpoint == "" {
		c.Endpoint = "https://placeholder" // of which regions are right depends on it
	}
	return c.validate()
}

// standIns returns the configuration that config makes, with stand-ins for what placeholders hold.
func (m *Module) standIns(config func(func(string) (string, error)) (Config, error)) Config {
	c, _ := config(func(text string) (string, error) { return remote.Known(text, ""), nil })
	// "" is for what isn't judged. Where something must be, this is.
	if c.Bucket == "" && m.Bucket != "" {
		c.Bucket = "placeholder"
	}
	if c.Region == "" && m.Region != "" {
		c.Region = "placeholder"
	}
	if c.RoleARN == "" && m.RoleARN != "" {
		c.RoleARN = "arn:aws:iam::123456789012:role/placeholder"
	}
	if m.AccessKey != "" || m.SecretKey != "" || m.SessionToken != "" {
		c.Keys = func() Keys { return Keys{} }
	}
	return c
}
