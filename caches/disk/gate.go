package disk

import (
	"errors"
	"sync"
	"sync/atomic"
)

// errClosed is the error of a store that was closed.
var errClosed = errors.New("the store is closed")

// gate lets those in who change files, until it is shut.
type gate struct {
	mu     sync.Mutex // that nobody enters while it is shut
	shut   atomic.Bool
	inside sync.WaitGroup
}

// enter reports whether the gate is open. Who was let in calls leave, soon.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := !g.shut.Load()
	if open {
		g.inside.Add(1)
	}
	return open
}

func (g *gate) leave() { g.inside.Done() }

// close shuts the gate.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut.Store(true)
}
