package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// together asks for paths of a site at the same time and returns the answers in their order.
func (s *site) together(paths []string) []reply {
	answers := make([]reply, len(paths))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, path := range paths {
		all.Go(func() {
			<-start
			answers[i] = s.get(path)
		})
	}
	close(start)
	all.Wait()
	return answers
}

// renders counts what was made: answers of neither a cache nor another request's work.
func renders(answers []reply) (n int) {
	for _, a := range answers {
		if status := a.header.Get("Cache-Status"); strings.Contains(status, "fwd=") && !strings.Contains(status, "collapsed") {
			n++
		}
	}
	return n
}

func repeat(path string, n int) []string {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = path
	}
	return paths
}

// webSite is a site whose pictures are on a web server behind a proxy that counts and fails.
func webSite(t *testing.T, options string) (*site, *stores.NginxServer, *faults.Proxy) {
	t.Helper()
	web := stores.Nginx(t, t.TempDir())
	web.Put("a.png", pngOf(t, 600, 400), "", "")
	proxy := faults.Start(t, web.Addr)
	return startSite(t, fmt.Sprintf("origin web web %s {\n breaker off\n retries 0\n}\nendpoint default {\n origins web\n %s\n}", proxy.URL(), options)), web, proxy
}

func TestTwoHundredVisitorsAtOnceCostOneRender(t *testing.T) {
	s, _, proxy := webSite(t, "")
	answers := s.together(repeat("/tr:w-300/a.png", 200))
	for _, a := range answers {
		if a.status != http.StatusOK || !bytes.Equal(a.body, answers[0].body) {
			t.Fatalf("got %d, %d bytes, %v", a.status, len(a.body), a.err)
		}
	}
	if got := renders(answers); got != 1 {
		t.Errorf("%d renders", got)
	}
	if got := proxy.Counts().Requests; got != 1 {
		t.Errorf("%d fetches", got)
	}
}

func TestTwentySizesAtOnceCostOneFetch(t *testing.T) {
	s, _, proxy := webSite(t, "")
	var paths []string
	for i := range 20 {
		paths = append(paths, fmt.Sprintf("/tr:w-%d/a.png", 100+20*i))
	}
	for i, a := range s.together(paths) {
		if a.status != http.StatusOK {
			t.Errorf("%s: %d, %v", paths[i], a.status, a.err)
		}
	}
	if got := proxy.Counts().Requests; got != 1 {
		t.Errorf("%d fetches", got)
	}
}

func TestKeptOriginalsAreFetchedOnce(t *testing.T) {
	s, _, proxy := webSite(t, "originals disk")
	for i := range 20 {
		if width, _ := s.picture(fmt.Sprintf("/tr:w-%d/a.png", 100+20*i)); width != 100+20*i {
			t.Errorf("got a width of %d", width)
		}
	}
	if got := proxy.Counts().Requests; got != 1 {
		t.Errorf("%d fetches", got)
	}
}

// TestWithTheOriginDownWhatWasServedIsServed goes through an outage: what was asked for before is answered, marked as
// stale, and when the origin is back it is asked once, not by all.
func TestWithTheOriginDownWhatWasServedIsServed(t *testing.T) {
	s, _, proxy := webSite(t, "max_age 1s\nstale 0\nstale_if_error 1h")
	first := s.get("/tr:w-300/a.png")
	time.Sleep(1100 * time.Millisecond)
	proxy.Set(faults.Refuse())
	for _, a := range s.together(repeat("/tr:w-300/a.png", 20)) {
		if a.status != http.StatusOK || !bytes.Equal(a.body, first.body) {
			t.Fatalf("got %d %s", a.status, a.header.Get("ik-error"))
		}
		if got := a.header.Get("Cache-Status"); !strings.Contains(got, "hit; ttl=-") {
			t.Errorf("got Cache-Status %q, want a stale hit", got)
		}
		if got := a.header.Get("Cache-Control"); strings.Contains(got, "31536000") {
			t.Errorf("clients may keep it: %q", got)
		}
	}
	if a := s.get("/tr:w-200/a.png"); a.status != http.StatusNotFound || !strings.HasPrefix(a.header.Get("ik-error"), "ECONNREFUSED") {
		t.Errorf("what was never served: got %d %q", a.status, a.header.Get("ik-error"))
	}
	proxy.Heal()
	before := proxy.Counts().Requests
	eventually(t, "the origin is asked again", func() bool {
		for _, a := range s.together(repeat("/tr:w-300/a.png", 20)) {
			if a.status != http.StatusOK || !bytes.Equal(a.body, first.body) {
				t.Fatalf("got %d %s", a.status, a.header.Get("ik-error"))
			}
		}
		return proxy.Counts().Requests > before
	})
	if got := proxy.Counts().Requests - before; got > 2 { // a second only if max_age ended meanwhile
		t.Errorf("the origin was asked %d times when it came back", got)
	}
}

func TestAChangedFileIsSeenWhenMaxAgeIsOver(t *testing.T) {
	s, web, proxy := webSite(t, "max_age 1s\nstale 0")
	s.picture("/tr:w-300/a.png")
	s.picture("/tr:w-200/a.png")
	web.Put("a.png", pngOf(t, 600, 200), "", "")
	eventually(t, "the new one is served", func() bool {
		_, height := s.picture("/tr:w-300/a.png")
		return height == 100
	})
	if _, height := s.picture("/tr:w-200/a.png"); height != 67 {
		t.Errorf("another size is still that of the old one: a height of %d", height)
	}
	time.Sleep(1100 * time.Millisecond)
	before := proxy.Counts().Requests
	s.picture("/tr:w-300/a.png")
	s.picture("/tr:w-200/a.png")
	if got := proxy.Counts().Requests - before; got > 2 {
		t.Errorf("%d requests to renew two sizes", got)
	}
}

