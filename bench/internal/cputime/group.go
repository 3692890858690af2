package cputime

import (
	"errors"
	"io/fs"

	"github.com/imageorigin/imageorigin/bench/internal/procs"
)

// Group returns user and system time in milliseconds of a process, its children and those children that have ended: of a
// server with all the workers that it ever had. What lives is read by its clock, to the nanosecond; what has ended is
// known in steps of 10 ms.
//
// A child that ends between two looks of one call can be missed: the caller compares loads in which none does.
func Group(pid int) (float64, error) {
	self, err := procs.Read(pid)
	if err != nil {
		return 0, err
	}
	// cutime and cstime: the children that were waited for.
	user, err := self.Field(16)
	if err != nil {
		return 0, err
	}
	system, err := self.Field(17)
	if err != nil {
		return 0, err
	}
	sum := float64(user+system) * 10
	children, err := procs.Children(pid)
	if err != nil {
		return 0, err
	}
	for _, p := range append(children, self) {
		ms, err := clock(p.PID)
		if errors.Is(err, fs.ErrNotExist) && p.PID != pid {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += ms
	}
	return sum, nil
}
