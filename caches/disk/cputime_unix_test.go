//go:build unix

package disk

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns what this process has taken of processors so far.
func cpuTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
