// Package sandbox starts processes that may do next to nothing, and takes from them what they don't need once they have
// started. Two sides take part:
//
// The server's side is a [Spawner]: one thread that gives up privileges, network and file system for good and starts
// all children, which inherit that. The child's side is [Confine], called when its libraries are loaded: limits and a
// list of system calls, which would be in the way earlier.
//
// What a kernel or a container doesn't offer is left out and told as such: see [Measures]. All of it needs Linux; on
// other systems the package compiles and starts processes as they are.
package sandbox

import (
	"slices"
	"strings"
)

// Measures tells what keeps a process apart.
type Measures struct {
	InForce []string // such as "seccomp" and "landlock abi 7"
	Missing []string // with the reason: "landlock: the kernel has none; Linux 5.13 or later does"
}

// add notes what became of a measure.
func (m *Measures) add(name string, err error) {
	if err != nil {
		m.Missing = append(m.Missing, name+": "+err.Error())
		return
	}
	m.InForce = append(m.InForce, name)
}

// remove forgets what became of a measure.
func (m *Measures) remove(name string) {
	m.InForce = slices.DeleteFunc(m.InForce, func(inForce string) bool { return inForce == name })
	m.Missing = slices.DeleteFunc(m.Missing, func(missing string) bool { return strings.HasPrefix(missing, name+": ") })
}

// clone returns a copy that shares nothing with m.
func (m Measures) clone() Measures {
	return Measures{InForce: slices.Clone(m.InForce), Missing: slices.Clone(m.Missing)}
}

// Limits bound what a process can take. The zero value is useful: it bounds all but Data.
type Limits struct {
	// Data is how many bytes of private memory the process may have in all (RLIMIT_DATA), heap and anonymous mappings,
	// touched or not; beyond it allocations fail. A process with Go and libvips begins with about 80 MB. 0 is no limit.
	Data uint64

	// Files is how many descriptors may be open (RLIMIT_NOFILE). 0 is 64.
	Files uint64

	// FileSize is to how many bytes the process may grow a file (RLIMIT_FSIZE). Files on disk can't be opened for writing
	// anyway, so it is about memory files that the process makes (memfd_create): these count neither in Data nor, unless
	// mapped, in the resident memory, and each of Files could be as large. 0 is none: growing one fails with EFBIG.
	FileSize uint64

	// Keep says which inherited descriptors stay open: those below it. 0 is 5, the standard three, a socket and one more.
	// Descriptors that the process opened itself stay, provided that they are closed at exec, as Go's are.
	Keep int
}

func (l Limits) withDefaults() Limits {
	if l.Files == 0 {
		l.Files = 64
	}
	if l.Keep == 0 {
		l.Keep = 5
	}
	return l
}
