package vipsexec

import (
	"encoding/binary"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// wholeOf returns how many bytes a decoder holds for each pixel of a file of which lines come in no order: see
// [plan.Source].
func wholeOf(f plan.Format, file []byte) int {
	switch f {
	case plan.JPEG:
		return progressive(file)
	case plan.PNG:
		return interlaced(file)
	}
	return 0
}

// progressive returns 0 for a JPEG of one scan. Of others, be they progressive or not, libjpeg keeps all coefficients,
// 2 bytes each, until the last scan; how many there are for a pixel the frame tells by the sampling of its components
// (T.81, B.2.2).
func progressive(file []byte) int {
	var frame []byte
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker := file[at+1]
		if marker == 0xff { // padding
			at++
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if marker == markerEnd || end <= at+4 || end > len(file) {
			return 0
		}
		segment := file[at+4 : end]
		switch {
		case isFrame(marker):
			if frame = segment; marker == markerProgressive {
				return coefficients(frame)
			}
		case marker == markerScan: // it begins with how many components it has, the frame's sixth byte says how many there are
			if len(frame) > 5 && segment[0] < frame[5] {
				return coefficients(frame)
			}
			return 0
		}
		at = end
	}
	return 0
}

// markerProgressive opens the frame of a progressive JPEG with Huffman codes.
const markerProgressive = 0xc2

// coefficients returns the bytes a pixel of a frame's coefficients, rounded up.
func coefficients(frame []byte) int {
	const fixed, each = 6, 3 // bytes before the components, and of each
	if len(frame) < fixed {
		return 0
	}
	var sum, across, down int
	for at := fixed; at+each <= len(frame); at += each {
		h, v := int(frame[at+1]>>4), int(frame[at+1]&15)
		sum, across, down = sum+h*v, max(across, h), max(down, v)
	}
	if across == 0 || down == 0 {
		return 0
	}
	return (2*sum + across*down - 1) / (across * down)
}

// interlaced returns 0 for a PNG that comes line by line, else the bytes of a pixel (PNG, 11.2.2).
func interlaced(file []byte) int {
	const depth, colour, interlace = 24, 25, 28 // where IHDR, the first chunk, has them
	if len(file) <= interlace || file[interlace] == 0 {
		return 0
	}
	channels := map[byte]int{0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[file[colour]]
	return max(channels*int(file[depth])/8, channels)
}
