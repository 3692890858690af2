package transformtest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// metadataBombs are pictures that are harmless but for what is written beside them.
func metadataBombs() []Bomb {
	jpeg := func(name string, change func([]byte) []byte, want ...Outcome) Bomb {
		return Bomb{Number: 27, Name: "metadata: " + name, Format: plan.JPEG, Bytes: func() []byte { return change(JPEG(Picture(16, 16))) }, Want: want, Pixels: 256}
	}
	exif := func(tiff ...[]byte) func([]byte) []byte {
		return func(file []byte) []byte {
			return WithSegment(file, 0xe1, slices.Concat([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00"), slices.Concat(tiff...)))
		}
	}
	entry := func(tag, kind, count, value int) []byte { return le32(le16(nil, tag, kind), count, value) }
	xmp := `<x:xmpmeta xmlns:x="adobe:ns:meta/">` + strings.Repeat("<a>", 1000) + strings.Repeat("x", 5_000_000)
	return []Bomb{
		jpeg("orientation 9", func(file []byte) []byte { return WithOrientation(file, 9) }, Served),
		jpeg("orientation 0", func(file []byte) []byte { return WithOrientation(file, 0) }, Served),
		jpeg("EXIF that is its own next", exif(le16(nil, 1), entry(0x112, 3, 1, 6), le32(nil, 8)), Served),
		jpeg("EXIF that is a part of itself", exif(le16(nil, 3), entry(0x8769, 4, 1, 8), entry(0x8825, 4, 1, 8), entry(0xa005, 4, 1, 8), le32(nil, 8)), Served),
		jpeg("EXIF of 65,535 entries that aren't there", exif(le16(nil, 65535)), Served),
		jpeg("EXIF with a text of 4 GiB", exif(le16(nil, 2), entry(0x10e, 2, 1<<32-1, 8), entry(0x13b, 2, 1<<31, 1<<32-1), le32(nil, 0)), Served),
		jpeg("EXIF with numbers beyond numbers", exif(le16(nil, 1), entry(0x11a, 5, 1<<29+1, 8), le32(nil, 1<<32-1)), Served),
		jpeg("EXIF of nothing", func(file []byte) []byte { return WithSegment(file, 0xe1, []byte("Exif\x00\x00")) }, Served),
		jpeg("EXIF of 5,000 entries, each 60 kB of one text", func(file []byte) []byte {
			entries := le16(nil, 5000)
			for i := range 5000 {
				entries = append(entries, entry(i+1, 2, 5000, 8)...)
			}
			return exif(entries)(file)
		}, Served),
		jpeg("50 MB of a profile, in 800 parts", func(file []byte) []byte { return profileParts(file, 800) }, Served, broken),
		jpeg("16 MB of a profile, in 255 parts", func(file []byte) []byte { return profileParts(file, 255) }, Served, broken),
		jpeg("a profile of four bytes", func(file []byte) []byte { return WithProfile(file, []byte("none")) }, Served, broken),
		jpeg("a profile with 4 billion tags", func(file []byte) []byte {
			profile := bytes.Clone(File("displayp3.icc"))
			copy(profile[128:], be32(nil, 1<<32-1))
			return WithProfile(file, profile)
		}, Served, broken),
		jpeg("a profile whose curve has 4 billion points", func(file []byte) []byte {
			profile := bytes.Clone(File("displayp3.icc"))
			if at := bytes.LastIndex(profile, []byte("curv")); at > 0 {
				copy(profile[at+8:], be32(nil, 1<<32-1))
			}
			return WithProfile(file, profile)
		}, Served, broken),
		jpeg("5 MB of XMP", func(file []byte) []byte {
			var parts [][]byte
			for part := range slices.Chunk([]byte(xmp), 65_000) {
				parts = append(parts, WithSegment([]byte{0, 0}, 0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), part...))[2:])
			}
			return slices.Concat(file[:2], slices.Concat(parts...), file[2:])
		}, Served),
		{Number: 27, Name: "metadata: 5 MB of XMP in a PNG", Format: plan.PNG, Bytes: func() []byte {
			return withChunk(PNG(Picture(16, 16)), "iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), xmp...))
		}, Want: []Outcome{Served}, Pixels: 256},
		{Number: 27, Name: "metadata: 5 MB of XMP in a WebP", Format: plan.WebP, Bytes: func() []byte {
			return riff(webpHead(4, 10, 10), webpPart("VP8L", flatVP8L(10, 10)), webpPart("XMP ", []byte(xmp)))
		}, Want: []Outcome{Served}, Pixels: 100},
		{Number: 27, Name: "metadata: 50 MB of a profile in a WebP", Format: plan.WebP, Bytes: func() []byte {
			return riff(webpHead(0x20, 10, 10), webpPart("ICCP", make([]byte, 50_000_000)), webpPart("VP8L", flatVP8L(10, 10)))
		}, Want: []Outcome{Served, broken}, Pixels: 100},
	}
}

// profileParts returns the JPEG with a profile, a true one at its beginning, in so many parts as large as parts can be.
// Their numbers have one byte.
func profileParts(file []byte, n int) []byte {
	const size = 65_519
	profile := make([]byte, size*n)
	copy(profile, File("displayp3.icc"))
	copy(profile, be32(nil, len(profile)))
	var parts [][]byte
	for part := range slices.Chunk(profile, size) {
		head := append([]byte("ICC_PROFILE\x00"), byte(len(parts)+1), byte(n))
		parts = append(parts, WithSegment([]byte{0, 0}, 0xe2, append(head, part...))[2:])
	}
	return slices.Concat(file[:2], slices.Concat(parts...), file[2:])
}
