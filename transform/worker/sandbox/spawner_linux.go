package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Executable returns the path by which a [Spawner] starts the binary of this process once more, also when it was
// replaced or deleted on disk meanwhile.
func Executable() (string, error) { return "/proc/self/exe", nil }

// Spawner starts processes from one thread that is restricted for good, and they with it; the other threads of this
// process stay as they are. It is safe for concurrent use. Make one with [NewSpawner].
type Spawner struct {
	starts  chan func()
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed at the end of the goroutine
	closed  sync.Once

	mu         sync.Mutex
	measures   Measures
	cloneflags uintptr // namespaces that each child gets for itself, since the thread couldn't
}

// Measures that change with what is started.
const (
	namespaced = "network and ipc namespaces"
	victims    = "first to go when memory runs out"
)

// NewSpawner starts a goroutine that locks itself to a thread and restricts that. It returns when this is done, after
// some milliseconds. The owner ends it with Close.
func NewSpawner() *Spawner {
	s := &Spawner{starts: make(chan func()), closing: make(chan struct{}), ended: make(chan struct{})}
	ready := make(chan struct{})
	go s.run(ready, nil)
	<-ready
	return s
}

// Start starts cmd, as [exec.Cmd.Start] does, and returns when the new program runs. The process ends with this one,
// however this one ends, and is in a process group of its own, so that a Ctrl-C in a terminal doesn't reach it. Of
// cmd.SysProcAttr it keeps what it doesn't set itself. Without cmd.Env the process gets [Environment], never all
// variables of this process; without cmd.Dir it works in "/".
//
// The program must be where a child may read: [Executable], or in one of the library folders. Who wants to watch the memory
// of the process opens its /proc/PID/statm now and keeps it: where /proc is mounted with hidepid, a confined process
// disappears from it.
func (s *Spawner) Start(cmd *exec.Cmd) error {
	if cmd.Env == nil {
		cmd.Env = Environment(os.Environ())
	}
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.Pdeathsig = syscall.SIGKILL
	attr.Setpgid = true
	s.mu.Lock()
	attr.Cloneflags |= s.cloneflags
	s.mu.Unlock()
	cmd.SysProcAttr = &attr

	result := make(chan error, 1)
	select {
	case s.starts <- func() { result <- cmd.Start() }:
	case <-s.closing:
		return errors.New("starting a process: the spawner is closed")
	}
	if err := <-result; err != nil {
		s.forgo(err)
		return err
	}
	s.offer(cmd.Process.Pid)
	return nil
}

// Measures returns what restricts the thread, and so each process that it starts.
func (s *Spawner) Measures() Measures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.measures.clone()
}

// Close ends the thread. The kernel then kills every process that was started and still runs: wait for all of them first.
// Close may be called more than once.
func (s *Spawner) Close() {
	s.closed.Do(func() { close(s.closing) })
	<-s.ended
}

// run is the goroutine of s. It ends locked to its thread, upon which Go ends the thread: nobody else may run on it.
func (s *Spawner) run(ready, away chan struct{}) {
	runtime.LockOSThread()
	if away != nil {
		close(away)
	}
	// The first thread stands for the whole process in /proc, and Go never ends it. While it is held, another goroutine
	// gets another thread.
	if unix.Gettid() == os.Getpid() {
		away := make(chan struct{})
		go s.run(ready, away)
		<-away
		runtime.UnlockOSThread()
		return
	}
	defer close(s.ended)
	s.restrict()
	close(ready)
	for {
		select {
		case start := <-s.starts:
			start()
		case <-s.closing:
			return
		}
	}
}

// restrict takes from this thread what its children must not have. The order matters: namespaces need capabilities, and
// Landlock needs that no privileges can come back.
func (s *Spawner) restrict() {
	own := newPlaces()
	s.measures.add("no-new-privileges", refused(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
	flags, err := ownNamespaces()
	s.cloneflags = flags
	s.measures.add(namespaced, err)
	abi, err := restrictFiles(own)
	landlock := "landlock"
	if err == nil {
		landlock += " abi " + strconv.Itoa(abi)
	}
	s.measures.add(landlock, err)
	s.measures.add("no capabilities", dropCapabilities())
}

// forgo has the next start do without namespaces where they may have been the reason for err, such as a limit on the
// number of user namespaces that is now reached.
func (s *Spawner) forgo(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cloneflags == 0 {
		return
	}
	for _, reason := range []error{unix.EPERM, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOMEM} {
		if errors.Is(err, reason) {
			s.cloneflags = 0
			s.measures.remove(namespaced)
			s.measures.add(namespaced, fmt.Errorf("refused when starting a process: %w", err))
			return
		}
	}
}

// offer has the kernel end this child before the server when memory runs out. An unrestricted thread writes it, while the
// child, which takes many milliseconds to get there, isn't confined yet; the child itself can't take it back.
func (s *Spawner) offer(pid int) {
	err := os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("1000"), 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return // it has ended already
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.measures.remove(victims)
	s.measures.add(victims, refused(err))
}

// ownNamespaces gives this thread a network without interfaces and System V objects of its own, which its children share.
// Without the capability for it, children can have that from a user namespace of theirs: it returns the flags.
func ownNamespaces() (cloneflags uintptr, err error) {
	const wanted = unix.CLONE_NEWNET | unix.CLONE_NEWIPC
	first := unix.Unshare(wanted)
	if first == nil {
		return 0, nil
	}
	// Starting a program without a name can only fail; how tells whether the process could be made.
	const flags = unix.CLONE_NEWUSER | wanted
	if _, err := syscall.ForkExec("", []string{""}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: flags}}); errors.Is(err, unix.ENOENT) {
		return flags, nil
	}
	return 0, refused(first)
}

// dropCapabilities takes all capabilities from this thread. Its children, which can't gain privileges, have none then,
// also where this process is root's or the binary has some by its file.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return refused(err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had [2]unix.CapUserData
	if err := unix.Capget(&header, &had[0]); err != nil {
		return refused(err)
	}
	// Root without capabilities is a user like others: can it still start the binary?
	dormant := had
	for i := range dormant {
		dormant[i].Effective, dormant[i].Inheritable = 0, 0
	}
	if err := unix.Capset(&header, &dormant[0]); err != nil {
		return refused(err)
	}
	if err := unix.Faccessat(unix.AT_FDCWD, "/proc/self/exe", unix.X_OK|unix.R_OK, unix.AT_EACCESS); err != nil {
		if err := unix.Capset(&header, &had[0]); err != nil {
			return refused(err)
		}
		return errors.New("without them the binary can't be read and executed; make it readable and executable for all")
	}
	var none [2]unix.CapUserData
	return refused(unix.Capset(&header, &none[0]))
}

// refused words why the kernel didn't do something.
func refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("not allowed here, by a container's profile or for want of privileges (%w)", err)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("the kernel has none (%w)", err)
	}
	return err
}
