//go:build linux && !amd64 && !arm64

package sandbox

// processor says that there is no list of system calls for this one.
const processor uint32 = 0

func systemCalls() []systemCall { return nil }
