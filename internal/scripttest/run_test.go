//go:build cgo

package scripttest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRunServesTheURLsThatItPrints lets the script do on this machine what it does for someone who has just cloned the
// project. The build tag keeps it out of the second round of tests, without cgo, which would prove nothing more.
func TestRunServesTheURLsThatItPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("the build takes minutes")
	}
	dir := filepath.Join(t.TempDir(), "clone with a space")
	cloneTree(t, dir)
	ports := freePorts(t, 3)
	env := append(privateCaddy(t),
		"IMAGEORIGIN_PORT="+ports[0],
		"IMAGEORIGIN_LEGACY_PORT="+ports[1],
		"IMAGEORIGIN_ADMIN=localhost:"+ports[2],
	)

	first := startScript(t, dir, env)
	urls := first.urls(15 * time.Minute)
	if len(urls) != 6 {
		t.Errorf("printed %d URLs, want 6: %q", len(urls), urls)
	}
	for _, u := range urls {
		if !strings.HasPrefix(u, "http://localhost:"+ports[0]+"/") {
			t.Errorf("printed %s, which is not on port %s", u, ports[0])
			continue
		}
		checkURL(t, u)
	}
	t.Run("a second one on the same ports is refused", func(t *testing.T) {
		cmd := script(t.Context(), dir, env)
		out, err := cmd.CombinedOutput()
		want := "xcaddy.sh: port " + ports[0] + " cannot be used\n"
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("ended with %v, want status 1 and %q in\n%s", err, want, out)
		}
	})
	first.stop(syscall.SIGTERM, ports)

	begin := time.Now()
	second := startScript(t, dir, env)
	if again := second.urls(time.Minute); len(again) != len(urls) {
		t.Errorf("the second run printed %q, want %q", again, urls)
	}
	t.Logf("the second run answered after %v", time.Since(begin))
	if !strings.Contains(second.said, "==> ./caddy is up to date\n") {
		t.Errorf("the second run built again:\n%s", second.said)
	}
	second.stop(os.Interrupt, ports)
}

// cloneTree copies what a commit of the work tree would hold.
func cloneTree(t *testing.T, dir string) {
	t.Helper()
	git := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z",
		"--cached", "--others", "--exclude-standard")
	git.Dir = root
	out, err := git.Output()
	if err != nil {
		t.Fatalf("listing the project's files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		from := filepath.Join(root, name)
		if _, err := os.Lstat(from); errors.Is(err, os.ErrNotExist) {
			continue // deleted, but not yet in a commit
		}
		copyFile(t, from, filepath.Join(dir, name))
	}
}

// freePorts returns ports that nothing listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	return ports
}

// privateCaddy returns the environment with folders of the test's own for what Caddy keeps. Go's settings stay the
// user's: they would be looked for in the same place.
func privateCaddy(t *testing.T) []string {
	t.Helper()
	goenv, err := exec.CommandContext(t.Context(), "go", "env", "GOENV").Output()
	if err != nil {
		t.Fatalf("asking go for its settings: %v", err)
	}
	return append(os.Environ(),
		"GOENV="+strings.TrimSpace(string(goenv)),
		"XDG_CONFIG_HOME="+t.TempDir(),
		"XDG_DATA_HOME="+t.TempDir(),
	)
}

func script(ctx context.Context, dir string, env []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "./xcaddy.sh", "run")
	cmd.Dir, cmd.Env = dir, env
	return cmd
}

// running is a run of the script that has become a server.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string
	said   string
	stderr string // the file that holds it
	ended  bool
}

func startScript(t *testing.T, dir string, env []string) *running {
	t.Helper()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	r := &running{t: t, cmd: script(context.Background(), dir, env), lines: make(chan string, 1000), stderr: stderr.Name()}
	r.cmd.Stderr = stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that what it leaves behind can be found
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.lines)
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			r.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		if !r.ended {
			_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
			_ = r.cmd.Wait()
		}
		if t.Failed() {
			log, _ := os.ReadFile(r.stderr)
			t.Logf("the script said\n%s\nand on standard error\n%s", r.said, log)
		}
	})
	return r
}

// urls waits until the script says that it is ready, and returns the URLs that it prints after that.
func (r *running) urls(limit time.Duration) []string {
	r.t.Helper()
	deadline := time.After(limit)
	var urls []string
	ready := false
	for {
		// The list has no end mark: after the first URL, a pause ends it.
		var pause <-chan time.Time
		if len(urls) > 0 {
			pause = time.After(time.Second)
		}
		select {
		case line, ok := <-r.lines:
			if !ok {
				r.t.Fatalf("the script ended instead of serving")
			}
			r.said += line + "\n"
			ready = ready || strings.HasPrefix(line, "==> ready")
			if fields := strings.Fields(line); ready && len(fields) > 0 && strings.HasPrefix(fields[0], "http") {
				if len(fields) < 2 {
					r.t.Errorf("%s stands without a word on what it shows", line)
				}
				urls = append(urls, fields[0])
			}
		case <-pause:
			return urls
		case <-deadline:
			r.t.Fatalf("the script is not ready after %v", limit)
		}
	}
}

// stop sends the signal and checks that the script ends well and leaves neither a listener nor a process.
func (r *running) stop(signal os.Signal, ports []string) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		r.t.Fatalf("sending %v: %v", signal, err)
	}
	group := r.cmd.Process.Pid
	kill := time.AfterFunc(30*time.Second, func() {
		r.t.Errorf("the script still runs 30 s after %v", signal)
		_ = syscall.Kill(-group, syscall.SIGKILL)
	})
	for line := range r.lines {
		r.said += line + "\n"
	}
	err := r.cmd.Wait()
	kill.Stop()
	r.ended = true
	if err != nil {
		r.t.Errorf("after %v the script ended with %v, want status 0", signal, err)
	}
	// Nothing of the group is left, once the system has buried it.
	for range 50 {
		if err = syscall.Kill(-group, 0); err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !errors.Is(err, syscall.ESRCH) {
		r.t.Errorf("after %v processes are left behind: %v", signal, err)
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	for _, port := range ports {
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			r.t.Errorf("after %v something listens still: %v", signal, err)
			continue
		}
		l.Close()
	}
}

// checkURL asks for one of the printed URLs and compares the picture with the size that the URL itself asks for.
func checkURL(t *testing.T, u string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "image/jpeg")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("%s: %v", u, err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil || resp.StatusCode != http.StatusOK || len(body) == 0 {
		t.Errorf("%s: status %s, %d bytes, error %v, ik-error %q", u, resp.Status, len(body), err, resp.Header.Get("ik-error"))
		return
	}
	asked, err := askedSize(req.URL)
	if err != nil {
		t.Errorf("%s: %v", u, err)
		return
	}
	got, err := pictureSize(body)
	if err != nil {
		t.Errorf("%s: reading the %s that came: %v", u, resp.Header.Get("Content-Type"), err)
		return
	}
	if fault := asked.compare(got); fault != "" {
		t.Errorf("%s: got a picture of %v, %s", u, got, fault)
	}
	t.Logf("%s: %s, %v, %d bytes", u, resp.Header.Get("Content-Type"), got, len(body))
}
