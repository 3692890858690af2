package vipsexec

import (
	"encoding/json"
	"os"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/worker"
	"github.com/imageorigin/imageorigin/transform/worker/sandbox"
)

// ServeAsWorker does the work of a process that was started as a worker, to its end, and returns its exit code; any other
// process it leaves alone. Caddy's binary calls it by the hidden command imageorigin-worker. A program of its own that loads
// configs, such as a test, is started for its workers as well, and calls it first of all:
//
//	func TestMain(m *testing.M) {
//		if code, served := vipsexec.ServeAsWorker(); served {
//			os.Exit(code)
//		}
//		…
//
// It can't be done before main: libvips calls Go from threads of its own, which has to wait until then.
func ServeAsWorker() (code int, served bool) {
	if len(os.Args) < 2 || os.Args[1] != worker.Argument {
		return 0, false
	}
	return worker.Serve(startWorker), true
}

// workerSettings are what a worker is told of the configuration.
type workerSettings struct {
	Inputs plan.Set `json:"inputs"`
	Data   uint64   `json:"data"` // bytes of memory that it can have at most (RLIMIT_DATA); 0: no limit
}

// startWorker starts libvips in a worker.
func startWorker(settings []byte, known *worker.Known) (worker.Engine, error) {
	var s workerSettings
	if err := json.Unmarshal(settings, &s); err != nil {
		return worker.Engine{}, err
	}
	keepFreed()
	cfg := Config{Inputs: s.Inputs}
	if known != nil {
		cfg.Version, cfg.Writable = known.Version, known.Writable
	}
	engine, err := New(cfg)
	if err != nil {
		return worker.Engine{}, err
	}
	return worker.Engine{Engine: engine, Trim: trim, Confine: func() ([]string, []string, error) {
		m, err := sandbox.Confine(sandbox.Limits{Data: s.Data})
		return m.InForce, m.Missing, err
	}}, nil
}
