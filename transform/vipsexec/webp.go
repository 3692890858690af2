package vipsexec

import (
	"encoding/binary"
	"errors"
)

// webpChunk is a part of a WebP file, whose container is RIFF.
type webpChunk struct {
	kind string // four characters
	data []byte
}

// The flags of a VP8X chunk that matter here.
const (
	webpProfile  = 0x20
	webpAlpha    = 0x10
	webpEXIF     = 0x08
	webpXMP      = 0x04
	webpAnimated = 0x02
)

// repackWebP corrects what libvips and govips put around the picture: libvips 8.14 invents an EXIF block of 190 bytes even
// when asked to strip, which a thumbnail doesn't need, and govips has the saver drop every profile. alpha is that of the
// pixels. libwebp writes none for a lossy picture that is opaque all the same, and decoders refuse files that promise one.
func repackWebP(file []byte, width, height int, alpha, keepMetadata bool, profile []byte) ([]byte, error) {
	chunks, err := webpChunks(file)
	if err != nil {
		return nil, err
	}
	var flags byte
	out := make([]webpChunk, 2, len(chunks)+2) // room for VP8X and ICCP
	for _, c := range chunks {
		switch c.kind {
		case "VP8X", "ICCP":
			continue
		case "EXIF", "XMP ":
			if !keepMetadata {
				continue
			}
			flags |= map[string]byte{"EXIF": webpEXIF, "XMP ": webpXMP}[c.kind]
		case "ANIM":
			flags |= webpAnimated
		case "ALPH":
			flags |= webpAlpha
		case "VP8L", "ANMF": // hold their alpha themselves
			if alpha {
				flags |= webpAlpha
			}
		}
		out = append(out, c)
	}
	pictures := out[2:]
	if len(profile) == 0 && len(pictures) == 1 && (pictures[0].kind == "VP8 " || pictures[0].kind == "VP8L") {
		return webpFile(pictures), nil // the simple form
	}
	out = out[1:]
	if len(profile) > 0 {
		out = append([]webpChunk{{}, {"ICCP", profile}}, pictures...)
		flags |= webpProfile
	}
	head := make([]byte, 10)
	head[0] = flags
	putUint24(head[4:], width-1)
	putUint24(head[7:], height-1)
	out[0] = webpChunk{"VP8X", head}
	return webpFile(out), nil
}

func webpChunks(file []byte) ([]webpChunk, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WEBP" {
		return nil, errors.New("not a webp file")
	}
	var chunks []webpChunk
	for rest := file[12:]; len(rest) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if size > uint64(len(rest)-8) {
			return nil, errors.New("a webp chunk ends beyond the file")
		}
		chunks = append(chunks, webpChunk{string(rest[:4]), rest[8 : 8+size]})
		rest = rest[min(8+size+size&1, uint64(len(rest))):]
	}
	return chunks, nil
}

func webpFile(chunks []webpChunk) []byte {
	size := 12
	for _, c := range chunks {
		size += 8 + len(c.data) + len(c.data)&1
	}
	file := make([]byte, 0, size)
	file = append(file, "RIFF"...)
	file = binary.LittleEndian.AppendUint32(file, uint32(size-8))
	file = append(file, "WEBP"...)
	for _, c := range chunks {
		file = append(file, c.kind...)
		file = binary.LittleEndian.AppendUint32(file, uint32(len(c.data)))
		file = append(file, c.data...)
		if len(c.data)&1 == 1 {
			file = append(file, 0)
		}
	}
	return file
}

func putUint24(b []byte, n int) {
	b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16)
}
