package caddymodule

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/internal/delivery"
)

// codeBusy is the code of faults that say that the server has too much to do.
const codeBusy = "EBUSY"

// retryBusy is after how many seconds who was sent away for that may come back. To refuse costs next to nothing, so it is
// the shortest time that the header can say.
const retryBusy = 1

// retryAfter returns the value of Retry-After; "" is none.
func retryAfter(f fault, err error) string {
	if f.code == codeBusy {
		return strconv.Itoa(retryBusy)
	}
	if e, ok := errors.AsType[*delivery.BudgetError](err); ok {
		return strconv.FormatInt(int64((e.Retry+time.Second-1)/time.Second), 10) // rounded up: to come sooner is in vain
	}
	return ""
}

// shed counts the requests that the process refused because it had too much to do. All configs share it.
var shed sheds

// sheds counts refusals, and says when a line in the log is due: at most one a second, however many there are.
type sheds struct {
	mu    sync.Mutex
	total uint64
	last  time.Time // of the latest line
	since uint64    // refused since then
}

// count counts a refusal at that time. Where a line is due, since is how many there were since the one before it, else 0.
func (s *sheds) count(now time.Time) (since uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.since++
	if ago := now.Sub(s.last); ago >= 0 && ago < time.Second { // below 0 the clock was put back
		return 0
	}
	since, s.since, s.last = s.since, 0, now
	return since
}

// all returns how many requests were refused since the process began.
func (s *sheds) all() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// logShed counts a request that is refused because there is too much to do, and now and then writes how many there were. It
// returns the level at which the request's own line is written.
func (x *exchange) logShed(err error) zapcore.Level {
	if n := shed.count(time.Now()); n > 0 {
		load := gate.Load()
		x.logger.Warn("requests refused, for there is too much to do", zap.Uint64("requests", n), zap.String("endpoint", x.endpointName()),
			zap.Int("running", load.Running), zap.Int("waiting", load.Waiting), zap.Int("misses", remembered.Shed().UnderWay()), zap.Error(err))
	}
	return zap.DebugLevel
}

// AdmissionStatus says how much is under way.
type AdmissionStatus struct {
	Running int    `json:"running"` // pictures that are worked on
	Slow    int    `json:"slow"`    // of these, what takes long
	Waiting int    `json:"waiting"` // pictures that wait for it
	Memory  int64  `json:"memory"`  // bytes that those under way are estimated to hold
	Misses  int    `json:"misses"`  // requests for which an original is fetched or a result made, these among them
	Shed    uint64 `json:"shed"`    // requests refused since the start because there was too much to do
}

func admission() *AdmissionStatus {
	load := gate.Load()
	return &AdmissionStatus{
		Running: load.Running, Slow: load.Slow, Waiting: load.Waiting, Memory: load.Memory,
		Misses: remembered.Shed().UnderWay(), Shed: shed.all(),
	}
}
