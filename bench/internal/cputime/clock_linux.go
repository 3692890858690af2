package cputime

import (
	"fmt"
	"io/fs"
	"syscall"
	"unsafe"
)

// clock reads the CPU clock of another process, in milliseconds.
func clock(pid int) (float64, error) {
	// What clock_getcpuclockid(3) returns: the complement of the number, and CPUCLOCK_SCHED.
	const sched = 2
	id := ^pid<<3 | sched
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(id), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		if errno == syscall.EINVAL || errno == syscall.ESRCH { // so it is told that there is no such process
			return 0, fmt.Errorf("process %d: %w", pid, fs.ErrNotExist)
		}
		return 0, fmt.Errorf("the CPU clock of process %d: %w", pid, errno)
	}
	return float64(t.Nano()) / 1e6, nil
}
