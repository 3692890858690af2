package vipsexec

import (
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestEveryFormatHasALoader(t *testing.T) {
	var used []string
	for _, f := range plan.AllFormats.Formats() {
		if !slices.Contains(loaders, loaderOf[f]) {
			t.Errorf("%v is decoded by %q, which is none of the loaders that may be open", f, loaderOf[f])
		}
		if _, ok := vipsTypes[f]; !ok {
			t.Errorf("%v has no type of govips", f)
		}
		used = append(used, loaderOf[f])
	}
	for _, class := range loaders {
		if !slices.Contains(used, class) {
			t.Errorf("%s decodes none of the formats", class)
		}
	}
}

func TestWhatLibvipsCannotDecodeIsAMistakeOfTheConfig(t *testing.T) {
	all, err := inputsOf(plan.AllFormats)
	if err != nil || all != plan.AllFormats {
		t.Fatalf("got %v, %v; this libvips lacks a format", all, err)
	}
	none := vipsTypes[plan.PDF]
	defer func() { vipsTypes[plan.PDF] = none }()
	vipsTypes[plan.PDF] = -1 // of a libvips that was built without
	_, err = New(Config{Inputs: plan.SetOf(plan.PNG, plan.PDF)})
	const want = "inputs: this libvips can't decode pdf; leave it out, or install a libvips that can (it decodes jpeg, png, gif, webp, avif, heic, tiff, svg, jxl)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
