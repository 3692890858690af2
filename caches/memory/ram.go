package memory

import (
	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/imageorigin/imageorigin/internal/ram"
)

// The default of a cache in memory: so much, or that part of the machine's memory if it is less.
const (
	defaultMost  = 256 << 20
	defaultShare = 8
)

// defaultSize returns how many bytes a cache takes that is told nothing.
func defaultSize() int64 { return sizeFor(memlimit.FromCgroup, memlimit.FromSystem) }

// sizeFor returns the default where each of known says how many bytes of memory there are, if it can.
func sizeFor(known ...func() (uint64, error)) int64 {
	size := uint64(defaultMost)
	if there := ram.Least(known...); there > 0 {
		size = min(size, there/defaultShare)
	}
	return int64(max(size, minSize))
}
