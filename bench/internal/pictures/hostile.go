package pictures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
)

// Hostile returns files that no good camera writes, by names that tell what they are: each of the pictures cut off and with
// bits turned over, and small files that claim to be, or become, large ones. The same ones each time.
func Hostile(pictures map[string][]byte) map[string][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	all := map[string][]byte{
		"empty.jpg":      nil,
		"text.png":       []byte("this is no picture\n"),
		"flood.png":      pngOf(60_000, 60_000, make([]byte, 1<<10)),
		"packed.png":     pngOf(9000, 9000, make([]byte, 9000*9001)),
		"comment.png":    withComment(20 << 20),
		"frames.gif":     manyFrames(3000),
		"canvas.gif":     hugeCanvas(),
		"nested.svg":     nestedUse(12),
		"entities.svg":   entities(9),
		"references.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="99" height="99"><image width="9" height="9" xlink:href="file:///etc/passwd"/></svg>`),
	}
	var names []string
	for name := range pictures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		content := pictures[name]
		for i, share := range []float64{0.02, 0.3, 0.9} {
			all[fmt.Sprintf("cut-%d-%s", i, name)] = content[:int(share*float64(len(content)))]
		}
		for i := range 3 {
			turned := slices.Clone(content)
			for range 1 + len(turned)/2000 {
				turned[random.IntN(len(turned))] ^= 1 << random.IntN(8)
			}
			all[fmt.Sprintf("turned-%d-%s", i, name)] = turned
		}
	}
	return all
}

// chunk is a part of a PNG (PNG 3rd edition, 5.3).
func chunk(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, kind...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func packed(content []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(content) // to memory
	_ = w.Close()
	return b.Bytes()
}

// pngOf is a grey picture that claims a size, with these rows.
func pngOf(width, height uint32, rows []byte) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 8, 0, 0, 0, 0)), chunk("IDAT", packed(rows)), chunk("IEND", nil))
}

// withComment is a small picture with a compressed text that is so long once it is unpacked.
func withComment(size int) []byte {
	small := pngOf(8, 8, make([]byte, 8*9))
	const header = 8 + 12 + 13
	text := chunk("zTXt", slices.Concat([]byte("Comment\x00\x00"), packed(make([]byte, size))))
	return slices.Concat(small[:header], text, small[header:])
}

// A GIF's screen and one frame of 1 x 1, of two colours (GIF89a, 18 to 22).
const (
	gifScreen = "GIF89a\x10\x00\x10\x00\x80\x00\x00\xff\x00\x00\x00\x00\xff"
	gifFrame  = "\x21\xf9\x04\x00\x02\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
)

func manyFrames(n int) []byte { return []byte(gifScreen + strings.Repeat(gifFrame, n) + ";") }

// hugeCanvas is 65,535 pixels wide and high, by two frames of one pixel.
func hugeCanvas() []byte {
	return []byte(strings.Replace(gifScreen, "\x10\x00\x10\x00", "\xff\xff\xff\xff", 1) + gifFrame + gifFrame + ";")
}

// nestedUse draws a circle ten times, that ten times, and so on.
func nestedUse(depth int) []byte {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="99" height="99"><defs><circle id="a0" r="5"/>`)
	for i := 1; i <= depth; i++ {
		fmt.Fprintf(&b, `<g id="a%d">%s</g>`, i, strings.Repeat(fmt.Sprintf(`<use xlink:href="#a%d"/>`, i-1), 10))
	}
	fmt.Fprintf(&b, `</defs><use xlink:href="#a%d"/></svg>`, depth)
	return []byte(b.String())
}

// entities is a text that becomes ten times as long, again and again.
func entities(depth int) []byte {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE svg [<!ENTITY e0 "laughter ">`)
	for i := 1; i <= depth; i++ {
		fmt.Fprintf(&b, `<!ENTITY e%d "%s">`, i, strings.Repeat(fmt.Sprintf("&e%d;", i-1), 10))
	}
	fmt.Fprintf(&b, `]><svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text>&e%d;</text></svg>`, depth)
	return []byte(b.String())
}
