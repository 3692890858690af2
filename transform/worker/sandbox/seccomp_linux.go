package sandbox

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter is assembled here, with x/net/bpf. Libraries that do so (go-seccomp-bpf v1.6.0) don't kill a process for calls of
// another architecture, have no default for calls that are younger than their tables, and don't look at what TSYNC returns.

// Where the kernel's seccomp_data has what a filter looks at. Arguments that we look at are ints to the kernel, so their
// lower half is all that counts; it comes first, as both processors are little endian.
const (
	offsetNumber    = 0
	offsetProcessor = 4
	offsetArguments = 16
)

// youngest is the last system call that has to answer EPERM if it isn't allowed: Linux 5.3's pidfd_open, which has one
// number everywhere. Younger ones don't exist for the process (ENOSYS), upon which C libraries fall back on older ones;
// EPERM would be final. clone3 is among them, as a filter can't look at its flags.
const youngest = unix.SYS_PIDFD_OPEN

// systemCall is one that is allowed, if an argument is right.
type systemCall struct {
	number   uintptr
	argument int
	mask     uint32 // the bits of the argument that are compared; 0: the argument may be anything
	values   []uint32
}

func always(numbers ...uintptr) []systemCall {
	calls := make([]systemCall, 0, len(numbers))
	for _, number := range numbers {
		calls = append(calls, systemCall{number: number})
	}
	return calls
}

// loadFilter puts the list of system calls into force, on all threads at once. It can't be taken back.
func loadFilter() error {
	if processor == 0 {
		return errors.New("there is a list of system calls for amd64 and arm64 only")
	}
	// The kernel wants it of those who aren't privileged. It spreads to the other threads with the filter.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return refused(err)
	}
	return load(filter(systemCalls()))
}

// filter writes a program that answers whether a call may be made.
func filter(calls []systemCall) []bpf.Instruction {
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	deny := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	unknown := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	program := []bpf.Instruction{
		// By another processor's numbers, such as those of 32 bits, nobody calls by mistake.
		bpf.LoadAbsolute{Off: offsetProcessor, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: processor, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
	}
	for _, call := range calls {
		if call.mask == 0 {
			program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(call.number), SkipFalse: 1}, allow)
			continue
		}
		test := []bpf.Instruction{
			bpf.LoadAbsolute{Off: offsetArguments + 8*uint32(call.argument), Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: call.mask},
		}
		for _, value := range call.values {
			test = append(test, bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipFalse: 1}, allow)
		}
		test = append(test, deny)
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(call.number), SkipFalse: uint8(len(test))})
		program = append(program, test...)
	}
	return append(program, bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: uint32(youngest), SkipFalse: 1}, unknown, deny)
}

// load has the kernel run the program before each system call of all threads.
func load(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, 0, len(raw))
	for _, instruction := range raw {
		code = append(code, unix.SockFilter{Code: instruction.Op, Jt: instruction.Jt, Jf: instruction.Jf, K: instruction.K})
	}
	head := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&head)))
	if errno != 0 {
		return refused(errno)
	}
	if thread != 0 {
		return fmt.Errorf("thread %d has another filter", thread)
	}
	return nil
}
