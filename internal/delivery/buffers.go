package delivery

import (
	"math/bits"
	"sync"
)

// Originals of these sizes are read into memory that was used before: fresh memory costs a page fault for every 4 KiB,
// and the collector's work. Smaller ones are cheap anyway; larger ones are rare, and not worth holding memory for.
const (
	minPooledBits = 16 // 64 KiB
	maxPooledBits = 25 // 32 MiB
)

// buffers are pools of memory by power of two.
var buffers [maxPooledBits + 1]sync.Pool

// buffer returns empty memory of at least that capacity. Give it back with release.
func buffer(size int64) []byte {
	class := bits.Len64(uint64(max(size, 1) - 1))
	if class < minPooledBits || class > maxPooledBits {
		return make([]byte, 0, size)
	}
	if b, ok := buffers[class].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<class)
}

// release gives memory back that nobody looks at any more. Memory that doesn't come from a pool is left to the collector.
func release(b []byte) {
	class := bits.Len(uint(max(cap(b), 1) - 1))
	if class < minPooledBits || class > maxPooledBits || cap(b) != 1<<class {
		return
	}
	buffers[class].Put(&b)
}
