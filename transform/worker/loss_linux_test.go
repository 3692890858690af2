package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

func TestALostWorkerCostsItsJobAlone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		order  string
		kind   transform.Kind
		reason string
		says   string
	}{
		{"a segmentation fault", "signal 11", transform.Internal, ReasonCrash, "SIGSEGV (segmentation fault)"},
		{"a bus error", "signal 7", transform.Internal, ReasonCrash, "SIGBUS"},
		{"an abort", "signal 6", transform.Internal, ReasonCrash, "SIGABRT (aborted)"},
		{"a kill from outside", "signal 9", transform.Internal, ReasonCrash, "SIGKILL (killed)"},
		{"an exit", "exit 3", transform.Internal, ReasonCrash, "exit status 3"},
		{"a panic", "panic", transform.Internal, ReasonCrash, "ended"},
		{"no memory left", "abort", transform.TooLarge, ReasonMemory, "of memory"},
		{"too much memory", "eat", transform.TooLarge, ReasonMemory, "memory_limit"},
		{"a hang", "hang", transform.Timeout, ReasonDeadline, "deadline"},
		{"garbage", "say garbage", transform.Internal, ReasonProtocol, "made no sense"},
		{"an empty message", "say nothing", transform.Internal, ReasonProtocol, "made no sense"},
		{"a long message", "say much", transform.Internal, ReasonProtocol, "too long"},
		{"a descriptor", "say descriptor", transform.Internal, ReasonProtocol, "made no sense"},
		{"hanging up", "say goodbye", transform.Internal, ReasonProtocol, "hung up"},
		{"a child that holds on", "say child", transform.Internal, ReasonCrash, "SIGSEGV"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			p := open(t, Config{Workers: 1, MemoryLimit: 300 << 20, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if tt.reason == ReasonDeadline {
				ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			}
			defer cancel()
			began := time.Now()
			_, err := p.Render(ctx, of(tt.order), still())
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %s", took)
			}
			if e, ok := errors.AsType[*transform.Error](err); !ok || e.Kind != tt.kind || e.Op == "" || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v, of kind %v; want %v and %q", err, transform.KindOf(err), tt.kind, tt.says)
			}
			if crashed := errors.Is(err, transform.ErrCrashed); crashed != (tt.kind == transform.Internal) {
				t.Errorf("that it crashed is %v of %v", crashed, err)
			}
			began = time.Now()
			expect(t, p, of("the next one"))
			t.Logf("a stand-in took %s", time.Since(began).Round(time.Millisecond))
			s := p.Status()
			for reason, n := range s.Restarts {
				if want := map[bool]int64{true: 1}[reason == tt.reason]; n != want {
					t.Errorf("%d restarts by %s, want %d", n, reason, want)
				}
			}
			p.Close()
			if !strings.Contains(log.String(), "reason="+tt.reason) {
				t.Errorf("the log says nothing of it: %s", log.String())
			}
			if tt.order == "exit 3" && !strings.Contains(log.String(), "I have had enough") {
				t.Errorf("the log has no last words: %s", log.String())
			}
		})
	}
}

func TestAnAnswerThatNobodyAskedForIsNotTakenForTheNext(t *testing.T) {
	p := open(t, Config{Workers: 1})
	_, err := p.Render(t.Context(), of("say twice"), still())
	if transform.KindOf(err) != transform.Internal {
		t.Fatal(err)
	}
	// The worker's own answer came behind the one that was taken.
	_, err = p.Render(t.Context(), of("innocent"), still())
	if !errors.Is(err, transform.ErrCrashed) || p.Status().Restarts[ReasonProtocol] != 1 {
		t.Errorf("the answer of another job is taken: %v", err)
	}
	expect(t, p, of("innocent"))
}

func TestTheDeadlineOfARequestIsACauseOfACancel(t *testing.T) {
	p := open(t, Config{Workers: 1})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	time.AfterFunc(100*time.Millisecond, func() { cancel(context.DeadlineExceeded) })
	if _, err := p.Render(ctx, of("hang"), still()); transform.KindOf(err) != transform.Timeout || p.Status().Restarts[ReasonDeadline] != 1 {
		t.Errorf("it is no deadline: %v, %v", err, p.Status().Restarts)
	}
}

func TestACallerWhoLeavesStopsTheWork(t *testing.T) {
	p := open(t, Config{Workers: 1})
	for _, tt := range []struct {
		order   string
		kind    transform.Kind // Internal is none
		within  time.Duration
		restart int64
	}{
		{"sleep 120", transform.Internal, 5 * time.Second, 0},  // nearly there
		{"wait 20000", transform.Canceled, 2 * time.Second, 0}, // stops when it is told to
		{"hang", transform.Canceled, 2 * time.Second, 1},
	} {
		t.Run(tt.order, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(50*time.Millisecond, cancel)
			began := time.Now()
			img, err := p.Render(ctx, of(tt.order), still())
			if tt.kind == transform.Internal {
				if err != nil || !bytes.Equal(img.Bytes, fakeResult([]byte(tt.order))) {
					t.Errorf("what was nearly there is lost: %v", err)
				}
			} else if transform.KindOf(err) != tt.kind {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(began); took > tt.within+50*time.Millisecond {
				t.Errorf("it took %s", took)
			}
			if n := p.Status().Restarts[ReasonCanceled]; n != tt.restart {
				t.Errorf("%d workers were killed, want %d", n, tt.restart)
			}
			expect(t, p, of("the next"))
		})
	}
	if n := p.Status().Poisoned; n != 0 {
		t.Errorf("%d originals are blamed for callers that left", n)
	}
}

