package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

// A hundred workers end in every way that there is, while others work.
func TestAStormOfLossesLeavesTheOthersAlone(t *testing.T) {
	const callers, losses = 16, 100
	p := open(t, Config{Workers: 2, MemoryLimit: 300 << 20})
	orders := []struct {
		order string
		kind  transform.Kind
	}{
		{"signal 11", transform.Internal},
		{"signal 9", transform.Internal},
		{"eat", transform.TooLarge},
		{"hang", transform.Timeout},
		{"say garbage", transform.Internal},
	}
	var lost, served atomic.Int64
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := 0; lost.Load() < losses; n++ {
				if c%4 != 0 {
					expect(t, p, of(fmt.Sprintf("sleep %d\nof caller %d, number %d", n%5, c, n)))
					served.Add(1)
					continue
				}
				which := orders[(n+c/4)%len(orders)]
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				if which.order == "hang" {
					ctx, cancel = context.WithTimeoutCause(t.Context(), 300*time.Millisecond, nil)
				}
				_, err := p.Render(ctx, of(fmt.Sprintf("%s\nof caller %d, number %d", which.order, c, n)), still())
				cancel()
				switch kind := transform.KindOf(err); {
				case errors.Is(err, transform.ErrNoSlot): // it waited in line until then
				case err == nil || kind != which.kind:
					t.Errorf("%s: %v", which.order, err)
				default:
					lost.Add(1)
				}
			}
		})
	}
	wg.Wait()
	s := p.Status()
	t.Logf("%d losses, %d others served, %v", lost.Load(), served.Load(), s.Restarts)
	for _, reason := range []string{ReasonCrash, ReasonMemory, ReasonDeadline, ReasonProtocol} {
		if s.Restarts[reason] == 0 {
			t.Errorf("nothing was lost by %s", reason)
		}
	}
	if len(s.Workers) > 3 {
		t.Errorf("there are %d workers", len(s.Workers))
	}
}

// A server that is killed leaves no worker, whether it does nothing or hangs in a library.
func TestWorkersEndWithTheServer(t *testing.T) {
	if os.Getenv("POOL_OF_A_SERVER") != "" {
		p, err := Open(Config{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		go p.Render(t.Context(), of("hang"), still())
		eventually(t, "one is busy, one is idle", func() bool { return states(p, stateBusy) == 1 && states(p, stateIdle) == 1 })
		for _, w := range p.Status().Workers {
			fmt.Println("worker", w.PID)
		}
		time.Sleep(time.Minute)
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestWorkersEndWithTheServer$", "-test.v")
	cmd.Env = append(os.Environ(), "POOL_OF_A_SERVER=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	buf := make([]byte, 4096)
	for strings.Count(text.String(), "worker ") < 2 || !strings.HasSuffix(text.String(), "\n") {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v: %s", err, text.String())
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	for line := range strings.Lines(text.String()) {
		number, is := strings.CutPrefix(strings.TrimSpace(line), "worker ")
		if !is {
			continue
		}
		pid, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "worker "+number+" has ended", func() bool {
			b, err := os.ReadFile("/proc/" + number + "/stat")
			_, state, _ := strings.Cut(string(b), ") ")
			return err != nil || strings.HasPrefix(state, "Z") || syscall.Kill(pid, 0) != nil
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	p, err := Open(Config{Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for _, size := range []int{100, 200 << 10, 2 << 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			in := of("large 50000\n" + strings.Repeat("x", size))
			for b.Loop() {
				if _, err := p.Render(b.Context(), in, still()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
