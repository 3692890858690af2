package vipsexec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// newIsolated returns an engine that works in processes of its own, as a config has it.
func newIsolated(t testing.TB, v *vipsexec.Vips) *vipsexec.Vips {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	v.Isolation = "process"
	if err := v.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Cleanup() })
	return v
}

// allInputs are the words of all formats.
func allInputs() []string { return strings.Split(plan.AllFormats.String(), ",") }

func TestEngineSuiteInWorkers(t *testing.T) {
	ordinaryBuild(t)
	transformtest.Run(t, newIsolated(t, &vipsexec.Vips{Inputs: allInputs()}))
}

// paint does to a file what a request with default limits does.
func paint(ctx context.Context, e transform.Engine, file []byte, chain string) (*transform.Image, error) {
	original := transform.Original{Bytes: file}
	facts, err := e.Probe(ctx, original)
	if err != nil {
		return nil, err
	}
	c, err := syntax.Parse(chain)
	if err != nil {
		return nil, err
	}
	limits := plan.Limits{SourcePixels: 100_000_000, OutputPixels: 50_000_000, OutputSide: 65535, Frames: 500, Steps: 20}
	p, err := plan.Resolve(c, plan.Sources{Base: facts}, plan.Hints{Writable: e.Writable(), Still: facts.Format == plan.PDF}, limits)
	if err != nil {
		return nil, err
	}
	return e.Render(ctx, transform.Inputs{Base: original}, p)
}

// What no check can refuse before it is decoded costs a worker at most, and nobody else anything.
func TestRunawaysCostTheirWorkerAtMost(t *testing.T) {
	ordinaryBuild(t)
	e := newIsolated(t, &vipsexec.Vips{Workers: 2, MemoryLimit: 512 << 20, Inputs: allInputs()})
	control := transformtest.JPEG(transformtest.Picture(600, 400))
	want, err := paint(t.Context(), e, control, "w-100,f-png")
	if err != nil {
		t.Fatal(err)
	}
	for _, bomb := range transformtest.Bombs() {
		if bomb.Runaway == "" && !bomb.Aborts {
			continue
		}
		t.Run(bomb.Name, func(t *testing.T) {
			file := bomb.Bytes()
			beside := make(chan error, 1)
			go func() {
				got, err := paint(t.Context(), e, control, "w-100,f-png")
				if err == nil && !bytes.Equal(got.Bytes, want.Bytes) {
					err = fmt.Errorf("other bytes came")
				}
				beside <- err
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := paint(ctx, e, file, "w-100,f-png")
			switch transform.KindOf(err) {
			case transform.Canceled, transform.Unsupported, transform.Overloaded:
				t.Errorf("got %v", err)
			}
			t.Logf("%v", err)
			if err := <-beside; err != nil {
				t.Errorf("a good picture beside it: %v", err)
			}
		})
	}
	status, err := json.Marshal(e.WorkerStatus())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", status)
	if n := e.Restarts(); n["protocol"] != 0 || n["deadline"]+n["memory"]+n["crash"] == 0 {
		t.Errorf("restarts: %v", n)
	}
}

// The measures are for those who work, and for the one thread that starts them.
func TestOneThreadOfTheServerIsRestricted(t *testing.T) {
	e := newIsolated(t, &vipsexec.Vips{Workers: 2})
	if _, err := paint(t.Context(), e, transformtest.PNG(transformtest.Picture(60, 40)), "w-10,f-png"); err != nil {
		t.Fatal(err)
	}
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(tasks) < 2 {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	restricted := 0
	for _, task := range tasks {
		if facts, err := os.ReadFile(task); err == nil && bytes.Contains(facts, []byte("NoNewPrivs:\t1")) {
			restricted++
		}
	}
	if restricted != 1 {
		t.Errorf("%d of %d threads are restricted, want the one that starts workers", restricted, len(tasks))
	}
	for _, pid := range workerPIDs(t, e) {
		facts, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"} {
			if !bytes.Contains(facts, []byte(want)) {
				t.Errorf("worker %d has not %q", pid, want)
			}
		}
	}
}

// workerPIDs returns the processes of an engine that are ready.
func workerPIDs(t *testing.T, e *vipsexec.Vips) (pids []int) {
	t.Helper()
	text, err := json.Marshal(e.WorkerStatus())
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Isolation string
		Workers   []struct {
			PID   int
			State string
		}
		Measures []string
	}
	if err := json.Unmarshal(text, &status); err != nil || len(status.Workers) == 0 || status.Isolation != "process" || len(status.Measures) == 0 {
		t.Fatalf("%s: %v", text, err)
	}
	for _, w := range status.Workers {
		if w.State != "starting" { // not confined yet
			pids = append(pids, w.PID)
		}
	}
	return pids
}

// Configs with the same settings share their workers, so that a reload doesn't touch them.
func TestConfigsOfTheSameSettingsShareWorkers(t *testing.T) {
	first := newIsolated(t, &vipsexec.Vips{Workers: 2, RecycleAfter: 77})
	second := newIsolated(t, &vipsexec.Vips{Workers: 3, RecycleAfter: 77})
	second.Rule()
	pid := workerPIDs(t, first)[0]
	if err := first.Cleanup(); err != nil {
		t.Fatal(err)
	}
	if got := workerPIDs(t, second)[0]; got != pid {
		t.Errorf("the worker is %d, was %d", got, pid)
	}
	if _, err := paint(t.Context(), second, transformtest.PNG(transformtest.Picture(60, 40)), "w-10,f-png"); err != nil {
		t.Error(err)
	}
	third := newIsolated(t, &vipsexec.Vips{Workers: 2, RecycleAfter: 78})
	if got := workerPIDs(t, third)[0]; got == pid {
		t.Error("a config with other settings has the same worker")
	}
}
