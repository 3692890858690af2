package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/transform"
)

// process is a worker as the parent has it.
type process struct {
	cmd    *exec.Cmd
	conn   *net.UnixConn
	in     *os.File // shared area of originals
	write  []byte   // the same: memory that is kept mapped costs no system call
	out    *os.File // shared area of results
	memory *os.File // /proc/PID/statm
	said   tail
	born   time.Time
	ended  chan struct{} // closed when the process is no more
	close  sync.Once

	// Whoever has the worker in hand has these.
	id      uint64 // of the last job
	message []byte
	answer  []byte
	last    int64 // resident memory when it was last looked at
	large   bool  // more of an area was touched than is kept

	// The pool's lock guards these.
	state   string
	jobs    int64
	worn    bool // to be replaced
	resting bool // a timer runs that gives memory of the areas back
	retired bool // the pool ended it
}

// unfit is the error of a job that can't be handed over, which is not the worker's fault.
type unfit struct{ error }

// past is a deadline that has passed: setting it wakes a reader.
var past = time.Unix(1, 0)

// pid returns the process's number.
func (w *process) pid() int { return w.cmd.Process.Pid }

// resident returns the resident memory in bytes, 0 where nobody knows.
func (w *process) resident() int64 {
	var b [128]byte
	n, err := w.memory.ReadAt(b[:], 0)
	if n == 0 && err != nil {
		return 0
	}
	fields := bytes.Fields(b[:n])
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// hasEnded reports whether the process is no more.
func (w *process) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and waits until it has ended. The kernel may take its time with one that hangs in a driver; the
// pool goes on without waiting for that.
func (w *process) kill() {
	const patience = 5 * time.Second
	w.cmd.Process.Kill() // fails where it has ended
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
	}
}

// dispose gives back what belongs to the process, which has ended or is given up.
func (w *process) dispose() {
	w.close.Do(func() {
		w.conn.Close()
		_ = unix.Munmap(w.write)
		for _, f := range []*os.File{w.in, w.out, w.memory} {
			f.Close()
		}
	})
}

// work has w do a job: it hands the original over, waits for the end and reads the result. After a loss the worker has
// been ended.
func (w *process) work(ctx context.Context, r *request, o transform.Original, limit int64) (*answer, []byte, *loss) {
	w.id++
	r.ID = w.id
	w.last = 0 // of the job before
	a, result, lost := w.attempt(ctx, r, o, limit)
	if lost != nil {
		w.kill()
		if lost.reason == ReasonCrash {
			w.autopsy(r, limit, lost)
		}
	}
	return a, result, lost
}

func (w *process) attempt(ctx context.Context, r *request, o transform.Original, limit int64) (*answer, []byte, *loss) {
	if err := w.hand(r, o); err != nil {
		if e, ok := errors.AsType[unfit](err); ok { // the worker knows nothing of it
			return failure{transform.Internal, doing[r.Task], e.Error()}.of(r), nil, nil
		}
		return nil, nil, &loss{reason: ReasonCrash, unsent: true, err: transform.Error{Op: doing[r.Task], Err: err}}
	}
	a, lost := w.await(ctx, r, limit)
	if lost != nil || a.Status == failed || r.Task != render {
		return a, nil, lost
	}
	from := w.out
	if a.Status == needsRoom {
		f, err := newArea("result", a.size)
		if err != nil {
			return nil, nil, &loss{reason: ReasonMemory, err: transform.Error{Op: doing[r.Task], Err: err}}
		}
		defer f.Close()
		size := a.size
		if err := w.send(&request{Task: room, Place: sent, ID: r.ID, Size: size}, f); err != nil {
			return nil, nil, w.gone(r)
		}
		if a, lost = w.await(ctx, r, limit); lost != nil {
			lost.unsent = false // it was done all but for the last step
			return nil, nil, lost
		}
		if a.Status == failed {
			return a, nil, nil
		}
		if a.Status != done || a.image.Place != sent || a.image.Size != size {
			return nil, nil, w.nonsense(r, errors.New("another result than the one announced"))
		}
		from = f
	} else if a.image.Place != area {
		return nil, nil, w.nonsense(r, errors.New("a result that nobody sent"))
	}
	w.large = w.large || a.image.Place == area && a.image.Size > keptArea
	result, err := readArea(from, a.image.Size)
	if err != nil {
		return nil, nil, &loss{reason: ReasonProtocol, err: transform.Error{Op: doing[r.Task], Err: fmt.Errorf("reading the result: %w", err)}}
	}
	return a, result, nil
}

// hand puts the original where the worker reads it, and sends the job.
func (w *process) hand(r *request, o transform.Original) error {
	r.Size, r.Place = int64(len(o.Bytes)), nowhere
	if r.Size == 0 {
		return w.send(r, nil)
	}
	if shareable(o.File, r.Size) {
		r.Place = sent
		err := w.send(r, o.File)
		if !errors.Is(err, os.ErrClosed) {
			return err
		}
	}
	if r.Size <= inArea {
		r.Place = area
		copy(w.write, o.Bytes)
		w.large = w.large || r.Size > keptArea
		return w.send(r, nil)
	}
	f, err := newArea("original", r.Size)
	if err != nil {
		return unfit{err}
	}
	defer f.Close()
	if _, err := f.WriteAt(o.Bytes, 0); err != nil {
		return unfit{fmt.Errorf("writing the original: %w", err)}
	}
	r.Place = sent
	return w.send(r, f)
}

