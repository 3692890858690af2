package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestAPoolIsAnEngine(t *testing.T) {
	p := open(t, Config{Workers: 2})
	if p.Version() != "fake 1" || p.Writable() != plan.SetOf(plan.PNG, plan.JPEG) || p.Readable() != plan.SetOf(plan.PNG, plan.GIF) {
		t.Errorf("it is %q, writes %s, reads %s", p.Version(), p.Writable(), p.Readable())
	}
	if p.Slots() != 2 || !slices.Equal(p.Status().Measures, []string{"none", "in fact"}) || !slices.Equal(p.Status().Missing, []string{"all: a test"}) {
		t.Errorf("it has %d slots, measures %q, missing %q", p.Slots(), p.Status().Measures, p.Status().Missing)
	}
	s, err := p.Probe(t.Context(), transform.Original{Bytes: []byte("four"), Page: 3})
	if want := (plan.Source{Format: plan.PNG, Width: 4, Height: 7, Orientation: 1, Frames: 1, Pages: 1, Density: 3}); err != nil || s != want {
		t.Errorf("the header is %+v, %v; want %+v", s, err, want)
	}
	w, err := p.Look(t.Context(), of("x"), plan.Look{Width: 50, Height: 40, Ops: []plan.Op{plan.Colour{}}})
	if want := (plan.Window{X: 1, Y: 2, Width: 49, Height: 38}); err != nil || w != want {
		t.Errorf("the window is %+v, %v; want %+v", w, err, want)
	}
	_, err = p.Render(t.Context(), of("fail 2"), still())
	if e, ok := errors.AsType[*transform.Error](err); !ok || e.Kind != transform.Broken || e.Op != "obeying" || e.Error() != "obeying: by order" {
		t.Errorf("the failure is %#v", err)
	}
	_, err = p.Render(t.Context(), of("fail 6"), still())
	if transform.KindOf(err) != transform.Internal {
		t.Errorf("a worker says that a caller went away who is here: %v", err)
	}
}

func TestOriginalsOfAllSizesGetThere(t *testing.T) {
	p := open(t, Config{Workers: 1})
	big := bytes.Repeat([]byte("0123456789abcdef"), inArea/16+1)
	for _, size := range []int{0, 1, 4095, 1 << 20, inArea - 1, inArea, inArea + 1} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			b := big[:size]
			expect(t, p, transform.Inputs{Base: transform.Original{Bytes: b}})
			name := filepath.Join(t.TempDir(), "original")
			if err := os.WriteFile(name, append(b[:size:size], "and more"...), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Seek(3, 0); err != nil {
				t.Fatal(err)
			}
			expect(t, p, transform.Inputs{Base: transform.Original{Bytes: b, File: f}})
			if at, err := f.Seek(0, 1); err != nil || at != 3 {
				t.Errorf("the file's offset is %d, %v", at, err)
			}
		})
	}
}

