package vipsexec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// colourful and colourless are small pictures, of which encoders make files with two tables and with one.
func colourful() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		img.Set(i%16, i/16, color.RGBA{R: uint8(i), G: uint8(3 * i), B: uint8(255 - i), A: 255})
	}
	return img
}

func colourless() image.Image {
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	return img
}

func encoded(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestQualityOfEveryEncodingIsFound(t *testing.T) {
	for quality := 1; quality <= 100; quality++ {
		for name, file := range map[string][]byte{
			"Go, in colours": encoded(t, colourful(), quality),
			"Go, grey":       encoded(t, colourless(), quality),
			"libvips":        saved(t, plan.Output{Format: plan.JPEG, Quality: quality}),
			"libvips, progressive, with a profile": saved(t,
				plan.Output{Format: plan.JPEG, Quality: quality, Progressive: true, KeepProfile: true, KeepMetadata: true}),
		} {
			if got := qualityOf(file); got != quality {
				t.Errorf("%s at %d: got %d", name, quality, got)
			}
		}
	}
}

// saved encodes a small picture as the engine does.
func saved(t *testing.T, o plan.Output) []byte {
	t.Helper()
	if err := start(); err != nil {
		t.Fatal(err)
	}
	pixels := make([]byte, 16*16*3)
	for i := range pixels {
		pixels[i] = byte(i * i)
	}
	img, err := vips.NewImageFromMemory(pixels, 16, 16, 3, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	file, err := save(img, o)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// withTables replaces the tables of a file; wide ones have 16 bits.
func withTables(file []byte, wide bool, change func(int) int) []byte {
	at := bytes.Index(file, []byte{0xff, markerQuantisation})
	size := int(binary.BigEndian.Uint16(file[at+2:]))
	var segment []byte
	for rest := file[at+4 : at+2+size]; len(rest) >= 65; rest = rest[65:] {
		number := rest[0]
		if wide {
			number |= 0x10
		}
		segment = append(segment, number)
		for _, v := range rest[1:65] {
			if wide {
				segment = binary.BigEndian.AppendUint16(segment, uint16(change(int(v))))
			} else {
				segment = append(segment, byte(change(int(v))))
			}
		}
	}
	head := binary.BigEndian.AppendUint16([]byte{0xff, markerQuantisation}, uint16(len(segment)+2))
	return bytes.Join([][]byte{file[:at], head, segment, file[at+2+size:]}, nil)
}

func TestQualityOfOtherTablesIsTheNearest(t *testing.T) {
	same := func(v int) int { return v }
	for _, tt := range []struct {
		name      string
		file      []byte
		low, high int
	}{
		{"a little finer", withTables(encoded(t, colourful(), 75), false, func(v int) int { return v - v/16 }), 75, 78},
		{"a little coarser", withTables(encoded(t, colourful(), 75), false, func(v int) int { return v + v/16 }), 73, 75},
		{"all alike and fine", withTables(encoded(t, colourful(), 50), false, func(int) int { return 1 }), 99, 100},
		{"all alike and coarse", withTables(encoded(t, colourful(), 50), false, func(int) int { return 255 }), 1, 4},
		{"16 bits", withTables(encoded(t, colourful(), 60), true, same), 60, 60},
		// 5000/10 hundredths of the table of quality 50, which is the standard one.
		{"16 bits, and more than 8 hold", withTables(encoded(t, colourful(), 50), true, func(v int) int { return 5 * v }), 10, 10},
		{"padding before a marker", bytes.Replace(encoded(t, colourful(), 60), []byte{0xff, markerQuantisation}, []byte{0xff, 0xff, 0xff, markerQuantisation}, 1), 60, 60},
	} {
		if got := qualityOf(tt.file); got < tt.low || got > tt.high {
			t.Errorf("%s: got %d, want %d to %d", tt.name, got, tt.low, tt.high)
		}
	}
}

func TestQualityOfHeadersThatDoNotTellIsUnknown(t *testing.T) {
	whole := encoded(t, colourful(), 70)
	for name, file := range map[string][]byte{
		"nothing":          nil,
		"a start alone":    whole[:2],
		"no tables":        bytes.Replace(whole, []byte{0xff, markerQuantisation}, []byte{0xff, 0xe5}, -1),
		"no frame":         bytes.Replace(whole, []byte{0xff, 0xc0}, []byte{0xff, 0xe5}, 1),
		"tables cut off":   whole[:bytes.Index(whole, []byte{0xff, markerQuantisation})+40],
		"another file":     []byte("GIF89a, and so on"),
		"bytes in between": bytes.Replace(whole, []byte{0xff, markerQuantisation}, []byte{0, 0xff, markerQuantisation}, 1),
	} {
		if got := qualityOf(file); got != 0 {
			t.Errorf("%s: got %d", name, got)
		}
	}
}

func FuzzQualityOf(f *testing.F) {
	for _, quality := range []int{1, 50, 100} {
		f.Add(encoded(f, colourful(), quality))
		f.Add(withTables(encoded(f, colourless(), quality), true, func(v int) int { return v * 7 }))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got := qualityOf(file)
		if got < 0 || got > 100 {
			t.Errorf("got %d", got)
		}
		if again := qualityOf(bytes.Clone(file)); again != got {
			t.Errorf("got %d, then %d", got, again)
		}
	})
}

func BenchmarkQualityOf(b *testing.B) {
	for _, quality := range []int{20, 80} {
		file := encoded(b, colourful(), quality)
		odd := withTables(file, false, func(v int) int { return 1 + v*9/10 })
		b.Run(fmt.Sprintf("standard, %d", quality), func(b *testing.B) {
			for b.Loop() {
				qualityOf(file)
			}
		})
		b.Run(fmt.Sprintf("odd, %d", quality), func(b *testing.B) {
			for b.Loop() {
				qualityOf(odd)
			}
		})
	}
}
