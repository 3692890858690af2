package e2e

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var kills = flag.Int("kills", 100, "how many workers TestWorkersKilled ends in all")

// clientsAtOnce ask for pictures while workers are killed.
const clientsAtOnce = 32

// TestWorkersKilledCostOneRequestEach ends workers in every way in which they end, under 32 clients: each end costs one
// request at most, everything else is answered right and in time, and nothing is left over.
func TestWorkersKilledCostOneRequestEach(t *testing.T) {
	slow := max(2, *kills*8/100) // of each kind that takes seconds
	for _, tt := range []struct {
		name    string
		server  isolation
		kills   int
		kill    func(s *isolated, n int) error
		counted string // reason in restarts
		costs   string // begins the error of a request whose worker was killed, status and code
	}{
		{"from outside", isolation{}, max(2, *kills-2*slow), (*isolated).killFromOutside, "crash", "500 UNIDENTIFIED"},
		{"by memory", isolation{engine: "memory_limit 256MiB"}, slow, (*isolated).killByMemory, "memory", "400 ELIMIT"},
		{"by deadline", isolation{limits: "timeout 2s"}, slow, (*isolated).killByDeadline, "deadline", "400 ELIMIT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startIsolated(t, tt.server)
			s.learn()
			before, quiet := s.calm(tt.kill)

			restarts := s.status().Restarts[tt.counted]
			were := s.awaitWorkers()
			b, c := s.beat(), s.ask32()
			start := time.Now()
			for n := range tt.kills {
				were = append(were, workersOf(s.cmd.Process.Pid)...)
				if err := tt.kill(s, n); err != nil {
					t.Fatalf("kill %d: %v", n, err)
				}
			}
			took := time.Since(start)
			c.stop()
			b.stop()
			t.Logf("%d kills in %v, %d answers right, failed: %v", tt.kills, took.Round(time.Millisecond), c.right, c.failed)
			t.Logf("without kills: %v", quiet)
			t.Logf("with kills:    %v", b)

			c.check(tt.kills, tt.costs)
			b.check(t, quiet)
			s.settles(before, were)
			// A signal may reach a worker in the moment in which it ends anyway, and then ends nobody.
			if got := s.status().Restarts[tt.counted] - restarts; got > tt.kills || got < tt.kills-tt.kills/40-1 {
				t.Errorf("restarts %q counts %d, after %d kills", tt.counted, got, tt.kills)
			}
		})
	}
}

// calm kills one worker, because that is when the server puts a spare one aside, and makes each picture once; what is open
// then, at rest, is what should be open at the end. Then the same clients as later ask without kills, while the other
// routes are measured.
func (s *isolated) calm(kill func(*isolated, int) error) (map[string]int, *beats) {
	s.t.Helper()
	if err := kill(s, 0); err != nil {
		s.t.Fatal(err)
	}
	s.awaitWorkers()
	for _, want := range requests {
		if r := s.ask(want); r.err != nil || r.status != http.StatusOK {
			s.t.Fatalf("%v: %d %s, %v", want, r.status, r.header.Get("Ik-Error"), r.err)
		}
	}
	before := s.atRest()
	b, c := s.beat(), s.ask32()
	time.Sleep(4 * time.Second)
	c.stop()
	b.stop()
	c.check(0, "")
	if len(b.failed) > 0 {
		s.t.Fatalf("without kills %d requests to other routes fail: %s", len(b.failed), b.failed[0])
	}
	return before, b
}

// check demands that no other route failed, and that none was late.
func (b *beats) check(t *testing.T, quiet *beats) {
	t.Helper()
	for _, failed := range b.failed[:min(len(b.failed), 5)] {
		t.Errorf("another route: %s", failed)
	}
	// A machine with two processors, both busy, holds anybody up for some time slices.
	if got, most := b.quantile(0.99), 3*quiet.quantile(0.99)+50*time.Millisecond; got > most {
		t.Errorf("99 of 100 requests to other routes are answered within %v while workers are killed, want %v", got, most)
	}
	if got, most := b.quantile(1), quiet.quantile(1)+2*time.Second; got > most {
		t.Errorf("a request to another route took %v", got)
	}
}

