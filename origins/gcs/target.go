package gcs

import (
	"net/url"

	"github.com/imageorigin/imageorigin/origins/remote"
)

// Target tells what the module reads, for those who keep it: of two that read the same objects the text is the same,
// whoever they are to the store, and whoever pays. It is there once the module is provisioned, and holds no secret.
func (m *Module) Target() string {
	u, err := url.Parse(m.origin.endpoint)
	if err != nil {
		panic(err) // it was parsed before
	}
	return remote.Target(&m.Connection, "gcs", m.origin.bucket, m.origin.prefix, remote.Address(u))
}

// ReadsQuery reports that what is read doesn't depend on Request.Query.
func (*Module) ReadsQuery() bool { return false }

// ForwardsHost reports that what is read doesn't depend on Request.Host.
func (*Module) ForwardsHost() bool { return false }
