package vipsexec_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// orientationChains take every way through a plan on which the turn to upright may stand in another place.
var orientationChains = []string{
	"q-95", "w-80", "h-35", "w-50,h-50", "w-31,h-77,c-force", "w-70,h-70,c-at_max", "w-70,h-70,c-at_least", "w-300",
	"w-50,h-50,fo-top_left", "w-50,h-30,fo-bottom", "w-50,h-50,fo-auto",
	"w-60,h-40,cm-extract", "w-60,h-40,cm-extract,x-20,y-33", "w-60,h-40,cm-extract,xc-50,yc-40", "w-60,h-40,cm-extract,fo-right",
	"w-60,h-40,cm-extract,x-7,y-51:w-35", "w-100:w-60,h-40,cm-extract,x-20,y-13", "w-100:w-80,h-80,cm-pad_resize,bg-FF8800", "w-200,h-200,cm-pad_extract",
	"rt-90", "rt-180,w-60", "rt-30,bg-112233", "w-60:rt-N90", "fl-h", "fl-v,w-59", "fl-h_v:w-40", "w-0.5,ar-1-1",
	"w-60,r-20", "w-60,b-5_FF0000", "w-60,e-grayscale", "w-60,bl-3", "w-60,e-contrast", "w-60,e-sharpen", "w-60,o-50,bg-white",
}

// TestAllOrientationsAreSeenUpright goes through chains with each of the eight orientations in files of each kind that has
// one, and compares with the upright picture.
func TestAllOrientationsAreSeenUpright(t *testing.T) {
	e := newEngine(t)
	files := []struct {
		name    string
		file    func(stored *image.NRGBA, orientation int) []byte
		upright *image.NRGBA
		mean    float64 // ΔE that the encoding itself and another phase of the resize cost
	}{
		{"jpeg", func(s *image.NRGBA, o int) []byte { return transformtest.WithOrientation(transformtest.JPEG(s), o) }, soft(160, 112), 1},
		{"png", func(s *image.NRGBA, o int) []byte { return withEXIF(transformtest.PNG(s), o) }, soft(151, 103), 0.6},
		{"tiff", tiffOf, soft(151, 103), 0.6},
		{"webp", func(s *image.NRGBA, o int) []byte { return webpOf(t, e, s, o) }, soft(151, 103), 0.6},
	}
	for i, f := range files {
		stored := [9][]byte{1: f.file(f.upright, 1)}
		for o := 2; o <= 8; o++ {
			stored[o] = f.file(transformtest.Stored(f.upright, o), o)
		}
		for j, chain := range orientationChains {
			if i > 1 && (i+j)%3 > 0 {
				continue // decoded, they are like PNG: each takes a third
			}
			t.Run(f.name+" "+chain, func(t *testing.T) {
				want := seen(t, e, stored[1], chain)
				for o := 2; o <= 8; o++ {
					got := seen(t, e, stored[o], chain)
					if d := transformtest.Compare(got, want); d.Mean > f.mean || d.Worst > 6 {
						t.Errorf("orientation %d: %v from the upright picture", o, d)
					}
				}
			})
		}
	}
	t.Run("jpeg that is decoded smaller", func(t *testing.T) {
		large := soft(643, 429)
		upright := transformtest.JPEG(large)
		chains := []string{"w-300", "w-150", "w-75", "w-75,h-75", "w-75,h-75,fo-top_right", "w-75:w-35,h-30,cm-extract,x-11,y-17"}
		for o := 1; o <= 8; o++ {
			src := transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(large, o)), o)
			for _, chain := range chains {
				if d := transformtest.Compare(seen(t, e, src, chain), seen(t, e, upright, chain)); d.Mean > 1 || d.Worst > 6 {
					t.Errorf("%s, orientation %d: %v from the upright picture", chain, o, d)
				}
			}
		}
	})
}

// TestContainersThatTurnArePreferred renders HEIC and AVIF, whose containers say how they are turned: EXIF beside that is
// void.
func TestContainersThatTurnArePreferred(t *testing.T) {
	e := newEngine(t)
	plain := transformtest.File("still.heic") // Picture(48, 32)
	want := transformtest.Picture(48, 32)
	const lossy = 7 // small files of low quality
	for _, chain := range []string{"q-95", "w-24", "w-20,h-20", "w-20,h-10,cm-extract,x-3,y-5"} {
		expected := seen(t, e, transformtest.PNG(want), chain)
		if d := transformtest.Compare(seen(t, e, plain, chain), expected); d.Mean > lossy {
			t.Errorf("%s: %v from the picture", chain, d)
		}
		if d := transformtest.Compare(seen(t, e, transformtest.File("exif.heic"), chain), expected); d.Mean > lossy {
			t.Errorf("%s: EXIF turned it: %v", chain, d)
		}
		// 90° clockwise on a screen: what orientation 6 says.
		turned := seen(t, e, transformtest.WithOrientation(transformtest.JPEG(want), 6), chain)
		if d := transformtest.Compare(expected, turned); d.Mean < 2*lossy {
			t.Errorf("%s: turned and not are no more than %v from each other", chain, d)
		}
		if d := transformtest.Compare(seen(t, e, transformtest.File("rotated.heic"), chain), turned); d.Mean > lossy {
			t.Errorf("%s: the container's turn: %v", chain, d)
		}
	}
}

