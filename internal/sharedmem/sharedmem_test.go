package sharedmem

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestMemoryComesBackAndHoldsWhatIsAsked(t *testing.T) {
	for _, size := range []int64{0, 1, 1 << 10, 1<<16 - 1, 1 << 16, 1<<16 + 1, 2_000_000, 1 << 25, 1<<27 + 1} {
		b := Get(size)
		if len(b) != 0 || int64(cap(b)) < size {
			t.Errorf("Get(%d): length %d, capacity %d", size, len(b), cap(b))
		}
		Put(b)
		if again := Get(size); int64(cap(again)) < size {
			t.Errorf("Get(%d) again: capacity %d", size, cap(again))
		} else {
			Put(again[:size])
		}
	}
	Put(nil)
	Put(make([]byte, 1<<20)) // was never lent
}

func TestFilesBeginWithTheBytesAndCannotBeChanged(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files in memory need Linux")
	}
	text := bytes.Repeat([]byte("picture "), 10_000)
	b := append(Get(int64(len(text))), text...)
	defer Put(b)
	file := File(b)
	if file == nil {
		t.Fatal("lent memory has no file")
	}
	got := make([]byte, len(text))
	if _, err := file.ReadAt(got, 0); err != nil || !bytes.Equal(got, text) {
		t.Errorf("the file begins with %.20q, %v", got, err)
	}
	if _, err := file.WriteAt([]byte("x"), 0); err == nil {
		t.Error("the file can be written to")
	}
	if err := file.Truncate(0); err == nil {
		t.Error("the file can be made shorter, which would break whoever has it mapped")
	}
	if File(b[8:]) != nil || File(make([]byte, 1<<20)) != nil || File(nil) != nil {
		t.Error("memory that begins elsewhere has a file")
	}
}

func TestWhatIsGivenBackIsLentAgainAndThenGivenUp(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files in memory need Linux")
	}
	l := lender{lent: map[*byte]*piece{}}
	lend := func() *piece {
		p, err := newPiece(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		l.lent[&p.bytes[0]] = p
		return p
	}
	first, second := lend(), lend()
	for _, p := range []*piece{first, second} {
		if l.giveBack(p.bytes) != nil || l.giveBack(p.bytes) != nil {
			t.Fatal("there is no room for a mebibyte")
		}
	}
	if l.take(20) != second {
		t.Error("the one that was given back last is lent first: it is still in the processor's cache")
	}
	if old := l.unwanted(time.Now()); len(old) != 1 || old[0] != first || l.idleBytes != 0 {
		t.Errorf("%d pieces are given up and %d bytes are idle, want the one that nobody wanted", len(old), l.idleBytes)
	}
	l.idleBytes = maxIdle
	l.lent[&second.bytes[0]] = second
	if l.giveBack(second.bytes) != second {
		t.Error("more is kept idle than the bound allows")
	}
	first.close()
	second.close()
}

func TestManyBorrowersGetPiecesOfTheirOwn(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			mine := bytes.Repeat([]byte{byte(i)}, 100_000)
			for range 200 {
				b := append(Get(100_000), mine...)
				if !bytes.Equal(b, mine) {
					t.Error("memory is lent twice")
				}
				Put(b)
			}
		})
	}
	wg.Wait()
}

func BenchmarkGetPut(b *testing.B) {
	for b.Loop() {
		Put(Get(2 << 20))
	}
}
