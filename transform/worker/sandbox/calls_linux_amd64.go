package sandbox

import "golang.org/x/sys/unix"

// processor is how the kernel tells that a call is by the numbers of unix.SYS_*.
const processor uint32 = unix.AUDIT_ARCH_X86_64

// processorCalls are allowed calls that other processors don't have.
var processorCalls = append(
	always(unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_NEWFSTATAT, unix.SYS_ACCESS, unix.SYS_READLINK, unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL, unix.SYS_TIME),
	systemCall{unix.SYS_OPEN, 1, toChange, []uint32{0}},
)
