package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/pictures"
)

// origin is a web server with more originals than any cache holds: at /<number>/<name> is the picture of the name, with the
// number behind its end, where no decoder looks. Some of its answers fail.
type origin struct {
	server  *httptest.Server
	files   map[string][]byte // the good ones
	hostile map[string][]byte
	faults  float64
	failing atomic.Bool
	failed  atomic.Int64
}

func newOrigin(faults float64) (*origin, error) {
	o := &origin{files: map[string][]byte{}, faults: faults}
	for name, make := range map[string]func() ([]byte, error){
		"photo.jpg": func() ([]byte, error) {
			return pictures.JPEG(pictures.Grainy(pictures.Shapes(1600, 1200, 0, false), 8), 85)
		},
		"small.jpg": func() ([]byte, error) {
			return pictures.JPEG(pictures.Grainy(pictures.Shapes(640, 480, 1, false), 8), 80)
		},
		"large.jpg":  func() ([]byte, error) { return pictures.JPEG(pictures.Shapes(4000, 3000, 2, false), 85) },
		"alpha.png":  func() ([]byte, error) { return pictures.PNG(pictures.Shapes(700, 500, 3, true)) },
		"plain.png":  func() ([]byte, error) { return pictures.PNG(pictures.Shapes(900, 600, 4, false)) },
		"moving.gif": func() ([]byte, error) { return pictures.GIF(240, 180, 12) },
	} {
		content, err := make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		o.files[name] = content
	}
	o.hostile = pictures.Hostile(o.files)
	o.server = httptest.NewServer(http.HandlerFunc(o.serve))
	return o, nil
}

func (o *origin) stop() {
	o.server.CloseClientConnections()
	o.server.Close()
}

// add puts a picture there that somebody else encoded.
func (o *origin) add(name string, content []byte) { o.files[name] = content }

func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	folder, name := path.Split(r.URL.Path)
	content, known := o.files[name]
	if !known {
		content, known = o.hostile[name]
	} else if number, err := strconv.ParseUint(path.Base(folder), 10, 64); err == nil {
		content = numbered(name, content, number)
	}
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Etag", strconv.Quote(r.URL.Path))
	if o.failing.Load() && rand.Float64() < o.faults {
		o.failed.Add(1)
		switch rand.IntN(4) {
		case 0: // resets the connection
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				conn.Close()
			}
			return
		case 1:
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
			return
		case 2: // breaks off in the middle
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content[:len(content)/2])
			panic(http.ErrAbortHandler)
		case 3:
			time.Sleep(500 * time.Millisecond)
		}
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// numbered returns the file with a number where it means nothing.
func numbered(name string, content []byte, number uint64) []byte {
	content = slices.Clone(content)
	if path.Ext(name) == ".avif" { // what follows must be a box, one that is skipped (ISO/IEC 14496-12, 8.1.2)
		content = append(content, "\x00\x00\x00\x10free"...)
	}
	return binary.BigEndian.AppendUint64(content, number)
}
