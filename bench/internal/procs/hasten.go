package procs

import (
	"os"
	"strconv"
	"syscall"
)

// Hasten lets this process's threads, and those that they start, go before others by so many steps of nice(1), which
// takes a superuser. Processes that it starts from then on go before others too. It reports whether that was possible.
//
// A load generator that shares the processors with what it loads needs it: else what it measures is how long it waits
// itself. It works little, so it takes nothing worth naming from the server.
func Hasten(steps int) bool {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false
	}
	for _, task := range tasks {
		// The priority belongs to a thread, whatever the name of the call says (setpriority(2)).
		id, err := strconv.Atoi(task.Name())
		if err != nil || syscall.Setpriority(syscall.PRIO_PROCESS, id, -steps) != nil {
			return false
		}
	}
	return true
}
