package vipsexec

import (
	"encoding/binary"
	"errors"

	"github.com/imageorigin/imageorigin/transform/plan"
)

var errTruncated = errors.New("the file ends before the picture does")

// complete looks for the end of a GIF, WebP or PDF: govips can't tell their decoders to refuse half a file, and libnsgif
// paints what there is, as poppler does.
func complete(f plan.Format, src []byte) error {
	switch f {
	case plan.GIF:
		if !gifComplete(src) {
			return errTruncated
		}
	case plan.WebP:
		if len(src) < 8 || uint64(len(src)) < 8+uint64(binary.LittleEndian.Uint32(src[4:])) {
			return errTruncated
		}
	case plan.PDF:
		if !pdfComplete(src) {
			return errTruncated
		}
	}
	return nil
}

// gifComplete walks over the blocks of a GIF, without decoding, to its trailer. A file that ends cleanly after a frame,
// without the trailer, counts as complete: many do, and nothing is missing.
func gifComplete(src []byte) bool {
	colours := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(src) < 13 {
		return false
	}
	frames := 0
	for at := 13 + colours(src[10]); ; {
		if at >= len(src) {
			return at == len(src) && frames > 0
		}
		switch src[at] {
		case 0x21: // extension: label, then sub-blocks
			at += 2
		case 0x2c: // image: position, size, flags, colours, code size, then sub-blocks
			if at+10 > len(src) {
				return false
			}
			at += 10 + colours(src[at+9]) + 1
			frames++
		default: // the trailer, or what programs append before it
			return frames > 0
		}
		for {
			if at >= len(src) {
				return false
			}
			size := int(src[at])
			at += 1 + size
			if size == 0 {
				break
			}
		}
	}
}