// shareable reports whether a worker may have the file: it can't write by the descriptor, and all of the original is
// there to be mapped.
func shareable(f *os.File, size int64) bool {
	if f == nil {
		return false
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	fine := false
	err = conn.Control(func(fd uintptr) {
		var stat unix.Stat_t
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		fine = err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY && flags&unix.O_PATH == 0 &&
			unix.Fstat(int(fd), &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Size >= size
	})
	return err == nil && fine
}

// sendTime is how long a worker may leave a message standing. The socket holds a hundred, so one that reads never lets it fill.
const sendTime = time.Second

// send sends a message, with a descriptor if there is one. It hardly ever waits: what the worker has not read yet is little.
func (w *process) send(r *request, f *os.File) (err error) {
	if w.message, err = r.encode(w.message[:0]); err != nil {
		return unfit{err}
	}
	if err := w.conn.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}
	if f == nil {
		_, _, err = w.conn.WriteMsgUnix(w.message, nil, nil)
		return err
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	controlling := conn.Control(func(fd uintptr) {
		_, _, err = w.conn.WriteMsgUnix(w.message, unix.UnixRights(int(fd)), nil)
	})
	return errors.Join(controlling, err)
}

// await waits for the answer to r. Meanwhile it keeps watch: over the context, the worker's memory and its life.
func (w *process) await(ctx context.Context, r *request, limit int64) (*answer, *loss) {
	defer context.AfterFunc(ctx, func() { w.conn.SetReadDeadline(past) })()
	var grace time.Time
	for {
		// In this order: an end of the context from here on sets its deadline behind ours.
		w.conn.SetReadDeadline(time.Now().Add(watchEvery))
		switch err := ended(ctx); {
		case err == nil:
		case errors.Is(err, context.DeadlineExceeded):
			return nil, &loss{reason: ReasonDeadline, blame: true, err: transform.Error{
				Kind: transform.Timeout, Op: doing[r.Task], Err: fmt.Errorf("the worker was ended: %w", err),
			}}
		case grace.IsZero():
			grace = time.Now().Add(cancelGrace)
			if w.send(&request{Task: cancel, ID: r.ID}, nil) != nil {
				return nil, w.gone(r)
			}
		case time.Now().After(grace):
			return nil, &loss{reason: ReasonCanceled, err: transform.Error{
				Kind: transform.Canceled, Op: doing[r.Task], Err: fmt.Errorf("the worker was ended: %w", err),
			}}
		}
		n, _, flags, _, err := w.conn.ReadMsgUnix(w.answer, nil)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if lost := w.watch(r, limit); lost != nil {
				return nil, lost
			}
		case errors.Is(err, unix.ECONNRESET) && grace.IsZero():
			// The kernel says that the last message was not read: the worker ended before it had the job.
			lost := w.gone(r)
			lost.unsent, lost.blame = true, false
			return nil, lost
		case err != nil || n == 0:
			return nil, w.gone(r)
		case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
			return nil, w.nonsense(r, errors.New("a message that is too long, or with something beside it"))
		default:
			a, err := decodeAnswer(w.answer[:n], r)
			if err != nil {
				return nil, w.nonsense(r, err)
			}
			return a, nil
		}
	}
}

// ended returns why a context has ended: the deadline of a request is the cause of a cancel.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return ctx.Err()
}

// tidy has the worker give memory back, and reports whether it is still one.
func (w *process) tidy() bool {
	w.id++
	r := &request{Task: tidy, ID: w.id}
	if w.send(r, nil) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
	defer cancel()
	_, lost := w.await(ctx, r, 0)
	return lost == nil
}

// punch gives memory of the areas back.
func (w *process) punch() {
	punch(w.in, inArea) // where it can't be done, the memory stays
	punch(w.out, outArea)
	w.large = false
}

// greet tells the worker what it is to be, and hears what it is.
func (w *process) greet(o opening) (hello, error) {
	var h hello
	b, err := encode(nil, &o)
	if err != nil {
		return h, err
	}
	w.conn.SetDeadline(time.Now().Add(startTime))
	defer w.conn.SetDeadline(time.Time{})
	_, _, err = w.conn.WriteMsgUnix(b, nil, nil)
	var n, flags int
	if err == nil {
		n, _, flags, _, err = w.conn.ReadMsgUnix(w.answer, nil)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && w.hasEnded():
		return h, io.EOF // the end of a process wakes who reads by the same means
	case errors.Is(err, os.ErrDeadlineExceeded):
		return h, fmt.Errorf("it said nothing for %s", startTime)
	case err != nil || n == 0:
		return h, io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		return h, errMalformed
	}
	if err := decode(w.answer[:n], &h); err != nil {
		return h, err
	}
	return h, h.check(o)
}
