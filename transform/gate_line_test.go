package transform_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// works is an engine whose work takes as long as plans say, and which remembers when what began. Names of work are the
// warnings of its plan.
type works struct {
	mu     sync.Mutex
	start  time.Time
	began  []string
	at     map[string]time.Duration
	ended  map[string]time.Duration
	now    map[bool]int // running by whether it is slow
	memory int64
	most   transform.GateLoad
}

func newWorks() *works {
	return &works{start: time.Now(), at: map[string]time.Duration{}, ended: map[string]time.Duration{}, now: map[bool]int{}}
}

func (w *works) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	w.do(o.Endpoint, time.Millisecond, 0, false)
	return plan.Source{}, nil
}

func (w *works) Look(_ context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	w.do(in.Base.Endpoint, l.Work, l.Memory, l.Slow())
	return plan.Window{}, nil
}

func (w *works) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	w.do(p.Warnings[0], p.Work, p.Memory, p.Slow())
	if p.Frames < 0 {
		panic("as asked")
	}
	return &transform.Image{}, nil
}

func (w *works) do(name string, work time.Duration, memory int64, slow bool) {
	w.mu.Lock()
	w.began = append(w.began, name)
	w.at[name] = time.Since(w.start)
	w.now[slow]++
	w.memory += memory
	w.most.Running = max(w.most.Running, w.now[true]+w.now[false])
	w.most.Slow = max(w.most.Slow, w.now[true])
	w.most.Memory = max(w.most.Memory, w.memory)
	w.mu.Unlock()
	time.Sleep(work)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now[slow]--
	w.memory -= memory
	w.ended[name] = time.Since(w.start)
}

func (w *works) Writable() plan.Set { return plan.SetOf(plan.JPEG) }
func (w *works) Readable() plan.Set { return plan.AllFormats }
func (w *works) Version() string    { return "works" }

// line is a gate with an engine behind it, and work that is sent there.
type line struct {
	t    *testing.T
	gate *transform.Gate
	e    transform.Engine
	*works
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs map[string]error
}

func newLine(t *testing.T, l transform.GateLimits) *line {
	gate, w := transform.NewGate(1), newWorks()
	gate.SetLimits(l)
	return &line{t: t, gate: gate, e: gate.Guard(w), works: w, errs: map[string]error{}}
}

// send has an endpoint ask for work, and returns when that is under way or in line.
func (l *line) send(endpoint, name string, work time.Duration, memory int64) {
	l.sendUntil(l.t.Context(), endpoint, name, work, memory)
}

func (l *line) sendUntil(ctx context.Context, endpoint, name string, work time.Duration, memory int64) {
	l.t.Helper()
	l.wg.Go(func() {
		in := transform.Inputs{Base: transform.Original{Endpoint: endpoint}}
		_, err := l.e.Render(ctx, in, plan.Plan{Work: work, Memory: memory, Warnings: []string{name}})
		l.mu.Lock()
		defer l.mu.Unlock()
		l.errs[name] = err
	})
	synctest.Wait()
}

// err is what came of work, nil where that goes on.
func (l *line) err(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errs[name]
}

// end waits for all, and checks that the gate is as it was.
func (l *line) end() {
	l.t.Helper()
	l.wg.Wait()
	if got := l.gate.Load(); got != (transform.GateLoad{}) {
		l.t.Errorf("%+v after all have ended", got)
	}
}

// served ends, and checks that nothing failed but what was to be refused.
func (l *line) served(refused ...string) {
	l.t.Helper()
	l.end()
	for name, err := range l.errs {
		if err != nil && !slices.Contains(refused, name) {
			l.t.Errorf("%s: %v", name, err)
		}
	}
}

const quick = 100 * time.Millisecond
