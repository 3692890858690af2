package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageorigin/imageorigin/bench/internal/server"
)

// target is the server with its pictures: one file under as many names as are asked for, each of which is an original of its
// own to the server, and costs it the same.
type target struct {
	*server.Server
	folder string
	last   atomic.Int64 // number of a name
	copies copies
	miss   [32]byte // what every one of them becomes
	hits   []hit

	missClient, hitClient *http.Client
}

// hit is an answer that the server remembers.
type hit struct {
	path string
	sum  [32]byte
}

const chain = "w-400,f-jpg"

// namesOf is how many names a file has: file systems have limits, ext4's is 65,000.
const namesOf = 20_000

func newTarget(o options) (*target, error) {
	content, err := os.ReadFile(o.picture)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "imageorigin-overload")
	if err != nil {
		return nil, err
	}
	t := &target{folder: folder, missClient: server.Client(2048, patience), hitClient: server.Client(64, patience)}
	if err := os.WriteFile(filepath.Join(folder, "picture.jpg"), content, 0o600); err != nil {
		t.stop()
		return nil, err
	}
	t.Server, err = server.Start(server.Config{Caddy: o.caddy, App: fmt.Sprintf(`
		origin pictures folder %s
		cache hot memory {
			max_size 256MiB
		}
		engine vips {
			isolation %s
		}
		%s
		endpoint default {
			origins pictures
			results hot
		}`, folder, o.isolation, o.app)})
	if err == nil {
		err = t.learn()
	}
	if err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func (t *target) stop() {
	if t.Server != nil {
		t.Stop()
	}
	os.RemoveAll(t.folder)
}

// learn asks for one of the pictures, to know what all become, and for what is to be remembered until it is.
func (t *target) learn() error {
	path, err := t.next()
	if err != nil {
		return err
	}
	r, err := t.Get(context.Background(), t.missClient, path)
	if err == nil && r.Status != http.StatusOK {
		err = fmt.Errorf("%s: %d, %s", path, r.Status, r.Header.Get("Ik-Error"))
	}
	if err != nil {
		return err
	}
	t.miss = sha256.Sum256(r.Body)
	for width := 200; width < 280; width += 10 {
		h := hit{path: fmt.Sprintf("/tr:w-%d,f-jpg/picture.jpg", width)}
		for tries := 0; ; tries++ {
			r, err := t.Get(context.Background(), t.hitClient, h.path)
			if err != nil {
				return err
			}
			if h.sum = sha256.Sum256(r.Body); strings.HasPrefix(r.Header.Get("Cache-Status"), "imageorigin; hit") {
				break
			}
			if tries == 100 {
				return fmt.Errorf("%s is not remembered: %d, %s", h.path, r.Status, r.Header.Get("Cache-Status"))
			}
			time.Sleep(20 * time.Millisecond) // what was made is kept behind the answer
		}
		t.hits = append(t.hits, h)
	}
	return nil
}

// next returns the path of a picture that was never asked for. Every so many names begin with a copy of the file.
func (t *target) next() (string, error) {
	n := t.last.Add(1)
	name := fmt.Sprintf("%d.jpg", n)
	copied := fmt.Sprintf("picture-%d.jpg", n/namesOf)
	err := os.Link(filepath.Join(t.folder, copied), filepath.Join(t.folder, name))
	if err != nil { // the first of its names
		var content []byte
		if content, err = os.ReadFile(filepath.Join(t.folder, "picture.jpg")); err == nil {
			err = t.copies.write(filepath.Join(t.folder, copied), content)
		}
		if err == nil {
			err = os.Link(filepath.Join(t.folder, copied), filepath.Join(t.folder, name))
		}
	}
	return "/tr:" + chain + "/" + name, err
}

// copies writes files of which other names may be made at the same time: whole ones, and once.
type copies struct{ mu sync.Mutex }

func (c *copies) write(file string, content []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	if err := os.WriteFile(file+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
