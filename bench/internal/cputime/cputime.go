// Package cputime says how much CPU time a process has taken. Linux only.
package cputime

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Of returns user and system time of a process in milliseconds: fields 14 and 15 of /proc/PID/stat (proc(5)), in clock
// ticks of 10 ms.
func Of(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return float64(user+system) * 10, err
}
