package worker

import (
	"io"
	"strings"
	"sync"
	"time"
)

// tail keeps the end of what a worker writes to its standard error.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 4 << 10

// keep reads until the end. What writes without end is slowed down: reading it shall not cost a CPU.
func (t *tail) keep(r io.Reader) {
	const pause = 5 * time.Millisecond
	buf := make([]byte, tailSize)
	for {
		n, err := r.Read(buf)
		t.mu.Lock()
		t.b = append(t.b, buf[:n]...)
		t.b = t.b[max(len(t.b)-tailSize, 0):]
		t.mu.Unlock()
		if err != nil {
			return
		}
		if n == len(buf) {
			time.Sleep(pause)
		}
	}
}

// String returns what was kept, in printable characters.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.b)), "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}

// tells reports whether one of the phrases was said.
func (t *tail) tells(phrases ...string) bool {
	text := t.String()
	for _, phrase := range phrases {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}
