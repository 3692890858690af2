package worker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sayRaw puts something on the socket that no worker says.
func sayRaw(what string) {
	switch what {
	case "garbage":
		unix.Sendmsg(socketFD, []byte("\x01\x02garbage\xff\xff\xff\xff"), nil, nil, 0)
	case "nothing": // which is what the end looks like
		unix.Sendmsg(socketFD, nil, nil, nil, 0)
	case "much":
		unix.Sendmsg(socketFD, make([]byte, maxAnswer+1), nil, nil, 0)
	case "descriptor":
		unix.Sendmsg(socketFD, []byte("here"), unix.UnixRights(0), nil, 0)
	case "goodbye":
		unix.Close(socketFD)
		hang()
	case "twice": // two answers to one job: the second stays for the next
		a := answer{Status: failed, ID: 1}
		b, _ := a.encode(nil, render)
		unix.Sendmsg(socketFD, b, nil, nil, 0)
	case "child": // somebody who keeps the socket and the pipe open
		socket := os.NewFile(socketFD, "")
		cmd := exec.Command("/bin/sleep", "3")
		cmd.ExtraFiles, cmd.Stderr = []*os.File{socket}, os.Stderr
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		hang()
	}
}

// changeOriginal tries to change what the worker was given. b begins where its area does.
func changeOriginal(b []byte) error {
	page := unsafe.Slice(&b[0], 4096)
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_WRITE); err != unix.EACCES {
		return fmt.Errorf("the area of originals can be made writable: %v", err)
	}
	for _, fd := range []uintptr{inFD, outFD} {
		if to, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); strings.Contains(to, "memfd") {
			return errors.New("an area can still be reached by its descriptor")
		}
	}
	return nil
}

// touch takes memory of the kernel, of which the Go runtime knows nothing.
func touch(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		panic(err)
	}
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	return b
}

func giveBack(b []byte) {
	if b != nil {
		unix.Munmap(b)
	}
}

// stateOfWorker tells what the process finds around itself.
func stateOfWorker(what string) []byte {
	switch what {
	case "environment":
		return []byte(strings.Join(os.Environ(), "\n") + "\n")
	case "descriptors":
		var names []string
		entries, _ := os.ReadDir("/proc/self/fd")
		for _, e := range entries {
			if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(to, "anon_inode") {
				names = append(names, e.Name()+" "+to)
			}
		}
		return []byte(strings.Join(names, "\n") + "\n")
	case "niceness":
		var nice []string
		tasks, _ := os.ReadDir("/proc/self/task")
		for _, task := range tasks {
			b, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/stat")
			_, rest, _ := strings.Cut(string(b), ") ")
			nice = append(nice, strings.Fields(rest)[16])
		}
		b, _ := os.ReadFile("/proc/self/oom_score_adj")
		return []byte(strings.Join(nice, " ") + " oom " + strings.TrimSpace(string(b)))
	}
	return []byte("?")
}
