package main

import (
	"bytes"
	"encoding/binary"
)

// withSegments returns the JPEG with application segments put in near its start: readers look for them before the
// pixels, and JFIF wants its own segment to come first.
func withSegments(jpeg []byte, segments ...[]byte) []byte {
	at := 2
	if jpeg[2] == 0xff && jpeg[3] == 0xe0 {
		at += 2 + int(binary.BigEndian.Uint16(jpeg[4:]))
	}
	return bytes.Join([][]byte{jpeg[:at], bytes.Join(segments, nil), jpeg[at:]}, nil)
}

func segment(marker byte, data []byte) []byte {
	out := []byte{0xff, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(data)+2))
	return append(out, data...)
}

// iccSegment holds a profile that fits into one segment of 64 kB, as ours do.
func iccSegment(profile []byte) []byte {
	return segment(0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

// exifSegment says which way up the picture is, and what it shows, as a camera would.
func exifSegment(orientation uint16, description string) []byte {
	const ascii, short = 2, 3
	text := description + "\x00"
	var b bytes.Buffer
	b.WriteString("Exif\x00\x00")
	b.WriteString("II*\x00\x08\x00\x00\x00")
	le := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // a bytes.Buffer takes everything
		}
	}
	// One directory of two entries, which ends 38 bytes into the TIFF data; the text follows it.
	le(uint16(2))
	le(uint16(0x010e), uint16(ascii), uint32(len(text)), uint32(38))
	le(uint16(0x0112), uint16(short), uint32(1), orientation, uint16(0))
	le(uint32(0))
	b.WriteString(text)
	return segment(0xe1, b.Bytes())
}

// turnedLeft returns the picture turned by a quarter against the clock: with orientation 6 it appears upright again.
func turnedLeft(p *Picture) *Picture {
	out := NewPicture(p.H, p.W)
	for y := range out.H {
		for x := range out.W {
			out.pix[y*out.W+x] = p.pix[x*p.W+p.W-1-y]
		}
	}
	return out
}
