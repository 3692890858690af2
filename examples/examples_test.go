// Package examples_test checks the committed example files with the standard library alone, so that it runs where libvips is missing.
package examples_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"image"
	"image/color"
	"image/gif"
	_ "image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// files returns the paths of all files below a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = append(found, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExamplesStaySmall(t *testing.T) {
	const all, one = 3_000_000, 1_200_000
	total := 0
	for _, name := range slices.Concat(files(t, "library"), files(t, "legacy")) {
		size := len(read(t, name))
		if size > one {
			t.Errorf("%s has %d bytes, want at most %d", name, size, one)
		}
		total += size
	}
	if total > all {
		t.Errorf("the examples have %d bytes, want at most %d", total, all)
	}
}

func TestEveryRasterFormatIsThereInItsSize(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sizeOf func(t *testing.T, data []byte) (w, h int)
		w, h   int
	}{
		{"library/landscape.jpg", sizeByDecoder("jpeg"), 4000, 2667},
		{"library/portrait.jpg", sizeByDecoder("jpeg"), 2400, 3600},
		{"library/print-cmyk.jpg", sizeByDecoder("jpeg"), 1200, 800},
		{"library/display-p3.jpg", sizeByDecoder("jpeg"), 1200, 1200},
		{"library/rotated.jpg", sizeByDecoder("jpeg"), 1600, 1067},
		{"library/balloon.png", sizeByDecoder("png"), 600, 800},
		{"library/waves.gif", sizeByDecoder("gif"), 480, 320},
		{"library/still-life.webp", webpSize, 1600, 1067},
		{"library/aurora.avif", avifSize, 1600, 1000},
		{"legacy/archive/harbour.jpg", sizeByDecoder("jpeg"), 1500, 1000},
		{"legacy/archive/lighthouse.jpg", sizeByDecoder("jpeg"), 800, 1200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if w, h := tt.sizeOf(t, read(t, tt.name)); w != tt.w || h != tt.h {
				t.Errorf("got %d × %d, want %d × %d", w, h, tt.w, tt.h)
			}
		})
	}
}

func sizeByDecoder(want string) func(*testing.T, []byte) (int, int) {
	return func(t *testing.T, data []byte) (int, int) {
		config, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || format != want {
			t.Fatalf("got format %q, error %v, want %q", format, err, want)
		}
		return config.Width, config.Height
	}
}

// webpSize reads the canvas size of an extended WebP, which is what libvips writes.
func webpSize(t *testing.T, data []byte) (int, int) {
	if string(data[:4]) != "RIFF" || string(data[8:16]) != "WEBPVP8X" {
		t.Fatalf("the file begins with %q, not as an extended WebP", data[:16])
	}
	// Two numbers of 24 bits, each one less than the side.
	return int(binary.LittleEndian.Uint32(data[24:])&0xffffff) + 1, int(binary.LittleEndian.Uint32(data[26:])>>8) + 1
}

// avifSize reads the first image spatial extents property.
func avifSize(t *testing.T, data []byte) (int, int) {
	if string(data[4:12]) != "ftypavif" {
		t.Fatalf("the file begins with %q, not as an AVIF", data[:12])
	}
	_, extents, found := bytes.Cut(data, []byte("ispe"))
	if !found {
		t.Fatal("no extents")
	}
	return int(binary.BigEndian.Uint32(extents[4:])), int(binary.BigEndian.Uint32(extents[8:]))
}

func TestNamesHoldTheCharactersThatURLsFindHard(t *testing.T) {
	// The accent is one character, U+00E9: the composed form.
	want := []string{"100%.jpg", "caf\u00e9.jpg", "one+one.jpg", "summer night.jpg", "\u5c71.jpg"}
	var got []string
	for _, name := range files(t, "library/names") {
		got = append(got, path.Base(name))
		if w, h := sizeByDecoder("jpeg")(t, read(t, name)); w != 600 || h != 400 {
			t.Errorf("%s: got %d × %d, want 600 × 400", name, w, h)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBalloonIsClearSoftAndOpaque(t *testing.T) {
	img, err := png.Decode(bytes.NewReader(read(t, "library/balloon.png")))
	if err != nil {
		t.Fatal(err)
	}
	var clear, soft, opaque int
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			switch _, _, _, a := img.At(x, y).RGBA(); a {
			case 0:
				clear++
			case 0xffff:
				opaque++
			default:
				soft++
			}
		}
	}
	if least := 10_000; clear < least || soft < least || opaque < least {
		t.Errorf("got %d clear, %d soft and %d opaque pixels, want at least %d each", clear, soft, opaque, least)
	}
}

func TestWavesRollForEver(t *testing.T) {
	waves, err := gif.DecodeAll(bytes.NewReader(read(t, "library/waves.gif")))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(waves.Image); n < 12 || n > 24 {
		t.Errorf("got %d frames, want 12 to 24", n)
	}
	if waves.LoopCount != 0 {
		t.Errorf("got loop count %d, want 0, which is endless", waves.LoopCount)
	}
	if bytes.Equal(waves.Image[0].Pix, waves.Image[len(waves.Image)/2].Pix) {
		t.Error("nothing moves in the first half of the loop")
	}
}

func TestBadgeScales(t *testing.T) {
	var badge struct {
		XMLName xml.Name
		ViewBox string `xml:"viewBox,attr"`
	}
	if err := xml.Unmarshal(read(t, "library/badge.svg"), &badge); err != nil {
		t.Fatal(err)
	}
	if want := (xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}); badge.XMLName != want || badge.ViewBox != "0 0 512 512" {
		t.Errorf("got %v with viewBox %q, want %v with 0 0 512 512", badge.XMLName, badge.ViewBox, want)
	}
}

