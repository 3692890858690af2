package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallJPEG is a picture of 16 x 16.
func smallJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// serveWeb starts Caddy before a web origin, with small limits.
func serveWeb(t *testing.T, origin http.HandlerFunc) string {
	t.Helper()
	web := httptest.NewServer(origin)
	t.Cleanup(web.Close)
	t.Cleanup(web.CloseClientConnections) // before that
	options := "limits {\n source_size 1MiB\n timeout 3s\n}\nendpoint default {\n origins web\n}"
	return startSite(t, fmt.Sprintf("origin web web %s {\n breaker off\n retries 0\n}\n%s", web.URL, options)).url
}

// Attack case 22: bodies without an end, from every kind of origin.
func TestBodiesThatDoNotEndAreBounded(t *testing.T) {
	head := smallJPEG(t)[:20]
	base := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless.jpg":
			_, err := w.Write(head)
			for err == nil {
				_, err = w.Write(make([]byte, 1<<16))
			}
		case "/packed.jpg":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, err := z.Write(head)
			for range 1000 {
				if err == nil {
					_, err = z.Write(make([]byte, 1<<20))
				}
			}
		case "/dripping.jpg":
			_, err := w.Write(head)
			for err == nil && r.Context().Err() == nil {
				time.Sleep(50 * time.Millisecond)
				_, err = w.Write([]byte{0})
				_ = http.NewResponseController(w).Flush()
			}
		case "/silent.jpg":
			<-r.Context().Done()
		}
	})
	folder := t.TempDir()
	huge, err := os.Create(filepath.Join(folder, "huge.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer huge.Close()
	if _, err := huge.Write(head); err != nil {
		t.Fatal(err)
	}
	if err := huge.Truncate(5 << 30); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	local := serve(t, folder, "")
	for _, tt := range []struct {
		url    string
		status int
		code   string
	}{
		{base + "/tr:w-10/endless.jpg", 400, "ELIMIT"},
		{base + "/tr:w-10/packed.jpg", 400, "ELIMIT"},
		{base + "/tr:w-10/dripping.jpg", 404, "ETIMEDOUT"},
		{base + "/tr:w-10/silent.jpg", 404, "ETIMEDOUT"},
		{local + "/tr:w-10/huge.jpg", 400, "ELIMIT"},
	} {
		start := time.Now()
		got := ask(t, tt.url)
		if code, _, _ := strings.Cut(got.header.Get("Ik-Error"), " "); got.status != tt.status || code != tt.code {
			t.Errorf("%s: got %d, %s, want %d, %s", tt.url, got.status, got.header.Get("Ik-Error"), tt.status, tt.code)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: answered after %v", tt.url, took)
		}
	}
}

// Attack case 23: files that are one thing to a browser and another to a server, under the names and types of others.
func TestFilesAreWhatTheirBytesSayAndRunNowhere(t *testing.T) {
	const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`
	const page = "<!DOCTYPE html><script>alert(1)</script>"
	script := "GIF89a\x01\x00\x01\x00\x80\x00\x00/*00*/!\xf9\x04\x04\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;=1;alert(1)"
	commented := smallJPEG(t)
	commented = bytes.Join([][]byte{commented[:2], {0xff, 0xfe, 0, byte(2 + len(page))}, []byte(page), commented[2:]}, nil)
	type file struct{ media, body string }
	files := map[string]file{
		"/drawing.jpg":   {"image/jpeg", drawing},
		"/page.jpg":      {"image/jpeg", page},
		"/page.html":     {"text/html", page},
		"/page.svg":      {"image/svg+xml", page},
		"/script.gif":    {"text/javascript", script},
		"/commented.jpg": {"text/html", string(commented)},
		"/none":          {"", page},
	}
	base := serveWeb(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", files[r.URL.Path].media)
		if files[r.URL.Path].media == "" {
			w.Header()["Content-Type"] = nil
		}
		_, _ = w.Write([]byte(files[r.URL.Path].body))
	})
	for _, tt := range []struct {
		path, media string
		sandboxed   bool
		clean       bool // nothing of the page or script is left
	}{
		{"/tr:orig-true/drawing.jpg", "image/svg+xml", true, false},
		{"/drawing.jpg", "image/svg+xml", true, false},
		{"/tr:w-9,f-png/drawing.jpg", "image/png", false, true},
		{"/page.jpg", "image/jpeg", false, false}, // no browser takes it for a page: see nosniff
		{"/page.html", "text/html", true, false},
		{"/page.svg", "image/svg+xml", true, false},
		{"/tr:orig-true/script.gif", "image/gif", false, false},
		{"/tr:w-9,f-png/script.gif", "image/png", false, true},
		{"/tr:orig-true/commented.jpg", "image/jpeg", false, false},
		{"/tr:w-9/commented.jpg", "image/jpeg", false, true},
		{"/none", "application/octet-stream", false, false},
	} {
		got := ask(t, base+tt.path)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d, %s", tt.path, got.status, got.header.Get("Ik-Error"))
			continue
		}
		if media := got.header.Get("Content-Type"); media != tt.media {
			t.Errorf("%s: it is sent as %q, want %q", tt.path, media, tt.media)
		}
		if got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: browsers may guess what it is", tt.path)
		}
		policy := got.header.Get("Content-Security-Policy")
		if sandboxed := strings.Contains(policy, "default-src 'none'") && strings.Contains(policy, "sandbox"); sandboxed != tt.sandboxed {
			t.Errorf("%s: its policy is %q, want it in a sandbox: %t", tt.path, policy, tt.sandboxed)
		}
		if left := bytes.Contains(got.body, []byte("alert(1)")); left == tt.clean {
			t.Errorf("%s: the script is in it: %t, want it gone: %t", tt.path, left, tt.clean)
		}
	}
}
