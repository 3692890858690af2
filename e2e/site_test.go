package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// site is a running Caddy whose one site serves all endpoints of a config.
type site struct {
	*server
	t     *testing.T
	url   string // of the site
	admin string // URL of the admin endpoint
	dir   string // where its data, its autosave and its Caddyfile are
	file  string // the Caddyfile
}

// startSite starts Caddy with the options of the global option imageorigin, debug logs and an access log.
func startSite(t *testing.T, options string, env ...string) *site {
	t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
	s := &site{t: t, url: "http://" + addr, admin: fmt.Sprintf("http://127.0.0.1:%d", ports[1]), dir: t.TempDir()}
	s.write(options)
	if s.server, err = startCaddy(s.dir, addr, append(os.Environ(), env...), "run", "--config", s.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("caddy said:\n%s", tail(s.log.String(), 60))
		}
	})
	return s
}

// write writes the Caddyfile for other options.
func (s *site) write(options string) {
	s.t.Helper()
	s.file = filepath.Join(s.dir, "Caddyfile")
	config := fmt.Sprintf("{\n\tadmin %s\n\tdebug\n\timageorigin {\n%s\n\t}\n}\n%s {\n\tlog\n\timageorigin\n}\n",
		strings.TrimPrefix(s.admin, "http://"), options, s.url)
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reload puts the Caddyfile as it is now into force, and returns when it is.
func (s *site) reload() {
	s.t.Helper()
	config, err := os.Open(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer config.Close()
	resp, err := http.Post(s.admin+"/load", "text/caddyfile", config)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		s.t.Fatalf("reloading: %s: %s", resp.Status, body)
	}
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // of asking or of reading; what was read until then is there
}

// get asks for a path of the site.
func (s *site) get(path string) reply {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, header: resp.Header}
	r.body, r.err = io.ReadAll(resp.Body)
	return r
}

// picture asks for a path and returns width and height of the picture that it must be.
func (s *site) picture(path string) (width, height int) {
	s.t.Helper()
	r := s.get(path)
	if r.err != nil || r.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s, %v", path, r.status, r.header.Get("ik-error"), r.err)
	}
	width, height, _, err := measure(r.body)
	if err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	return width, height
}

// logged returns the entries of the log, so far, with this message.
func (s *site) logged(message string) []map[string]any {
	var entries []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message {
			entries = append(entries, entry)
		}
	}
	return entries
}

// eventually waits until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20s", what)
		}
	}
}

// pngOf returns a picture of the given size.
func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.png")
	if err := writePicture(file, width, height); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// tail returns the last lines of text.
func tail(text string, lines int) string {
	all := bytes.Split([]byte(strings.TrimSpace(text)), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
