package worker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// starter starts processes, all on one thread: the signal that ends a worker with its parent is sent when the thread ends
// that started it, and what Config.Start does to the thread shall hold for workers only.
type starter struct {
	wanted chan func()
	ended  chan struct{}
}

func newStarter() *starter {
	s := &starter{make(chan func()), make(chan struct{})}
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // for good: the thread ends with this function
		// Set on the thread, for a process inherits it for all of its threads: set in the worker it would hold for one.
		for start := range s.wanted {
			start()
		}
	}()
	return s
}

// run runs f on the thread.
func (s *starter) run(f func() error) error {
	done := make(chan error, 1)
	s.wanted <- func() { done <- f() }
	return <-done
}

// stop ends the thread, and with it workers that are still there.
func (s *starter) stop() {
	close(s.wanted)
	<-s.ended
}

// spawn starts a worker and waits until it is ready.
func (p *Pool) spawn(o opening) (*process, hello, error) {
	w, err := p.launch()
	if err != nil {
		return nil, hello{}, fmt.Errorf("starting a worker: %w", err)
	}
	h, err := w.greet(o)
	if err == nil {
		return w, h, nil
	}
	hungUp := errors.Is(err, io.EOF)
	if hungUp { // it is about to end: how says more than that we ended it
		select {
		case <-w.ended:
		case <-time.After(time.Second):
		}
	}
	w.kill()
	w.dispose()
	if hungUp {
		err = fmt.Errorf("it ended (%v)", w.how())
	}
	if said := w.said.String(); said != "" {
		err = fmt.Errorf("%w; it said: %s", err, said)
	}
	return nil, h, fmt.Errorf("starting a worker: %w", err)
}

// how tells how the process ended.
func (w *process) how() string {
	if !w.hasEnded() {
		return "it doesn't end"
	}
	return w.cmd.ProcessState.String()
}

// launch starts the process of a worker, with nothing open but what is meant for it.
func (p *Pool) launch() (_ *process, err error) {
	w := &process{ended: make(chan struct{}), answer: make([]byte, maxAnswer), state: stateStarting, born: time.Now()}
	var open, theirs []io.Closer // theirs are of no use here once the process has them
	defer func() {
		for _, c := range theirs {
			c.Close()
		}
		if err != nil {
			for _, c := range open {
				c.Close()
			}
			if w.write != nil {
				unix.Munmap(w.write)
			}
		}
	}()
	if w.in, err = newArea("in", inArea); err != nil {
		return nil, err
	}
	open = append(open, w.in)
	if w.write, err = mapped(int(w.in.Fd()), inArea, true); err != nil {
		return nil, fmt.Errorf("mapping a shared area: %w", err)
	}
	if w.out, err = newArea("out", outArea); err != nil {
		return nil, err
	}
	open = append(open, w.out)
	in, err := readOnly(w.in)
	if err != nil {
		return nil, err
	}
	theirs = append(theirs, in)
	conn, socket, err := socketPair()
	if err != nil {
		return nil, err
	}
	w.conn = conn
	open, theirs = append(open, conn), append(theirs, socket)
	said, saying, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	open, theirs = append(open, said), append(theirs, saying)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	theirs = append(theirs, null)

	w.cmd = exec.Command(p.cfg.Command[0], p.cfg.Command[1:]...)
	w.cmd.Env = slices.Clone(p.cfg.Environment)
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = null, null, saying
	w.cmd.ExtraFiles = []*os.File{socketFD - 3: socket, inFD - 3: in, outFD - 3: w.out}
	// A group of its own, so that an interrupt typed for the server isn't for the worker. Not a session: the kernel may
	// share CPU time fairly among sessions, and then niceness counts within them only.
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := p.starter.run(func() error { return p.cfg.Start(w.cmd) }); err != nil {
		return nil, err
	}
	proc := "/proc/" + strconv.Itoa(w.pid())
	yield(w.pid())
	if w.memory, err = os.Open(proc + "/statm"); err != nil {
		w.cmd.Process.Kill()
		w.cmd.Wait()
		return nil, err
	}
	p.own(w, said)
	return w, nil
}

// startOpen starts a process that nothing confines. Where memory is short, it goes before the server; that may not be allowed.
func startOpen(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = os.WriteFile("/proc/"+strconv.Itoa(cmd.Process.Pid)+"/oom_score_adj", []byte("500"), 0)
	return nil
}

// yield has a worker let others go first. Priorities are those of threads; by its process group, in which it is alone, a
// worker gets it for all that it has now, and others inherit it. The worker itself could set one thread's.
func yield(pid int) {
	const lowest = 19
	if own, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
		// The kernel says 20-n for n. Where it fails, workers are as important as the server.
		_ = unix.Setpriority(unix.PRIO_PGRP, pid, min(20-own+niceness, lowest))
	}
}

// own has the pool look after a process until it has ended.
func (p *Pool) own(w *process, said *os.File) {
	heard := make(chan struct{})
	p.owned.Add(2)
	go func() {
		defer p.owned.Done()
		defer close(heard)
		defer said.Close()
		w.said.keep(said)
	}()
	go func() {
		defer p.owned.Done()
		w.cmd.Wait()
		// Somebody else may have its end of the pipe, if it started somebody.
		said.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		<-heard
		close(w.ended)
		w.conn.SetReadDeadline(past)
		p.noteEnd(w)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.living[w] = struct{}{}
	if p.closed {
		w.cmd.Process.Kill()
	}
}

// socketPair returns the parent's end and the worker's.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "worker"), os.NewFile(uintptr(fds[1]), "parent")
	defer ours.Close() // FileConn makes a copy
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("making a socket: %w", err)
	}
	return conn.(*net.UnixConn), theirs, nil
}
