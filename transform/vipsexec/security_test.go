package vipsexec_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// classOf returns the allowed class that an operation belongs to.
func classOf(operation string, allowed []string) string {
	for _, class := range allowed {
		for _, form := range []string{"", "File", "Buffer", "Source", "Target", "Mime"} {
			if operation == class+form {
				return class
			}
		}
	}
	// AVIF is a saver of its own class below HEIF's.
	if operation == "VipsForeignSaveAvifTarget" {
		return "VipsForeignSaveHeif"
	}
	return ""
}

func TestOnlyAllowedLoadersAndSaversAreOpen(t *testing.T) {
	newReader(t)
	loading, saving, err := vipsexec.OpenOperations()
	if err != nil {
		t.Fatal(err)
	}
	loaders, savers := vipsexec.Allowed()
	for _, tt := range []struct {
		what          string
		open, allowed []string
	}{{"loader", loading, loaders}, {"saver", saving, savers}} {
		seen := map[string]bool{}
		for _, operation := range tt.open {
			class := classOf(operation, tt.allowed)
			if class == "" {
				t.Errorf("%s %s is open and not allowed", tt.what, operation)
			}
			seen[class] = true
		}
		for _, class := range tt.allowed {
			if !seen[class] {
				t.Errorf("%s %s is allowed and not open", tt.what, class)
			}
		}
	}
}

// Whatever gets past our own look at the first bytes meets closed doors in libvips.
func TestBlockedFormatsAreRefusedByLibvips(t *testing.T) {
	newEngine(t)
	// Decoders leave messages behind where nothing failed, and libvips has room for so many. A failure takes them away.
	if img, err := vips.NewImageFromBuffer([]byte("\x89PNG\r\n\x1a\nbroken, on purpose")); err == nil {
		img.Close()
		t.Fatal("a broken file was opened")
	}
	bmp := append([]byte("BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x18\x00"), make([]byte, 28)...)
	for _, tt := range []struct {
		name  string
		bytes []byte
	}{
		{"bmp", bmp},
		{"ico", append([]byte("\x00\x00\x01\x00\x01\x00\x01\x01\x00\x00\x01\x00\x18\x00\x30\x00\x00\x00\x16\x00\x00\x00"), make([]byte, 64)...)},
		{"psd", append([]byte("8BPS\x00\x01"), make([]byte, 64)...)},
		{"pdf", []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>")},
		{"jpeg 2000", append([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), make([]byte, 64)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img, err := vips.NewImageFromBuffer(tt.bytes)
			if err == nil {
				img.Close()
				t.Fatal("it was opened")
			}
			if text := err.Error(); !strings.Contains(text, "blocked") && !strings.Contains(text, "unsupported") {
				line, _, _ := strings.Cut(text, "\n")
				t.Errorf("the decoder was reached: %s", line)
			}
		})
	}
	img, err := vips.NewImageFromBuffer(transformtest.PNG(transformtest.Picture(8, 8)))
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	for name, save := range map[string]func() ([]byte, *vips.ImageMetadata, error){
		"tiff":      func() ([]byte, *vips.ImageMetadata, error) { return img.ExportTiff(nil) },
		"jpeg 2000": func() ([]byte, *vips.ImageMetadata, error) { return img.ExportJp2k(nil) },
		"magick":    func() ([]byte, *vips.ImageMetadata, error) { return img.ExportMagick(nil) },
	} {
		if _, _, err := save(); err == nil || !strings.Contains(err.Error(), "blocked") {
			t.Errorf("saving %s: %v, want it blocked", name, err)
		}
	}
}

func TestDocsListWhatIsAllowed(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	loaders, savers := vipsexec.Allowed()
	allowed := slices.Concat(loaders, savers)
	for _, class := range allowed {
		if !bytes.Contains(page, []byte("`"+class+"`")) {
			t.Errorf("docs/formats.md doesn't list %s", class)
		}
	}
	for _, word := range strings.FieldsFunc(string(page), func(r rune) bool { return strings.ContainsRune("`|, \n()", r) }) {
		if (strings.HasPrefix(word, "VipsForeignLoad") || strings.HasPrefix(word, "VipsForeignSave")) && !slices.Contains(allowed, word) {
			t.Errorf("docs/formats.md lists %s, which isn't allowed", word)
		}
	}
}
