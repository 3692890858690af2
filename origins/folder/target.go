package folder

import (
	"fmt"
	"path"
)

// Target tells what the module reads, for those who keep it: of two that read the same files the text is the same. It is
// there once the module is provisioned. A folder is told by its whole path, which a link may lead elsewhere from one day to the next.
func (m *Module) Target() string { return m.target }

// target returns what is read: the files below root, in the file system called name or, without a name, on this machine.
func target(name, root string) string {
	if name != "" {
		return fmt.Sprintf("folder %q fs %q", path.Clean(root), name)
	}
	return fmt.Sprintf("folder %q", absolute(root))
}

// ReadsQuery reports that what is read doesn't depend on Request.Query.
func (*Module) ReadsQuery() bool { return false }

// ForwardsHost reports that what is read doesn't depend on Request.Host.
func (*Module) ForwardsHost() bool { return false }
