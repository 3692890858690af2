package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// freePorts returns n ports that nothing listens on at the moment.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// server is a running Caddy.
type server struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  lockedBuffer
}

// startCaddy starts the binary in dir with the given arguments and waits until it listens on addr.
func startCaddy(dir, addr string, env []string, args ...string) (*server, error) {
	return startProgram(caddyBinary, dir, addr, env, args...)
}

// startProgram is startCaddy for another binary than the one under test.
func startProgram(program, dir, addr string, env []string, args ...string) (*server, error) {
	s := &server{cmd: exec.Command(program, args...), done: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = append(env, "XDG_DATA_HOME="+filepath.Join(dir, ".data"), "XDG_CONFIG_HOME="+filepath.Join(dir, ".config"))
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.done)
		_ = s.cmd.Wait() // its log tells more than its status
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			return s, nil
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("caddy ended:\n%s", s.log.String())
		case <-ctx.Done():
			s.stop()
			return nil, fmt.Errorf("caddy did not start:\n%s", s.log.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server and waits for it.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts Caddy for a test with one site that answers from the folder dir with the given options of the
// imageorigin directive, and returns the site's base URL.
func serve(t *testing.T, dir, options string) string {
	t.Helper()
	return serveWith(t, "", dir, options)
}

// serveWith is serve with global options of the Caddyfile.
func serveWith(t *testing.T, global, dir, options string) string {
	t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	admin := fmt.Sprintf("127.0.0.1:%d", ports[1])
	config := fmt.Sprintf("{\n\tadmin %s\n%s\n}\nhttp://127.0.0.1:%d {\n\timageorigin {\n\t\torigin folder %s\n%s\n\t}\n}\n",
		admin, global, ports[0], dir, options)
	file := filepath.Join(work, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := startCaddy(work, fmt.Sprintf("127.0.0.1:%d", ports[0]), os.Environ(), "run", "--config", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("caddy said:\n%s", strings.TrimSpace(s.log.String()))
		}
	})
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0])
}
