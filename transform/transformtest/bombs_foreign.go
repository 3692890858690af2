package transformtest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// foreignBombs are files of formats that are not read at all, and those that are two things at once.
func foreignBombs() []Bomb {
	refused := func(number int, name string, build func() []byte) Bomb {
		return Bomb{Number: number, Name: name, Format: plan.Unknown, Bytes: build, Want: []Outcome{unsupported}}
	}
	text := func(s string) func() []byte { return func() []byte { return []byte(s) } }
	return []Bomb{
		refused(21, "jpeg 2000: 4,294,967,295 a side in tiles of one pixel", func() []byte {
			size := slices.Concat(be16(nil, 0), be32(nil, 1<<32-1, 1<<32-1, 0, 0, 1, 1, 0, 0), be16(nil, 3), []byte{7, 1, 1, 7, 1, 1, 7, 1, 1})
			stream := slices.Concat([]byte{0xff, 0x4f, 0xff, 0x51}, be16(nil, 2+len(size)), size, []byte{0xff, 0xd9})
			return slices.Concat([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), isoBox("ftyp", []byte("jp2 \x00\x00\x00\x00jp2 ")), isoBox("jp2c", stream))
		}),
		refused(21, "ico: 255 entries of one picture", func() []byte {
			file := le16(nil, 0, 1, 255)
			picture := PNG(Picture(16, 16))
			for range 255 {
				file = le32(append(file, 16, 16, 0, 0, 1, 0, 32, 0), len(picture), 6+255*16)
			}
			return append(file, picture...)
		}),
		refused(25, "bmp: 17 bits a pixel", func() []byte {
			return slices.Concat([]byte("BM"), le32(nil, 1000, 0, 54, 40, 10, 10), le16(nil, 1, 17), make([]byte, 900))
		}),
		refused(24, "imagemagick: a drawing that reads a file", text("push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 '/etc/passwd'\npop graphic-context")),
		refused(24, "imagemagick: a script", text(`<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/a.php"/></image>`)),
		refused(24, "postscript", text("%!PS-Adobe-3.0 EPSF-3.0\n{ (/etc/passwd) (r) file } loop")),
		refused(24, "matlab", text("MATLAB 5.0 MAT-file, Platform: none"+strings.Repeat(" ", 100))),
		refused(24, "fits", text("SIMPLE  =                    T"+strings.Repeat(" ", 100))),
		refused(24, "openexr", text("v/1\x01\x02\x00\x00\x00"+strings.Repeat("\x00", 100))),
		refused(24, "vips' own", text("\xb6\xa6\xf2\x08"+strings.Repeat("\xff", 100))),
		refused(24, "csv", text("1,2,3\n4,5,6\n")),
		refused(24, "ppm of 2,000,000,000 a side", text("P6\n2000000000 2000000000\n255\n")),
		{
			Number: 24, Name: "pdf with a page of 10^9", Format: plan.PDF,
			Bytes: text("%PDF-1.4\n1 0 obj<</Type/Page/MediaBox[0 0 1000000000 1000000000]>>endobj"), Want: []Outcome{unsupported, broken},
		},
		refused(23, "html that shows a drawing", text("<!DOCTYPE html><html><svg xmlns='http://www.w3.org/2000/svg'/><script>alert(1)</script></html>")),
		refused(23, "a script that begins like a gif, but for a letter", text("GIF88a=1;alert(1)")),
		{Number: 23, Name: "a script that begins like a gif", Format: plan.GIF, Bytes: text("GIF89a/*" + strings.Repeat("x", 100) + "*/=1;alert(1)"), Want: []Outcome{broken, OverLimit}},
		{Number: 23, Name: "a gif with a script behind it", Format: plan.GIF, Bytes: func() []byte {
			return append(gifOf(1, 1, 1, gifPixel()), "</script><script>alert(1)</script>"...)
		}, Want: []Outcome{Served}, Pixels: 1},
		{Number: 23, Name: "a jpeg with a page in its comment", Format: plan.JPEG, Bytes: func() []byte {
			return WithSegment(JPEG(Picture(16, 16)), 0xfe, []byte("<html><script>alert(1)</script></html>"))
		}, Want: []Outcome{Served}, Pixels: 256},
		{Number: 23, Name: "a jpeg with an archive behind it", Format: plan.JPEG, Bytes: func() []byte {
			return slices.Concat(JPEG(Picture(16, 16)), []byte("PK\x03\x04"), bytes.Repeat([]byte{0}, 1000))
		}, Want: []Outcome{Served}, Pixels: 256},
	}
}
