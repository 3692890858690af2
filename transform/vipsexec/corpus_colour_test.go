package vipsexec_test

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestRealPhotographsAgreeWithTheReference renders photographs with embedded profiles of a folder beside the repository,
// and compares with a decoder and a conversion of other makes. Through a resize, the reference is converted first.
func TestRealPhotographsAgreeWithTheReference(t *testing.T) {
	const folder = "../../../shared/corpus/color"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("there is no folder shared/corpus beside the repository")
	}
	e := newEngine(t)
	for _, name := range []string{"adobergb-kodim04.jpg", "displayp3-kodim04.jpg"} {
		src, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := vips.NewImageFromBuffer(src)
		if err != nil {
			t.Fatal(err)
		}
		profile := opened.GetICCProfile()
		opened.Close()
		stored, err := jpeg.Decode(bytes.NewReader(src))
		if err != nil {
			t.Fatal(err)
		}
		reference, err := transformtest.ThroughProfile(profile, stored)
		if err != nil {
			t.Fatal(err)
		}
		for _, chain := range []string{"w-200,h-200,cm-extract", "w-200", "w-100,h-100"} {
			got := seen(t, e, src, chain)
			want := seen(t, e, transformtest.PNG(reference), chain)
			mean := transformtest.MeanCIEDE2000(got, want)
			t.Logf("%s %s: mean ΔE2000 %.2f", name, chain, mean)
			if mean >= 1 {
				t.Errorf("%s %s: mean ΔE2000 %.2f from the reference, want less than 1", name, chain, mean)
			}
		}
		if naive := transformtest.MeanCIEDE2000(seen(t, e, transformtest.PNG(stored), "w-100"), seen(t, e, transformtest.PNG(reference), "w-100")); naive < 1 {
			t.Errorf("%s: without its profile it is %.2f from the reference; the picture proves nothing", name, naive)
		}
	}
}
