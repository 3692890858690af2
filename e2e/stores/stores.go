// Package stores runs the servers that stand for the real stores in tests: Versity S3 gateway, fake-gcs-server behind a
// gate that asks for credentials, Azurite and nginx; and Pebble, which stands for a certificate authority. They listen on
// free ports of 127.0.0.1.
//
// xcaddy.sh builds and installs the servers into .build/servers when it tests; they are processes of their own, so that
// their dependencies change no version of what is under test. A test binary starts each at most once, when a test
// first asks for it, and each test gets a bucket of its own. The package's Main ends them:
//
//	func TestMain(m *testing.M) { os.Exit(stores.Main(m)) }
package stores

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs the tests and ends the servers that they have started. It returns the exit code.
func Main(m *testing.M) int {
	defer running.stop()
	return m.Run()
}

// running is what Main ends.
var running cleanups

// cleanups are things to do at the end, the last one first.
type cleanups struct {
	mu      sync.Mutex
	pending []func()
}

func (c *cleanups) add(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = append(c.pending, f)
}

func (c *cleanups) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		last := len(c.pending) - 1
		c.pending[last]()
		c.pending = c.pending[:last]
	}
}

// tempDir makes a folder that is removed at the end of all tests, or next to the servers if suits has something
// against the system's place for such folders.
func tempDir(name string, suits func(dir string) error) (string, error) {
	built, err := serversDir()
	if err != nil {
		return "", err
	}
	for _, parent := range []string{os.TempDir(), built} {
		var dir string
		if dir, err = os.MkdirTemp(parent, "imageorigin-"+name+"-"); err != nil {
			continue
		}
		if err = suits(dir); err == nil {
			running.add(func() { os.RemoveAll(dir) })
			return dir, nil
		}
		os.RemoveAll(dir)
	}
	return "", err
}

// unique returns a name that no other test has, fit for a bucket or a container.
func unique() string { return "test-" + strings.ToLower(rand.Text()[:12]) }

// within bounds the calls by which tests prepare a store.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// DialTo returns a dial function for an http.Transport that connects to addr whatever host the URL names, as a resolver
// would that knows the names which the tests make up.
func DialTo(addr string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return DialWith(new(net.Dialer).DialContext, addr)
}

// DialWith does so by another dial function.
func DialWith(dial func(ctx context.Context, network, addr string) (net.Conn, error), addr string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, addr) }
}

// transport returns one for preparing a store, which keeps its connections for as long as the tests run.
func transport() *http.Transport {
	tr := &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 3 * time.Second}
	running.add(tr.CloseIdleConnections)
	return tr
}

// must ends the test if a server can't be had.
func must(t testing.TB, server string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", server, err))
	}
}
