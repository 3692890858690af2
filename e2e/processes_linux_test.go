package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// workerArgument is the argument by which worker processes are known.
const workerArgument = "imageorigin-worker"

// child is a process at one moment.
type child struct {
	pid, parent int
	state       byte // R, S, D, Z, … as in proc(5)
	worker      bool // has the argument; a zombie has none any more
}

// processes returns all processes.
func processes() []child {
	entries, _ := os.ReadDir("/proc") // without it no test here finds a worker, and says so
	var all []child
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if c, ok := process(pid); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

// process returns one of them, if it is there.
func process(pid int) (child, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return child{}, false
	}
	// The name, in parentheses, may hold anything; what follows may not.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return child{}, false
	}
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // none: it has ended
	return child{pid, parent, fields[0][0], slices.Contains(strings.Split(string(line), "\x00"), workerArgument)}, true
}

// alive reports whether a process is there and is more than a zombie.
func alive(pid int) bool {
	c, ok := process(pid)
	return ok && c.state != 'Z'
}

// workersOf returns the worker processes of a server.
func workersOf(server int) []int {
	var workers []int
	for _, c := range processes() {
		if c.parent == server && c.worker && c.state != 'Z' {
			workers = append(workers, c.pid)
		}
	}
	return workers
}

// leftovers returns what should not be there: the server's zombies, and those of the processes that were its workers
// which live on without it.
func leftovers(server int, were []int) (left []string) {
	for _, c := range processes() {
		switch {
		case c.parent == server && c.state == 'Z':
			left = append(left, fmt.Sprintf("zombie %d", c.pid))
		case c.parent != server && c.worker && slices.Contains(were, c.pid):
			left = append(left, fmt.Sprintf("orphan %d, whose parent is %d", c.pid, c.parent))
		}
	}
	return left
}

// descriptors counts the open descriptors of a process by what they are: socket, pipe, anon_inode, memfd, file.
func descriptors(pid int) map[string]int {
	counts := map[string]int{}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir) // a process that is gone has none
	for _, entry := range entries {
		to, err := os.Readlink(filepath.Join(dir, entry.Name()))
		switch kind, _, found := strings.Cut(to, ":"); {
		case err != nil: // closed meanwhile
		case strings.HasPrefix(to, "/memfd:"):
			counts["memfd"]++
		case strings.HasPrefix(to, "/") || !found:
			counts["file"]++
		default:
			counts[kind]++
		}
	}
	return counts
}
