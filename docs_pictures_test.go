//go:build cgo

package imageorigin_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

var update = flag.Bool("update", false, "paint the pictures of docs/pictures anew; look at each before committing it, then run go test ./transform/syntax -update")

const (
	picturesDir = "docs/pictures"
	sampleFile  = picturesDir + "/sample.jpg" // what the examples of the parameters are done to
	landscape   = "examples/library/landscape.jpg"

	maxPictureBytes = 12 << 10
	maxPictureSide  = 400
	maxAllPictures  = 600 << 10
)

// originals are what the examples of some parameters are done to in place of the sample.
var originals = map[string]string{"pg": "examples/library/waves.gif"}

// names are what the names in examples stand for.
var names = map[string]string{"thumbnail": "w-160,h-160,fo-auto"}

// TestPicturesOfThePagesAreWhatTheExamplesMake renders the example of each parameter as a server does and compares the
// result with the picture that docs/transformations.md shows.
func TestPicturesOfThePagesAreWhatTheExamplesMake(t *testing.T) {
	p := newPainter(t)
	wanted := []string{filepath.Base(sampleFile)}
	sample := p.paint(t, read(t, landscape), "w-640,f-jpg", plan.JPEG)
	p.keep(t, filepath.Base(sampleFile), sample)

	original := read(t, sampleFile)
	left := 0 // rows that -run did not choose
	for _, row := range syntax.Parameters() {
		if row.Missing != "" {
			continue
		}
		left++
		t.Run(row.Name, func(t *testing.T) {
			left--
			source := original
			if other := originals[row.Name]; other != "" {
				source = read(t, other)
			}
			got := p.paint(t, source, row.Example, plan.WebP)
			if got == nil {
				return // the sample itself
			}
			wanted = append(wanted, row.Name+".webp")
			p.keep(t, row.Name+".webp", got)
		})
	}
	if left == 0 {
		checkPictureFiles(t, wanted)
	}
}

// painter renders pictures.
type painter struct{ engine *vipsexec.Engine }

func newPainter(t *testing.T) painter {
	t.Helper()
	e, err := vipsexec.New(vipsexec.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if !e.Writable().Has(plan.WebP) {
		t.Skip("this libvips writes no WebP, which the pictures are")
	}
	return painter{e}
}

// paint does chain to a picture and sends it in the format f; nil where the chain asks for the original's bytes.
func (p painter) paint(t *testing.T, original []byte, chain string, f plan.Format) *transform.Image {
	t.Helper()
	text := strings.TrimPrefix(chain+":f-"+f.String(), ":")
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	named := map[string]syntax.Chain{}
	for name, chain := range names {
		if named[name], err = syntax.Parse(chain); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = syntax.Expand(c, named); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	made, err := transformtest.Resolve(t, p.engine, original, c, plan.Hints{Quality: 75}, plan.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if made.Original {
		return nil
	}
	return p.render(t, original, made)
}

func (p painter) render(t *testing.T, original []byte, made plan.Plan) *transform.Image {
	t.Helper()
	img, err := p.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: original}}, made)
	if err != nil {
		t.Fatalf("%v\n%v", err, made)
	}
	return img
}

// keep compares a picture with the one in picturesDir, which -update replaces. Other versions of the libraries encode
// a little differently; nobody sees it.
func (p painter) keep(t *testing.T, name string, got *transform.Image) {
	t.Helper()
	file := filepath.Join(picturesDir, name)
	if name != filepath.Base(sampleFile) && (max(got.Width, got.Height) > maxPictureSide || len(got.Bytes) > maxPictureBytes) {
		t.Errorf("%s: %dx%d and %d bytes are too much for a page; %d pixels a side and %d bytes are allowed", file, got.Width, got.Height, len(got.Bytes), maxPictureSide, maxPictureBytes)
	}
	if *update {
		if err := os.MkdirAll(picturesDir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got.Bytes, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept := read(t, file)
	source, err := p.engine.Probe(t.Context(), transform.Original{Bytes: kept})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	was := &transform.Image{Bytes: kept, Format: source.Format, Width: source.Width, Height: source.Height}
	if d := transformtest.Compare(p.pixels(t, got), p.pixels(t, was)); d.Mean > 1 || d.Worst > 6 {
		t.Errorf("%v from %s, which is %dx%d; the example makes %dx%d. go test -run Pictures -update . paints it anew", d, file, was.Width, was.Height, got.Width, got.Height)
	}
}

// pixels decodes an encoded picture.
func (p painter) pixels(t *testing.T, img *transform.Image) image.Image {
	t.Helper()
	out := p.render(t, img.Bytes, plan.Plan{
		Load: plan.Load{Format: img.Format, Shrink: 1, Scale: 1, Frames: 1}, Ops: []plan.Op{plan.Colour{}},
		Output: plan.Output{Format: plan.PNG}, Width: img.Width, Height: img.Height, Frames: 1,
	})
	decoded, err := png.Decode(bytes.NewReader(out.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// checkPictureFiles checks that picturesDir holds what is wanted and nothing else.
func checkPictureFiles(t *testing.T, wanted []string) {
	t.Helper()
	entries, err := os.ReadDir(picturesDir)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
		if slices.Contains(wanted, entry.Name()) {
			continue
		}
		if !*update {
			t.Errorf("%s/%s belongs to no example; go test -run Pictures -update . removes it", picturesDir, entry.Name())
		} else if err := os.Remove(filepath.Join(picturesDir, entry.Name())); err != nil {
			t.Error(err)
		}
	}
	if sum > maxAllPictures {
		t.Errorf("all pictures have %d bytes, at most %d are allowed", sum, maxAllPictures)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		hint := ""
		if _, missing := err.(*fs.PathError); missing {
			hint = fmt.Sprintf("; go test -run Pictures -update . paints those of %s", picturesDir)
		}
		t.Fatalf("%v%s", err, hint)
	}
	return data
}
