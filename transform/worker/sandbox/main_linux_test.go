package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary what the tests start: a server, which starts a child, and the child.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "server":
			serve(os.Args[2], os.Args[3], os.Args[4:])
			os.Exit(0)
		case "child":
			children[os.Args[2]](os.Args[3:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

const nobody = 65534

// report is what a server says when its child has ended.
type report struct {
	Measures Measures
	Lines    []string          // what the child said
	End      string            // how the child ended, if not well
	Seen     map[string]string // what the server saw of its child while that was confined
}

// serve is the server process: it prepares itself, starts its child and writes a report.
func serve(preparation, child string, args []string) {
	prepare := preparations[preparation]
	if prepare != nil {
		must(prepare())
	}
	self, err := Executable()
	must(err)
	cmd := exec.Command(self, append([]string{"child", child}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(err)
	in, err := cmd.StdinPipe()
	must(err)
	ours, theirs := socketPair()
	cmd.ExtraFiles = []*os.File{theirs}
	r := report{Seen: map[string]string{}}
	if preparation == "no spawner" {
		must(cmd.Start())
	} else {
		s := NewSpawner()
		defer s.Close()
		must(s.Start(cmd))
		r.Measures = s.Measures()
	}
	theirs.Close()
	pid := strconv.Itoa(cmd.Process.Pid)
	converse(ours)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); line {
		case "look": // the child is confined and waits
			for _, name := range []string{"statm", "oom_score_adj", "environ"} {
				data, err := os.ReadFile("/proc/" + pid + "/" + name)
				r.Seen[name] = strings.TrimSpace(string(data))
				if err != nil {
					r.Seen[name] = "error: " + err.Error()
				}
			}
			in.Close()
		case "alive": // and stays so until the test ends this server
			fmt.Println(pid)
			io.Copy(io.Discard, out)
		default:
			r.Lines = append(r.Lines, line)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		r.End = err.Error()
	}
	must(json.NewEncoder(os.Stdout).Encode(r))
}

// preparations are what a server does before it starts children.
var preparations = map[string]func() error{
	// A container's profile that allows none of it.
	"refused": func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil { // without it only root may
			return err
		}
		program := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetNumber, Size: 4}}
		for _, number := range []uint32{unix.SYS_LANDLOCK_CREATE_RULESET, unix.SYS_UNSHARE, unix.SYS_SECCOMP, unix.SYS_CAPSET} {
			program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: number, SkipFalse: 1}, bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
		}
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_CLONE, SkipTrue: 4},
			bpf.LoadAbsolute{Off: offsetArguments, Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: unix.CLONE_NEWUSER},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
			bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
			bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
		return load(program)
	},
	// Descriptors that a service manager handed down, or a library left open.
	"leaking": func() error {
		fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		for _, number := range []int{77, 4000, 5000} {
			if err := unix.Dup3(fd, number, 0); err != nil {
				return err
			}
		}
		return nil
	},
	// An upgrade while the server runs.
	"deleted": func() error { return os.Remove(os.Args[0]) },
}

// run starts a server as the given user and returns its report.
func run(t *testing.T, uid int, preparation, child string, args ...string) report {
	t.Helper()
	return runBinary(t, "/proc/self/exe", uid, preparation, child, args...)
}

func runBinary(t *testing.T, binary string, uid int, preparation, child string, args ...string) report {
	t.Helper()
	out, err := serverCommand(t, binary, uid, preparation, child, args...).Output()
	if err != nil {
		t.Fatalf("the server: %v\n%s", err, out)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("the server said %q: %v", out, err)
	}
	return r
}

func serverCommand(t *testing.T, binary string, uid int, preparation, child string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"server", preparation, child}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "AWS_SECRET_ACCESS_KEY=hush", "LC_TIME=C", "HOME=/root")
	if uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	return cmd
}

// users returns whose servers can be tried here: root can be anybody.
func users() map[string]int {
	if os.Getuid() == 0 {
		return map[string]int{"root": 0, "nobody": nobody}
	}
	return map[string]int{"this user": os.Getuid()}
}

func socketPair() (ours, theirs *os.File) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(err)
	return os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
}

// converse sends the child a word and, beside it, a pipe in which another is.
func converse(ours *os.File) {
	r, w, err := os.Pipe()
	must(err)
	_, err = w.WriteString("through the pipe")
	must(err)
	must(w.Close())
	if err := unix.Sendmsg(int(ours.Fd()), []byte("hello"), unix.UnixRights(int(r.Fd())), nil, unix.MSG_NOSIGNAL); !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		must(err) // it doesn't matter to a child that has ended already
	}
	must(r.Close())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
