package vipsexec

import (
	"bytes"
	"encoding/binary"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// extras reports whether a JPEG or PNG holds parts beside the picture that libvips says nothing about: comments, vendor
// segments, or a film appended by a telephone. They may tell as much about a person as EXIF does.
func extras(f plan.Format, src []byte) bool {
	switch f {
	case plan.JPEG:
		return jpegExtras(src)
	case plan.PNG:
		return pngExtras(src)
	}
	return false
}

func jpegExtras(src []byte) bool {
	const app0, app14, app15, com, sos = 0xe0, 0xee, 0xef, 0xfe, 0xda
	for at := 2; at+4 <= len(src) && src[at] == 0xff; {
		marker, size := src[at+1], int(binary.BigEndian.Uint16(src[at+2:]))
		switch {
		case marker == 0xff: // fill byte
			at++
			continue
		case marker == sos:
			// Encoders may pad with zeros; anything else after the end is data of somebody.
			return !bytes.HasSuffix(bytes.TrimRight(src, "\x00"), []byte{0xff, 0xd9})
		case marker == com:
			return true
		case marker >= app0 && marker <= app15 && marker != app0 && marker != app14:
			return true
		}
		at += 2 + size
	}
	return false
}

func pngExtras(src []byte) bool {
	for at := 8; at+8 <= len(src); {
		size, kind := uint64(binary.BigEndian.Uint32(src[at:])), string(src[at+4:at+8])
		switch kind {
		case "IHDR", "PLTE", "IDAT", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "pHYs", "hIST", "cICP", "acTL", "fcTL", "fdAT":
		case "IEND":
			return uint64(len(src)-at) > 12+size
		default:
			return true
		}
		if size > uint64(len(src)-at) {
			return false
		}
		at += 12 + int(size)
	}
	return false
}
