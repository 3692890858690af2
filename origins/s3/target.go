package s3

import (
	"net/url"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// Target tells what the module reads, for those who keep it: of two that read the same objects the text is the same,
// whoever they are to the store. It is there once the module is provisioned, and holds no secret.
func (m *Module) Target() string { return m.origin.target(&m.Connection) }

// ReadsQuery reports that what is read doesn't depend on Request.Query.
func (*Module) ReadsQuery() bool { return false }

// ForwardsHost reports that what is read doesn't depend on Request.Host.
func (*Module) ForwardsHost() bool { return false }

// target returns what is read over c.
func (o *Origin) target(c *remote.Connection) string {
	parts := []string{o.config.Bucket, o.config.Prefix, o.config.Region}
	if o.config.Endpoint == "" {
		return remote.Target(c, "s3", parts...)
	}
	u, err := url.Parse(o.config.Endpoint)
	if err != nil {
		panic(err) // it was parsed before
	}
	// Where a store looks for the bucket can be another store's business: one that forwards by host name, for example.
	style := "host_style"
	if o.config.PathStyle {
		style = "path_style"
	}
	return remote.Target(c, "s3_compatible", append(parts, remote.Address(u), style)...)
}
