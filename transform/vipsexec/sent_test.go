package vipsexec_test

import (
	"image"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestGoldenResults shows what chains make of a picture when the file that is sent is read again: the parameters of size and
// place as they are written in URLs, and those that say how the file is written.
func TestGoldenResults(t *testing.T) {
	picture := transformtest.Picture(160, 100)
	plain := transformtest.PNG(picture)
	turned := transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(picture, 6)), 6)
	wide := transformtest.WithProfile(transformtest.JPEG(picture), transformtest.File("adobergb.icc"))
	for _, tt := range []struct {
		name, chain string
		src         []byte
		format      plan.Format
	}{
		{"ratio", "h-80,ar-4-3,f-png", plain, plan.PNG},
		{"ratio-of-the-picture", "w-60,ar-car,f-png", plain, plan.PNG},
		{"density-of-the-screen", "w-40,h-40,dpr-1.5,fo-left,f-png", plain, plan.PNG},
		{"window", "w-70,h-60,cm-extract,x-80,y-5,f-png", plain, plan.PNG},
		{"window-by-its-centre", "w-70,h-60,cm-extract,xc-40,yc-60,f-png", plain, plan.PNG},
		{"condition", "if-ar_gt_1,h-80,r-max,if-else,w-20,if-end:bg-teal,f-png", plain, plan.PNG},
		{"lossless", "w-80,lo-true,f-webp", plain, plan.WebP},
		{"progressive", "w-80,pr-true,q-95,f-jpg", plain, plan.JPEG},
		{"metadata-kept", "w-80,md-true,q-95,f-jpg", turned, plan.JPEG},
		{"profile-kept", "w-80,cp-true,b-5_red,q-95,f-jpg", wide, plan.JPEG},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compareGolden(t, "sent-"+tt.name, read(t, tt.src, tt.chain, tt.format))
		})
	}
}

// read renders a chain, and the result once more as PNG in sRGB.
func read(t *testing.T, src []byte, chain string, format plan.Format) image.Image {
	t.Helper()
	e := newEngine(t)
	img := render(t, e, src, planned(t, e, src, chain))
	if img.Format != format {
		t.Fatalf("%s: got %v, want %v", chain, img.Format, format)
	}
	return rendered(t, img.Bytes, "f-png")
}
