// Package mutation asks a real server for broken pictures by the thousand, several at once, and looks whether anything but the
// one request fails: whether the server's other routes answer, whole pictures among the broken ones stay what they were,
// and nothing is left behind at the end.
package mutation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// Config is what a run can be told.
type Config struct {
	Caddy    string // path of the binary
	Count    int    // requests
	Parallel int    // at once
	Seed     uint64 // which pictures are broken in which way: the same for the same seed
	Keep     string // folder for files that led to a failure; "" keeps none

	Global  string // further global options of the Caddyfile
	Options string // further options of the endpoint
}

// controls is how many requests there are to one for a whole picture.
const controls = 10

// quarters are the parts of a run after which its memory is told: where it rises with each, something is lost.
const quarters = 4

// maxFailures is how many failures are told before a run gives up.
const maxFailures = 20

// formats are those that are read.
var formats = []plan.Format{plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF, plan.HEIC, plan.TIFF, plan.SVG, plan.JXL}

// asks are what is asked for; each has a size that no picture changes.
var asks = []struct {
	chain         string
	format        plan.Format
	width, height int
}{
	{"w-32,h-24,c-force,f-png", plan.PNG, 32, 24},
	{"w-20,h-20,c-force,f-jpg", plan.JPEG, 20, 20},
	{"w-16,h-16,c-force,rt-90,f-png", plan.PNG, 16, 16},
	{"w-24,h-24,cm-pad_resize,bg-FF0000,f-png", plan.PNG, 24, 24},
	{"t-10:w-12,h-12,c-force,f-png", plan.PNG, 12, 12},
}

// sample is a whole picture, and what the server makes of it when nothing else happens: by the place in asks.
type sample struct {
	format plan.Format
	bytes  []byte
	want   []answer
}

type answer struct {
	status int
	sum    [sha256.Size]byte
}

// reply is an answer whole.
type reply struct {
	answer
	header http.Header
	body   []byte
}

type run struct {
	config  Config
	server  *server
	client  *http.Client
	samples []sample
	report  *Report
	mu      sync.Mutex // of report
	failed  atomic.Int64
}

// Run starts the server, asks, and ends it. What is wrong with the server stands in the report; the error is of the run.
func Run(ctx context.Context, c Config) (report *Report, err error) {
	dir, err := os.MkdirTemp("", "imageorigin-mutation")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := start(c, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r := &run{
		config: c, server: s, report: newReport(),
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: c.Parallel}},
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.ask(ctx, c.Count, min(c.Count/10, 5000)); err != nil { // warm up, with pictures that don't come again
		return nil, err
	}
	r.report = &Report{Failures: r.report.Failures, counts: newReport().counts}
	before, err := r.resting()
	if err != nil {
		return nil, err
	}
	stopPinging := r.ping(ctx)
	for i := range quarters {
		from, to := c.Count*i/quarters, c.Count*(i+1)/quarters
		if err = r.ask(ctx, from, to-from); err != nil {
			break
		}
		now, problem := holds(s.cmd.Process.Pid)
		r.report.memory, err = append(r.report.memory, now.rss), problem
	}
	stopPinging()
	if err != nil {
		return r.report, err
	}
	after, err := r.resting()
	if err != nil {
		return nil, err
	}
	r.report.compare(before, after)
	r.report.crashes(s.log.crashed.Load())
	return r.report, nil
}

// prepare has the server make of each whole picture what it should be, one by one.
func (r *run) prepare(ctx context.Context) error {
	for _, f := range formats {
		for _, file := range transformtest.Smallest(f) {
			s := sample{format: f, bytes: file}
			for i := range asks {
				got, err := r.get(ctx, "reference", file, i)
				if err != nil {
					return err
				}
				if got.status != http.StatusOK {
					return fmt.Errorf("a whole %v: %d for %s, %s", f, got.status, asks[i].chain, got.body)
				}
				s.want = append(s.want, got.answer)
			}
			r.samples = append(r.samples, s)
		}
	}
	return nil
}

