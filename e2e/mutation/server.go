package mutation

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

// server is a Caddy that serves a folder.
type server struct {
	cmd    *exec.Cmd
	base   string // URL without path
	folder string
	log    journal
	done   chan error
}

// journal reads what the server says, and keeps little of it.
type journal struct {
	crashed atomic.Int64 // lines about a process that ended while it worked

	mu   sync.Mutex
	last []string
}

func (j *journal) read(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, transform.ErrCrashed.Error()) && strings.Contains(line, "request failed") {
			j.crashed.Add(1)
		}
		j.mu.Lock()
		if j.last = append(j.last, line); len(j.last) > 40 {
			j.last = j.last[1:]
		}
		j.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.last, "")
}

// start starts the server and waits until it answers.
func start(c Config, dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	s := &server{base: "http://" + addr, folder: filepath.Join(dir, "pictures"), done: make(chan error, 1)}
	if err := os.Mkdir(s.folder, 0o700); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n%s\n}\nhttp://%s {\n\thandle /ping {\n\t\trespond pong\n\t}\n\thandle {\n\t\timageorigin {\n\t\t\torigin folder %s\n\t\t\tresults off\n%s\n\t\t}\n\t}\n}\n",
		c.Global, addr, s.folder, c.Options)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(c.Caddy, "run", "--config", file, "--adapter", "caddyfile")
	s.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+filepath.Join(dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"))
	said, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.log.read(said)
		s.done <- s.cmd.Wait()
	}()
	for range 600 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return s, conn.Close()
		}
		select {
		case err := <-s.done:
			return nil, fmt.Errorf("the server ended: %w\n%s", err, s.log.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	_ = s.stop() // that it doesn't answer says more
	return nil, fmt.Errorf("the server does not answer:\n%s", s.log.String())
}

// stop ends the server. It is an error if it had ended before, or ends otherwise than asked.
func (s *server) stop() error {
	select {
	case err := <-s.done:
		return fmt.Errorf("the server ended by itself: %w\n%s", err, s.log.String())
	default:
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("the server did not end when asked:\n%s", s.log.String())
	}
}
