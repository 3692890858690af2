package transform

import (
	"container/list"
	"time"
)

// fairness holds the lines of endpoints, and says whose turn it is: that of the endpoint which has had the least work done
// among those that want some (start-time fair queueing). It is used under the lock of its [Gate].
//
// The clock is the work that the last endpoint had had when it got its turn. Who comes back after a while begins there, and
// not where it left off: what was not asked for is not saved up.
type fairness struct {
	clock     time.Duration
	latest    time.Duration // the most that any endpoint has had
	came      uint64        // how many have ever waited
	endpoints map[string]*endpointLine
	waiting   []*endpointLine // those with somebody in line
	sweepAt   int
}

// endpointLine is what one endpoint waits for. What is slow has a line of its own, so that it holds up nothing else while
// others of its kind run.
type endpointLine struct {
	name  string
	had   time.Duration // the work that it was let in with, from where the clock was
	quick list.List     // of *waiter
	slow  list.List
}

// What a turn costs at the least and at the most; deadlines end what takes longer.
const (
	leastWork = time.Millisecond
	mostWork  = time.Minute
)

// fewEndpoints are remembered whatever they had.
const fewEndpoints = 64

func (l *endpointLine) len() int { return l.quick.Len() + l.slow.Len() }

// endpoint returns the line of an endpoint.
func (f *fairness) endpoint(name string) *endpointLine {
	if l, known := f.endpoints[name]; known {
		return l
	}
	if len(f.endpoints) >= max(f.sweepAt, fewEndpoints) {
		f.sweep()
	}
	if f.endpoints == nil {
		f.endpoints = map[string]*endpointLine{}
	}
	l := &endpointLine{name: name}
	f.endpoints[name] = l
	return l
}

// sweep forgets endpoints that are like new ones.
func (f *fairness) sweep() {
	for name, l := range f.endpoints {
		if l.len() == 0 && l.had <= f.clock {
			delete(f.endpoints, name)
		}
	}
	f.sweepAt = 2 * len(f.endpoints)
}

// arrive returns the line of an endpoint for somebody who comes. Where nobody stands in it, the endpoint begins at the clock.
func (f *fairness) arrive(name string) *endpointLine {
	l := f.endpoint(name)
	if l.len() == 0 {
		l.had = max(l.had, f.clock)
	}
	return l
}

// push puts w at the end of its endpoint's line.
func (f *fairness) push(w *waiter) {
	l := f.arrive(w.endpoint)
	if l.len() == 0 {
		f.waiting = append(f.waiting, l)
	}
	f.came++
	w.came = f.came
	if w.line = &l.quick; w.slow {
		w.line = &l.slow
	}
	w.place = w.line.PushBack(w)
}

// remove takes w out of line.
func (f *fairness) remove(w *waiter) {
	w.line.Remove(w.place)
	w.line, w.place = nil, nil
	if l := f.endpoints[w.endpoint]; l.len() == 0 {
		for i := range f.waiting {
			if f.waiting[i] == l {
				last := len(f.waiting) - 1
				f.waiting[i], f.waiting[last] = f.waiting[last], nil
				f.waiting = f.waiting[:last]
				return
			}
		}
	}
}

// charge has an endpoint pay for a turn.
func (f *fairness) charge(name string, work time.Duration) {
	l := f.endpoint(name)
	f.clock = max(f.clock, l.had)
	l.had += min(max(work, leastWork), mostWork)
	f.latest = max(f.latest, l.had)
}

// settle makes all equal again: nobody wants anything.
func (f *fairness) settle() { f.clock = f.latest }

// next returns whose turn it is among those that fit, or nil. Of an endpoint it is who came first; slow ones only where they
// are let in. Of endpoints that have had as much it is that whose next came first.
func (f *fairness) next(slow bool, fits func(job) bool) *waiter {
	var best *waiter
	var had time.Duration
	for _, l := range f.waiting {
		w := l.next(slow, fits)
		if w != nil && (best == nil || l.had < had || l.had == had && w.came < best.came) {
			best, had = w, l.had
		}
	}
	return best
}

func (l *endpointLine) next(slow bool, fits func(job) bool) *waiter {
	first := head(&l.quick, fits)
	if slow {
		if w := head(&l.slow, fits); first == nil || w != nil && w.came < first.came {
			return w
		}
	}
	return first
}

// head returns who is first in a line, if that fits.
func head(line *list.List, fits func(job) bool) *waiter {
	e := line.Front()
	if e == nil {
		return nil
	}
	if w := e.Value.(*waiter); fits == nil || fits(w.job) {
		return w
	}
	return nil
}

// lastOfLongest returns who came last to the longest line, if that is longer than the line of the one who came now, with
// that one in it.
func (f *fairness) lastOfLongest(came job) *waiter {
	most := 0
	if l, known := f.endpoints[came.endpoint]; known {
		most = l.len()
	}
	if came.header {
		most++
	}
	var longest *endpointLine
	for _, l := range f.waiting {
		if n := l.len(); n > most {
			most, longest = n, l
		}
	}
	if longest == nil {
		return nil
	}
	last := tail(&longest.quick)
	if w := tail(&longest.slow); last == nil || w != nil && w.came > last.came {
		return w
	}
	return last
}

func tail(line *list.List) *waiter {
	e := line.Back()
	if e == nil {
		return nil
	}
	return e.Value.(*waiter)
}

// all returns everybody in line.
func (f *fairness) all() []*waiter {
	var all []*waiter
	for _, l := range f.waiting {
		for _, line := range []*list.List{&l.quick, &l.slow} {
			for e := line.Front(); e != nil; e = e.Next() {
				all = append(all, e.Value.(*waiter))
			}
		}
	}
	return all
}

// count returns how many are in line, by endpoint.
func (f *fairness) count() map[string]int {
	n := map[string]int{}
	for _, l := range f.waiting {
		n[l.name] = l.len()
	}
	return n
}
