//go:build linux

package procs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"
)

// child starts a process that waits for its end, by the name of a worker.
func child(t *testing.T) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: path, Args: []string{WorkerArgument}}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // of a test that failed before
	})
	return cmd
}

func TestWorkersAreChildrenThatLive(t *testing.T) {
	cmd := child(t)
	pid := cmd.Process.Pid
	eventually(t, "the child is a worker", func() bool {
		workers, err := Workers(os.Getpid())
		return err == nil && len(workers) == 1 && workers[0] == pid
	})
	if bytes, err := Memory(pid); err != nil || bytes < 1 {
		t.Errorf("memory: %d, %v", bytes, err)
	}
	if all, memory, err := Descriptors(pid); err != nil || all < 3 || memory != 0 {
		t.Errorf("descriptors: %d, %d, %v", all, memory, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is a zombie", func() bool {
		p, err := Read(pid)
		return err == nil && p.State == 'Z'
	})
	if workers, err := Workers(os.Getpid()); err != nil || len(workers) != 0 {
		t.Errorf("with a zombie there are the workers %v, %v", workers, err)
	}
	_ = cmd.Wait() // it was killed
	if _, err := Read(pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a process that has ended: got %v", err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10s", what)
		}
	}
}
