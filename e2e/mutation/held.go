package mutation

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// held is what the server and the processes below it have.
type held struct {
	processes, zombies, descriptors int
	rss                             int64 // bytes, of all
}

func (h held) String() string {
	return fmt.Sprintf("%d processes, %d descriptors, %d MiB", h.processes, h.descriptors, h.rss>>20)
}

// holds looks into /proc: Linux only.
func holds(pid int) (h held, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return h, err
	}
	if len(stats) == 0 {
		return h, fmt.Errorf("there is no /proc to look into; this needs Linux")
	}
	children := map[int][]int{}
	states := map[int]string{}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		// proc(5): the name in brackets, then state and parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			return h, err
		}
		children[parent] = append(children[parent], id)
		states[id] = fields[0]
	}
	if states[pid] == "" || states[pid] == "Z" {
		return h, fmt.Errorf("the server has ended")
	}
	var add func(id int)
	add = func(id int) {
		if states[id] == "Z" {
			h.zombies++
			return
		}
		h.processes++
		if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", id)); err == nil {
			h.descriptors += len(open)
		}
		if memory, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", id)); err == nil {
			if fields := strings.Fields(string(memory)); len(fields) > 1 {
				pages, _ := strconv.ParseInt(fields[1], 10, 64)
				h.rss += pages * int64(os.Getpagesize())
			}
		}
		for _, child := range children[id] {
			add(child)
		}
	}
	add(pid)
	return h, nil
}
