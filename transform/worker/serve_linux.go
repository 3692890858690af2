package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/transform"
)

// Serve is the life of a worker: it makes the engine by start, does the jobs of the parent and returns the exit code
// once the parent is gone. Settings are those of the parent's Config. known is nil in the first worker of a pool, which
// finds out what its engine can do; later ones are told and must come to the same.
func Serve(start func(settings []byte, known *Known) (Engine, error)) int {
	runtime.LockOSThread()                                         // the jobs' calls into C stay on one thread, which needs no waking
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // meant for the server, which ends its workers when it's done
	if kind, err := unix.GetsockoptInt(socketFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_SEQPACKET {
		fmt.Fprintln(os.Stderr, "this command works on pictures for a server, which starts it by itself; it is of no use by hand")
		return 2
	}
	closeInherited()
	// Again, as executing a file with capabilities forgets it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "arranging the end of the worker:", err)
		return 1
	}
	s := &server{buf: make([]byte, maxRequest)}
	switch err := s.serve(start); {
	case err == nil || errors.Is(err, io.EOF):
		return 0
	default:
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

// closeInherited closes what the server was itself started with and didn't open: it reached the worker because nothing
// says that it shall not be passed on. All that this process has opened says so.
func closeInherited() {
	const most = 1 << 14 // enough for those whom a shell or a service manager gives something; takes a millisecond
	for fd := uintptr(outFD + 1); fd < most; fd++ {
		if flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(int(fd))
		}
	}
}

// server is the child's side.
type server struct {
	engine  Engine
	buf     []byte
	reply   []byte
	in, out []byte // the areas
}

func (s *server) serve(start func([]byte, *Known) (Engine, error)) error {
	if err := s.open(start); err != nil {
		return err
	}
	for {
		r, fd, err := s.next()
		if err != nil {
			return err
		}
		switch r.Task {
		case tidy:
			if s.engine.Trim != nil {
				s.engine.Trim()
			}
			err = s.say(&answer{Status: done, ID: r.ID}, r)
		case probe, look, render:
			err = s.job(r, fd)
		default: // a cancel that came too late
		}
		if fd >= 0 {
			unix.Close(fd)
		}
		if err != nil {
			return err
		}
	}
}

// open starts the engine and says what it is.
func (s *server) open(start func([]byte, *Known) (Engine, error)) error {
	b, _, err := s.receive()
	if err != nil {
		return err
	}
	var o opening
	if err := decode(b, &o); err != nil {
		return err
	}
	// In a process namespace of its own a worker sees no parent.
	if parent := os.Getppid(); parent != o.Parent && parent != 0 {
		return io.EOF
	}
	h, err := s.start(o, start)
	if err != nil {
		h = hello{Error: err.Error()}
		h.Error = h.Error[:min(len(h.Error), 1000)]
	}
	said, encoding := encode(nil, &h)
	if encoding != nil {
		return encoding
	}
	return errors.Join(send(said), err)
}

func (s *server) start(o opening, start func([]byte, *Known) (Engine, error)) (h hello, err error) {
	if s.in, err = mapped(inFD, inArea, false); err == nil {
		s.out, err = mapped(outFD, outArea, true)
	}
	if err != nil {
		return h, fmt.Errorf("mapping the shared areas: %w", err)
	}
	unix.Close(inFD) // of no more use
	unix.Close(outFD)
	var known *Known
	if o.Again {
		known = &o.Known
	}
	if s.engine, err = start(o.Settings, known); err != nil {
		return h, err
	}
	if err := crashAtOnce(); err != nil {
		return h, err
	}
	if s.engine.Confine != nil {
		if h.Measures, h.Missing, err = s.engine.Confine(); err != nil {
			return h, fmt.Errorf("confining the worker: %w", err)
		}
	}
	e := s.engine.Engine
	h.Known = Known{Version: e.Version(), Writable: e.Writable(), Readable: e.Readable()}
	return h, nil
}

// crashAtOnce undoes what the Go runtime does about signals of crashes. In C code it can only end the process, and takes
// longer for that and writes pages; a worker that ends by the signal itself says more with less.
func crashAtOnce() error {
	const mask = 8         // bytes of a set of signals
	var byDefault [64]byte // a struct sigaction: no handler, no flags, no mask
	for _, s := range []syscall.Signal{
		syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS,
	} {
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&byDefault)), 0, mask, 0, 0)
		if errno != 0 {
			return fmt.Errorf("setting what %s does: %w", unix.SignalName(s), errno)
		}
	}
	return nil
}

