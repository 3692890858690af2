// Command bench measures what the server adds to the pixels: CPU time of one render through the whole of Caddy, against
// the same libvips calls alone, in alternating rounds of one run. Linux only: it reads CPU times from /proc.
//
//	go run . -caddy ../caddy [-picture FILE] [-rounds 7] [-requests 40] [-concurrency 1,2]
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/cputime"
)

func main() {
	log.SetFlags(0)
	caddy := flag.String("caddy", "../caddy", "the binary to measure (./xcaddy.sh build makes it)")
	picture := flag.String("picture", "../examples/library/landscape.jpg", "a JPEG of about 12 megapixels")
	rounds := flag.Int("rounds", 7, "alternating rounds; the median is told")
	requests := flag.Int("requests", 40, "renders a round")
	concurrency := flag.String("concurrency", "1,2", "renders at once, one table row each")
	floorJobs := flag.Int("floor", 0, "internal: do so many renders with libvips alone")
	flag.Parse()

	original, err := os.ReadFile(*picture)
	if err != nil {
		log.Fatal(err)
	}
	if *floorJobs > 0 {
		parallel, err := strconv.Atoi(*concurrency)
		if err != nil {
			log.Fatal(err)
		}
		if err := floor(original, *floorJobs, parallel); err != nil {
			log.Fatal(err)
		}
		return
	}
	s, err := startServer(*caddy, *picture)
	if err != nil {
		log.Fatal(err)
	}
	defer s.stop()
	fmt.Printf("%s, %d bytes, to 400 px JPEG; CPU ms a render, median of %d rounds of %d (min-max)\n\n", filepath.Base(*picture), len(original), *rounds, *requests)
	fmt.Println("| at once | libvips calls alone | whole server | ratio (median of the rounds' ratios) |")
	fmt.Println("|---|---|---|---|")
	for word := range strings.SplitSeq(*concurrency, ",") {
		parallel, err := strconv.Atoi(word)
		if err != nil {
			log.Fatal(err)
		}
		if err := s.row(*picture, parallel, *rounds, *requests); err != nil {
			log.Fatal(err)
		}
	}
}

// row measures both sides in turn and prints a line of the table.
func (s *server) row(picture string, parallel, rounds, requests int) error {
	var alone, whole, ratios []float64
	if _, err := s.load(parallel, requests/4+1); err != nil { // warm up
		return err
	}
	for range rounds {
		a, err := floorProcess(picture, requests, parallel)
		if err != nil {
			return err
		}
		b, err := s.load(parallel, requests)
		if err != nil {
			return err
		}
		alone, whole, ratios = append(alone, a), append(whole, b), append(ratios, b/a)
	}
	fmt.Printf("| %d | %s | %s | %s |\n", parallel, spread(alone, 1), spread(whole, 1), spread(ratios, 3))
	return nil
}

func spread(v []float64, digits int) string {
	slices.Sort(v)
	return fmt.Sprintf("%.*f (%.*f-%.*f)", digits, v[len(v)/2], digits, v[0], digits, v[len(v)-1])
}

// floorProcess runs this program again as the floor; what it costs to start is taken off by a run of one render.
func floorProcess(picture string, jobs, parallel int) (float64, error) {
	one, err := floorCPU(picture, parallel, parallel)
	if err != nil {
		return 0, err
	}
	many, err := floorCPU(picture, jobs+parallel, parallel)
	return (many - one) / float64(jobs), err
}

func floorCPU(picture string, jobs, parallel int) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, "-picture", picture, "-floor", strconv.Itoa(jobs), "-concurrency", strconv.Itoa(parallel))
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("floor: %w", err)
	}
	state := cmd.ProcessState
	return float64((state.UserTime() + state.SystemTime()).Microseconds()) / 1000, nil
}

// server is the Caddy under measurement.
type server struct {
	cmd *exec.Cmd
	url string
	dir string
}

func startServer(caddy, picture string) (*server, error) {
	caddy, err := filepath.Abs(caddy)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(filepath.Dir(picture))
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	dir, err := os.MkdirTemp("", "imageorigin-bench")
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n}\nhttp://%s {\n\timageorigin {\n\t\torigin folder %s\n\t}\n}\n", addr, folder)
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.Command(caddy, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, dir: dir, url: fmt.Sprintf("http://%s/tr:w-400,f-jpg/%s", addr, filepath.Base(picture))}
	for range 200 {
		if _, err := s.ask(); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, fmt.Errorf("the server does not answer:\n%s", said.String())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
	os.RemoveAll(s.dir)
}

func (s *server) ask() (int64, error) {
	resp, err := http.Get(s.url)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "image/jpeg") {
		err = fmt.Errorf("%s: %s, %s", s.url, resp.Status, resp.Header.Get("Ik-Error"))
	}
	return n, err
}

// load asks for n renders, parallel at once, and returns the CPU milliseconds that the server took for each.
func (s *server) load(parallel, n int) (float64, error) {
	before, err := cputime.Group(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	errs := make([]error, parallel)
	var clients sync.WaitGroup
	for c := range parallel {
		clients.Go(func() {
			for i := c; i < n && errs[c] == nil; i += parallel {
				_, errs[c] = s.ask()
			}
		})
	}
	clients.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	after, err := cputime.Group(s.cmd.Process.Pid)
	return (after - before) / float64(n), err
}
