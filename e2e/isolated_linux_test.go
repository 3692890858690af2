package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// isolated is a server whose pictures are made by worker processes, with other routes beside, and an origin with as many
// different originals as are asked for.
type isolated struct {
	*server
	t      *testing.T
	url    string
	admin  string
	dir    string
	file   string // the Caddyfile
	client *http.Client
	origin *httptest.Server

	workers int
	want    map[request][32]byte
	last    atomic.Int64 // number of an original
}

// isolation is what a test wants of its server.
type isolation struct {
	mode    string // process, if empty
	engine  string // further options of the engine
	limits  string // further limits
	program string // the binary, if not caddyBinary
}

const isolatedWorkers = 2

// startIsolated starts a server, and waits for its workers.
func startIsolated(t *testing.T, want isolation) *isolated {
	t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
	s := &isolated{
		t: t, url: "http://" + addr, admin: fmt.Sprintf("http://127.0.0.1:%d", ports[1]), dir: t.TempDir(),
		client:  &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
		origin:  httptest.NewServer(endless(t)),
		workers: isolatedWorkers,
	}
	t.Cleanup(s.origin.Close)
	if err := os.WriteFile(filepath.Join(s.dir, "beat.txt"), []byte(beatBody), 0o600); err != nil {
		t.Fatal(err)
	}
	mode := want.mode
	if mode == "" {
		mode = "process"
	}
	s.write(fmt.Sprintf("workers %d\nisolation %s\n%s", s.workers, mode, want.engine), want.limits, "as it began")
	program := want.program
	if program == "" {
		program = caddyBinary
	}
	if s.server, err = startProgram(program, s.dir, addr, os.Environ(), "run", "--config", s.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("caddy said:\n%s", tail(s.log.String(), 40))
		}
	})
	if mode == "process" {
		s.awaitWorkers()
	}
	return s
}

// write writes the Caddyfile.
func (s *isolated) write(engine, limits, description string) {
	s.t.Helper()
	s.file = filepath.Join(s.dir, "Caddyfile")
	config := strings.NewReplacer("{admin}", strings.TrimPrefix(s.admin, "http://"), "{url}", s.url, "{dir}", s.dir,
		"{origin}", s.origin.URL, "{proxied}", strings.TrimPrefix(s.origin.URL, "http://"),
		"{engine}", engine, "{limits}", limits, "{description}", description).Replace(`{
	admin {admin}
	persist_config off
	imageorigin {
		origin web web {origin} {
			breaker off
		}
		engine vips {
			{engine}
		}
		limits {
			queue 1000
			{limits}
		}
		endpoint default {
			origins web
			results off
			description "{description}"
		}
	}
}
{url} {
	handle /beat/respond {
		respond "` + beatBody + `"
	}
	handle_path /beat/files/* {
		root * {dir}
		file_server
	}
	handle /beat/proxied {
		reverse_proxy {proxied}
	}
	handle {
		imageorigin
	}
}
`)
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// awaitWorkers waits until there are as many workers as there should be. One more may stand ready for the next failure.
func (s *isolated) awaitWorkers() []int {
	s.t.Helper()
	var workers []int
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		workers = workersOf(s.cmd.Process.Pid)
		if n := len(workers); n == s.workers || n == s.workers+1 {
			return workers
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server has the worker processes %v, want %d: children with the argument %s", workers, s.workers, workerArgument)
		}
	}
}

// request is what is asked for, but for the number of the original.
type request struct{ base, chain string }

// requests are answered within milliseconds, each by pixels of its own.
var requests = []request{
	{"photo.jpg", "w-100"},
	{"photo.jpg", "w-120,h-90,f-webp"},
	{"photo.jpg", "w-90,rt-90,f-png"},
	{"wide.jpg", "w-300"},
	{"wide.jpg", "w-200,h-200,q-50"},
	{"flat.png", "w-80"},
	{"flat.png", "w-150,r-20,f-png"},
	{"flat.png", "w-64,f-webp"},
	{"moving.gif", "w-60"},
	{"moving.gif", "w-50,f-webp"},
}

// bases are the pictures that originals begin with; large.jpg is for requests that take long, or much.
var bases = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "imageorigin-bases")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	all := map[string][]byte{}
	for name, size := range map[string]image.Point{
		"photo.jpg": {600, 400}, "wide.jpg": {1600, 1000}, "flat.png": {300, 300}, "moving.gif": {200, 150},
	} {
		file := filepath.Join(dir, name)
		if err := writePicture(file, size.X, size.Y); err != nil {
			return nil, err
		}
		if all[name], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	large := image.NewYCbCr(image.Rect(0, 0, 4032, 3024), image.YCbCrSubsampleRatio420)
	for i := range large.Y {
		large.Y[i] = uint8(i*7 ^ i>>9)
	}
	var file bytes.Buffer
	err = jpeg.Encode(&file, large, nil)
	all["large.jpg"] = file.Bytes()
	return all, err
})

// endless serves, at /<number>/<base>, the picture with the number behind its end, where no decoder looks: the file is
// another for each number, its pixels are the same.
func endless(t *testing.T) http.Handler {
	t.Helper()
	pictures, err := bases()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /beat/proxied", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, beatBody) })
	mux.HandleFunc("GET /{number}/{base}", func(w http.ResponseWriter, r *http.Request) {
		picture := pictures[r.PathValue("base")]
		number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
		if picture == nil || err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Etag", fmt.Sprintf("%q", r.URL.Path))
		content := binary.BigEndian.AppendUint64(slices.Clone(picture), number)
		http.ServeContent(w, r, r.PathValue("base"), time.Time{}, bytes.NewReader(content))
	})
	return mux
}

// ask asks for a picture of an original that was never asked for.
func (s *isolated) ask(want request) reply {
	resp, err := s.client.Get(fmt.Sprintf("%s/tr:%s/%d/%s", s.url, want.chain, s.last.Add(1), want.base))
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	r.body, r.err = io.ReadAll(resp.Body)
	return r
}

// learn asks a server that makes pictures itself for each of the requests, one after the other: what it answers is right.
func (s *isolated) learn() {
	s.t.Helper()
	s.want = map[request][32]byte{}
	reference := startIsolated(s.t, isolation{mode: "off"})
	defer reference.stop()
	for _, want := range requests {
		r := reference.ask(want)
		if r.err != nil || r.status != http.StatusOK {
			s.t.Fatalf("%v: %d %s, %v", want, r.status, r.header.Get("Ik-Error"), r.err)
		}
		s.want[want] = sha256.Sum256(r.body)
	}
}

// engineStatus is what the server says about its workers.
type engineStatus struct {
	Isolation string
	Workers   []struct {
		PID   int
		State string
	}
	Restarts map[string]int
}

func (s *isolated) status() engineStatus {
	s.t.Helper()
	resp, err := s.client.Get(s.admin + "/imageorigin/status")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var status struct{ Engine engineStatus }
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
		s.t.Fatalf("status: %v", err)
	}
	return status.Engine
}
