package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// beatBody is what the routes beside the pictures answer.
const beatBody = "still beating"

// beatRoutes are Caddy's other routes: its own answer, a file, another server's answer.
var beatRoutes = []string{"/beat/respond", "/beat/files/beat.txt", "/beat/proxied"}

// beats asks the other routes steadily.
type beats struct {
	stop func() // and wait

	mu     sync.Mutex
	delays []time.Duration
	failed []string
}

// beat asks each of the other routes every 20 ms. A delay counts from when the request was due, so that one late answer
// hides no other.
func (s *isolated) beat() *beats {
	const every = 20 * time.Millisecond
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: len(beatRoutes)}}
	b, done := new(beats), make(chan struct{})
	var routes sync.WaitGroup
	for _, route := range beatRoutes {
		routes.Go(func() {
			for due := time.Now(); ; due = due.Add(every) {
				select {
				case <-done:
					return
				case <-time.After(time.Until(due)):
				}
				err := beatOnce(client, s.url+route)
				b.mu.Lock()
				b.delays = append(b.delays, time.Since(due))
				if err != nil {
					b.failed = append(b.failed, err.Error())
				}
				b.mu.Unlock()
			}
		})
	}
	b.stop = sync.OnceFunc(func() {
		close(done)
		routes.Wait()
		client.CloseIdleConnections()
	})
	s.t.Cleanup(b.stop)
	return b
}

func beatOnce(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || string(body) != beatBody && string(body) != beatBody+"\n" {
		return fmt.Errorf("%s: %s, %q, %w", url, resp.Status, body, err)
	}
	return nil
}

// quantile returns the delay that the share q of the beats had at most; it is called after stop.
func (b *beats) quantile(q float64) time.Duration {
	if len(b.delays) == 0 {
		return 0
	}
	slices.Sort(b.delays)
	return b.delays[min(int(q*float64(len(b.delays))), len(b.delays)-1)]
}

// String tells how it went.
func (b *beats) String() string {
	return fmt.Sprintf("%d requests to other routes, %d failed; 50 of 100 within %v, 99 within %v, all within %v", len(b.delays), len(b.failed),
		b.quantile(0.5).Round(10*time.Microsecond), b.quantile(0.99).Round(10*time.Microsecond), b.quantile(1).Round(10*time.Microsecond))
}
