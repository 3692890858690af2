package caddymodule

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/ram"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Limits bound what one request may cost. A request over a limit is refused with `ik-error: ELIMIT`. A limit that is
// not set has its default; there is no way to have none.
type Limits struct {
	// Bytes of an original that is transformed; files that pass through unchanged are not held in memory and not
	// bound. Placeholders are not supported. Default: 100MiB (104857600).
	SourceSize int64 `json:"source_size,omitempty"`

	// Width × height of an original, read from its header before any pixel is decoded; of an animation with all its
	// frames, above which the first frame is shown alone. Placeholders are not
	// supported. Default: 100000000.
	SourcePixels int64 `json:"source_pixels,omitempty"`

	// Width × height × frames of the result and of every intermediate step. Placeholders are not supported. Default:
	// 50000000.
	OutputPixels int64 `json:"output_pixels,omitempty"`

	// Pixels of the longer side of the same, at most 65535. Placeholders are not supported. Default: 65535.
	OutputSide int `json:"output_side,omitempty"`

	// Frames of an animation; of a longer one the first frame alone is delivered. Placeholders are not supported.
	// Default: 500.
	Frames int `json:"frames,omitempty"`

	// Steps of one transformation, which `:` separates in the URL. Placeholders are not supported. Default: 20.
	Steps int `json:"steps,omitempty"`

	// Time for fetching the original, waiting for a free slot and transforming together, until the first byte is sent. A
	// worker whose time is up is ended; without isolation a decoder or encoder that has begun holds its slot to its end.
	// Placeholders are not supported. Default: 30s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Misses under way: requests for which an original is fetched or a result made. One more is answered with status 503
	// at once. Those that wait for the same result count as one; hits and files that pass through don't count. Placeholders
	// are not supported. Default: 64, and 128 for each processor.
	Queue int `json:"queue,omitempty"`

	// Bytes of pixels that are worked on at once, as they are estimated from the headers of pictures; what doesn't fit
	// waits. At least 16MiB (16777216). Placeholders are not supported. Default: half of the memory of the machine or its
	// container.
	Memory int64 `json:"memory,omitempty"`
}

// defaultLimits are those of a config that sets none; queue and memory depend on the machine.
var defaultLimits = Limits{
	SourceSize:   100 << 20,
	SourcePixels: 100_000_000,
	OutputPixels: 50_000_000,
	OutputSide:   syntax.MaxSide,
	Frames:       500,
	Steps:        20,
	Timeout:      caddy.Duration(30 * time.Second),
}

// defaultQueue is how many misses may be under way by default. On two processors that is 320: three visitors who see a page of
// a hundred new thumbnails at the same moment. Of 30 ms of work each they are done in five seconds; and as long as each takes
// less than 180 ms the last of them is done within the default timeout. Each holds its original in memory meanwhile.
func defaultQueue() int { return 64 + 128*runtime.GOMAXPROCS(0) }

// The least that the limit memory may be, and its default where nobody knows how much memory there is.
const (
	leastMemory   = 16 << 20
	unknownMemory = 1 << 30
)

// defaultMemory is half of the memory that there is.
func defaultMemory() int64 { return memoryFor(ram.Bytes()) }

// memoryFor returns the default where there are so many bytes of memory; 0 is unknown.
func memoryFor(there uint64) int64 {
	if there == 0 {
		return unknownMemory
	}
	return max(int64(there/2), leastMemory)
}

// setDefaults fills in what is not set.
func (l *Limits) setDefaults() {
	orDefault(&l.SourceSize, defaultLimits.SourceSize)
	orDefault(&l.SourcePixels, defaultLimits.SourcePixels)
	orDefault(&l.OutputPixels, defaultLimits.OutputPixels)
	orDefault(&l.OutputSide, defaultLimits.OutputSide)
	orDefault(&l.Frames, defaultLimits.Frames)
	orDefault(&l.Steps, defaultLimits.Steps)
	orDefault(&l.Timeout, defaultLimits.Timeout)
	orDefault(&l.Queue, defaultQueue())
	orDefault(&l.Memory, defaultMemory())
}

// orDefault sets a field that is not set.
func orDefault[T comparable](field *T, value T) {
	var unset T
	if *field == unset {
		*field = value
	}
}

// validate judges all fields; the error names the field.
func (l *Limits) validate() error {
	for _, f := range []struct {
		field      string
		value, max int64
	}{
		{"source_size", l.SourceSize, math.MaxInt64},
		{"source_pixels", l.SourcePixels, math.MaxInt64},
		{"output_pixels", l.OutputPixels, math.MaxInt64},
		{"output_side", int64(l.OutputSide), syntax.MaxSide},
		{"frames", int64(l.Frames), math.MaxInt32},
		{"steps", int64(l.Steps), math.MaxInt32},
		{"timeout", int64(l.Timeout), math.MaxInt64},
		{"queue", int64(l.Queue), math.MaxInt32},
		{"memory", l.Memory, math.MaxInt64},
	} {
		if f.value < 0 {
			return fmt.Errorf("%s: a limit is positive", f.field)
		}
		if f.value > f.max {
			return fmt.Errorf("%s: %d is more than %d, the most that is possible", f.field, f.value, f.max)
		}
	}
	if l.Memory > 0 && l.Memory < leastMemory {
		return fmt.Errorf("memory: %d bytes are less than one picture takes; give it 16MiB or more", l.Memory)
	}
	return nil
}

// delivery returns the limits as the stages of a request know them.
func (l *Limits) delivery() delivery.Limits {
	return delivery.Limits{
		Limits: plan.Limits{
			SourcePixels: l.SourcePixels,
			OutputPixels: l.OutputPixels,
			OutputSide:   l.OutputSide,
			Frames:       l.Frames,
			Steps:        l.Steps,
		},
		SourceSize: l.SourceSize,
		Timeout:    time.Duration(l.Timeout),
	}
}
