package delivery

import "testing"

func TestBuffersComeBackAndHoldWhatIsAsked(t *testing.T) {
	for _, size := range []int64{0, 1, 1 << 10, 1 << 16, 1<<16 + 1, 2_000_000, 1 << 25, 1<<25 + 1} {
		b := buffer(size)
		if len(b) != 0 || int64(cap(b)) < size {
			t.Errorf("buffer(%d): length %d, capacity %d", size, len(b), cap(b))
		}
		release(b)
		release(append(b, make([]byte, size+1)...)) // one that had to grow
		if again := buffer(size); int64(cap(again)) < size {
			t.Errorf("buffer(%d) again: capacity %d", size, cap(again))
		}
	}
}
