//go:build linux

package cputime

import (
	"os"
	"os/exec"
	"testing"
)

// TestGroupCountsChildrenThatHaveEnded has a child work, and compares what it took by its own account.
func TestGroupCountsChildrenThatHaveEnded(t *testing.T) {
	before, err := Group(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	took := float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / 1000
	after, err := Group(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// This process works a little itself, and those that have ended count in steps of 10 ms, twice.
	if got := after - before; got < took-20 || got > took+100 {
		t.Errorf("got %.1f ms, the child took %.1f", got, took)
	}
}

func TestGroupCountsChildrenThatLive(t *testing.T) {
	before, err := Group(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo; read x")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }() // after in was closed: it reads the end
	defer in.Close()
	if _, err := out.Read(make([]byte, 1)); err != nil { // when it has worked
		t.Fatal(err)
	}
	after, err := Group(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own, err := clock(cmd.Process.Pid)
	if err != nil || own < 1 {
		t.Fatalf("the child's clock: %v ms, %v", own, err)
	}
	if got := after - before; got < own-20 {
		t.Errorf("got %.1f ms, the child alone took %.1f", got, own)
	}
}
