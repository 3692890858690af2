package faults

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"
)

// exchange is one request and its answer.
type exchange struct {
	p      *Proxy
	raw    *net.TCPConn // below client
	client net.Conn
	in     *bufio.Reader // what the client sends
	head   []byte        // of the request
	req    *http.Request // the same, parsed
	fault  Fault
}

// errSpent ends an exchange as the fault wants it to end.
var errSpent = errors.New("the fault has happened")

// run answers the request and reports whether another one may follow on the connection.
func (x *exchange) run() bool {
	switch x.fault.kind {
	case latency:
		if !x.p.sleep(x.fault.delay) {
			return false
		}
	case resetEarly:
		x.reset()
		return false
	case hang:
		_, _ = io.Copy(io.Discard, x.in) // until the client has enough of it
		return false
	case answer:
		text := x.fault.answer
		if x.req.Method == http.MethodHead {
			text = text[:len(text)-x.fault.bodyLen]
		}
		_, err := x.client.Write(text)
		return err == nil && x.req.ContentLength == 0 && !x.req.Close
	}
	server, err := net.Dial("tcp", x.p.target)
	if err != nil {
		x.reset()
		return false
	}
	if !x.p.track(server) {
		server.Close()
		return false
	}
	// One connection to the server for each request: whether an idle one still lives is a question that a proxy
	// can't answer for its client.
	defer x.p.drop(server)
	return x.relay(server)
}

// relay passes the request on and the answer back.
func (x *exchange) relay(server net.Conn) bool {
	if _, err := server.Write(originForm(x.head)); err != nil {
		return false
	}
	sent := make(chan struct{})
	x.p.tasks.Go(func() {
		defer close(sent)
		_ = framing{x.req.ContentLength, x.req.TransferEncoding}.copy(server, x.in, whole) // the answer tells
	})
	err := x.answer(bufio.NewReader(server))
	select {
	case <-sent:
	case <-time.After(time.Second):
		return false // answered without the whole request; closing the connections ends the sending
	}
	return err == nil
}

// answer passes the answer back. An error ends the connection.
func (x *exchange) answer(server *bufio.Reader) error {
	for {
		head, err := readHead(server)
		if err != nil {
			return err
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), x.req)
		if err != nil {
			return err
		}
		if resp.StatusCode/100 == 1 {
			if _, err := x.client.Write(head); err != nil {
				return err
			}
			continue
		}
		length := resp.ContentLength
		if x.req.Method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
			length = 0
		}
		if x.fault.kind == overflow && length >= max(x.fault.bytes, 1) {
			head = announce(head, length-x.fault.bytes)
		}
		if _, err := x.client.Write(head); err != nil {
			return err
		}
		if err := x.body(server, framing{length, resp.TransferEncoding}); err != nil {
			return err
		}
		if resp.Close || x.req.Close {
			return io.EOF
		}
		return nil
	}
}

// body passes the body of an answer, or as much of it as the fault lets through.
func (x *exchange) body(server *bufio.Reader, f framing) error {
	var dst io.Writer = x.client
	switch x.fault.kind {
	case drip:
		dst = &dripping{x.p, x.client, x.fault.rate}
	case overflow:
		if f.length < max(x.fault.bytes, 1) {
			x.p.spare()
			break
		}
		_ = f.copy(dst, server, whole) // more cannot go wrong with it
		return errSpent
	case resetInBody, truncate:
		return x.cut(server, f)
	}
	return f.copy(dst, server, whole)
}

// cut passes the first bytes of a body and ends the connection there.
func (x *exchange) cut(server *bufio.Reader, f framing) error {
	stop := &stopping{left: x.fault.bytes}
	if x.fault.bytes == Anywhere {
		switch {
		case f.length > 0:
			stop.left = x.p.place(f.length)
		case f.length < 0:
			// Nobody knows how long the body is, but its end, before that is told, is as good a place as any.
			stop.left, stop.atEnd = x.p.place(64<<10), true
		}
	}
	err := f.copy(x.client, server, stop.after)
	if !errors.Is(err, errSpent) {
		x.p.spare()
		return err
	}
	if x.fault.kind == resetInBody {
		x.reset()
	}
	return err
}

