package plan

import (
	"fmt"
	"slices"
	"strings"
)

// Format is the file format of a picture.
type Format uint8

// The formats that the language and the engines know.
const (
	Unknown Format = iota
	JPEG
	PNG
	GIF
	WebP
	AVIF
	HEIC
	TIFF
	SVG
	JXL
	PDF
	formats // how many there are
)

var formatFacts = [formats]struct {
	name, mediaType string
	alpha, animated bool
}{
	Unknown: {"unknown", "application/octet-stream", false, false},
	JPEG:    {"jpeg", "image/jpeg", false, false},
	PNG:     {"png", "image/png", true, false},
	GIF:     {"gif", "image/gif", true, true},
	WebP:    {"webp", "image/webp", true, true},
	AVIF:    {"avif", "image/avif", true, false},
	HEIC:    {"heic", "image/heic", true, false},
	TIFF:    {"tiff", "image/tiff", true, false},
	SVG:     {"svg", "image/svg+xml", true, false},
	JXL:     {"jxl", "image/jxl", true, false},
	PDF:     {"pdf", "application/pdf", false, false}, // pages are drawn on white
}

// String returns the format's name in lower case: "jpeg", "webp".
func (f Format) String() string { return formatFacts[f].name }

// MediaType returns the format's media type (IANA): "image/jpeg".
func (f Format) MediaType() string { return formatFacts[f].mediaType }

// Alpha reports whether files of the format can hold transparency.
func (f Format) Alpha() bool { return formatFacts[f].alpha }

// Animated reports whether we read and write several frames in the format.
func (f Format) Animated() bool { return formatFacts[f].animated }

// vector reports whether files of the format are drawn at the size that is wanted.
func (f Format) vector() bool { return f == SVG || f == PDF }

// ParseFormat is the reverse of [Format.String]; "jpg" is accepted for "jpeg".
func ParseFormat(name string) (Format, error) {
	if name == "jpg" {
		return JPEG, nil
	}
	for f := JPEG; f < formats; f++ {
		if f.String() == name {
			return f, nil
		}
	}
	return Unknown, fmt.Errorf("unknown format %q", name)
}

// Set is a set of formats. The zero Set is empty.
type Set uint16

// SetOf returns the set of the given formats.
func SetOf(fs ...Format) Set {
	var s Set
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

// AllFormats are those that the language and the engines know.
const AllFormats = Set(1<<formats - 1<<JPEG)

// Has reports whether f is in s.
func (s Set) Has(f Format) bool { return s&(1<<f) != 0 }

// With returns s and f.
func (s Set) With(f Format) Set { return s | 1<<f }

// Formats returns the members of s in the order of their constants.
func (s Set) Formats() []Format {
	var fs []Format
	for f := range formats {
		if s.Has(f) {
			fs = append(fs, f)
		}
	}
	return slices.Clip(fs)
}

// String returns the members' names, separated by commas.
func (s Set) String() string {
	names := make([]string, 0, formats)
	for _, f := range s.Formats() {
		names = append(names, f.String())
	}
	return strings.Join(names, ",")
}
