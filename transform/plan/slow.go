package plan

import (
	"fmt"
	"time"
)

// slowWork is from where on work is slow: one core computes that long. A photograph of 12 megapixels becomes a JPEG of any
// size in 0.04 to 0.2 s, and an AVIF, WebP or JXL of 1600 x 1200 in 0.2 to 0.3 s, which is not slow; at its full size these take
// 0.7 to 1.8 s and a PNG 2.4 s. Animations get there with 40 frames of 400 x 300, and so do most effects on all of a
// photograph's pixels.
const slowWork = 500 * time.Millisecond

// Slow reports whether the plan is estimated to take so long that others, which take a tenth of that, must not stand behind
// several of its kind: large pictures in formats that are dear to write, long animations, and effects on many pixels. What
// decides is the work in all, whatever it is that takes it.
func (p Plan) Slow() bool { return p.Work >= slowWork }

// Slow is [Plan.Slow] for a look.
func (l Look) Slow() bool { return l.Work >= slowWork }

// TooMuchMemory is the error of a picture that needs more memory, in bytes, than pictures may have in all.
func TooMuchMemory(needed, most int64) *LimitError {
	return &LimitError{Limit: memoryLimit, Msg: fmt.Sprintf("about %s of memory would be needed, and at most %s are allowed; "+
		"a smaller size, fewer effects or another format need less", mebibytes(needed+1<<20-1), mebibytes(most))}
}

// mebibytes writes bytes as whole MiB.
func mebibytes(n int64) string { return figure(n>>20) + " MiB" }
