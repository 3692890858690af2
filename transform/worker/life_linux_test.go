package worker

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/transform"
)

func TestWorkersAreRecycled(t *testing.T) {
	t.Run("after their share of jobs", func(t *testing.T) {
		p := open(t, Config{Workers: 1, RecycleAfter: 5})
		pids := map[string]bool{}
		eventually(t, "some were replaced", func() bool {
			img, err := p.Render(t.Context(), of("pid"), still())
			if err != nil {
				t.Fatal(err)
			}
			pids[string(img.Bytes)] = true
			return p.Status().Restarts[ReasonRecycled] >= 3
		})
		if len(pids) < 3 || p.Status().Restarts[ReasonCrash] != 0 {
			t.Errorf("%d workers, %v", len(pids), p.Status().Restarts)
		}
	})
	t.Run("not where they give memory back", func(t *testing.T) {
		p := open(t, Config{Workers: 1, RecycleAbove: 150 << 20, Settings: []byte("trim well")})
		for range 3 {
			expect(t, p, of("keep 200"))
			eventually(t, "it gave back", func() bool {
				s := p.Status()
				return len(s.Workers) == 1 && s.Workers[0].State == stateIdle && s.Workers[0].Memory < 150<<20
			})
		}
		if n := p.Status().Restarts[ReasonRecycled]; n != 0 {
			t.Errorf("%d were replaced", n)
		}
	})
	t.Run("where they keep memory", func(t *testing.T) {
		p := open(t, Config{Workers: 1, RecycleAbove: 1 << 20, Settings: []byte("trim stubborn")})
		expect(t, p, of("keep 10"))
		eventually(t, "it was replaced", func() bool { return p.Status().Restarts[ReasonRecycled] >= 1 })
		expect(t, p, of("still here"))
	})
}

func TestAreasGiveMemoryBack(t *testing.T) {
	p := open(t, Config{Workers: 1})
	p.mu.Lock()
	w := p.workers[0]
	p.mu.Unlock()
	used := func(f *os.File) int64 {
		stat, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return stat.Sys().(*syscall.Stat_t).Blocks * 512
	}
	expect(t, p, transform.Inputs{Base: transform.Original{Bytes: append([]byte("large 8000000\n"), make([]byte, 12<<20)...)}})
	if used(w.in) < 12<<20 || used(w.out) < 7<<20 {
		t.Fatalf("the areas take %d and %d bytes", used(w.in), used(w.out))
	}
	eventually(t, "they keep 4 MiB", func() bool { return used(w.in) <= keptArea && used(w.out) <= keptArea })
	expect(t, p, transform.Inputs{Base: transform.Original{Bytes: append([]byte("large 8000000\n"), make([]byte, 12<<20)...)}})
}

func TestTheNumberOfWorkersFollows(t *testing.T) {
	p := open(t, Config{Workers: 1})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					expect(t, p, of(fmt.Sprintf("sleep 5\n%d %d", i, n)))
				}
			}
		})
	}
	for _, n := range []int{4, 1, 3, 2} {
		p.SetWorkers(n)
		eventually(t, fmt.Sprint(n, " workers"), func() bool {
			s := p.Status()
			return len(s.Workers) == n && s.Slots == n && states(p, stateStarting) == 0
		})
	}
	close(stop)
	wg.Wait()
	for reason, n := range p.Status().Restarts {
		if n != 0 {
			t.Errorf("%d restarts by %s", n, reason)
		}
	}
}

func TestOpenSaysWhyItCanNot(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"the engine doesn't start", Config{Settings: []byte("refuse")}, "libfake is not installed"},
		{"it ends", Config{Settings: []byte("die")}, "exit status 3"},
		{"and says why", Config{Settings: []byte("die")}, "libfake says good bye"},
		{"it can't be confined", Config{Settings: []byte("unconfined")}, "no such measure"},
		{"there is no such program", Config{Command: []string{"/nonexistent/program"}}, "no such file"},
		{"it is another program", Config{Command: []string{"/bin/echo", "x"}}, "ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := held(t)
			p, err := Open(tt.cfg)
			if err == nil {
				p.Close()
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %q, want %q", err, tt.says)
			}
			nothingLeft(t, before)
		})
	}
}

func TestStartsThatFailAreRepeatedAndJobsDoNotHang(t *testing.T) {
	for _, settings := range []string{"later", "differ"} {
		t.Run(settings, func(t *testing.T) {
			p := open(t, Config{Workers: 1, Settings: []byte(settings)})
			expect(t, p, of("the first worker"))
			p.Render(t.Context(), of("signal 11"), still())
			eventually(t, "it is hopeless", func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return p.hopeless() != nil
			})
			began := time.Now()
			_, err := p.Render(t.Context(), of("nobody there"), still())
			if transform.KindOf(err) != transform.Overloaded || !strings.Contains(err.Error(), "no worker can be started") || time.Since(began) > time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			if s := p.Status(); s.Failing == "" {
				t.Errorf("the status says nothing of it: %+v", s)
			}
		})
	}
	t.Run("workers that end once they are idle", func(t *testing.T) {
		p := open(t, Config{Workers: 2, Settings: []byte("ghost")})
		time.Sleep(1500 * time.Millisecond)
		if n := p.Status().Restarts[ReasonCrash]; n == 0 || n > 10 { // without a pause it is 30 and more
			t.Errorf("%d starts in 1.5 seconds", n)
		}
		expect(t, p, of("the first worker")) // which lives
	})
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	p := open(t, Config{Workers: 2})
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			_, err := p.Render(t.Context(), of(fmt.Sprint("hang\n", i)), still())
			if err == nil {
				t.Error("a job that hangs came to its end")
			}
		})
	}
	eventually(t, "all wait", func() bool { return p.Status().Waiting == 4 })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := p.Render(t.Context(), of("x"), still()); transform.KindOf(err) != transform.Overloaded {
		t.Errorf("a closed pool says %v", err)
	}
}
