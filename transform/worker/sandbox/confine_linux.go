package sandbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Confine takes from this process what it doesn't need any more, on all its threads and for good: call it when libraries
// are loaded and the socket is at hand, before the first byte from outside is looked at. It closes inherited descriptors,
// sets limits, closes the process to others of its user, and leaves it the system calls of working on a picture; others
// fail with EPERM, so that a library can do without. What the kernel or a container refuses is in Measures.Missing and no
// error; an error is a limit that makes no sense or can't be set.
//
// Afterwards the process can't write, make or lock files, start programs, make sockets, or signal others. Files can be read
// as far as the [Spawner] that started it left them.
func Confine(l Limits) (Measures, error) {
	l = l.withDefaults()
	var m Measures
	if uint64(l.Keep) > l.Files {
		return m, fmt.Errorf("confining the process: %d descriptors are to stay open, of %d that may be", l.Keep, l.Files)
	}
	if err := closeInherited(l.Keep); err != nil {
		return m, fmt.Errorf("closing inherited descriptors: %w", err)
	}
	for _, limit := range []struct {
		name     string
		resource int
		value    uint64
		unset    bool
	}{
		{"memory", unix.RLIMIT_DATA, l.Data, l.Data == 0},
		{"file size", unix.RLIMIT_FSIZE, l.FileSize, false},
		{"core dumps", unix.RLIMIT_CORE, 0, false},
		{"open files", unix.RLIMIT_NOFILE, l.Files, false},
	} {
		if limit.unset {
			continue
		}
		if err := lower(limit.resource, limit.value); err != nil {
			return m, fmt.Errorf("limiting %s to %d: %w", limit.name, limit.value, err)
		}
	}
	m.InForce = append(m.InForce, "rlimits")

	// The kernel forgets at exec that the process is to end with its parent where the binary's file has capabilities, as
	// Caddy's in its official image.
	m.add("ends with the server", refused(unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)))
	m.add("not readable by others", refused(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)))
	m.add("seccomp", loadFilter())
	return m, nil
}

// lower sets a limit, for good, or leaves the one that is stricter already.
func lower(resource int, value uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	value = min(value, now.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value})
}

// closeInherited closes the descriptors from keep on that came with exec. Those have no close-on-exec flag, or they
// wouldn't be there, whereas what Go opens has it. /proc/self/fd would list them and can't be read here.
func closeInherited(keep int) error {
	// The kernel gives out the lowest free number, so what this process opened is far below this.
	const lowest = 4096
	if err := unix.CloseRange(lowest, 1<<31-1, 0); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	// poll looks at many descriptors at once and marks those that aren't open.
	descriptors := make([]unix.PollFd, 0, lowest)
	for fd := keep; fd < int(min(lowest, limit.Cur)); fd++ {
		descriptors = append(descriptors, unix.PollFd{Fd: int32(fd)})
	}
	if len(descriptors) == 0 {
		return nil
	}
	if _, err := unix.Poll(descriptors, 0); err != nil {
		return err
	}
	for _, d := range descriptors {
		if d.Revents&unix.POLLNVAL != 0 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(d.Fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			if err := unix.Close(int(d.Fd)); err != nil {
				return os.NewSyscallError("close", err)
			}
		}
	}
	return nil
}
