package faults

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is one way to fail. Make it with one of the functions below, refine it with its methods, and hand it to
// [Proxy.Set]. The zero value is none.
type Fault struct {
	kind    kind
	chance  float64                  // of each request; 0 is always
	times   int                      // at most so many; 0 is without end
	only    func(*http.Request) bool // nil: any
	delay   time.Duration
	bytes   int64 // of the body
	rate    int   // bytes a second
	answer  []byte
	bodyLen int // at the end of answer
}

type kind uint8

const (
	none kind = iota

	// Of a request.
	latency
	resetEarly
	resetInBody
	drip
	answer
	hang
	truncate
	overflow

	// Of a connection.
	garbage
	badCertificate

	// Of the address.
	refuse
	blackHole
)

var kindNames = [...]string{
	"none", "latency", "reset before the headers", "reset in mid-body", "drip", "answer", "hang", "truncated body",
	"overflowing body", "garbage for TLS", "bad certificate", "refused", "black hole",
}

// String says what the fault is, for the names and messages of tests.
func (f Fault) String() string { return kindNames[f.kind] }

// Anywhere is the place in a body that is chosen anew, at random, for each request.
const Anywhere = -1

// Latency lets d pass before a request is sent on.
func Latency(d time.Duration) Fault { return Fault{kind: latency, delay: d} }

// Reset reads the request and resets the connection (RST) instead of answering.
func Reset() Fault { return Fault{kind: resetEarly} }

// ResetInBody passes the headers and the first bytes of the body, and resets the connection (RST). After bytes the
// body may have ended, or not begun: then nothing is wrong, and nothing is counted. [Anywhere] always hits a body that
// isn't empty.
func ResetInBody(bytes int64) Fault { return Fault{kind: resetInBody, bytes: bytes} }

// Drip passes the body at so many bytes a second.
func Drip(bytesPerSecond int) Fault { return Fault{kind: drip, rate: bytesPerSecond} }

// Hang reads the request and never answers; it ends when the client goes away or the proxy closes.
func Hang() Fault { return Fault{kind: hang} }

// Truncate announces the whole body, passes the first bytes of it and closes the connection as if all was well. Like
// ResetInBody, it leaves a shorter body alone.
func Truncate(bytes int64) Fault { return Fault{kind: truncate, bytes: bytes} }

// Overflow announces so many bytes less than it passes, and closes the connection. Bodies that are shorter, or whose
// length was not announced, are left alone. A client that keeps connections finds an answer there that it didn't ask for.
func Overflow(bytes int64) Fault { return Fault{kind: overflow, bytes: bytes} }

// Unavailable answers 503 without asking the server, as one that is overloaded does. A retryAfter above 0 is told.
func Unavailable(retryAfter time.Duration) Fault {
	header := http.Header{"Content-Type": {"text/plain"}}
	if retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
	}
	return Answer(http.StatusServiceUnavailable, header, "overloaded\n")
}

// Answer answers this without asking the server.
func Answer(status int, header http.Header, body string) Fault {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = header.Write(&b) // to memory
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return Fault{kind: answer, answer: []byte(b.String()), bodyLen: len(body)}
}

// Garbage answers the beginning of a TLS handshake with what is none. Connections without TLS pass.
func Garbage() Fault { return Fault{kind: garbage} }

// BadCertificate shows a certificate that nobody trusts to those who come by TLS. Connections without TLS pass.
func BadCertificate() Fault { return Fault{kind: badCertificate} }

// Refuse closes the listener: who connects is refused.
func Refuse() Fault { return Fault{kind: refuse} }

// BlackHole lets nobody connect, nor be refused: the system drops what asks for a connection. Linux only; see
// [CanBlackHole].
func BlackHole() Fault { return Fault{kind: blackHole} }

// Chance makes the fault happen to a request, or a connection, with this probability.
func (f Fault) Chance(p float64) Fault {
	f.chance = p
	return f
}

// Times ends the fault after it happened n times.
func (f Fault) Times(n int) Fault {
	f.times = n
	return f
}

// Only restricts the fault to requests for which match is true. It has no effect on faults of connections. match must
// not read the body.
func (f Fault) Only(match func(*http.Request) bool) Fault {
	f.only = match
	return f
}

// check says what makes no sense about f.
func (f Fault) check() error {
	switch {
	case f.chance < 0 || f.chance > 1:
		return fmt.Errorf("%v: the chance %v is no probability", f, f.chance)
	case f.kind == drip && f.rate < 1:
		return fmt.Errorf("%v: %d bytes a second never end", f, f.rate)
	case f.kind >= refuse && (f.chance != 0 || f.times != 0 || f.only != nil):
		return fmt.Errorf("%v: it holds for the address, so neither by chance nor for a number of times nor for some requests", f)
	case f.kind == blackHole && !CanBlackHole:
		return fmt.Errorf("%v: only Linux can do that", f)
	}
	return nil
}
