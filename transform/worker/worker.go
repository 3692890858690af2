// Package worker executes plans in child processes of the server's own binary. A decoder that crashes, hangs or takes all
// memory costs the picture that it was given: its process ends, a fresh one stands in, and the server goes on.
//
// [Open] starts a [Pool], which is a [transform.Engine]; the child runs [Serve] with the engine that does the work. They talk
// over a socket, one job at a time a worker, and share areas of memory for originals and results. What a worker says is
// read as if an attacker had written it.
package worker

import (
	"errors"
	"log/slog"
	"os/exec"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Argument is the first argument of a process that is to call [Serve], unless Config.Command says otherwise.
const Argument = "imageorigin-worker"

// ErrUnavailable is the error of Open on systems where pictures can't be worked on in processes of their own.
var ErrUnavailable = errors.New("isolation is not available on this system; it needs Linux")

// Config is what a Pool is told.
type Config struct {
	// How many pictures are worked on at once, each in a process of its own. 0 or less is the number of CPUs. After the first
	// failure there is one process more, which stands in for the next that fails.
	Workers int

	// Bytes of resident memory (RSS) of one worker above which it is killed; its job fails as TooLarge. 0 is no limit.
	// What it maps of the original and of the shared areas counts.
	MemoryLimit int64

	// Jobs after which a worker is replaced by a fresh one. Default: 10,000.
	RecycleAfter int

	// Bytes of resident memory above which a worker gives memory back after a job. Where it is still above then, it is
	// replaced. Default: 256 MiB.
	RecycleAbove int64

	// Program and arguments of a worker. Default: {"/proc/self/exe", Argument}, the server's own image even where its file
	// was replaced meanwhile.
	Command []string

	// Handed to the start function of each worker as it is.
	Settings []byte

	// Starts a process. It is called on a goroutine that has locked its thread and keeps it until the pool is closed, so that
	// what it does to that thread holds for all workers and for nothing else. Its command has the signal that ends it with
	// the parent, a process group, files and environment already. Default: cmd.Start(), and that it goes before the server where
	// memory is short.
	Start func(cmd *exec.Cmd) error

	// Environment of a worker, "NAME=value". nil is HOME=/nonexistent and MALLOC_ARENA_MAX=1; an empty list is none.
	Environment []string

	// Log gets what happens to workers. Default: nobody.
	Log *slog.Logger
}

// The defaults of Config.
const (
	defaultRecycleAfter = 10_000
	defaultRecycleAbove = 256 << 20
)

// Known is what the first worker of a pool found out about its engine. Later ones are told, so that they needn't try again
// what can be encoded.
type Known struct {
	Version  string
	Writable plan.Set
	Readable plan.Set
}

// Engine is what a worker works with.
//
// Once it is made, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP and SIGSYS end the process without a word, those of
// Go code as well.
type Engine struct {
	// Engine does the jobs, one at a time, all on one thread. In later workers than the first, its Version, Writable and
	// Readable must be those that the first one's were.
	Engine transform.Engine

	// Trim gives free memory back to the system. nil does nothing.
	Trim func()

	// Confine is called once, before the first job: it takes from the process what no job needs, and returns in words which
	// measures are in force, and which this system hasn't, with the reason. nil is none. After an error the worker ends and
	// the pool doesn't start.
	Confine func() (measures, missing []string, err error)
}

// Reasons for which a worker is replaced, as Status.Restarts names them.
const (
	ReasonCrash    = "crash"    // it ended by itself or was killed by somebody else
	ReasonMemory   = "memory"   // it took more than Config.MemoryLimit
	ReasonDeadline = "deadline" // its job was not done in time
	ReasonCanceled = "canceled" // its job's caller went away and it went on for longer than the grace
	ReasonProtocol = "protocol" // it said something that no worker says
	ReasonRecycled = "recycled" // it has done its share of jobs, or kept too much memory
)

// Reasons lists all of them.
var Reasons = []string{ReasonCrash, ReasonMemory, ReasonDeadline, ReasonCanceled, ReasonProtocol, ReasonRecycled}

// Status tells how a pool is.
type Status struct {
	Slots    int              `json:"slots"`             // pictures worked on at once
	Waiting  int              `json:"waiting"`           // jobs that wait for a worker
	Workers  []Process        `json:"workers"`           // the oldest first; starting ones last
	Restarts map[string]int64 `json:"restarts"`          // workers that ended, by reason
	Poisoned int              `json:"poisoned"`          // originals that are refused for now
	Measures []string         `json:"measures"`          // what confines the workers
	Missing  []string         `json:"missing,omitempty"` // what could confine them and isn't there, with the reason
	Failing  string           `json:"failing,omitempty"` // why the last start failed, if none succeeded since
}

// Process tells how one worker is.
type Process struct {
	PID    int    `json:"pid"`
	State  string `json:"state"`  // starting, idle or busy
	Jobs   int64  `json:"jobs"`   // done
	Memory int64  `json:"memory"` // resident, in bytes
}

// The states of a Process.
const (
	stateStarting = "starting"
	stateIdle     = "idle"
	stateBusy     = "busy"
)

// niceness of the workers, beyond the server's. Pixel work takes all CPU that there is for tens of milliseconds; what is answered from caches
// takes microseconds and shall not stand in line behind it.
const niceness = 5

// How long things take at most.
const (
	startTime   = 30 * time.Second       // from a start to the worker's first word
	cancelGrace = 250 * time.Millisecond // for a job whose caller went away
	tidyTime    = 2 * time.Second        // to give back memory
	watchEvery  = 20 * time.Millisecond  // a busy worker's memory is looked at
	cancelEvery = 25 * time.Millisecond  // a busy worker looks whether its caller went away
)

// Sizes of the shared areas. Only pages that were touched take memory.
const (
	inArea   = 16 << 20 // for originals; larger ones get an area of their own
	outArea  = 8 << 20  // for results; larger ones alike
	keptArea = 4 << 20  // of each of them stays when a worker has nothing to do
)

// What the child finds open.
const (
	socketFD = 3
	inFD     = 4
	outFD    = 5
)
