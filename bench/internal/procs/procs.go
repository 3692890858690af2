// Package procs looks at a server and the worker processes that it started: which they are, what memory they hold, which
// descriptors are open. Linux only: it reads /proc.
package procs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// WorkerArgument is the argument by which worker processes are known.
const WorkerArgument = "imageorigin-worker"

// Process is one process at one moment.
type Process struct {
	PID    int
	Parent int
	State  byte // R, S, D, Z, … as in proc(5)
	fields []string
}

// Read returns a process. The error is fs.ErrNotExist where there is none.
func Read(pid int) (Process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		if !errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("process %d: %w", pid, fs.ErrNotExist) // it may end while it is read: ESRCH
		}
		return Process{}, err
	}
	// The name, in parentheses, may hold anything; what follows may not.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return Process{}, fmt.Errorf("process %d: /proc has %d fields", pid, len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	return Process{PID: pid, Parent: parent, State: fields[0][0], fields: fields}, err
}

// Field returns a number of /proc/PID/stat by its place there, which proc(5) counts from 1; from 3 on.
func (p Process) Field(n int) (int64, error) { return strconv.ParseInt(p.fields[n-3], 10, 64) }

// Children returns the processes whose parent is pid, zombies among them, in the order of their numbers.
func Children(pid int) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var children []Process
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, err := Read(id); err == nil && p.Parent == pid {
			children = append(children, p)
		}
	}
	slices.SortFunc(children, func(a, b Process) int { return a.PID - b.PID })
	return children, nil
}

// Workers returns the worker processes of a server, alive ones alone.
func Workers(server int) ([]int, error) {
	children, err := Children(server)
	if err != nil {
		return nil, err
	}
	var workers []int
	for _, p := range children {
		if p.State != 'Z' && IsWorker(p.PID) {
			workers = append(workers, p.PID)
		}
	}
	return workers, nil
}

// IsWorker reports whether a process was started as a worker. A zombie has no arguments any more.
func IsWorker(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && slices.Contains(strings.Split(string(line), "\x00"), WorkerArgument)
}

// Memory returns the bytes that a process holds, where pages that several processes share count by their shares (PSS).
func Memory(pid int) (int64, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(rollup)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d: /proc tells no Pss", pid)
}

// Descriptors counts the open descriptors of a process, and those of them that are memory.
func Descriptors(pid int) (all, memory int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, entry := range entries {
		to, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		all++
		if strings.HasPrefix(to, "/memfd:") {
			memory++
		}
	}
	return all, memory, nil
}
