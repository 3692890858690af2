//go:build !linux

package worker

import (
	"fmt"
	"os"

	"github.com/imageorigin/imageorigin/transform"
)

// Pool is a pool of workers. There is none on this system.
type Pool struct{ transform.Engine }

// Open returns ErrUnavailable.
func Open(Config) (*Pool, error) { return nil, ErrUnavailable }

// Slots returns how many pictures are worked on at once.
func (*Pool) Slots() int { return 0 }

// SetWorkers changes that.
func (*Pool) SetWorkers(int) {}

// Status tells how the pool is.
func (*Pool) Status() Status { return Status{} }

// Close ends the pool.
func (*Pool) Close() error { return nil }

// Serve is the life of a worker: on this system it has none.
func Serve(func(settings []byte, known *Known) (Engine, error)) int {
	fmt.Fprintln(os.Stderr, ErrUnavailable)
	return 1
}
