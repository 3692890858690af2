package transformtest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// UltraHDR returns a JPEG with a gain map behind it, as telephones write it: an index (MPF) and XMP tell where it lies
// and how it is to be applied. The author's name is in XMP too.
func UltraHDR(base, gains []byte) []byte {
	xmp := `http://ns.adobe.com/xap/1.0/` + "\x00" + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="Zoe" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" ` +
		`xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>` +
		`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="999"/></rdf:li>` +
		`</rdf:Seq></Container:Directory></rdf:Description></rdf:RDF></x:xmpmeta>`
	withXMP := WithSegment(base, 0xe1, []byte(xmp))
	index := func(first, offset int) []byte {
		entries := func(kind, size, offset int) []byte {
			e := binary.BigEndian.AppendUint32(nil, uint32(kind))
			e = binary.BigEndian.AppendUint32(e, uint32(size))
			return append(binary.BigEndian.AppendUint32(e, uint32(offset)), 0, 0, 0, 0)
		}
		return bytes.Join([][]byte{
			[]byte("MPF\x00MM\x00*\x00\x00\x00\x08\x00\x03"),
			[]byte("\xb0\x00\x00\x07\x00\x00\x00\x040100"),
			[]byte("\xb0\x01\x00\x04\x00\x00\x00\x01\x00\x00\x00\x02"),
			[]byte("\xb0\x02\x00\x07\x00\x00\x00\x20\x00\x00\x00\x32\x00\x00\x00\x00"),
			entries(0x20030000, first, 0), entries(0, len(gains), offset),
		}, nil)
	}
	const header = 2 + 4 + 4 // where the index counts from: behind the mark, the segment's head and the name
	first := len(WithSegment(withXMP, 0xe2, index(0, 0)))
	return append(WithSegment(withXMP, 0xe2, index(first, first-header)), gains...)
}

// gainMaps checks that a picture for screens of high range becomes the one for all others, and that nothing tells of
// what is gone.
func (s suite) gainMaps(t *testing.T) {
	base, gains := JPEG(Picture(240, 160)), JPEG(grey(Picture(60, 40)))
	src := UltraHDR(base, gains)
	for _, shrink := range []int{1, 2} {
		w, h := 240/shrink, 160/shrink
		for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.WebP, plan.AVIF} {
			for _, keep := range []bool{false, true} {
				name := f.String() + map[bool]string{false: "", true: ", metadata kept"}[keep]
				if shrink > 1 {
					name += ", shrunk"
				}
				t.Run(name, func(t *testing.T) {
					s.needWriter(t, f)
					p := to(still(plan.JPEG, w, h, plan.Resize{Width: w, Height: h}, plan.Colour{}), plan.Output{Format: f, KeepMetadata: keep})
					p.Load.Shrink = shrink
					img := s.render(t, src, p)
					told := img.Bytes
					if f == plan.PNG {
						told = append(bytes.Clone(told), unpackedText(t, told)...)
					}
					for _, gone := range []string{"hdrgm", "hdr-gain-map", "GainMap", "MPF\x00"} {
						if bytes.Contains(told, []byte(gone)) {
							t.Errorf("the result says %q", gone)
						}
					}
					if bytes.Contains(img.Bytes, gains[len(gains)-200:]) {
						t.Error("the gain map is still in the file")
					}
					if got := bytes.Contains(told, []byte("Zoe")); got != keep {
						t.Errorf("the author is in it: %v, want %v", got, keep)
					}
					plain := p
					plain.Output.KeepMetadata = false
					expect(t, s.pixels(t, img), s.pixels(t, s.render(t, base, plain)), 0)
				})
			}
		}
	}
}

// unpackedText returns the compressed texts of a PNG.
func unpackedText(t *testing.T, file []byte) []byte {
	t.Helper()
	var all []byte
	for at := 8; at+8 <= len(file); {
		size := int(binary.BigEndian.Uint32(file[at:]))
		if string(file[at+4:at+8]) == "zTXt" {
			_, packed, _ := bytes.Cut(file[at+8:][:size], []byte{0}) // its name
			z, err := zlib.NewReader(bytes.NewReader(packed[1:]))    // behind the method
			must(err)
			text, err := io.ReadAll(z)
			must(err)
			all = append(all, text...)
		}
		at += 12 + size
	}
	return all
}
