// Package ram knows how much memory there is.
package ram

import "github.com/KimMachineGun/automemlimit/memlimit"

// Bytes returns how much memory the process may have: that of its container (cgroup) or of the machine, whichever is less;
// 0 where neither can be told.
func Bytes() uint64 { return Least(memlimit.FromCgroup, memlimit.FromSystem) }

// Least returns the smallest of what each of known says, if it can; 0 where none can.
func Least(known ...func() (uint64, error)) (least uint64) {
	for _, ask := range known {
		if there, err := ask(); err == nil && there > 0 && (least == 0 || there < least) {
			least = there
		}
	}
	return least
}