// ask makes n requests, several at once, whose numbers begin with first.
func (r *run) ask(ctx context.Context, first, n int) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, r.config.Parallel)
	for w := range r.config.Parallel {
		wg.Go(func() {
			for errs[w] == nil && ctx.Err() == nil && r.failed.Load() < maxFailures {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[w] = r.one(ctx, first+i)
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// one makes the request of a number: which picture and what is wrong with it depend on seed and number alone.
func (r *run) one(ctx context.Context, i int) error {
	random := rand.New(rand.NewPCG(r.config.Seed, uint64(i)))
	s := r.samples[random.IntN(len(r.samples))]
	how := random.IntN(len(asks))
	file, whole := s.bytes, i%controls == 0
	if !whole {
		file = transformtest.Mutate(random, file)
	}
	got, err := r.get(ctx, strconv.Itoa(i), file, how)
	if err != nil {
		// The server is gone, or hangs: the run can't go on, but what it was must be told.
		r.fail(file, fmt.Sprintf("%v %d, %s: %v", s.format, i, asks[how].chain, err))
		return err
	}
	r.mu.Lock()
	r.report.count(s.format, got.status, whole)
	r.mu.Unlock()
	if whole && got.answer != s.want[how] {
		r.fail(file, fmt.Sprintf("whole %v %d, %s: status %d and other bytes than before, or another status than %d", s.format, i, asks[how].chain, got.status, s.want[how].status))
	}
	if got.status == http.StatusInternalServerError {
		r.internal(file, fmt.Sprintf("%v %d, %s", s.format, i, asks[how].chain))
	}
	if problem := judge(got, file, how); problem != "" {
		r.fail(file, fmt.Sprintf("%v %d, %s: %s", s.format, i, asks[how].chain, problem))
	}
	return nil
}

// get puts a file into the folder, asks for it and takes it away.
func (r *run) get(ctx context.Context, name string, file []byte, how int) (got reply, err error) {
	place := filepath.Join(r.server.folder, name)
	if err := os.WriteFile(place, file, 0o600); err != nil {
		return got, err
	}
	defer os.Remove(place)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.server.base+"/tr:"+asks[how].chain+"/"+name, nil)
	if err != nil {
		return got, err
	}
	resp, err := r.client.Do(request)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	return reply{answer{resp.StatusCode, sha256.Sum256(body)}, resp.Header, body}, err
}

// fail notes a failure and keeps the file that led to it.
func (r *run) fail(file []byte, text string) {
	text += r.keep(file, fmt.Sprintf("failed-%d", r.failed.Add(1)))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.fail(text)
}

// internal notes an answer that is right only where the process that worked on it has ended.
func (r *run) internal(file []byte, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.report.internal); n < maxFailures {
		r.report.internal = append(r.report.internal, text+r.keep(file, fmt.Sprintf("internal-%d", n+1)))
	}
}

// keep writes a file to where the run keeps them, and returns where in brackets.
func (r *run) keep(file []byte, name string) string {
	if r.config.Keep == "" {
		return ""
	}
	place := filepath.Join(r.config.Keep, fmt.Sprintf("mutation-%d-%s", r.config.Seed, name))
	if err := os.WriteFile(place, file, 0o600); err != nil {
		return " (" + err.Error() + ")"
	}
	return " (" + place + ")"
}

// ping asks another route of the server all the time, until the function that it returns is called.
func (r *run) ping(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer client.CloseIdleConnections()
		for ctx.Err() == nil {
			start := time.Now()
			problem := pinged(client, r.server.base+"/ping")
			r.mu.Lock()
			r.report.ping(time.Since(start), problem)
			r.mu.Unlock()
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func pinged(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || string(body) != "pong") {
		err = fmt.Errorf("%s, %q", resp.Status, body)
	}
	return err
}

// resting returns what the server holds when nobody asks it for anything.
func (r *run) resting() (held, error) {
	r.client.CloseIdleConnections()
	var last held
	for range 50 {
		now, err := holds(r.server.cmd.Process.Pid)
		if err != nil {
			return held{}, err
		}
		if now.processes == last.processes && now.descriptors == last.descriptors && last.rss > 0 {
			return now, nil
		}
		last = now
		time.Sleep(200 * time.Millisecond)
	}
	return last, nil
}