// reset ends the client's connection with RST.
func (x *exchange) reset() {
	_ = x.raw.SetLinger(0)
	x.raw.Close()
}

// framing says where a body ends: by its length, by chunks, or, with a length of -1, where the connection does.
type framing struct {
	length   int64
	encoding []string
}

// whole lets all of a body pass.
func whole(body io.Reader) io.Reader { return body }

// copy copies what pass lets through of the body that src begins with.
func (f framing) copy(dst io.Writer, src *bufio.Reader, pass func(io.Reader) io.Reader) error {
	switch {
	case slices.Contains(f.encoding, "chunked"):
		return copyChunks(dst, src, pass)
	case f.length >= 0:
		n, err := io.Copy(dst, pass(io.LimitReader(src, f.length)))
		if err == nil && n < f.length {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if _, err := io.Copy(dst, pass(src)); err != nil {
		return err
	}
	return io.EOF
}

// copyChunks copies a chunked body and its trailers (RFC 9112 §7.1). The chunks may become other ones.
func copyChunks(dst io.Writer, src *bufio.Reader, pass func(io.Reader) io.Reader) error {
	out := httputil.NewChunkedWriter(dst)
	if _, err := io.Copy(out, pass(httputil.NewChunkedReader(src))); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	for {
		line, err := src.ReadSlice('\n')
		if err != nil {
			return err
		}
		if _, err := dst.Write(line); err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
	}
}

// stopping passes the first bytes of a body and fails where more of them come.
type stopping struct {
	body  io.Reader
	left  int64
	atEnd bool // fail also where no more come
}

// after sets the body.
func (s *stopping) after(body io.Reader) io.Reader {
	s.body = body
	return s
}

func (s *stopping) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := s.body.Read(b[:min(int64(len(b)), max(s.left, 1))])
	switch {
	case s.left == 0 && n > 0, errors.Is(err, io.EOF) && s.atEnd:
		return min(n, int(s.left)), errSpent
	}
	s.left -= int64(n)
	return n, err
}

// dripping writes slowly.
type dripping struct {
	p    *Proxy
	w    io.Writer
	rate int // bytes a second
}

func (d *dripping) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		n := min(len(b), max(d.rate/20, 1))
		if !d.p.sleep(time.Duration(n) * time.Second / time.Duration(d.rate)) {
			return written, errSpent
		}
		m, err := d.w.Write(b[:n])
		written += m
		if err != nil {
			return written, err
		}
		b = b[n:]
	}
	return written, nil
}

// readHead reads up to the empty line that ends a head, and returns it as it came.
func readHead(in *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return nil, err
		case len(head) > 1<<20:
			return nil, errors.New("a head of more than a megabyte")
		}
		if bytes.HasSuffix(head, []byte("\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n")) {
			return head, nil
		}
	}
}

func parseRequest(head []byte) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
}

// originForm returns the head of a request as servers are asked, if it is as proxies are: with the whole URL (RFC 9112
// §3.2.2).
func originForm(head []byte) []byte {
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	method, target, _ := bytes.Cut(line, []byte(" "))
	target, ok := bytes.CutPrefix(target, []byte("http://"))
	if !ok {
		return head
	}
	// The path begins at the first slash; a client that asks for the host alone writes none.
	if at := bytes.IndexAny(target, "/? "); target[at] == '/' {
		target = target[at:]
	} else {
		target = append([]byte("/"), target[at:]...)
	}
	return slices.Concat(method, []byte(" "), target, []byte("\n"), rest)
}

// announce returns the head with another Content-Length.
func announce(head []byte, length int64) []byte {
	lines := strings.SplitAfter(string(head), "\n")
	for i, line := range lines {
		if name, _, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			lines[i] = fmt.Sprintf("%s: %d\r\n", name, length)
		}
	}
	return []byte(strings.Join(lines, ""))
}