// TestKillsWhileWritingLeaveNoWrongByte kills the server again and again while it fills its cache; what it serves
// afterwards is what it served before.
func TestKillsWhileWritingLeaveNoWrongByte(t *testing.T) {
	dir := t.TempDir()
	const pictures = 8
	for i := range pictures {
		if err := writePicture(filepath.Join(dir, fmt.Sprintf("%d.png", i)), 200+i, 150); err != nil {
			t.Fatal(err)
		}
	}
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
	config := fmt.Sprintf("{\n\tadmin off\n\timageorigin {\n\t\tcache d disk %s {\n\t\t\tmax_size 2MiB\n\t\t}\n\t}\n}\nhttp://%s {\n\timageorigin {\n\t\torigin folder %s\n\t\tresults d\n\t}\n}\n",
		filepath.Join(dir, "cache"), addr, dir)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	sums := map[string][32]byte{}
	var mu sync.Mutex
	kills := 20
	for round := range kills {
		c, err := startCaddy(dir, addr, os.Environ(), "run", "--config", file)
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var visitors sync.WaitGroup
		for visitor := range 4 {
			visitors.Go(func() {
				r := rand.New(rand.NewPCG(uint64(round), uint64(visitor)))
				for {
					select {
					case <-stop:
						return
					default:
					}
					path := fmt.Sprintf("/tr:w-%d,f-jpg/%d.png", 20+r.IntN(40), r.IntN(pictures))
					resp, err := http.Get("http://" + addr + path)
					if err != nil {
						return // it was killed
					}
					body := new(bytes.Buffer)
					_, err = body.ReadFrom(resp.Body)
					resp.Body.Close()
					if err != nil {
						return
					}
					sum := sha256.Sum256(body.Bytes())
					mu.Lock()
					if before, known := sums[path]; known && before != sum || resp.StatusCode != http.StatusOK {
						t.Errorf("round %d, %s: %d, not the bytes of before", round, path, resp.StatusCode)
					}
					sums[path] = sum
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(100+rand.IntN(200)) * time.Millisecond)
		_ = c.cmd.Process.Signal(syscall.SIGKILL)
		<-c.done
		close(stop)
		visitors.Wait()
	}
	if len(sums) < 100 {
		t.Errorf("%d results only were seen", len(sums))
	}
}

// TestParallelRequestsGetWhatLoneOnesGet asks for many different pictures one after the other, purges, and asks for all of
// them at once.
func TestParallelRequestsGetWhatLoneOnesGet(t *testing.T) {
	s, web, _ := webSite(t, "formats avif webp")
	web.Put("b.png", pngOf(t, 500, 500), "", "")
	var paths []string
	for i := range 40 {
		paths = append(paths, fmt.Sprintf("/tr:w-%d,h-%d/a.png", 50+i, 90-i), fmt.Sprintf("/b.png?tr=w-%d,f-jpg,q-%d:r-%d", 60+i, 30+i, i))
	}
	alone := make([]reply, len(paths))
	for i, path := range paths {
		if alone[i] = s.get(path); alone[i].status != http.StatusOK {
			t.Fatalf("%s: %d", path, alone[i].status)
		}
	}
	resp, err := http.Post(s.admin+"/imageorigin/purge", "application/json", strings.NewReader(`{"everything": true}`))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("purging: %v, %v", resp, err)
	}
	resp.Body.Close()
	for i, a := range s.together(paths) {
		if !bytes.Equal(a.body, alone[i].body) || a.header.Get("Etag") != alone[i].header.Get("Etag") {
			t.Errorf("%s: %d bytes in a crowd, %d alone", paths[i], len(a.body), len(alone[i].body))
		}
		if got := a.header.Get("Cache-Status"); strings.Contains(got, "hit") {
			t.Errorf("%s: %s though it was purged", paths[i], got)
		}
	}
}

// TestWhatWasMadeOutlivesReloadAndRestart reloads with another config, and then starts another process.
func TestWhatWasMadeOutlivesReloadAndRestart(t *testing.T) {
	s, _, proxy := webSite(t, "description one")
	s.picture("/tr:w-300/a.png")
	config, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, bytes.ReplaceAll(config, []byte("description one"), []byte("description two")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload()
	hit := func(when string) {
		t.Helper()
		var r reply
		// Caddy resets connections that reach it in the moment in which it closes the old config's sockets.
		eventually(t, when+", an answer", func() bool { r = s.get("/tr:w-300/a.png"); return r.err == nil })
		if got := r.header.Get("Cache-Status"); !strings.HasPrefix(got, "imageorigin; hit") {
			t.Errorf("%s: got %q", when, got)
		}
	}
	hit("after a reload")
	s.stop()
	if s.server, err = startCaddy(s.dir, strings.TrimPrefix(s.url, "http://"), os.Environ(), "run", "--config", s.file); err != nil {
		t.Fatal(err)
	}
	hit("after a restart")
	if got := proxy.Counts().Requests; got != 1 {
		t.Errorf("%d fetches", got)
	}
}
