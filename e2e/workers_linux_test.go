package e2e

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWorkersEndWithTheirServer kills the server, while its workers are idle and while they are busy.
func TestWorkersEndWithTheirServer(t *testing.T) {
	for _, tt := range []struct {
		name string
		busy bool
	}{{"idle", false}, {"busy", true}} {
		t.Run(tt.name, func(t *testing.T) {
			s := startIsolated(t, isolation{})
			if tt.busy {
				for range s.workers {
					go s.ask(lengthy) // ends with the server
				}
				time.Sleep(700 * time.Millisecond) // it takes seconds
			}
			workers := workersOf(s.cmd.Process.Pid)
			if len(workers) < s.workers {
				t.Fatalf("the server has the workers %v, want %d", workers, s.workers)
			}
			if err := s.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-s.done
			time.Sleep(time.Second)
			if left := slices.DeleteFunc(workers, func(pid int) bool { return !alive(pid) }); len(left) > 0 {
				t.Errorf("a second after their server the workers %v live on", left)
				for _, pid := range left {
					_ = syscall.Kill(pid, syscall.SIGKILL) // nobody else would
				}
			}
		})
	}
}

// TestReloadsLeaveWorkersAlone loads other configurations under load: the workers are the same, and no request fails.
func TestReloadsLeaveWorkersAlone(t *testing.T) {
	s := startIsolated(t, isolation{})
	s.learn()
	workers := s.awaitWorkers()
	c := s.ask32()
	for _, description := range []string{"first", "second", "third", "fourth", "fifth"} {
		time.Sleep(300 * time.Millisecond)
		s.write("workers 2\nisolation process", "", description)
		if err := s.load(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	c.stop()
	// Caddy closes the sockets of the old config with what is waiting in them, whatever the handler: see
	// TestReloadFailsNoRequest.
	resets := 0
	for how, n := range c.failed {
		if strings.Contains(how, syscall.ECONNRESET.Error()) {
			resets += n
			delete(c.failed, how)
		}
	}
	c.check(0, "")
	if most := 5 + c.right/50; resets > most {
		t.Errorf("%d of %d connections were reset", resets, c.right)
	}
	if now := s.awaitWorkers(); !slices.Equal(now, workers) {
		t.Errorf("after five reloads the workers are %v, were %v", now, workers)
	}
	if restarts := s.status().Restarts; restarts["crash"] != 0 {
		t.Errorf("restarts: %v", restarts)
	}
	t.Logf("%d requests during five reloads, %d connections reset", c.right, resets)
}

// load puts the Caddyfile into force.
func (s *isolated) load() error {
	config, err := os.Open(s.file)
	if err != nil {
		return err
	}
	defer config.Close()
	resp, err := s.client.Post(s.admin+"/load", "text/caddyfile", config)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status + ": " + string(body))
	}
	return nil
}

// TestAReplacedBinaryStartsNoOtherWorkers puts another file in the place of the running binary, as an upgrade does, and one
// that is no program at all: the server goes on with workers of its own version.
func TestAReplacedBinaryStartsNoOtherWorkers(t *testing.T) {
	program := filepath.Join(t.TempDir(), "caddy")
	if err := copyFile(program, caddyBinary); err != nil {
		t.Fatal(err)
	}
	s := startIsolated(t, isolation{program: program})
	s.learn()
	workers := s.awaitWorkers()
	next := program + ".new"
	if err := os.WriteFile(next, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, program); err != nil {
		t.Fatal(err)
	}
	for _, worker := range workers {
		if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "fresh workers", func() bool {
		now := workersOf(s.cmd.Process.Pid)
		return len(now) >= s.workers && !slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(workers, pid) })
	})
	c := s.ask32()
	time.Sleep(time.Second)
	c.stop()
	c.check(0, "")
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
