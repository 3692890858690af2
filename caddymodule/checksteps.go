package caddymodule

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// stepTimes is how long the steps of the requests of one check took. Requests for tokens count as well.
type stepTimes struct {
	mu    sync.Mutex
	began map[string]time.Time
	took  map[string]time.Duration
}

// The steps, in their order.
var stepNames = []string{"resolve", "connect", "TLS", "answer"}

// watch returns a context whose HTTP requests are timed.
func (s *stepTimes) watch(ctx context.Context) context.Context {
	s.began, s.took = map[string]time.Time{}, map[string]time.Duration{}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { s.begin("resolve") },
		DNSDone:              func(httptrace.DNSDoneInfo) { s.end("resolve") },
		ConnectStart:         func(string, string) { s.begin("connect") },
		ConnectDone:          func(string, string, error) { s.end("connect") },
		TLSHandshakeStart:    func() { s.begin("TLS") },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { s.end("TLS") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { s.begin("answer") },
		GotFirstResponseByte: func() { s.end("answer") },
	})
}

// begin notes that a step begins. Of steps that overlap, as when two addresses are tried at once, the last counts.
func (s *stepTimes) begin(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began[step] = time.Now()
}

func (s *stepTimes) end(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if began, ok := s.began[step]; ok { // HTTP/2 may have the answer before it tells that the request was sent
		s.took[step] += time.Since(began)
		delete(s.began, step)
	}
}

// String returns " (resolve 3ms, connect 1ms, answer 20ms)"; "" where nothing went over a network.
func (s *stepTimes) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var steps []string
	for _, name := range stepNames {
		if took, ok := s.took[name]; ok {
			steps = append(steps, name+" "+round(took).String())
		}
	}
	if len(steps) == 0 {
		return ""
	}
	return " (" + strings.Join(steps, ", ") + ")"
}

// round returns d as precisely as a person reads it.
func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond / 10)
}
