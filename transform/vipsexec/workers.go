package vipsexec

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/imageorigin/imageorigin/transform/worker"
	"github.com/imageorigin/imageorigin/transform/worker/sandbox"
)

// workers are the worker processes that all configs with the same settings share, so that a reload doesn't touch them.
type workers struct {
	*worker.Pool
	spawner *sandbox.Spawner
	log     *following
	told    sync.Once // the log
}

// roomAboveLimit is how much more than memory_limit a worker may allocate: what it has allocated and never touched doesn't count
// as resident, and Go reserves some.
const roomAboveLimit = 128 << 20

// workerMark is in the environment of workers. A program that is started as one and comes so far as to want workers of its
// own doesn't know that it is one, and would go on without end.
const workerMark = "IMAGEORIGIN_WORKER"

var errNoWorker = errors.New("this program can't be its own worker: call vipsexec.ServeAsWorker at the beginning of main, or set isolation off")

// openWorkers starts the first worker and asks it what it can do.
func openWorkers(slots int, memoryLimit int64, recycleAfter int, settings workerSettings, log *slog.Logger) (*workers, error) {
	if os.Getenv(workerMark) != "" {
		return nil, errNoWorker
	}
	settings.Data = uint64(memoryLimit + roomAboveLimit)
	told, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	w := &workers{spawner: sandbox.NewSpawner(), log: new(following)}
	w.log.follow(log)
	w.Pool, err = worker.Open(worker.Config{
		Workers: slots, MemoryLimit: memoryLimit, RecycleAfter: recycleAfter, Settings: told,
		Start: w.spawner.Start, Environment: append(sandbox.Environment(os.Environ()), workerMark+"=1"), Log: slog.New(w.log),
	})
	if err != nil {
		w.spawner.Close()
		return nil, err
	}
	return w, nil
}

// Destruct ends all workers, and then the thread that started them: they would not live longer than that.
func (w *workers) Destruct() error {
	err := w.Pool.Close()
	w.spawner.Close()
	return err
}

// rule is called by the config that is in force.
func (w *workers) rule(slots int, log *slog.Logger) {
	w.SetWorkers(slots)
	w.log.follow(log)
	w.told.Do(func() {
		s := w.status()
		log.Info("pictures are worked on in processes of their own", slog.Int("workers", slots), slog.String("version", w.Version()),
			slog.Any("measures", s.Measures), slog.Any("missing", s.Missing))
	})
}

// following is a log handler that hands on to the log of the config in force: workers outlive configs.
type following struct{ current atomic.Pointer[slog.Logger] }

func (f *following) follow(log *slog.Logger) { f.current.Store(log) }

func (f *following) handler() slog.Handler { return f.current.Load().Handler() }

// Enabled implements slog.Handler.
func (f *following) Enabled(ctx context.Context, level slog.Level) bool {
	return f.handler().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (f *following) Handle(ctx context.Context, r slog.Record) error {
	return f.handler().Handle(ctx, r)
}

// WithAttrs implements slog.Handler. Nobody adds to this log.
func (f *following) WithAttrs([]slog.Attr) slog.Handler { return f }

// WithGroup implements slog.Handler.
func (f *following) WithGroup(string) slog.Handler { return f }

// workerStatus is how the workers are, in words of JSON.
type workerStatus struct {
	Isolation string `json:"isolation"` // process
	worker.Status
}

func (w *workers) status() workerStatus {
	s := workerStatus{isolationProcess, w.Status()}
	measures := w.spawner.Measures()
	s.Measures = slices.Concat(measures.InForce, s.Measures)
	s.Missing = slices.Concat(measures.Missing, s.Missing)
	return s
}

// WorkerStatus tells how the workers are; nil without isolation.
func (v *Vips) WorkerStatus() any {
	if v.workers == nil {
		return nil
	}
	return v.workers.status()
}

// Restarts counts the workers that were replaced, by reason.
func (v *Vips) Restarts() map[string]uint64 {
	if v.workers == nil {
		return nil
	}
	counts := map[string]uint64{}
	for reason, n := range v.workers.Status().Restarts {
		counts[reason] = uint64(n)
	}
	return counts
}

// WorkerMemory is how many bytes of memory the workers take together, those that they share counted in each.
func (v *Vips) WorkerMemory() (bytes int64) {
	if v.workers == nil {
		return 0
	}
	for _, w := range v.workers.Status().Workers {
		bytes += w.Memory
	}
	return bytes
}
