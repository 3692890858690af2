package worker

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// loss is why a worker can't go on.
type loss struct {
	reason string
	err    transform.Error // of its job
	blame  bool            // the original had its part in it
	unsent bool            // the job was not begun
}

// watch looks after a worker that is busy.
func (w *process) watch(r *request, limit int64) *loss {
	if w.hasEnded() {
		return w.gone(r)
	}
	if rss := w.resident(); rss > 0 {
		w.last = rss
	}
	if limit <= 0 || w.last <= limit {
		return nil
	}
	return tookTooMuch(r, limit)
}

func tookTooMuch(r *request, limit int64) *loss {
	err := errors.New("the picture took more memory than there is")
	if limit > 0 {
		err = &plan.LimitError{Limit: "memory_limit", Pos: -1, Msg: fmt.Sprintf("making the picture took more than the %d MiB of memory that it may", limit>>20)}
	}
	return &loss{reason: ReasonMemory, blame: true, err: transform.Error{Kind: transform.TooLarge, Op: doing[r.Task], Err: err}}
}

// gone is the loss of a worker that hung up. It waits for its end, so that the end can be told apart from a kill of ours.
func (w *process) gone(r *request) *loss {
	const patience = 500 * time.Millisecond
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.ended:
		return &loss{reason: ReasonCrash, blame: true, err: transform.Error{Op: doing[r.Task]}}
	case <-timer.C:
		return w.nonsense(r, errors.New("it hung up and went on"))
	}
}

// nonsense is the loss of a worker that says what none should.
func (w *process) nonsense(r *request, err error) *loss {
	return &loss{reason: ReasonProtocol, blame: true, err: transform.Error{
		Op: doing[r.Task], Err: fmt.Errorf("%w, as what it said made no sense: %w", transform.ErrCrashed, err),
	}}
}

// autopsy finds out why a worker ended by itself. How it ended counts, and then what it said.
func (w *process) autopsy(r *request, limit int64, lost *loss) {
	const near = 0.8 // of the limit; memory is looked at too seldom to see all of it
	outOfMemory := !lost.unsent && (limit > 0 && float64(w.last) > near*float64(limit) ||
		w.said.tells("failed to allocate", "out of memory", "cannot allocate memory"))
	if !w.hasEnded() { // even now
		return
	}
	state, known := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case outOfMemory:
		*lost = *tookTooMuch(r, limit)
		return
	case known && state.Signaled():
		s := state.Signal()
		lost.err.Err = fmt.Errorf("%w by %s (%s)", transform.ErrCrashed, unix.SignalName(s), s)
		switch s {
		case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT:
			lost.blame = false // decoders don't do that: somebody else did
		}
	default:
		lost.err.Err = fmt.Errorf("%w (%s)", transform.ErrCrashed, w.cmd.ProcessState)
	}
}