func TestFilesThatWorkersMustNotHaveAreCopied(t *testing.T) {
	name := filepath.Join(t.TempDir(), "original")
	if err := os.WriteFile(name, []byte("what is in the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := func(flag int) *os.File {
		f, err := os.OpenFile(name, flag, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	closed := file(os.O_RDONLY)
	closed.Close()
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer other.Close()
	p := open(t, Config{Workers: 1})
	for _, tt := range []struct {
		name  string
		file  *os.File
		size  int64
		share bool
	}{
		{"read only", file(os.O_RDONLY), 19, true},
		{"one that can be written", file(os.O_RDWR), 19, false},
		{"shorter than the original", file(os.O_RDONLY), 20, false},
		{"closed", closed, 19, false},
		{"no file", pipe, 1, false},
		{"none", nil, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shareable(tt.file, tt.size); got != tt.share {
				t.Errorf("shareable is %v", got)
			}
			b := []byte("what is in the file ")[:tt.size]
			expect(t, p, transform.Inputs{Base: transform.Original{Bytes: b, File: tt.file}})
		})
	}
}

func TestResultsOfAllSizesComeBack(t *testing.T) {
	p := open(t, Config{Workers: 1})
	for _, size := range []int{1, 50 << 10, outArea - 1, outArea, outArea + 1, 15 << 20} {
		expect(t, p, of(fmt.Sprintf("large %d", size)))
		expect(t, p, of("small after large"))
	}
	if _, err := p.Render(t.Context(), of("large 0"), still()); transform.KindOf(err) != transform.Internal {
		t.Errorf("a result of nothing: %v", err)
	}
	if n := p.Status().Restarts[ReasonProtocol]; n != 1 {
		t.Errorf("%d protocol errors, want 1", n)
	}
	if _, err := p.Render(t.Context(), of("large 40000000"), still()); transform.KindOf(err) != transform.Internal {
		t.Errorf("a result larger than its pixels lead to: %v", err)
	}
}

func TestTheMostRecentlyUsedWorkerIsUsedFirst(t *testing.T) {
	p := open(t, Config{Workers: 3})
	eventually(t, "all are idle", func() bool { return states(p, stateIdle) == 3 })
	pids := map[string]bool{}
	for range 20 {
		img, err := p.Render(t.Context(), of("pid"), still())
		if err != nil {
			t.Fatal(err)
		}
		pids[string(img.Bytes)] = true
	}
	if len(pids) != 1 {
		t.Errorf("one caller was served by %d workers", len(pids))
	}
}

func TestTheLineIsFairAndHeadersGoFirst(t *testing.T) {
	p := open(t, Config{Workers: 1})
	var mu sync.Mutex
	var order []string
	var wg sync.WaitGroup
	queue := func(name string, work func() error) {
		before := p.Status().Waiting
		wg.Go(func() {
			if err := work(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
		})
		if name != "running" {
			eventually(t, name+" waits", func() bool { return p.Status().Waiting == before+1 })
		} else {
			eventually(t, "it runs", func() bool { return states(p, stateBusy) == 1 })
		}
	}
	render := func(text string) func() error {
		return func() error { _, err := p.Render(t.Context(), of(text), still()); return err }
	}
	queue("running", render("sleep 400"))
	for _, name := range []string{"a", "b", "c"} {
		queue(name, render("sleep 20\n"+name))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := p.Render(ctx, of("late"), still()); transform.KindOf(err) != transform.Overloaded || !errors.Is(err, transform.ErrNoSlot) {
		t.Errorf("who waited in vain is told %v", err)
	}
	queue("header", func() error {
		_, err := p.Probe(t.Context(), transform.Original{Bytes: []byte("sleep 20\nheader")})
		return err
	})
	wg.Wait()
	if want := []string{"running", "header", "a", "b", "c"}; !slices.Equal(order, want) {
		t.Errorf("the order was %v, want %v", order, want)
	}
}

func TestWorkersCanNotChangeTheAreas(t *testing.T) {
	p := open(t, Config{Workers: 1})
	expect(t, p, of("change"))
	for _, tt := range []struct {
		name string
		size int64
	}{{"smaller", 0}, {"larger", outArea + 1}} {
		f, err := newArea("test", outArea)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(tt.size); !errors.Is(err, syscall.EPERM) {
			t.Errorf("an area can be made %s: %v", tt.name, err)
		}
	}
}

func TestWorkersSeeLittle(t *testing.T) {
	t.Setenv("SECRET", "of the server")
	own := ownNiceness(t)
	inherited, err := syscall.Dup(2) // as from a shell: it is passed on to all children
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	p := open(t, Config{Workers: 1})
	tell := func(what string) string {
		img, err := p.Render(t.Context(), of("state "+what), still())
		if err != nil {
			t.Fatal(err)
		}
		return string(img.Bytes)
	}
	if got := tell("environment"); got != "HOME=/nonexistent\nMALLOC_ARENA_MAX=1\n" {
		t.Errorf("the environment is %q", got)
	}
	for line := range strings.Lines(tell("descriptors")) {
		fd, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		known := map[string]string{"0": "/dev/null", "1": "/dev/null", "2": "pipe:", "3": "socket:"}
		if want, ok := known[fd]; (!ok || !strings.HasPrefix(to, want)) && !strings.HasPrefix(to, "/proc/") && to != "/sys/fs/cgroup" && !strings.HasPrefix(to, "/sys/fs/cgroup/") {
			t.Errorf("descriptor %s is %s", fd, to)
		}
	}
	nice, oom, _ := strings.Cut(tell("niceness"), " oom ")
	for _, n := range strings.Fields(nice) {
		if n != strconv.Itoa(min(own+niceness, 19)) {
			t.Errorf("the threads have the niceness %s, the server has %d", nice, own)
			break
		}
	}
	if oom != "500" {
		t.Errorf("oom_score_adj is %s", oom)
	}
	if after := ownNiceness(t); after != own {
		t.Errorf("the server's own niceness was %d and is %d", own, after)
	}
}
