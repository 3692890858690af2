package transform

import (
	"bytes"
	"encoding/binary"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// SniffLen is how many bytes from the start of a file [Sniff] looks at; more are ignored.
const SniffLen = 4096

var signatures = []struct {
	magic  string
	format plan.Format
}{
	{"\xff\xd8\xff", plan.JPEG},
	{"\x89PNG\r\n\x1a\n", plan.PNG},
	{"GIF87a", plan.GIF},
	{"GIF89a", plan.GIF},
	{"II*\x00", plan.TIFF},
	{"MM\x00*", plan.TIFF},
	{"II+\x00", plan.TIFF}, // BigTIFF
	{"MM\x00+", plan.TIFF},
	{"%PDF-", plan.PDF},                                          // at the very start: readers that look further are lenient
	{"\xff\x0a", plan.JXL},                                       // codestream
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", plan.JXL},                 // container
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", plan.Unknown},             // JPEG 2000 shares its shape with the line above; not ours
	{"\x00\x00\x00\x0c\x4a\x58\x53\x20\r\n\x87\n", plan.Unknown}, // JPEG XS
}

// Sniff tells the format of a picture by its first bytes alone: neither a file name nor a Content-Type can make
// something a picture. Everything that is not one of ours is [plan.Unknown].
func Sniff(head []byte) plan.Format {
	head = head[:min(len(head), SniffLen)]
	for _, s := range signatures {
		if len(head) >= len(s.magic) && string(head[:len(s.magic)]) == s.magic {
			return s.format
		}
	}
	switch {
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return plan.WebP
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return sniffBrands(head)
	}
	return sniffSVG(head)
}

// sniffBrands reads the ftyp box of the ISO media family, which videos begin with as well.
func sniffBrands(head []byte) plan.Format {
	switch string(head[8:12]) {
	case "avif", "avis":
		return plan.AVIF
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
		return plan.HEIC
	case "mif1", "msf1":
		// "Some still picture" or "some sequence": the compatible brands tell which codec, and HEVC is the usual one.
		box := head[:min(uint64(len(head)), uint64(binary.BigEndian.Uint32(head)))]
		for at := 16; at+4 <= len(box); at += 4 {
			if brand := string(box[at : at+4]); brand == "avif" || brand == "avis" {
				return plan.AVIF
			}
		}
		return plan.HEIC
	}
	return plan.Unknown
}

// sniffSVG walks over what may stand before the root element: a byte order mark, white space, the XML declaration,
// comments, processing instructions and a document type. Looking for "<svg" anywhere would take HTML pages with an
// inline drawing for pictures.
func sniffSVG(head []byte) plan.Format {
	rest := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		var end string
		switch {
		case bytes.HasPrefix(rest, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
			// The document type names the root element; its internal subset may be longer than what we look at.
			if element(bytes.TrimLeft(rest[len("<!DOCTYPE"):], " \t\r\n"), "svg") {
				return plan.SVG
			}
			return plan.Unknown
		case bytes.HasPrefix(rest, []byte("<")) && (element(rest[1:], "svg") || element(rest[1:], "svg:svg")):
			return plan.SVG
		default:
			return plan.Unknown
		}
		at := bytes.Index(rest, []byte(end))
		if at < 0 {
			return plan.Unknown
		}
		rest = rest[at+len(end):]
	}
}

// element reports whether text begins with name, and the name ends there.
func element(text []byte, name string) bool {
	if !bytes.HasPrefix(text, []byte(name)) || len(text) == len(name) {
		return false
	}
	return bytes.IndexByte([]byte(" \t\r\n/>["), text[len(name)]) >= 0
}
