package delivery

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/imageorigin/imageorigin/transform"
)

// Shed bounds how many misses are under way: requests for which an original is fetched, or a result made. One more is
// refused before anything is fetched for it, so that a server which has too much to do says so quickly and goes on doing
// what it has begun. Hits, requests that wait for the work of another one, and files that pass through don't count.
//
// The zero Shed has no limit.
type Shed struct {
	limit atomic.Int64
	under atomic.Int64
}

// SetLimit changes how many misses may be under way; 0 is any number. Those under way go on.
func (s *Shed) SetLimit(limit int) { s.limit.Store(int64(limit)) }

// UnderWay returns how many misses are under way.
func (s *Shed) UnderWay() int { return int(s.under.Load()) }

// ErrBusy is the cause where too many misses are under way. Nothing was fetched for the request.
var ErrBusy = errors.New("as many pictures are under way as the limit queue allows")

func busy() error {
	return &transform.Error{Kind: transform.Overloaded, Op: "beginning a miss", Err: ErrBusy}
}

// enter counts one miss more, which the caller ends with leave. The error is ErrBusy in a *transform.Error.
func (s *Shed) enter() error {
	if n, limit := s.under.Add(1), s.limit.Load(); limit > 0 && n > limit {
		s.under.Add(-1)
		return busy()
	}
	return nil
}

func (s *Shed) leave() { s.under.Add(-1) }

// miss is the place of one request among the misses under way. It is taken when the first flight of the request begins, and
// given back when the request is answered and its flights have ended: those may outlive it, for others wait as well.
type miss struct {
	shed *Shed

	mu    sync.Mutex
	held  int  // by the request and its flights
	asked bool // the request holds it
	over  bool // the request is answered
}

// enter takes the place for a flight, if the request hasn't it yet. The flight gives it back with leave.
func (m *miss) enter() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == 0 {
		if err := m.shed.enter(); err != nil {
			return err
		}
	}
	m.held++
	if !m.asked && !m.over {
		m.held, m.asked = m.held+1, true // for the next flight: a request that has fetched is not refused any more
	}
	return nil
}

func (m *miss) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop()
}

// end gives back what the request itself holds.
func (m *miss) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over = true; m.asked {
		m.asked = false
		m.drop()
	}
}

// drop gives back one share; m is locked.
func (m *miss) drop() {
	if m.held--; m.held == 0 {
		m.shed.leave()
	}
}
