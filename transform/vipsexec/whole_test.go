package vipsexec

import (
	"bytes"
	"image"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestProbesTellWhatDecodersHoldAsAWhole has files of which no line is complete before the last byte.
func TestProbesTellWhatDecodersHoldAsAWhole(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	colour, cutout := transformtest.PNG(transformtest.Picture(60, 40)), transformtest.PNG(transformtest.Cutout(60, 40))
	grey := transformtest.PNG(image.NewGray(image.Rect(0, 0, 60, 40)))
	deep := transformtest.PNG(image.NewRGBA64(image.Rect(0, 0, 60, 40)))
	as := func(src []byte, export func(*vips.ImageRef) ([]byte, *vips.ImageMetadata, error)) []byte {
		t.Helper()
		img, err := vips.NewImageFromBuffer(src)
		if err != nil {
			t.Fatal(err)
		}
		defer img.Close()
		data, _, err := export(img)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	jpeg := func(src []byte, progressive bool, subsample vips.SubsampleMode) []byte {
		return as(src, func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
			return img.ExportJpeg(&vips.JpegExportParams{Quality: 80, Interlace: progressive, SubsampleMode: subsample})
		})
	}
	adam7 := func(src []byte) []byte {
		return as(src, func(img *vips.ImageRef) ([]byte, *vips.ImageMetadata, error) {
			return img.ExportPng(&vips.PngExportParams{Interlace: true})
		})
	}
	baseline := jpeg(colour, false, vips.VipsForeignSubsampleOn)
	scan := bytes.Index(baseline, []byte{0xff, markerScan})
	apart := bytes.Clone(baseline)
	apart[scan+4] = 1 // of three components
	for _, tt := range []struct {
		name  string
		src   []byte
		bytes int
	}{
		{"a JPEG of one scan", baseline, 0},
		{"a progressive JPEG of colours at half the size", jpeg(colour, true, vips.VipsForeignSubsampleOn), 3},
		{"a progressive JPEG of colours at the full size", jpeg(colour, true, vips.VipsForeignSubsampleOff), 6},
		{"a grey progressive JPEG", jpeg(grey, true, vips.VipsForeignSubsampleOff), 2},
		{"a PNG by lines", colour, 0},
		{"an interlaced PNG", adam7(colour), 3},
		{"an interlaced PNG with transparency", adam7(cutout), 4},
		{"a grey interlaced PNG", adam7(grey), 1},
		{"an interlaced PNG of 16 bits and transparency", adam7(deep), 8},
		{"a GIF", transformtest.GIF(5, transformtest.Picture(60, 40)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := e.Probe(t.Context(), transform.Original{Bytes: tt.src})
			if err != nil || s.Whole != tt.bytes {
				t.Errorf("got %d bytes a pixel, %v; want %d", s.Whole, err, tt.bytes)
			}
			for n := range tt.src { // whatever the file is, it is read no further than it goes
				wholeOf(transform.Sniff(tt.src), tt.src[:n])
			}
		})
	}
	if n := wholeOf(plan.JPEG, apart); n != 3 {
		t.Errorf("of a JPEG with a scan for each channel: %d", n)
	}
	if n := wholeOf(plan.WebP, baseline); n != 0 {
		t.Errorf("of a WebP: %d", n)
	}
}
