// Package server runs a Caddy for a measurement: a configuration in, a server that answers out, nothing left behind.
package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config is what a server is to be.
type Config struct {
	Caddy string // the binary
	App   string // Caddyfile: what stands in the global option imageorigin
	Site  string // Caddyfile: the site; "imageorigin" if empty
}

// Server is a running Caddy with one site. Stop ends it.
type Server struct {
	URL   string // of the site, without a path
	Admin string // URL of the admin endpoint
	PID   int

	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	said said
}

// Start starts a server and returns when it answers. Should this program die, the server is ended by the system.
func Start(c Config) (*Server, error) {
	caddy, err := filepath.Abs(c.Caddy)
	if err != nil {
		return nil, err
	}
	addrs, err := freeAddrs(2)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "imageorigin-bench")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + addrs[0], Admin: "http://" + addrs[1], dir: dir, done: make(chan struct{})}
	site := c.Site
	if site == "" {
		site = "imageorigin"
	}
	text := fmt.Sprintf("{\n\tadmin %s\n\tpersist_config off\n\tlog {\n\t\tlevel ERROR\n\t}\n\timageorigin {\n%s\n\t}\n}\n%s {\n%s\n}\n", addrs[1], c.App, s.URL, site)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(caddy, "run", "--config", file, "--adapter", "caddyfile")
	s.cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	s.cmd.Stderr = &s.said
	dieWithParent(s.cmd)
	started := make(chan error)
	go func() {
		defer close(s.done)
		// Where the system ends the child with its parent, the parent is the thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // what it said tells more than its status
		}
	}()
	if err := <-started; err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s.PID = s.cmd.Process.Pid
	if err := s.await(addrs[0]); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) await(addr string) error {
	for range 600 {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			return conn.Close()
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended:\n%s", s.said.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("the server does not answer:\n%s", s.said.String())
}

// Stop ends the server and removes what it kept.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.done:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	os.RemoveAll(s.dir)
}

// Said returns the end of the server's log, of which there are errors alone, and how it began to say that it crashed.
func (s *Server) Said() string { return s.said.String() }

// Ended reports whether the server ended by itself.
func (s *Server) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Status is what of the server's status the measurements need.
type Status struct {
	Engine struct {
		Isolation string `json:"isolation"`
		Workers   []struct {
			PID   int    `json:"pid"`
			State string `json:"state"`
		} `json:"workers"`
		Restarts map[string]int64 `json:"restarts"`
		Missing  []string         `json:"missing"`
	} `json:"engine"`
}

// Status asks the server for its status.
func (s *Server) Status() (Status, error) {
	var status Status
	body, err := s.admin("/imageorigin/status")
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	return status, err
}

// Goroutines returns how many goroutines the server has.
func (s *Server) Goroutines() (int, error) {
	body, err := s.admin("/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(body), "\n")
	n, err := strconv.Atoi(strings.TrimPrefix(first, "goroutine profile: total "))
	if err != nil {
		return 0, fmt.Errorf("the profile of goroutines begins with %q", first)
	}
	return n, nil
}

var adminClient = &http.Client{Timeout: 10 * time.Second}

func (s *Server) admin(path string) ([]byte, error) {
	resp, err := adminClient.Get(s.Admin + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return body, err
}

// Reply is an answer, read to its end.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks for a path of the site with a client of the caller's.
func (s *Server) Get(ctx context.Context, client *http.Client, path string) (Reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return Reply{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Reply{resp.StatusCode, resp.Header, body}, err
}

// Client returns a client that keeps so many connections open, beside those of other clients.
func Client(connections int, timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
	}}
}

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

// said keeps what a process says: the end of its log, and the beginning of what is no log, which tells why it crashed.
type said struct {
	mu         sync.Mutex
	log, other bytes.Buffer
}

func (l *said) Write(p []byte) (int, error) {
	const most = 8 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	if !bytes.HasPrefix(p, []byte(`{"level"`)) {
		l.other.Write(p[:min(len(p), most-min(l.other.Len(), most))])
		return len(p), nil
	}
	if l.log.Len() > most {
		l.log.Next(l.log.Len() - most/2)
	}
	return l.log.Write(p)
}

func (l *said) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String() + l.other.String()
}
