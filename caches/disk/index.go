package disk

import (
	"context"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// block is what files take on disk in multiples of, on nearly all file systems.
const block = 4 << 10

// grain is the unit of weights: fine enough for the bound of entries, while 32 bits of it are 256 GiB.
const grain = 64

// index knows which files there are, and which to drop when they are too many. It holds no names, only hashes.
type index struct {
	files   *otter.Cache[id, file]
	least   atomic.Uint32 // weight that an entry has at least: keeps the bound of entries
	entries atomic.Int64
	bytes   atomic.Int64
	evicted atomic.Int64

	// What changes the file of an entry and what the index knows of it holds the lock of the entry, or the two would part.
	locks [256]sync.Mutex

	weighing sync.Mutex // one at a time

	remove   func(id, file)
	mu       sync.Mutex // the last lock that is taken: evictions take it inside of otter's
	dropped  []drop     // evicted, the files still to be removed
	removing int        // taken from dropped, and not removed yet
	working  bool
	closed   bool
	idle     *sync.Cond
}

// file is what the index knows of a file.
type file struct {
	written int64 // as its head says, in nanoseconds; 0 is not read yet
	blocks  uint32
	touched uint32 // when its time was set, in seconds since 1970
}

// drop is an entry that was evicted, and what was known of its file.
type drop struct {
	id   id
	file file
}

func newIndex(maxBytes, maxEntries int64, remove func(id, file)) (*index, error) {
	x := &index{remove: remove}
	x.idle = sync.NewCond(&x.mu)
	x.least.Store(leastWeight(maxBytes, maxEntries))
	var err error
	x.files, err = otter.New(&otter.Options[id, file]{
		MaximumWeight: uint64(maxBytes / grain),
		Weigher:       func(_ id, f file) uint32 { return x.weight(f) },
		OnAtomicDeletion: func(e otter.DeletionEvent[id, file]) {
			x.entries.Add(-1)
			x.bytes.Add(-int64(e.Value.blocks) * block)
			if e.WasEvicted() {
				x.evicted.Add(1)
				x.drop(drop{e.Key, e.Value})
			}
		},
	})
	return x, err
}

func (x *index) weight(f file) uint32 {
	return max(uint32(min(uint64(f.blocks)*(block/grain), math.MaxUint32)), x.least.Load())
}

// leastWeight returns what each entry must weigh at least, for maxEntries to fill maxBytes.
func leastWeight(maxBytes, maxEntries int64) uint32 {
	if maxEntries <= 0 {
		return 1
	}
	return uint32(min((maxBytes/grain+maxEntries-1)/maxEntries, math.MaxUint32))
}

// lock locks an entry and returns what unlocks it.
func (x *index) lock(i id) (unlock func()) {
	mu := &x.locks[i[len(i)-1]]
	mu.Lock()
	return mu.Unlock
}

// drop has the file of an evicted entry removed. One goroutine removes them all: thousands at once, each waiting for the
// disk, would be as many threads.
func (x *index) drop(d drop) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return // the next process finds it
	}
	x.dropped = append(x.dropped, d)
	if !x.working {
		x.working = true
		go x.removeUntil(0) // close waits for it
	}
}

// backlog is how many files may wait to be removed before those who write take part.
const backlog = 64

// help removes files if many wait for it.
func (x *index) help() {
	if x.pending() > backlog {
		x.removeUntil(backlog)
	}
}

// removeUntil removes files until that many are left.
func (x *index) removeUntil(left int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.dropped) > left {
		d := x.dropped[len(x.dropped)-1]
		x.dropped = x.dropped[:len(x.dropped)-1]
		x.removing++
		x.mu.Unlock()
		x.remove(d.id, d.file)
		x.mu.Lock()
		x.removing--
	}
	if left == 0 {
		x.working, x.dropped = false, nil
	}
	x.idle.Broadcast()
}

// pending returns how many evicted files are still there.
func (x *index) pending() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.dropped) + x.removing
}

