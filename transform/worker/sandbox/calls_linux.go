//go:build linux && (amd64 || arm64)

package sandbox

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// systemCalls returns those that work on a picture takes, the frequent ones first.
func systemCalls() []systemCall {
	calls := always(
		unix.SYS_FUTEX, unix.SYS_READ, unix.SYS_WRITE, unix.SYS_RECVMSG, unix.SYS_SENDMSG, unix.SYS_MUNMAP, unix.SYS_MADVISE,
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_SCHED_YIELD, unix.SYS_EPOLL_PWAIT, unix.SYS_RT_SIGPROCMASK,
		unix.SYS_RT_SIGRETURN,

		// descriptors that are open
		unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREADV, unix.SYS_CLOSE, unix.SYS_CLOSE_RANGE, unix.SYS_LSEEK,
		unix.SYS_DUP, unix.SYS_DUP3, unix.SYS_FSTAT, unix.SYS_FSTATFS, unix.SYS_FTRUNCATE, unix.SYS_FADVISE64, unix.SYS_PPOLL, unix.SYS_PSELECT6,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EVENTFD2, unix.SYS_PIPE2, unix.SYS_MEMFD_CREATE,
		unix.SYS_RECVFROM, unix.SYS_SENDTO, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,

		// looking at files, as far as Landlock lets them be read
		unix.SYS_STATX, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_READLINKAT, unix.SYS_GETDENTS64, unix.SYS_STATFS, unix.SYS_GETCWD,

		// memory
		unix.SYS_MREMAP, unix.SYS_MPROTECT, unix.SYS_MINCORE, unix.SYS_MSYNC, unix.SYS_BRK, unix.SYS_MEMBARRIER,

		// threads and their end
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_SET_ROBUST_LIST, unix.SYS_SET_TID_ADDRESS, unix.SYS_RSEQ, unix.SYS_GETTID, unix.SYS_GETPID,
		unix.SYS_GETPPID, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER, unix.SYS_SCHED_GET_PRIORITY_MAX,
		unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_SCHED_GETATTR,

		// signals of its own
		unix.SYS_RT_SIGACTION, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL, unix.SYS_SETITIMER, unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME,
		unix.SYS_TIMER_GETTIME, unix.SYS_TIMER_DELETE,

		// clocks and facts
		unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM, unix.SYS_SYSINFO, unix.SYS_GETRUSAGE, unix.SYS_GETCPU, unix.SYS_UNAME,
		unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	)
	self := uint32(os.Getpid())
	return append(append(calls, processorCalls...),
		// A new thread, neither a process nor a namespace.
		systemCall{unix.SYS_CLONE, 0, unix.CLONE_THREAD | namespaces, []uint32{unix.CLONE_THREAD}},
		// Memory of its own or of a file, not shared memory without a file, which RLIMIT_DATA doesn't count.
		systemCall{unix.SYS_MMAP, 3, unix.MAP_SHARED | unix.MAP_ANONYMOUS, []uint32{0, unix.MAP_ANONYMOUS, unix.MAP_SHARED}},
		systemCall{unix.SYS_OPENAT, 2, toChange, []uint32{0}},
		// Signals to itself: Go's scheduler and abort send them.
		systemCall{unix.SYS_TGKILL, 0, math.MaxUint32, []uint32{self}},
		systemCall{unix.SYS_KILL, 0, math.MaxUint32, []uint32{self}},
		// Neither the limits nor the scheduling of others.
		systemCall{unix.SYS_PRLIMIT64, 0, math.MaxUint32, []uint32{0, self}},
		systemCall{unix.SYS_SCHED_SETATTR, 0, math.MaxUint32, []uint32{0}},
		// Names of threads and mappings; above all not PR_SET_PDEATHSIG and PR_SET_DUMPABLE.
		systemCall{unix.SYS_PRCTL, 0, math.MaxUint32, []uint32{unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_SET_VMA}},
		// Not F_SETOWN and F_SETSIG, by which a descriptor sends signals to others.
		systemCall{unix.SYS_FCNTL, 1, math.MaxUint32, []uint32{
			unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD, unix.F_DUPFD_CLOEXEC, unix.F_ADD_SEALS, unix.F_GET_SEALS,
		}},
		// What standard libraries ask descriptors. Not FIOSETOWN, which is F_SETOWN, nor TIOCSTI, which types into terminals.
		systemCall{unix.SYS_IOCTL, 1, math.MaxUint32, []uint32{unix.TCGETS, unix.TIOCGWINSZ, fionread, fionbio, fionclex, fioclex}},
	)
}

const (
	namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

	// The flags of open that change something; O_TMPFILE without the bit that it shares with O_DIRECTORY.
	toChange = unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC | unix.O_TMPFILE&^unix.O_DIRECTORY
)

// What terminals, pipes and sockets are asked, in numbers that x/sys doesn't have.
const (
	fionread = 0x541b
	fionbio  = 0x5421
	fionclex = 0x5450
	fioclex  = 0x5451
)