func TestRotatedSaysSo(t *testing.T) {
	exif := segment(t, "library/rotated.jpg", "Exif\x00\x00")
	if string(exif[:4]) != "II*\x00" {
		t.Fatalf("the EXIF data begins with %q", exif[:4])
	}
	directory := exif[binary.LittleEndian.Uint32(exif[4:]):]
	for i := range int(binary.LittleEndian.Uint16(directory)) {
		entry := directory[2+12*i:]
		if binary.LittleEndian.Uint16(entry) != 0x0112 {
			continue
		}
		if got := binary.LittleEndian.Uint16(entry[8:]); got != 6 {
			t.Errorf("got orientation %d, want 6", got)
		}
		return
	}
	t.Error("no orientation")
}

func TestProfilesAreEmbedded(t *testing.T) {
	for _, tt := range []struct{ name, space string }{
		{"library/print-cmyk.jpg", "CMYK"},
		{"library/display-p3.jpg", "RGB "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			profile := segment(t, tt.name, "ICC_PROFILE\x00\x01\x01")
			if got := int(binary.BigEndian.Uint32(profile)); got != len(profile) {
				t.Errorf("the profile claims %d bytes and has %d", got, len(profile))
			}
			if got := string(profile[16:20]); got != tt.space {
				t.Errorf("got a profile for %q, want %q", got, tt.space)
			}
			if got := string(profile[36:40]); got != "acsp" {
				t.Errorf("got signature %q, want acsp", got)
			}
		})
	}
}

// segment returns what follows the label in the application segment that begins with it.
func segment(t *testing.T, name, label string) []byte {
	t.Helper()
	data := read(t, name)
	for at := 2; at+4 < len(data) && data[at] == 0xff && data[at+1] != 0xda; {
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if body, found := bytes.CutPrefix(data[at+4:end], []byte(label)); found {
			return body
		}
		at = end
	}
	t.Fatalf("%s has no segment %q", name, label)
	return nil
}

func TestPrintIsInFourInks(t *testing.T) {
	config, _, err := image.DecodeConfig(bytes.NewReader(read(t, "library/print-cmyk.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	if config.ColorModel != color.CMYKModel {
		t.Errorf("got colour model %v, want CMYK", config.ColorModel)
	}
}

func TestDahliaLeavesSRGB(t *testing.T) {
	img, _, err := image.Decode(bytes.NewReader(read(t, "library/display-p3.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	outside, all := 0, 0
	for y := 0; y < img.Bounds().Dy(); y += 7 {
		for x := 0; x < img.Bounds().Dx(); x += 7 {
			r, g, b, _ := img.At(x, y).RGBA()
			all++
			// Squares come close enough to the curve. What would need less than no red or no green light is outside.
			red, green, blue := square(r), square(g), square(b)
			if 1.2249*red-0.2247*green < -0.02 || -0.0420*red+1.0419*green < -0.02 || -0.0197*red-0.0786*green+1.0979*blue < -0.02 {
				outside++
			}
		}
	}
	if outside*5 < all {
		t.Errorf("%d of %d pixels lie outside sRGB, want at least a fifth", outside, all)
	}
}

func square(channel uint32) float64 {
	x := float64(channel) / 0xffff
	return x * x
}

func TestLegacyPicturesExistThereOnly(t *testing.T) {
	pictures := 0
	for _, name := range files(t, "legacy") {
		key := strings.TrimPrefix(name, "legacy/")
		if _, err := os.Stat(filepath.Join("library", key)); err == nil {
			t.Errorf("%s is in the library as well, so it would never be asked of the legacy site", key)
		}
		if path.Ext(key) == ".jpg" {
			pictures++
		}
	}
	if pictures < 2 {
		t.Errorf("got %d pictures, want at least 2", pictures)
	}
}

func TestLegacyPageShowsWhatIsThere(t *testing.T) {
	sources := regexp.MustCompile(`src="([^"]+)"`).FindAllSubmatch(read(t, "legacy/index.html"), -1)
	if len(sources) == 0 {
		t.Error("the page shows no picture")
	}
	for _, source := range sources {
		read(t, "legacy/"+string(source[1]))
	}
}

func TestReadmeTellsOfEveryFile(t *testing.T) {
	readme := string(read(t, "README.md"))
	for _, name := range slices.Concat(files(t, "library"), files(t, "legacy")) {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not mention `%s`", name)
		}
	}
}
