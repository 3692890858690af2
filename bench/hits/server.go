package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// side is a way to have an answer at hand.
type side struct {
	name, says string
	remembers  bool
	global     string // Caddyfile: options of the app
	endpoint   string // Caddyfile: options of the endpoint
	site       string // Caddyfile: a site without imageorigin, instead
}

// fileServer is what all are compared with.
var fileServer = side{name: "file_server", site: "root * {answers}\nfile_server"}

// floor is the least that an answer of that size costs in Caddy: nothing is looked up, and hardly a header is set.
const floor = "respond"

// sides are what is measured. In Caddyfiles {origin} is the URL of a web server that has the original, {folder} where the
// original is, {cache} an empty folder, {answers} where the finished bytes are, {text} a text of their size.
var sides = []side{
	{name: "memory", says: "from memory, web origin", remembers: true, endpoint: "origin web {origin}\nresults memory\nmax_age 24h"},
	{name: "disk", says: "from disk, web origin", remembers: true, global: "cache d disk {cache}", endpoint: "origin web {origin}\nresults d\nmax_age 24h"},
	{name: "memory-folder", says: "from memory, folder asked", remembers: true, endpoint: "origin folder {folder}\nresults memory"},
	{name: "disk-folder", says: "from disk, folder asked", remembers: true, global: "cache d disk {cache}", endpoint: "origin folder {folder}\nresults d"},
	{name: "pass", says: "a folder's file as it is", endpoint: "origin folder {answers}"},
	{name: floor, says: "no imageorigin: Caddy's `respond` with as many bytes", site: "respond {text}"},
}

// bench is one run: the answer that all servers give, and the servers, file_server first.
type bench struct {
	caddy, dir, folder string
	seconds            int
	origin             *httptest.Server
	asked              atomic.Int64 // requests that came to the origin
	askedBefore        int64        // of them before the load

	path    string // of the answer at imageorigin
	body    []byte
	servers []*server
}

func newBench(caddy, picture, dir string, size int64, seconds int) (*bench, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, errors.New("wrk makes the load and is not installed: apt-get install wrk")
	}
	caddy, err := filepath.Abs(caddy)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(filepath.Dir(picture))
	if err != nil {
		return nil, err
	}
	b := &bench{caddy: caddy, dir: dir, folder: folder, seconds: seconds}
	files := http.FileServer(http.Dir(folder))
	b.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		files.ServeHTTP(w, r)
	}))
	if err := b.findAnswer(filepath.Base(picture), size); err != nil {
		b.origin.Close()
		return nil, err
	}
	return b, nil
}

// findAnswer looks for the width at which the picture has about size bytes, and keeps what it then is for file_server.
func (b *bench) findAnswer(name string, size int64) error {
	s, err := b.run(side{name: "width", endpoint: "origin folder {folder}"}, "")
	if err != nil {
		return err
	}
	defer s.stop()
	for low, high := 16, 4096; low < high; {
		width := (low + high) / 2
		b.path = fmt.Sprintf("/tr:w-%d,f-jpg/%s", width, name)
		_, b.body, err = s.get(b.path)
		switch n := int64(len(b.body)); {
		case err != nil:
			return err
		case n < size-size/50:
			low = width + 1
		case n > size+size/50:
			high = width
		default:
			return os.WriteFile(filepath.Join(b.made("answers"), "answer.jpg"), b.body, 0o600)
		}
	}
	return fmt.Errorf("no width makes %s a JPEG of %d bytes; try another picture", name, size)
}

// made returns a folder of the run.
func (b *bench) made(name string) string {
	folder := filepath.Join(b.dir, name)
	_ = os.MkdirAll(folder, 0o700) // what is wrong with it shows when it is used
	return folder
}

// start starts a server for each side, in whose memory or on whose disk the answer then is.
func (b *bench) start(chosen []side) error {
	for _, s := range append([]side{fileServer}, chosen...) {
		path := b.path
		switch s.name {
		case fileServer.name:
			path = "/answer.jpg"
		case "pass":
			path = "/tr:orig-true/answer.jpg"
		}
		server, err := b.run(s, path)
		if err != nil {
			return err
		}
		b.servers = append(b.servers, server)
		if err := server.settle(b.body); err != nil {
			return err
		}
	}
	b.askedBefore = b.asked.Load()
	return nil
}

// originRested reports a web origin that was asked while hits were measured.
func (b *bench) originRested() error {
	if n := b.asked.Load() - b.askedBefore; n > 0 {
		return fmt.Errorf("the origin was asked %d times under load: not all answers were hits", n)
	}
	return nil
}

func (b *bench) stop() {
	for _, s := range b.servers {
		s.stop()
	}
	b.origin.Close()
}

// server is one Caddy.
type server struct {
	side side
	cmd  *exec.Cmd
	base string // URL without path
	path string
	etag string
}

// run starts Caddy with a configuration for the side.
func (b *bench) run(s side, path string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	site := s.site
	if site == "" {
		site = "imageorigin {\n" + s.endpoint + "\n}"
	}
	config := "{\nadmin off\npersist_config off\nimageorigin {\n" + s.global + "\n}\n}\nhttp://" + addr + " {\n" + site + "\n}\n"
	if s.global == "" {
		config = strings.Replace(config, "imageorigin {\n\n}\n", "", 1)
	}
	config = strings.NewReplacer("{origin}", b.origin.URL, "{folder}", b.folder, "{answers}", b.made("answers"), "{cache}", b.made("cache-"+s.name),
		"{text}", strings.Repeat("x", len(b.body))).Replace(config)
	home := b.made(s.name)
	file := filepath.Join(home, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.Command(b.caddy, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+home)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	server := &server{side: s, cmd: cmd, base: "http://" + addr, path: path}
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return server, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	server.stop()
	return nil, fmt.Errorf("%s: the server does not answer:\n%s", s.name, said.String())
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

func (s *server) get(path string) (http.Header, []byte, error) {
	resp, err := http.Get(s.base + path)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s, %s", s.side.name, path, resp.Status, resp.Header.Get("Ik-Error"))
	}
	return resp.Header, body, err
}

// settle asks until the answer comes from where the side says, and makes sure that it is the right one.
func (s *server) settle(want []byte) error {
	var status string
	for range 100 {
		h, body, err := s.get(s.path)
		if err != nil {
			return err
		}
		if len(body) != len(want) || s.side.name != floor && !bytes.Equal(body, want) {
			return fmt.Errorf("%s: got %d bytes, want the %d that file_server sends", s.side.name, len(body), len(want))
		}
		s.etag, status = h.Get("Etag"), h.Get("Cache-Status")
		if !s.side.remembers || strings.HasPrefix(status, "imageorigin; hit") {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // what was made is kept behind the answer
	}
	return fmt.Errorf("%s: the answer is not remembered: %s", s.side.name, status)
}
