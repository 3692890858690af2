package azure

import "github.com/imageorigin/imageorigin/origins/remote"

// Target tells what the module reads, for those who keep it: of two that read the same blobs the text is the same,
// whoever they are to the store. It is there once the module is provisioned, and holds no secret. Of the account the
// address tells; its name alone says only whose key signs.
func (m *Module) Target() string {
	o := m.origin
	return remote.Target(&m.Connection, "azure", remote.Address(o.endpoint), o.container, o.prefix)
}

// ReadsQuery reports that what is read doesn't depend on Request.Query.
func (*Module) ReadsQuery() bool { return false }

// ForwardsHost reports that what is read doesn't depend on Request.Host.
func (*Module) ForwardsHost() bool { return false }
