// Package faults stands between a client and a server and breaks what passes, as networks and stores do: it delays,
// resets, starves, lies about lengths, refuses and disappears.
//
// What isn't broken passes byte for byte: heads of requests and answers are not parsed and written anew, so a signature
// over method, path, query and headers stays valid. The proxy speaks HTTP/1.1 to the server, and to clients HTTP/1.1
// with TLS or without, on one port. A client may also use it as its HTTP proxy: whatever host it names, the request goes
// to the one server, so that names can be tested which resolve nowhere.
package faults

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Proxy is a running proxy. Its methods can be called at any time, from any goroutine, but Set and Heal from the test's.
type Proxy struct {
	t      testing.TB
	target string
	addr   string
	good   certificate // trusted by those who ask for CA
	bad    certificate
	done   chan struct{} // closed at the end
	tasks  sync.WaitGroup

	mu       sync.Mutex
	fault    Fault
	left     int // how often it may still happen, if it has a limit
	random   *rand.Rand
	counts   Counts
	listener net.Listener // nil while the address refuses or swallows
	swallow  io.Closer    // what keeps the address a black hole
	conns    map[net.Conn]*state
	closed   bool
}

// state is what the proxy knows of a connection, that of a client or its own to the server.
type state struct {
	idle  bool // between two requests
	stale bool // to be closed after the request that is under way
}

// Counts is what a proxy has seen and done.
type Counts struct {
	Connections int // accepted
	Requests    int // read whole, whatever became of them
	Faults      int // that really happened; those of the address don't count
}

// Start starts a proxy on a free port before the server at target, "host:port". It ends with the test.
func Start(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{t: t, target: target, done: make(chan struct{}), conns: map[net.Conn]*state{}, random: source(1)}
	var err error
	if p.good, err = newCertificate(); err == nil {
		p.bad, err = newCertificate()
	}
	if err != nil {
		t.Fatalf("fault proxy: making its certificates: %v", err)
	}
	if err := p.listen("127.0.0.1:0"); err != nil {
		t.Fatalf("fault proxy: %v", err)
	}
	p.addr = p.listener.Addr().String()
	t.Cleanup(p.close)
	return p
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// Addr returns the address that clients connect to, "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.addr }

// URL returns "http://" and the address.
func (p *Proxy) URL() string { return "http://" + p.addr }

// SecureURL returns "https://" and the address; see [Proxy.CA].
func (p *Proxy) SecureURL() string { return "https://" + p.addr }

// CA returns what a client has to trust to come by TLS. The certificate is for 127.0.0.1, localhost and *.localtest.
func (p *Proxy) CA() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.good.leaf)
	return pool
}

// CAFile writes the same to a file, in PEM, and returns its name.
func (p *Proxy) CAFile() string { return p.good.write(p.t) }

// Seed restarts the randomness of chances and places. Each proxy begins with the seed 1.
func (p *Proxy) Seed(seed uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.random = source(seed)
}

// Counts returns the counts so far.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Heal ends the fault.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.Set(Fault{})
}

