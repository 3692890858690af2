package sandbox

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a rule allows.
const (
	toRead    = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	toExecute = toRead | unix.LANDLOCK_ACCESS_FS_EXECUTE
	toUse     = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE

	// The kernel refuses rights of folders in the rule of a file.
	ofFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
)

// place is a file, or a folder with all below it, and what may be done there.
type place struct {
	path   string
	access uint64
}

// restrictFiles leaves this thread, and all that comes from it, nothing of the file system but the places. Those that don't
// exist are passed over. It returns the version of Landlock.
func restrictFiles(places []place) (abi int, err error) {
	if abi, err = landlockABI(); err != nil {
		return 0, err
	}
	attr := handled(abi)
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return abi, refused(errno)
	}
	defer unix.Close(int(ruleset))
	for _, p := range places {
		if err := allow(int(ruleset), p); err != nil {
			return abi, fmt.Errorf("%s: %w", p.path, err)
		}
	}
	// Without the binary no child could start: none of it then.
	if len(places) == 0 || !exists(places[0].path) {
		return abi, errors.New("the binary of this process can't be opened; is /proc mounted?")
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return abi, refused(errno)
	}
	return abi, nil
}

func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(abi), nil
	case unix.ENOSYS:
		return 0, errors.New("the kernel has none; Linux 5.13 or later does")
	case unix.EOPNOTSUPP:
		return 0, errors.New("the kernel has it switched off; add landlock to its lsm= parameter")
	}
	return 0, refused(errno)
}

// handled returns everything that this version of Landlock can deny.
func handled(abi int) unix.LandlockRulesetAttr {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	// At first the scope of signals kept a thread from signalling other threads of its own process, by which Go's
	// scheduler interrupts them. A flag of the kernel says that this is mended.
	const mended = 1 << (2 - 1)
	errata, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	if abi >= 6 && errno == 0 && errata&mended != 0 {
		attr.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// allow adds a rule for p, if it exists.
func allow(ruleset int, p place) error {
	fd, err := unix.Open(p.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // what can't be opened here isn't there for a child either
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: p.access, Parent_fd: int32(fd)}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rule.Allowed_access &= ofFiles
	}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func exists(path string) bool { return unix.Access(path, unix.F_OK) == nil }
