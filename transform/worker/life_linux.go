package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"
)

// grownUp is how long a worker without any job must have lived for its start to count as one that succeeded.
const grownUp = time.Second

// idlePause is for how long a worker has nothing to do before memory of its areas is given back.
const idlePause = time.Second

// admit takes a worker that is ready into the pool. It is used when those before it are busy. The caller holds the lock.
func (p *Pool) admit(w *process) {
	p.workers = append(p.workers, w)
	p.rest(w, true)
}

// rest lets a worker wait for its next job: as the first choice, or as the last. The caller holds the lock.
func (p *Pool) rest(w *process, last bool) {
	if w.hasEnded() { // by somebody's hand, after its job
		p.lose(w, ReasonCrash)
		w.dispose()
	} else {
		w.state = stateIdle
		at := len(p.idle)
		if last {
			at = 0
		}
		p.idle = slices.Insert(p.idle, at, w)
	}
	if w.large && !w.resting && w.state == stateIdle {
		w.resting = true
		time.AfterFunc(idlePause, func() { p.punch(w) })
	}
	p.settle()
}

// settle brings the number of workers to what it should be, and jobs to workers. The caller holds the lock.
func (p *Pool) settle() {
	if p.closed {
		return
	}
	target := p.slots
	if p.spare {
		target++
	}
	p.dispatch()
	for len(p.workers) > target && len(p.idle) > 0 {
		// One that is worn; it was kept until there was another. Else the one that is used least.
		at := slices.IndexFunc(p.idle, func(w *process) bool { return w.worn })
		if at < 0 && slices.ContainsFunc(p.workers, func(w *process) bool { return w.worn }) {
			break // that one is busy, and goes after its job
		}
		p.retire(p.idle[max(at, 0)])
	}
	fresh := 0
	for _, w := range p.workers {
		if !w.worn {
			fresh++
		}
	}
	for ; fresh+p.starting < target && p.starting < startsAtOnce && p.retry == nil; p.starting++ {
		p.owned.Add(1)
		go p.start()
	}
}

// retire ends a worker that is idle. The caller holds the lock.
func (p *Pool) retire(w *process) {
	if w.worn {
		p.restarts[ReasonRecycled]++
	}
	w.retired = true
	p.remove(w)
	w.cmd.Process.Kill() // nothing is lost with it
}

// remove takes a worker out of the pool. The caller holds the lock.
func (p *Pool) remove(w *process) {
	is := func(other *process) bool { return other == w }
	p.workers = slices.DeleteFunc(p.workers, is)
	p.idle = slices.DeleteFunc(p.idle, is)
	w.state = ""
}

// lose takes a worker out that failed. From the first such failure on a spare one stands by. The caller holds the lock.
func (p *Pool) lose(w *process, reason string) {
	p.remove(w)
	if p.closed {
		return
	}
	p.restarts[reason]++
	p.spare = true
	switch {
	case w.jobs > 0 || time.Since(w.born) > grownUp:
		p.failures = 0
	case reason == ReasonCrash && w.id == 0:
		p.startFailed(errors.New("workers end as soon as they are started"))
	}
}

// start starts one more worker.
func (p *Pool) start() {
	defer p.owned.Done()
	w, _, err := p.spawn(opening{Parent: os.Getpid(), Settings: p.cfg.Settings, Again: true, Known: p.known})
	p.mu.Lock()
	p.starting--
	closed := p.closed
	switch {
	case closed:
	case err != nil:
		p.startFailed(err)
	default:
		p.admit(w)
	}
	p.mu.Unlock()
	if closed && err == nil {
		w.kill()
		w.dispose()
	}
}

// startFailed has the next start wait, twice as long each time. The caller holds the lock.
func (p *Pool) startFailed(err error) {
	p.failures++
	p.failing = err
	wait := min(firstRetry<<min(p.failures-1, 10), lastRetry)
	p.cfg.Log.Warn("a worker could not be started", slog.Int("failures", p.failures), slog.Duration("retry", wait), slog.Any("error", err))
	if p.retry == nil {
		p.retry = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.retry = nil
			p.settle()
		})
	}
	if err := p.hopeless(); err != nil {
		p.fail(err)
	}
}

// release gives a worker back after its job. What it has to do before the next one it does in nobody's time.
func (p *Pool) release(w *process) {
	rss := w.resident()
	if rss > 0 {
		w.last = rss
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	w.jobs++
	p.failures = 0
	if w.jobs >= int64(p.cfg.RecycleAfter) {
		w.worn = true
	}
	if rss <= p.cfg.RecycleAbove || w.worn || p.closed {
		p.rest(w, false)
		return
	}
	p.owned.Add(1)
	go p.tidy(w)
}

// tidy has a worker give memory back. One that can't is replaced.
func (p *Pool) tidy(w *process) {
	defer p.owned.Done()
	if w.large {
		w.punch()
	}
	alive := w.tidy()
	if !alive {
		w.kill()
	}
	large := w.resident() > p.cfg.RecycleAbove
	p.mu.Lock()
	defer p.mu.Unlock()
	if !alive {
		p.lose(w, ReasonProtocol)
		p.settle()
		w.dispose()
		return
	}
	w.worn = w.worn || large
	p.rest(w, false)
}

// punch gives memory of the areas back, if the worker is idle.
func (p *Pool) punch(w *process) {
	p.mu.Lock()
	w.resting = false
	if p.closed || w.state != stateIdle {
		p.mu.Unlock()
		return // after the job it is at there is a next time
	}
	p.owned.Add(1)
	defer p.owned.Done()
	w.state = stateBusy
	p.idle = slices.DeleteFunc(p.idle, func(other *process) bool { return other == w })
	p.mu.Unlock()

	w.punch()

	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest(w, true)
}

// drop takes a worker out that was lost with its job, and has another stand in.
func (p *Pool) drop(w *process, r *request, lost *loss) {
	p.mu.Lock()
	p.busy--
	p.lose(w, lost.reason)
	p.settle()
	closed := p.closed
	p.mu.Unlock()
	w.dispose()
	if closed {
		return
	}
	p.report(w, lost.reason, slog.String("op", doing[r.Task]), slog.String("cause", fmt.Sprint(lost.err.Err)))
}

// noteEnd is called when a process has ended. One that had nothing to do was ended by somebody else.
func (p *Pool) noteEnd(w *process) {
	p.mu.Lock()
	delete(p.living, w)
	state := w.state
	lost := state == stateIdle && !w.retired && !p.closed
	if lost {
		p.lose(w, ReasonCrash)
		p.settle()
	}
	p.mu.Unlock()
	if state != stateBusy && state != stateStarting {
		w.dispose() // otherwise by those who have it in hand
	}
	if lost {
		p.report(w, ReasonCrash, slog.String("cause", w.how()))
	}
}

func (p *Pool) report(w *process, reason string, facts ...any) {
	p.cfg.Log.Warn("a worker ended", append([]any{slog.Int("pid", w.pid()), slog.String("reason", reason)}, facts...)...)
	if said := w.said.String(); said != "" {
		p.cfg.Log.Debug("what the worker said last", slog.Int("pid", w.pid()), slog.String("said", said))
	}
}
