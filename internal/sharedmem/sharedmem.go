// Package sharedmem lends memory that other processes can look at without a copy: each piece is a file of its own that lives
// in memory (memfd_create(2)). Where the system has no such files it is ordinary memory.
package sharedmem

import (
	"math/bits"
	"os"
	"sync"
	"time"
)

// Pieces are powers of two of these sizes: 64 KiB to 128 MiB. Smaller ones aren't worth a descriptor, and of larger ones
// there should be few. What of a piece is never written takes no memory.
const (
	minBits = 16
	maxBits = 27
)

// What is given back is lent again, because fresh memory costs a page fault for every 4 KiB.
const (
	maxIdle  = 64 << 20        // bytes of pieces that wait to be lent again
	idleTime = 5 * time.Second // after which one that nobody wanted meanwhile is given to the system
)

// piece is a file in memory and where it is mapped.
type piece struct {
	bytes []byte
	file  *os.File
	since time.Time // when it was given back
}

// lender has all pieces.
type lender struct {
	mu        sync.Mutex
	lent      map[*byte]*piece
	idle      [maxBits + 1][]*piece // by size, the one that was given back last at the end
	idleBytes int
	sweeping  bool
}

var all = lender{lent: map[*byte]*piece{}}

// Get lends memory of at least that capacity, whose length is 0 and whose content is anything. Give it back with [Put].
func Get(size int64) []byte {
	class := classOf(size)
	if class < minBits || class > maxBits {
		return make([]byte, 0, size)
	}
	p := all.take(class)
	if p == nil {
		var err error
		if p, err = newPiece(1 << class); err != nil {
			return make([]byte, 0, size) // no descriptors left, or no such files here
		}
	}
	all.mu.Lock()
	all.lent[&p.bytes[0]] = p
	all.mu.Unlock()
	return p.bytes[:0]
}

// Put gives memory back that nobody looks at any more. Memory that was not lent is left to the collector.
func Put(b []byte) {
	if p := all.giveBack(b); p != nil {
		p.close()
	}
}

// File returns the file that begins with b, if b is memory that is lent, from its start; else nil. It stays open until b is
// given back. Whoever else has its descriptor can read it and can't change it.
func File(b []byte) *os.File {
	if cap(b) < 1<<minBits {
		return nil
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if p := all.lent[&b[:1][0]]; p != nil {
		return p.file
	}
	return nil
}

func classOf(size int64) int { return bits.Len64(uint64(max(size, 1) - 1)) }

// take returns an idle piece; nil where there is none.
func (l *lender) take(class int) *piece {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.idle[class])
	if n == 0 {
		return nil
	}
	p := l.idle[class][n-1]
	l.idle[class] = l.idle[class][:n-1]
	l.idleBytes -= len(p.bytes)
	return p
}

// giveBack takes a piece that was lent, and returns it if there is no room for it.
func (l *lender) giveBack(b []byte) *piece {
	if cap(b) < 1<<minBits {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := &b[:1][0]
	p := l.lent[at]
	if p == nil {
		return nil
	}
	delete(l.lent, at)
	if l.idleBytes+len(p.bytes) > maxIdle {
		return p
	}
	class := classOf(int64(len(p.bytes)))
	p.since = time.Now()
	l.idle[class] = append(l.idle[class], p)
	l.idleBytes += len(p.bytes)
	if !l.sweeping {
		l.sweeping = true
		time.AfterFunc(idleTime, l.sweep)
	}
	return nil
}

// sweep gives to the system what nobody wanted for a while, and comes again as long as something is left.
func (l *lender) sweep() {
	before := time.Now().Add(-idleTime)
	for _, p := range l.unwanted(before) {
		p.close()
	}
}

func (l *lender) unwanted(before time.Time) (old []*piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for class, pieces := range l.idle {
		n := 0
		for n < len(pieces) && !pieces[n].since.After(before) {
			l.idleBytes -= len(pieces[n].bytes)
			n++
		}
		old = append(old, pieces[:n]...)
		l.idle[class] = append([]*piece(nil), pieces[n:]...)
	}
	l.sweeping = l.idleBytes > 0
	if l.sweeping {
		time.AfterFunc(idleTime, l.sweep)
	}
	return old
}
