package stores

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// serversDir returns the folder that xcaddy.sh puts the servers into.
func serversDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "xcaddy.sh")); err == nil {
			return filepath.Join(dir, ".build", "servers"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("xcaddy.sh is in none of the folders above this one: the tests run in a checkout of the project")
		}
		dir = parent
	}
}

// built returns the path of a file below the servers' folder.
func built(name string) (string, error) {
	dir, err := serversDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w; ./xcaddy.sh test builds and installs the servers", err)
	}
	return path, nil
}

// installed returns the path of a program of the system. Debian keeps some where only root looks.
func installed(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/usr/local/bin"} {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%w; ./xcaddy.sh test installs it", err)
}

// process is a server that runs beside the tests.
type process struct {
	cmd    *exec.Cmd
	output output
	done   chan struct{} // closed when it has ended
}

// environment returns what a program needs of the environment, and no more: what a developer has set for the real stores
// must not reach it. dir is its home.
func environment(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}
}

// start starts a program in dir. It dies with the tests, at the latest.
func start(dir string, env []string, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(environment(dir), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.WaitDelay = 5 * time.Second
	dieWithParent(p.cmd)
	started := make(chan error)
	go func() {
		defer close(p.done)
		// Where the system kills the child with its parent, the parent is the thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // what it said tells more than its status
		}
	}()
	return p, <-started
}

// stop ends the server and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// await calls ready until it reports true. It fails if the server ends before, or takes too long.
func (p *process) await(ready func() bool) error {
	deadline := time.After(60 * time.Second)
	for !ready() {
		select {
		case <-p.done:
			return fmt.Errorf("the server ended (%v):\n%s", p.cmd.ProcessState, p.output.String())
		case <-deadline:
			p.stop()
			return fmt.Errorf("the server was not ready after a minute:\n%s", p.output.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// listens reports whether all of the addresses can be connected to.
func listens(addrs ...string) func() bool {
	return func() bool {
		for _, addr := range addrs {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				return false
			}
			conn.Close()
		}
		return true
	}
}

// onFreePorts starts a server that has to be told its ports. Between looking for a free one and listening on it, it can
// be taken by somebody else: then another try is made.
func onFreePorts(n int, launch func(addrs []string) (*process, error)) (*process, []string, error) {
	var err error
	for range 3 {
		var addrs []string
		if addrs, err = freeAddrs(n); err != nil {
			break
		}
		var p *process
		if p, err = launch(addrs); err != nil {
			break
		}
		if err = p.await(listens(addrs...)); err == nil {
			return p, addrs, nil
		}
	}
	return nil, nil, err
}

// freeAddrs returns addresses that nothing listens on at the moment.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// output is what a process says, for messages.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