// use notes a file that was written, or found to be whole.
func (x *index) use(i id, h head) {
	x.set(i, file{blocks: blocks(h.size()), written: h.written, touched: uint32(time.Now().Unix())})
}

// knows reports whether there is such an entry; asking doesn't count as use.
func (x *index) knows(i id) bool {
	_, known := x.files.GetEntryQuietly(i)
	return known
}

// agrees reports whether a file of that size is known.
func (x *index) agrees(i id, size int64) bool {
	f, known := x.files.GetEntryQuietly(i)
	return known && f.Value.blocks == blocks(size)
}

// found notes a file that a scan came across.
func (x *index) found(i id, size int64) {
	if !x.agrees(i, size) {
		x.set(i, file{blocks: blocks(size)})
	}
}

func (x *index) set(i id, f file) {
	x.entries.Add(1)
	x.bytes.Add(int64(f.blocks) * block)
	x.files.Set(i, f)
}

// asked returns what is known of an entry, and whether its file that was written then is known to be whole; asking counts
// as use.
func (x *index) asked(i id, written int64) (f file, whole bool) {
	f, known := x.files.GetIfPresent(i)
	return f, known && f.written == written
}

// touchEvery is how often the time of a file is set that is used: scans after a start go by it.
const touchEvery = time.Hour

// due reports whether the time of a file that is used is to be set.
func due(f file, now time.Time) bool {
	return now.Unix()-int64(f.touched) >= int64(touchEvery/time.Second)
}

// touch sets the time of a file that is used.
func (x *index) touch(i id, open *os.File, now time.Time) {
	f, known := x.files.GetEntryQuietly(i)
	if !known {
		return
	}
	entry := f.Value
	entry.touched = uint32(now.Unix())
	x.set(i, entry)
	_ = os.Chtimes(open.Name(), now, now) // where that fails the file counts as used when it was written
}

func (x *index) forget(i id) { x.files.Invalidate(i) }

// bound changes the bounds, and reports whether what is there must be weighed again.
func (x *index) bound(maxBytes, maxEntries int64) bool {
	least := leastWeight(maxBytes, maxEntries)
	before := x.least.Swap(least)
	x.files.SetMaximum(uint64(maxBytes / grain))
	return before != least
}

// weighAgain gives the entries that are there the weights they have by now, and drops those that are asked for least where
// that is too much, until ctx ends.
func (x *index) weighAgain(ctx context.Context) {
	x.weighing.Lock()
	defer x.weighing.Unlock()
	maximum, sum := x.files.GetMaximum(), uint64(0)
	var kept, over []id
	for e := range x.files.Hottest() {
		if sum += uint64(x.weight(e.Value)); sum <= maximum {
			kept = append(kept, e.Key)
		} else {
			over = append(over, e.Key)
		}
	}
	for _, i := range over {
		if ctx.Err() != nil {
			return
		}
		x.evict(i)
		x.help()
	}
	for _, i := range slices.Backward(kept) { // weighing counts as use: the hottest come last
		if ctx.Err() != nil {
			return
		}
		x.renew(i)
	}
}

// evict drops an entry for room.
func (x *index) evict(i id) {
	defer x.lock(i)()
	if f, known := x.files.GetEntryQuietly(i); known {
		x.evicted.Add(1)
		x.forget(i)
		x.drop(drop{i, f.Value})
	}
}

// renew has an entry weighed again.
func (x *index) renew(i id) {
	defer x.lock(i)()
	if f, known := x.files.GetEntryQuietly(i); known {
		x.set(i, f.Value)
	}
}

// close waits until evicted files are removed, and has no others removed.
func (x *index) close() {
	x.files.CleanUp()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wait()
	x.closed = true
}

// settle waits until evicted files are removed.
func (x *index) settle() {
	x.files.CleanUp()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wait()
}

// wait waits with x.mu until no evicted file is left.
func (x *index) wait() {
	for x.working || len(x.dropped)+x.removing > 0 {
		x.idle.Wait()
	}
}

func blocks(size int64) uint32 { return uint32((size + block - 1) / block) }
