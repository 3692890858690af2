package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestEveryExamplePictureIsTransformed asks for each picture of the sample library, whatever its format, colour space,
// orientation and name, at one width and in one format.
func TestEveryExamplePictureIsTransformed(t *testing.T) {
	library, err := filepath.Abs("../examples/library")
	if err != nil {
		t.Fatal(err)
	}
	base := serve(t, library, "")
	pictures := 0
	err = filepath.WalkDir(library, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) == ".txt" {
			return err
		}
		name, err := filepath.Rel(library, path)
		if err != nil {
			return err
		}
		pictures++
		t.Run(name, func(t *testing.T) {
			body := get(t, base+"/tr:w-120,h-80,f-jpg/"+(&url.URL{Path: filepath.ToSlash(name)}).EscapedPath())
			width, height, format, err := measure(body)
			if err != nil || width != 120 || height != 80 || format != "jpeg" {
				t.Errorf("got %s %dx%d, %v; want jpeg 120x80", format, width, height, err)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pictures < 12 {
		t.Errorf("the library has %d pictures, want at least 12", pictures)
	}
}