// job does one job and says how it ended. fd is what came with it.
func (s *server) job(r *request, fd int) error {
	o := transform.Original{Page: r.Page}
	switch r.Place {
	case area:
		if r.Size > inArea {
			return errMalformed
		}
		o.Bytes = s.in[:r.Size:r.Size]
	case sent:
		b, err := mapped(fd, r.Size, false)
		if err != nil {
			return s.say(failure{transform.Internal, doing[r.Task], "mapping the original: " + err.Error()}.of(r), r)
		}
		defer unix.Munmap(b)
		o.Bytes = b
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := listen(r.ID, cancel)
	a, result := s.do(ctx, r, o)
	l.stop()
	if a.Status == done && r.Task == render {
		return s.deliver(a, r, result)
	}
	return s.say(a, r)
}

// do has the engine do the job.
func (s *server) do(ctx context.Context, r *request, o transform.Original) (a *answer, result []byte) {
	a = &answer{Status: done, ID: r.ID}
	var err error
	switch r.Task {
	case probe:
		a.source, err = s.engine.Engine.Probe(ctx, o)
	case look:
		a.window, err = s.engine.Engine.Look(ctx, transform.Inputs{Base: o}, r.look)
	case render:
		var img *transform.Image
		if img, err = s.engine.Engine.Render(ctx, transform.Inputs{Base: o}, r.plan); err == nil {
			a.image = picture{img.Format, img.Width, img.Height, img.Frames, area, int64(len(img.Bytes))}
			result = img.Bytes
		}
	}
	if err != nil {
		return failureOf(err, r).of(r), nil
	}
	return a, result
}

// deliver puts a result where the parent reads it.
func (s *server) deliver(a *answer, r *request, result []byte) error {
	if len(result) <= outArea {
		copy(s.out, result)
		return s.say(a, r)
	}
	if err := s.say(&answer{Status: needsRoom, ID: r.ID, size: int64(len(result))}, r); err != nil {
		return err
	}
	for {
		got, fd, err := s.next()
		if err != nil {
			return err
		}
		if got.Task == room && got.ID == r.ID && fd >= 0 {
			err = fillRoom(fd, result)
			unix.Close(fd)
			if err != nil {
				return err
			}
			a.image.Place = sent
			return s.say(a, r)
		}
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func fillRoom(fd int, result []byte) error {
	m, err := mapped(fd, int64(len(result)), true)
	if err != nil {
		return fmt.Errorf("mapping the area of the result: %w", err)
	}
	copy(m, result)
	return unix.Munmap(m)
}

func failureOf(err error, r *request) failure {
	f := failure{transform.KindOf(err), doing[r.Task], err.Error()}
	if e, ok := errors.AsType[*transform.Error](err); ok {
		f.Op, f.Text = e.Op, ""
		if e.Err != nil {
			f.Text = e.Err.Error()
		}
	}
	const most = 2000
	f.Op, f.Text = f.Op[:min(len(f.Op), most)], f.Text[:min(len(f.Text), most)]
	return f
}

// say answers r.
func (s *server) say(a *answer, r *request) (err error) {
	if s.reply, err = a.encode(s.reply[:0], r.Task); err != nil {
		return err
	}
	return send(s.reply)
}

// next returns the next request and the descriptor that came with it, or -1.
func (s *server) next() (*request, int, error) {
	b, fd, err := s.receive()
	if err != nil {
		return nil, -1, err
	}
	r, err := decodeRequest(b)
	return r, fd, err
}

// receive waits for a message. The error is io.EOF when the parent is gone.
func (s *server) receive() (b []byte, fd int, err error) {
	oob := make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(socketFD, s.buf, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECONNRESET || err == nil && n == 0:
			return nil, -1, io.EOF
		case err != nil:
			return nil, -1, fmt.Errorf("receiving a job: %w", err)
		}
		return s.buf[:n], descriptor(oob[:oobn]), nil
	}
}

// descriptor returns the one that came with a message, or -1. The parent sends one at most.
func descriptor(oob []byte) int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return -1
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return -1
	}
	return fds[0]
}

// send sends a message whole.
func send(b []byte) error {
	for {
		switch err := unix.Sendmsg(socketFD, b, nil, nil, unix.MSG_NOSIGNAL); err {
		case unix.EINTR:
		case nil:
			return nil
		case unix.EPIPE, unix.ECONNRESET:
			return io.EOF
		default:
			return fmt.Errorf("answering: %w", err)
		}
	}
}

// listener looks from time to time, while a job is done, whether the caller of the job went away. A thread that waits for
// that would cost every job two switches more; a timer costs the short ones nothing.
type listener struct {
	id     uint64
	cancel func()

	mu    sync.Mutex
	over  bool
	timer *time.Timer
}

func listen(id uint64, cancel func()) *listener {
	l := &listener{id: id, cancel: cancel}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(cancelEvery, l.look)
	return l
}

func (l *listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	var b [256]byte
	n, _, err := unix.Recvfrom(socketFD, b[:], unix.MSG_DONTWAIT)
	switch {
	case err == unix.ECONNRESET || err == nil && n == 0:
		os.Exit(0) // the parent is gone, whatever C is busy with
	case err == nil:
		if r, err := decodeRequest(b[:n]); err == nil && r.Task == cancel && r.ID == l.id {
			l.cancel()
			return
		}
	}
	l.timer.Reset(cancelEvery)
}

// stop ends the looking: what comes from now on is for others.
func (l *listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.timer.Stop()
}