func TestPoisonousOriginalsAreRefusedWithoutAWorker(t *testing.T) {
	p := open(t, Config{Workers: 1, MemoryLimit: 300 << 20})
	p.blamed = 0
	for _, tt := range []struct {
		order    string
		poisoned bool
	}{
		{"signal 11", true},
		{"eat", true},
		{"hang", true},
		{"say garbage", true},
		{"signal 9", false}, // an administrator, or the kernel
	} {
		t.Run(tt.order, func(t *testing.T) {
			render := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				if tt.order == "hang" {
					ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
				}
				defer cancel()
				_, err := p.Render(ctx, of(tt.order), still())
				return err
			}
			first := render()
			if _, err := p.Probe(t.Context(), transform.Original{Bytes: []byte("other " + tt.order)}); err != nil {
				t.Errorf("another one: %v", err)
			}
			render()
			before := p.Status()
			third := render()
			after := p.Status()
			lost := func(s Status) (n int64) {
				for _, r := range s.Restarts {
					n += r
				}
				return n
			}
			if refused := lost(before) == lost(after); refused != tt.poisoned {
				t.Errorf("it is refused: %v", refused)
			}
			if transform.KindOf(third) != transform.KindOf(first) || errors.Is(first, transform.ErrCrashed) != errors.Is(third, transform.ErrCrashed) {
				t.Errorf("first %v, then %v", first, third)
			}
			if tt.poisoned && !strings.Contains(third.Error(), "2 times") {
				t.Errorf("it doesn't say so: %v", third)
			}
		})
	}
}

func TestJobsThatHadNoTimeAreNotBlamed(t *testing.T) {
	p := open(t, Config{Workers: 1})
	for range 3 {
		eventually(t, "one is idle", func() bool { return states(p, stateIdle) > 0 })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if _, err := p.Render(ctx, of("hang"), still()); transform.KindOf(err) != transform.Timeout {
			t.Error(err)
		}
		cancel()
	}
	if s := p.Status(); s.Poisoned != 0 || s.Restarts[ReasonDeadline] != 3 {
		t.Errorf("%+v", s)
	}
}

func TestIdleWorkersThatAreKilledHarmNobody(t *testing.T) {
	p := open(t, Config{Workers: 2})
	for round := range 6 {
		eventually(t, "all are idle", func() bool { return states(p, stateIdle) >= 2 })
		before := p.Status()
		killed := int64(0)
		for _, w := range before.Workers {
			if w.State == stateIdle {
				syscall.Kill(w.PID, []syscall.Signal{syscall.SIGKILL, syscall.SIGSEGV}[round%2])
				killed++
			}
		}
		eventually(t, "they are missed", func() bool {
			return p.Status().Restarts[ReasonCrash] >= before.Restarts[ReasonCrash]+killed
		})
		eventually(t, "others stand in", func() bool { return states(p, stateIdle) > 0 })
		expect(t, p, of(fmt.Sprint("original ", round)))
	}
	if s := p.Status(); s.Poisoned != 0 || len(p.poison.entries) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAJobThatItsWorkerNeverReadGoesToAnother(t *testing.T) {
	p := open(t, Config{Workers: 1})
	for round := range 5 {
		expect(t, p, of("warm"))
		p.mu.Lock()
		pid := p.idle[len(p.idle)-1].pid() // who gets the next job
		p.mu.Unlock()
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it stands still", func() bool {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			_, state, _ := strings.Cut(string(b), ") ")
			return strings.HasPrefix(state, "T")
		})
		time.AfterFunc(50*time.Millisecond, func() { syscall.Kill(pid, syscall.SIGKILL) })
		expect(t, p, of(fmt.Sprint("original ", round)))
	}
	if s := p.Status(); s.Restarts[ReasonCrash] != 5 || len(p.poison.entries) != 0 {
		t.Errorf("%+v", s)
	}
}

// After the first failure no job waits for a start: who does the next one was there before.
func TestTheStandInIsThereAtOnce(t *testing.T) {
	p := open(t, Config{Workers: 1})
	p.Render(t.Context(), of("signal 11"), still())
	for i := range 5 {
		eventually(t, "a spare one stands by", func() bool { return states(p, stateIdle) == 2 })
		before := p.Status().Workers
		p.Render(t.Context(), of(fmt.Sprint("signal 11\n", i)), still())
		began := time.Now()
		img, err := p.Render(t.Context(), of("pid"), still())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the next job took %s", time.Since(began).Round(time.Millisecond))
		if !slices.ContainsFunc(before, func(w Process) bool { return strconv.Itoa(w.PID) == string(img.Bytes) }) {
			t.Errorf("process %s was started for it; there were %+v", img.Bytes, before)
		}
	}
}
