package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// open starts a pool that the test ends. Nothing of it may be left then.
func open(t *testing.T, cfg Config) *Pool {
	t.Helper()
	before := held(t)
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t, before)
	})
	return p
}

// holdings are what a process has of the kernel, and of the Go runtime.
type holdings struct {
	descriptors, goroutines, children, areas int
}

func held(t *testing.T) (h holdings) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(to, "/proc/") {
			h.descriptors++
		}
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		b, _ := os.ReadFile(name)
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			h.children++
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	h.areas = strings.Count(string(maps), "/memfd:imageorigin")
	h.goroutines = runtime.NumGoroutine()
	return h
}

// nothingLeft waits a little for what ends by itself.
func nothingLeft(t *testing.T, before holdings) {
	t.Helper()
	var after holdings
	for range 100 {
		if after = held(t); after.descriptors <= before.descriptors && after.goroutines <= before.goroutines &&
			after.children <= before.children && after.areas <= before.areas {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("left over: before %+v, after %+v\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
}

func of(b string) transform.Inputs {
	return transform.Inputs{Base: transform.Original{Bytes: []byte(b)}}
}

// expect renders and compares.
func expect(t *testing.T, p *Pool, in transform.Inputs) {
	t.Helper()
	img, err := p.Render(t.Context(), in, still())
	if err != nil {
		t.Errorf("%.40q: %v", in.Base.Bytes, err)
		return
	}
	if !bytes.Equal(img.Bytes, fakeResult(in.Base.Bytes)) || img.Format != plan.PNG || img.Width != 30 || img.Height != 20 || img.Frames != 1 {
		t.Errorf("%.40q: a wrong result of %d bytes: %+v", in.Base.Bytes, len(img.Bytes), img)
	}
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for range 500 {
		if true() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it never came to this: %s", what)
}

func states(p *Pool, state string) (n int) {
	for _, w := range p.Status().Workers {
		if w.State == state {
			n++
		}
	}
	return n
}

func ownNiceness(t *testing.T) int {
	t.Helper()
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - raw // which is how the kernel says it
}