// Set replaces the fault. It applies to requests that come from now on, on connections old or new; a fault of
// connections or of the address ends those that are idle.
func (p *Proxy) Set(f Fault) {
	p.t.Helper()
	if err := f.check(); err != nil {
		p.t.Fatalf("fault proxy: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.left = f, f.times
	var err error
	switch {
	case f.kind == refuse:
		p.unlisten()
	case f.kind == blackHole:
		p.unlisten()
		p.swallow, err = swallow(p.addr)
	case p.listener == nil:
		p.unlisten()
		err = p.listen(p.addr)
	}
	if err != nil {
		p.t.Fatalf("fault proxy: %v: %v", f, err)
	}
	if f.kind >= garbage {
		for conn, s := range p.conns {
			s.stale = true
			if s.idle || f.kind >= refuse {
				conn.Close()
			}
		}
	}
}

// unlisten gives the address up. The caller holds the lock, here and below, except at the start.
func (p *Proxy) unlisten() {
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	if p.swallow != nil {
		p.swallow.Close()
		p.swallow = nil
	}
}

func (p *Proxy) listen(addr string) error {
	var listener net.Listener
	var err error
	// While the address refused, the system may have lent its port to a connection on its way out.
	for range 40 {
		if listener, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	p.listener = listener
	p.tasks.Go(func() { p.accept(listener) })
	return nil
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // closed: nothing else ends accepting on loopback
		}
		if !p.track(conn) {
			conn.Close()
			return
		}
		p.mu.Lock()
		p.counts.Connections++
		p.mu.Unlock()
		p.tasks.Go(func() {
			defer p.drop(conn)
			p.serve(conn.(*net.TCPConn))
		})
	}
}

// track remembers a connection, so that it can be closed from outside. It reports false if the proxy has closed.
func (p *Proxy) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[conn] = &state{}
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// rest says that the connection is between two requests, or no longer. It reports false if it must not go on.
func (p *Proxy) rest(conn net.Conn, idle bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.conns[conn]
	s.idle = idle
	return !s.stale
}

// close ends all connections and waits for all that is under way.
func (p *Proxy) close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
		p.unlisten()
		for conn := range p.conns {
			conn.Close()
		}
	}
	p.mu.Unlock()
	p.tasks.Wait()
}

// serve answers the requests of one connection, one after the other.
func (p *Proxy) serve(raw *net.TCPConn) {
	conn, ok := p.greet(raw)
	if !ok {
		return
	}
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		if !p.rest(raw, true) {
			return
		}
		// Even a connection that went stale meanwhile has its request answered: it was in time.
		head, err := readHead(in)
		p.rest(raw, false)
		if err != nil {
			return
		}
		req, err := parseRequest(head)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.counts.Requests++
		p.mu.Unlock()
		x := &exchange{p: p, raw: raw, client: conn, in: in, head: head, req: req, fault: p.draw(req)}
		if !x.run() {
			return
		}
	}
}

// greet looks whether the client speaks TLS, and answers that as the fault wants.
func (p *Proxy) greet(raw *net.TCPConn) (net.Conn, bool) {
	if !p.rest(raw, true) {
		return nil, false
	}
	in := bufio.NewReader(raw)
	first, err := in.Peek(1)
	if err != nil {
		return nil, false
	}
	conn := replayed{raw, in}
	const handshake = 22 // the record type that a TLS connection begins with (RFC 8446 §5.1)
	if first[0] != handshake {
		return conn, true
	}
	cert := p.good
	switch p.draw(nil).kind {
	case garbage:
		_, _ = io.WriteString(raw, "220 this is not what you are looking for\r\n")
		return nil, false
	case badCertificate:
		cert = p.bad
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert.pair}, NextProtos: []string{"http/1.1"}})
	return secure, secure.Handshake() == nil
}

// draw decides whether the fault happens, to a request or, without one, to a connection, and counts it if so.
func (p *Proxy) draw(req *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	ofConnections := f.kind == garbage || f.kind == badCertificate
	switch {
	case f.kind == none || f.kind >= refuse, ofConnections != (req == nil):
		return Fault{}
	case req != nil && f.only != nil && !f.only(req):
		return Fault{}
	case f.times > 0 && p.left == 0:
		return Fault{}
	case f.chance > 0 && p.random.Float64() >= f.chance:
		return Fault{}
	}
	p.left--
	p.counts.Faults++
	return f
}

// spare takes back what draw counted: the fault found nothing to break.
func (p *Proxy) spare() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left++
	p.counts.Faults--
}

// place returns a random place below n.
func (p *Proxy) place(n int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Int64N(n)
}

// sleep waits and reports whether the proxy is still there.
func (p *Proxy) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.done:
		return false
	}
}

// replayed is a connection of which something was read already.
type replayed struct {
	*net.TCPConn
	in *bufio.Reader
}

func (r replayed) Read(b []byte) (int, error) { return r.in.Read(b) }
