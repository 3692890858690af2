package transformtest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Outcome is what becomes of a picture that is asked for: [Served], [OverLimit] or the word of the [transform.Kind] by which
// the engine refuses it.
type Outcome string

// The outcomes that are no kinds of errors.
const (
	Served    Outcome = "served"
	OverLimit Outcome = "limit"   // a *plan.LimitError
	Invalid   Outcome = "invalid" // a *syntax.Error: what is asked for doesn't fit the picture
)

// Refused returns the outcome of an engine's error.
func Refused(k transform.Kind) Outcome { return Outcome(k.String()) }

// The refusals that bombs meet.
var (
	broken      = Refused(transform.Broken)
	unsupported = Refused(transform.Unsupported)
	tooLarge    = Refused(transform.TooLarge)
)

// Bomb is a file that is built to cost more than it weighs, or to bring a decoder down.
type Bomb struct {
	Number int // of the attack case in docs/security.md
	Name   string
	Format plan.Format // what its first bytes say; Unknown is no picture of ours
	Bytes  func() []byte
	Chain  string // what is asked for beside the size

	// Want are the outcomes that are right, asked for at 100 pixels under the default limits: more than one where
	// versions of the libraries differ.
	Want []Outcome

	// Pixels is what the file may make a decoder hold at once, where it gets past the limits: with the canvas of an animation
	// whatever its frames are.
	Pixels int64

	// Runaway says why no check before the work bounds what it costs; "" is none. Such a file must be worked on by a process
	// that can be killed at its deadline.
	Runaway string

	// Aborts is whether some version of a library ends the process at it. Runaway then says why nothing refuses it before.
	Aborts bool
}

// Bombs returns all bombs: small, and built here. Each is a fresh build, so keep what you need.
func Bombs() []Bomb {
	return slices.Concat(jpegBombs(), pngBombs(), gifBombs(), webpBombs(), heifBombs(), jxlBombs(), tiffBombs(), svgBombs(),
		foreignBombs(), metadataBombs())
}

// Control is a harmless picture, to compare bombs with.
func Control() Bomb {
	return Bomb{Name: "control", Format: plan.PNG, Bytes: func() []byte { return PNG(Picture(60, 40)) }, Want: []Outcome{Served}, Pixels: 2400}
}

// zeros returns n zeros, deflated a thousand to one (RFC 1950): one block for a MiB of them, over and over, so that a
// GiB takes a moment.
func zeros(n int) []byte {
	const step = 1 << 20
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	flush := func(n int) []byte {
		_, err := z.Write(make([]byte, n))
		must(err)
		must(z.Flush())
		return slices.Clone(packed.Bytes())
	}
	first := flush(step)
	head := len(first)
	again := flush(step)[head:]
	out := slices.Clone(first[:2])
	for range n / step {
		// A block that was written behind a MiB of zeros refers to what is before it; the first can't.
		if len(out) == 2 {
			out = append(out, first[2:]...)
			continue
		}
		out = append(out, again...)
	}
	packed.Reset()
	z.Reset(&packed)
	out = append(out, flush(n % step)[2:]...)
	out = append(out, 1, 0, 0, 0xff, 0xff) // the last block: stored, empty
	return binary.BigEndian.AppendUint32(out, uint32(n%65521)<<16|1)
}

// be16 and be32 append numbers to files of big endian formats, le16 and le32 to those of others.
func be16(b []byte, v ...int) []byte {
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func be32(b []byte, v ...int) []byte {
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func le16(b []byte, v ...int) []byte {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func le32(b []byte, v ...int) []byte {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// lowBits packs numbers from the lowest bit of each byte on, as WebP's lossless form and JPEG XL have them: pairs of value
// and how many bits it takes.
func lowBits(pairs ...int) []byte {
	var out []byte
	at := 0
	for i := 0; i < len(pairs); i += 2 {
		for bit := range pairs[i+1] {
			if at%8 == 0 {
				out = append(out, 0)
			}
			out[at/8] |= byte(pairs[i]>>bit&1) << (at % 8)
			at++
		}
	}
	return out
}
