package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// children are what a child does. It says what came of it on standard output, line by line.
var children = map[string]func(args []string){
	"everything":          func(args []string) { confine(Limits{FileSize: 1 << 20, Keep: 4}); tryEverything(args[0]) },
	"everything unlocked": func(args []string) { tryEverything(args[0]) }, // with what it inherited only
	"status": func([]string) {
		m := confine(Limits{Keep: 4})
		fmt.Println(strings.Join(m.InForce, ", "))
		for _, missing := range m.Missing {
			fmt.Println("missing", missing)
		}
		fmt.Println("look")
		io.Copy(io.Discard, os.Stdin)
	},
	"capabilities": func([]string) {
		var data [2]unix.CapUserData
		must(unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]))
		fmt.Println(data[0].Permitted | data[1].Permitted | data[0].Effective | data[1].Effective)
		fmt.Println(os.Readlink("/proc/self/ns/user"))
	},
	"environment": func([]string) {
		for _, variable := range os.Environ() {
			fmt.Println(variable)
		}
	},
	"descriptors": func([]string) {
		confine(Limits{Keep: 4})
		for fd := range 6000 {
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				fmt.Println(fd)
			}
		}
	},
	"memory": func(args []string) {
		limit, err := strconv.ParseUint(args[0], 10, 64)
		must(err)
		confine(Limits{Data: limit, Keep: 4})
		for n := 0; ; n++ {
			area, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				fmt.Println(n, err)
				return
			}
			area[0] = 1
		}
	},
	"file": func([]string) { // no FileSize
		confine(Limits{Keep: 4})
		fd, err := unix.MemfdCreate("large", unix.MFD_CLOEXEC)
		fmt.Println(err == nil, errors.Is(unix.Ftruncate(fd, 1), unix.EFBIG))
	},
	"idle": func([]string) {
		confine(Limits{Keep: 4})
		fmt.Println("alive")
		var b [1]byte
		for {
			unix.Read(0, b[:])
		}
	},
	"busy": func([]string) { // as in a decoder that never comes back
		runtime.LockOSThread()
		confine(Limits{Keep: 4})
		fmt.Println("alive")
		for {
			spin()
		}
	},
	"foreign":          func([]string) { confine(Limits{Keep: 4}); foreignCall() },
	"foreign unlocked": func([]string) { foreignCall() },
}

// confine waits until the server has spoken, so that it has done what it does after a start, and leaves the message there.
func confine(l Limits) Measures {
	_, _, err := unix.Recvfrom(3, make([]byte, 1), unix.MSG_PEEK)
	must(err)
	m, err := Confine(l)
	must(err)
	return m
}

//go:noinline
func spin() {
	for i := range 1000 {
		if i < 0 {
			panic(i)
		}
	}
}

