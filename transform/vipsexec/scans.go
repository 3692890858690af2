package vipsexec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// maxScans is how many scans a JPEG may have that is not of the plain kind. Cameras and programs write a dozen; a decoder
// goes over the whole picture for each, and some bytes make one.
const maxScans = 500

// affordable refuses files that cost a decoder far more than their size and the size of their picture tell, where a look
// at their parts shows it.
func affordable(f plan.Format, src []byte) error {
	switch f {
	case plan.JPEG:
		if n := countScans(src); n > maxScans {
			return failed(transform.TooLarge, "decoding jpeg", fmt.Errorf("the file has more than %d scans", maxScans))
		}
	case plan.PNG:
		if promisesTooMuch(src) {
			return failed(transform.Broken, "decoding png", errors.New("a part of the file is longer than the file"))
		}
	case plan.SVG:
		return modest(src)
	}
	return nil
}

// countScans counts the scans of a JPEG, or stops beyond the limit. Of the plain kind, in which each scan has bits for every
// block, the size of the file bounds the work: it is not looked at.
func countScans(src []byte) int {
	const (
		plain, extended = 0xc0, 0xc1
		first, last     = 0xd0, 0xd7 // restart markers stand alone
	)
	scans := 0
	for at := 2; at+4 <= len(src) && scans <= maxScans; {
		if src[at] != 0xff {
			// Pixels, or what libjpeg skips: up to the next marker.
			next := bytes.IndexByte(src[at:], 0xff)
			if next < 0 {
				break
			}
			at += next
			continue
		}
		switch marker := src[at+1]; {
		case marker == 0xff:
			at++
		case marker == 0, marker >= first && marker <= last, marker == 1, marker == markerStart:
			at += 2
		case marker == markerEnd, marker == plain, marker == extended:
			return scans
		default:
			if marker == markerScan {
				scans++
			}
			at += 2 + int(binary.BigEndian.Uint16(src[at+2:]))
		}
	}
	return scans
}

// promisesTooMuch reports whether a chunk of a PNG, pixels aside, is longer than what is left of the file: libpng makes room for
// what it is told, up to 2 GiB.
func promisesTooMuch(src []byte) bool {
	for at := 8; at+8 <= len(src); {
		size := uint64(binary.BigEndian.Uint32(src[at:]))
		kind := string(src[at+4 : at+8])
		if size > uint64(len(src)-at-8) {
			return kind != "IDAT" && kind != "IEND"
		}
		if kind == "IEND" {
			break
		}
		at += 12 + int(size)
	}
	return false
}