// killFromOutside sends a signal to a worker, and returns when it has ended.
func (s *isolated) killFromOutside(n int) error {
	signal := []syscall.Signal{syscall.SIGSEGV, syscall.SIGKILL}[n%2]
	time.Sleep(time.Duration(20+rand.IntN(60)) * time.Millisecond)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		workers := s.started()
		if len(workers) == 0 {
			continue
		}
		worker := workers[rand.IntN(len(workers))]
		if !alive(worker) {
			continue // the server has not noticed yet that it is gone: a signal would end it twice
		}
		if err := syscall.Kill(worker, signal); err != nil {
			continue // it ended by itself meanwhile
		}
		for alive(worker) {
			if time.Now().After(deadline) {
				return fmt.Errorf("%v does not end worker %d", signal, worker)
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	return fmt.Errorf("no worker within 30s")
}

// started returns the workers that have begun to work or wait for it. What is on its way to that is none yet: who ends it
// makes a start fail, and no worker.
func (s *isolated) started() (pids []int) {
	s.t.Helper()
	for _, told := range s.status().Workers {
		if told.State != "starting" {
			pids = append(pids, told.PID)
		}
	}
	return pids
}

// hungry turns 12 million pixels again and again, each time holding all of them: 700 MB within a second.
var hungry = request{"large.jpg", strings.TrimSuffix(strings.Repeat("rt-180:", 20), ":")}

// killByMemory asks for what needs more memory than a worker may have.
func (s *isolated) killByMemory(int) error {
	return s.refused(hungry, "memory")
}

// lengthy takes longer than any deadline here.
var lengthy = request{"large.jpg", "f-avif,q-90"}

// killByDeadline asks for what takes longer than it may.
func (s *isolated) killByDeadline(int) error {
	return s.refused(lengthy, "timeout")
}

// refused asks for what must be over a limit, which its message names.
func (s *isolated) refused(want request, limit string) error {
	r := s.ask(want)
	if told := r.header.Get("Ik-Error"); r.err != nil || r.status != http.StatusBadRequest || !strings.HasPrefix(told, "ELIMIT") || !strings.Contains(told, limit) {
		return fmt.Errorf("%v: got %d %q, %v; want ELIMIT with the word %s", want, r.status, told, r.err, limit)
	}
	return nil
}

// crowd are clients that ask until they are stopped.
type crowd struct {
	t    *testing.T
	stop func() // and wait

	mu     sync.Mutex
	right  int
	wrong  []string
	failed map[string]int // by status and error
}

// ask32 lets 32 clients ask for pictures that were never asked for, as fast as they come.
func (s *isolated) ask32() *crowd {
	c, done := &crowd{t: s.t, failed: map[string]int{}}, make(chan struct{})
	var clients sync.WaitGroup
	for id := range clientsAtOnce {
		clients.Go(func() {
			for n := id; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				want := requests[n%len(requests)]
				c.note(want, s.ask(want), s.want[want])
			}
		})
	}
	c.stop = sync.OnceFunc(func() {
		close(done)
		clients.Wait()
		s.client.CloseIdleConnections()
	})
	s.t.Cleanup(c.stop)
	return c
}

func (c *crowd) note(want request, r reply, right [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.err != nil:
		c.failed[r.err.Error()]++
	case r.status != http.StatusOK:
		c.failed[fmt.Sprint(r.status, " ", r.header.Get("Ik-Error"))]++
	case sha256.Sum256(r.body) != right:
		c.wrong = append(c.wrong, fmt.Sprintf("%v: %d bytes that are not those of the reference", want, len(r.body)))
	default:
		c.right++
	}
}

// check demands that every answer was right, but for as many as workers were killed, and those failed as they should.
func (c *crowd) check(kills int, costs string) {
	c.t.Helper()
	for _, wrong := range c.wrong[:min(len(c.wrong), 5)] {
		c.t.Error(wrong)
	}
	failed := 0
	for _, how := range slices.Sorted(maps.Keys(c.failed)) {
		failed += c.failed[how]
		if costs == "" || !strings.HasPrefix(how, costs) {
			c.t.Errorf("%d requests failed: %s", c.failed[how], how)
		}
	}
	if failed > kills {
		c.t.Errorf("%d requests failed by %d kills", failed, kills)
	}
	if c.right == 0 {
		c.t.Error("no request was answered right")
	}
}

// atRest returns the server's descriptors once all connections are closed.
func (s *isolated) atRest() map[string]int {
	s.client.CloseIdleConnections()
	s.origin.CloseClientConnections()
	var counts map[string]int
	for same := 0; same < 10; same++ { // until they were the same for half a second
		time.Sleep(50 * time.Millisecond)
		if now := descriptors(s.cmd.Process.Pid); !maps.Equal(now, counts) {
			counts, same = now, 0
		}
	}
	return counts
}

// settles demands that all is as it was before the kills: as many workers, no process left over, no descriptor more.
func (s *isolated) settles(before map[string]int, were []int) {
	s.t.Helper()
	var left []string
	var after map[string]int
	workers, told := 0, 0
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		workers, told = len(s.awaitWorkers()), len(s.status().Workers)
		left, after = leftovers(s.cmd.Process.Pid, were), s.atRest()
		if told == workers && len(left) == 0 && noMore(after, before) {
			return
		}
	}
	s.t.Errorf("left over: %v; descriptors %v, before %v; %d workers, status tells of %d", left, after, before, workers, told)
}

// noMore reports whether no kind of descriptor became more.
func noMore(after, before map[string]int) bool {
	for kind, n := range after {
		if n > before[kind] {
			return false
		}
	}
	return true
}