// TestRealOrientationsAreSeenUpright is the same for the photographs of a folder beside the repository.
func TestRealOrientationsAreSeenUpright(t *testing.T) {
	const folder = "../../../shared/corpus/exif"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("there is no folder shared/corpus beside the repository")
	}
	e := newEngine(t)
	for _, chain := range []string{"w-300", "w-200,h-200", "w-200,h-120,cm-extract,x-50,y-60"} {
		var want image.Image
		for o := 1; o <= 8; o++ {
			src, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("small-%d.jpg", o)))
			if err != nil {
				t.Fatal(err)
			}
			got := seen(t, e, src, chain)
			if o == 1 {
				want = got
			}
			// The files were encoded one by one, and each has its number written on it.
			if d := transformtest.Compare(got, want); d.Mean > 6 {
				t.Errorf("%s, orientation %d: %v from the upright picture", chain, o, d)
			}
		}
	}
}

// seen returns what a chain makes of a picture, lossless.
func seen(t *testing.T, e transform.Engine, src []byte, chain string) image.Image {
	t.Helper()
	p, err := resolveFor(t, e, src, chain, plan.PNG)
	if err != nil {
		t.Fatal(err)
	}
	p.Output = plan.Output{Format: plan.PNG}
	return decodePNG(t, render(t, e, src, p).Bytes)
}

// soft returns a picture without sharp edges, in which a pixel more or less to a side shows little, and a wrong side much.
func soft(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			fx, fy := float64(x)/float64(width), float64(y)/float64(height)
			spot := math.Exp(-60 * ((fx-0.7)*(fx-0.7) + (fy-0.3)*(fy-0.3))) // draws the eye, in one corner of the middle
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(40 + 190*max(fx, spot)), G: uint8((50 + 170*fy) * (1 - spot)), B: uint8((230 - 200*fx*fy) * (1 - spot)), A: 255})
		}
	}
	return img
}

// exifOf returns EXIF with nothing but an orientation.
func exifOf(o int) []byte {
	return []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(o)) + "\x00\x00\x00\x00\x00\x00")
}

// withEXIF returns the PNG with an eXIf chunk.
func withEXIF(file []byte, o int) []byte {
	const header = 8 + 25
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exifOf(o))))
	chunk = append(chunk, "eXIf"+string(exifOf(o))...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return bytes.Join([][]byte{file[:header], chunk, file[header:]}, nil)
}

// webpOf encodes a WebP with an EXIF chunk.
func webpOf(t *testing.T, e transform.Engine, img *image.NRGBA, o int) []byte {
	t.Helper()
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	file := render(t, e, transformtest.PNG(img), plan.Plan{
		Load: plan.Load{Format: plan.PNG}, Ops: []plan.Op{plan.Colour{}}, Output: plan.Output{Format: plan.WebP, Lossless: true}, Width: w, Height: h, Frames: 1,
	}).Bytes
	exif := exifOf(o)
	body := []byte("WEBPVP8X\x0a\x00\x00\x00\x08\x00\x00\x00")
	body = append(body, byte(w-1), byte((w-1)>>8), 0, byte(h-1), byte((h-1)>>8), 0)
	body = append(body, file[12:]...)
	body = append(body, "EXIF"...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(exif)))
	body = append(body, exif...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// tiffOf returns an uncompressed TIFF with an orientation.
func tiffOf(img *image.NRGBA, o int) []byte {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	file := []byte("MM\x00*\x00\x00\x00\x00")
	for i := 0; i < len(img.Pix); i += 4 {
		file = append(file, img.Pix[i:i+3]...)
	}
	file = append(file, make([]byte, len(file)&1)...)
	depths := len(file)
	file = append(file, 0, 8, 0, 8, 0, 8)
	binary.BigEndian.PutUint32(file[4:], uint32(len(file)))
	const short, long = 3, 4
	entries := [][4]int{
		{256, long, 1, w},
		{257, long, 1, h},
		{258, short, 3, depths},
		{259, short, 1, 1 << 16},
		{262, short, 1, 2 << 16},
		{273, long, 1, 8},
		{274, short, 1, o << 16},
		{277, short, 1, 3 << 16},
		{278, long, 1, h},
		{279, long, 1, 3 * w * h},
	}
	file = binary.BigEndian.AppendUint16(file, uint16(len(entries)))
	for _, entry := range entries {
		file = binary.BigEndian.AppendUint16(file, uint16(entry[0]))
		file = binary.BigEndian.AppendUint16(file, uint16(entry[1]))
		file = binary.BigEndian.AppendUint32(file, uint32(entry[2]))
		file = binary.BigEndian.AppendUint32(file, uint32(entry[3]))
	}
	return append(file, 0, 0, 0, 0)
}
