package sandbox

import "golang.org/x/sys/unix"

// processor is how the kernel tells that a call is by the numbers of unix.SYS_*.
const processor uint32 = unix.AUDIT_ARCH_AARCH64

// processorCalls are allowed calls that other processors don't have, or call otherwise.
var processorCalls = always(unix.SYS_FSTATAT)
