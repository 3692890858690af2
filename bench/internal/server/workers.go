package server

import (
	"fmt"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/procs"
)

// AwaitWorkers waits until the server has at least so many worker processes.
func (s *Server) AwaitWorkers(n int) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		workers, err := procs.Workers(s.PID)
		if err != nil || len(workers) >= n {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server has %d worker processes, want %d (children with the argument %s): is isolation on?\n%s",
				len(workers), n, procs.WorkerArgument, s.Said())
		}
	}
}