// tryEverything tries what a child must not be able to do, and what it must. temp is a folder with a file "secret".
func tryEverything(temp string) {
	parent := os.Getppid()
	read := func(path string) func() error {
		return func() error { return readAll(path) }
	}
	write := func(path string) func() error {
		return func() error { return os.WriteFile(path, []byte("x"), 0o600) }
	}
	socket := func(family int) func() error {
		return func() error { _, err := unix.Socket(family, unix.SOCK_DGRAM, 0); return err }
	}
	call := func(number, a, b, c, d uintptr) func() error {
		return func() error {
			if _, _, errno := unix.Syscall6(number, a, b, c, d, 0, 0); errno != 0 {
				return errno
			}
			return nil
		}
	}
	ppid := strconv.Itoa(parent)
	var limit unix.Rlimit
	for _, attempt := range []struct {
		name string
		try  func() error
	}{
		{"read /etc/passwd", read("/etc/passwd")},
		{"read a file", read(filepath.Join(temp, "secret"))},
		{"read the server's environment", read("/proc/" + ppid + "/environ")},
		{"read the server's maps", read("/proc/" + ppid + "/maps")},
		{"read its own environment", read("/proc/self/environ")},
		{"list the root", func() error { _, err := os.ReadDir("/"); return err }},
		{"list the server's descriptors", func() error { _, err := os.ReadDir("/proc/" + ppid + "/fd"); return err }},
		{"write a file", write(filepath.Join(temp, "written"))},
		{"write shared memory", func() error {
			const path = "/dev/shm/imageorigin-sandbox-test"
			defer os.Remove(path)
			return write(path)()
		}},
		{"open a font for writing", func() error {
			return firstFile("/usr/share/fonts", "", func(path string) error {
				file, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err == nil {
					file.Close()
				}
				return err
			})
		}},
		{"remove a file", func() error { return os.Remove(filepath.Join(temp, "spare")) }},
		{"rename a file", func() error {
			return os.Rename(filepath.Join(temp, "secret"), filepath.Join(temp, "renamed"))
		}},
		{"make a folder", func() error { return os.Mkdir(filepath.Join(temp, "folder"), 0o700) }},
		{"open a unix socket", socket(unix.AF_UNIX)},
		{"open an internet socket", socket(unix.AF_INET)},
		{"open a netlink socket", socket(unix.AF_NETLINK)},
		{"start a program", func() error { return exec.Command("/bin/true").Run() }},
		{"become a program", func() error { return syscall.Exec("/nonexistent", nil, nil) }},
		{"signal the server", call(unix.SYS_KILL, uintptr(parent), 0, 0, 0)},
		{"signal a thread of the server", call(unix.SYS_TGKILL, uintptr(parent), uintptr(parent), 0, 0)},
		{"signal everybody", call(unix.SYS_KILL, ^uintptr(0), 0, 0, 0)},
		{"open a handle of the server", call(unix.SYS_PIDFD_OPEN, uintptr(parent), 0, 0, 0)},
		{"trace the server", call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(parent), 0, 0)},
		{"limit the server", call(unix.SYS_PRLIMIT64, uintptr(parent), unix.RLIMIT_CORE, 0, uintptr(unsafe.Pointer(&limit)))},
		{"give a descriptor to the server", func() error { _, err := unix.FcntlInt(3, unix.F_SETOWN, parent); return err }},
		{"outlive the server", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }},
		{"be readable again", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }},
		{"make a namespace", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }},
		{"make a ring", call(unix.SYS_IO_URING_SETUP, 1, 0, 0, 0)},
		{"map memory that isn't counted", func() error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
			return err
		}},

		{"read a font", func() error { return firstFile("/usr/share/fonts", "", readAll) }},
		{"read the configuration of fonts", read("/etc/fonts/fonts.conf")},
		{"read a library", func() error { return firstFile("/usr/lib", ".so", readAll) }},
		{"map memory", func() error {
			area, err := unix.Mmap(-1, 0, 32<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				area[0] = 1
				err = unix.Munmap(area)
			}
			return err
		}},
		{"map a program's text", func() error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			return err
		}},
		{"make threads", makeThreads},
		{"make a memory file", func() error {
			fd, err := unix.MemfdCreate("result", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
			if err != nil {
				return err
			}
			if _, err = unix.Write(fd, []byte("result")); err == nil {
				_, err = unix.Mmap(fd, 0, 6, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			}
			if err == nil {
				_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
			}
			return err
		}},
		{"exchange messages", exchange},
	} {
		fmt.Printf("%s: %v\n", attempt.name, attempt.try())
	}
}

// foreignCall asks for the process id by the number, and the interrupt, of 32-bit programs for Intel's processors.
func foreignCall() {
	area, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	must(err)
	copy(area, []byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3}) // mov eax, 20; int 0x80; ret
	code := &area[0]
	function := &code
	(*(*func())(unsafe.Pointer(&function)))()
	fmt.Println("lives")
}

// firstFile tries the first file below a folder.
func firstFile(folder, suffix string, try func(path string) error) error {
	result := errors.New("no file in " + folder)
	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, suffix) {
			return nil
		}
		result = try(path)
		return fs.SkipAll
	})
	return result
}

func readAll(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func makeThreads() error {
	var all sync.WaitGroup
	started := make(chan struct{})
	for range 20 {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			<-started
		})
	}
	close(started)
	all.Wait()
	return nil
}

// exchange takes the server's message from the socket, and a word out of the pipe that comes with it.
func exchange() error {
	word, rights := make([]byte, 16), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := unix.Recvmsg(3, word, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil || string(word[:n]) != "hello" || m < len(rights) {
		return fmt.Errorf("got %q with %d bytes beside it, %w", word[:n], m, err)
	}
	pipe := os.NewFile(uintptr(binary.NativeEndian.Uint32(rights[unix.CmsgLen(0):])), "pipe")
	line, err := bufio.NewReader(pipe).ReadString('\n')
	if line != "through the pipe" || !errors.Is(err, io.EOF) {
		return fmt.Errorf("the pipe had %q, %w", line, err)
	}
	_, err = unix.Write(3, []byte("thanks"))
	return err
}
