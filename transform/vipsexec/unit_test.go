package vipsexec

import (
	"bytes"
	"errors"
	"image"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

func TestErrorsAreOneLineWithoutAStack(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"one line", "VipsJpeg: Premature end of input file\n\nStack:\ngoroutine 7 [running]:\nmain.go", "op: VipsJpeg: Premature end of input file"},
		{"the last counts", "source: bad seek to 718122\nVipsJpeg: out of order\n\nStack:\ngoroutine 7", "op: VipsJpeg: out of order"},
		{"libheif's numbers don't", "heif: Invalid input: End of data\n (2.100)\n\nStack:\ngoroutine 7", "op: heif: Invalid input: End of data"},
		{"nothing", "\nStack:\ngoroutine 7", "op: libvips gave no reason"},
		{"not of libvips", "plain", "op: plain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := failed(transform.Broken, "op", errors.New(tt.text)).Error(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAPanicIsAnInternalError(t *testing.T) {
	err := func() (err error) {
		defer recovered("rendering", &err)
		panic("index out of range")
	}()
	if transform.KindOf(err) != transform.Internal || err.Error() != "rendering: panic: index out of range" {
		t.Errorf("got %v of kind %v", err, transform.KindOf(err))
	}
}

func TestJFIFIsAddedOnce(t *testing.T) {
	plain, own := "\xff\xd8\xff\xdb\x00\x43rest", "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x00\x60\x00\x60\x00\x00"
	for _, tt := range []struct{ name, file, want string }{
		{"to a plain file", plain, own + plain[2:]},
		{"not beside itself", own + plain[2:], own + plain[2:]},
		{"not beside EXIF", "\xff\xd8\xff\xe1\x00\x10Exif\x00\x00", "\xff\xd8\xff\xe1\x00\x10Exif\x00\x00"},
		{"before XMP", "\xff\xd8\xff\xe1\x00\x10http", own + "\xff\xe1\x00\x10http"},
		{"before a profile", "\xff\xd8\xff\xe2\x00\x10ICC_", own + "\xff\xe2\x00\x10ICC_"},
		{"to what ends at once", "\xff\xd8", own},
		{"to less than that", "\xff", "\xff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(withJFIF([]byte(tt.file), 96)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHalfAnAnimationIsIncomplete(t *testing.T) {
	pic := transformtest.Picture(20, 10)
	whole := transformtest.GIF(7, image.Image(pic), transformtest.Uniform(20, 10, transformtest.Blue))
	if err := complete(plan.GIF, whole); err != nil {
		t.Errorf("a whole gif: %v", err)
	}
	if err := complete(plan.GIF, append(bytes.Clone(whole), "appended"...)); err != nil {
		t.Errorf("a gif with something behind it: %v", err)
	}
	if err := complete(plan.GIF, whole[:len(whole)-1]); err != nil {
		t.Errorf("a gif without its trailer: %v", err)
	}
	for n := range len(whole) - 1 {
		// Cut between two frames, nothing tells that there were more.
		if err := complete(plan.GIF, whole[:n]); err == nil && whole[n] != 0x21 && whole[n] != 0x2c {
			t.Errorf("a gif of %d of %d bytes counts as complete", n, len(whole))
		}
	}
	webp := transformtest.File("animated.webp")
	if err := complete(plan.WebP, webp); err != nil {
		t.Errorf("a whole webp: %v", err)
	}
	for n := range webp {
		if err := complete(plan.WebP, webp[:n]); err == nil {
			t.Errorf("a webp of %d of %d bytes counts as complete", n, len(webp))
		}
	}
}

func TestRepackedWebP(t *testing.T) {
	picture := webpChunk{"VP8 ", []byte("pixels!")} // of odd length, so padded
	exif, xmp := webpChunk{"EXIF", []byte("Zoe")}, webpChunk{"XMP ", []byte("xmp")}
	head := func(flags byte) webpChunk {
		return webpChunk{"VP8X", []byte{flags, 0, 0, 0, 0x2b, 0x01, 0, 0xc7, 0, 0}} // 300×200
	}
	icc := webpChunk{"ICCP", []byte("profile")}
	anim, frame := webpChunk{"ANIM", []byte("123456")}, webpChunk{"ANMF", []byte("frame")}
	alpha := webpChunk{"ALPH", []byte("alpha")}
	for _, tt := range []struct {
		name     string
		in, want []webpChunk
		alpha    bool
		keep     bool
		profile  string
	}{
		{name: "invented EXIF goes, the simple form remains", in: []webpChunk{head(8), picture, exif}, want: []webpChunk{picture}},
		{name: "simple stays simple", in: []webpChunk{picture}, want: []webpChunk{picture}},
		{name: "metadata is kept", in: []webpChunk{head(12), picture, exif, xmp}, want: []webpChunk{head(12), picture, exif, xmp}, keep: true},
		{name: "a profile is put in", in: []webpChunk{picture}, want: []webpChunk{head(0x20), icc, picture}, profile: "profile"},
		{name: "and replaces another", in: []webpChunk{head(0x20), {"ICCP", []byte("x")}, picture}, want: []webpChunk{head(0x20), icc, picture}, profile: "profile"},
		{name: "separate alpha needs the long form", in: []webpChunk{head(0x18), alpha, picture, exif}, want: []webpChunk{head(0x10), alpha, picture}, alpha: true},
		{name: "animation too", in: []webpChunk{head(0x0a), anim, frame, frame, exif}, want: []webpChunk{head(2), anim, frame, frame}},
		{name: "with alpha and profile", in: []webpChunk{head(0x1a), anim, frame, exif}, want: []webpChunk{head(0x3a), icc, anim, frame, exif}, alpha: true, keep: true, profile: "profile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := repackWebP(webpFile(tt.in), 300, 200, tt.alpha, tt.keep, []byte(tt.profile))
			if err != nil {
				t.Fatal(err)
			}
			if want := webpFile(tt.want); !bytes.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	for _, bad := range []string{"", "RIFF\x04\x00\x00\x00WEBX", "RIFF\x10\x00\x00\x00WEBPVP8 \xff\xff\xff\xff"} {
		if _, err := repackWebP([]byte(bad), 1, 1, false, false, nil); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestExtrasAreFound(t *testing.T) {
	jpeg, png := transformtest.JPEG(transformtest.Picture(8, 8)), transformtest.PNG(transformtest.Picture(8, 8))
	for _, tt := range []struct {
		name  string
		f     plan.Format
		bytes []byte
		want  bool
	}{
		{"plain jpeg", plan.JPEG, jpeg, false},
		{"jpeg padded with zeros", plan.JPEG, append(bytes.Clone(jpeg), 0, 0, 0), false},
		{"jpeg with JFIF", plan.JPEG, transformtest.WithSegment(jpeg, 0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")), false},
		{"jpeg with Adobe's mark", plan.JPEG, transformtest.WithSegment(jpeg, 0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")), false},
		{"jpeg with a vendor's segment", plan.JPEG, transformtest.WithSegment(jpeg, 0xe5, []byte("vendor")), true},
		{"jpeg with something behind it", plan.JPEG, append(bytes.Clone(jpeg), "film"...), true},
		{"half a jpeg header", plan.JPEG, jpeg[:30], false},
		{"plain png", plan.PNG, png, false},
		{"png with something behind it", plan.PNG, append(bytes.Clone(png), "more"...), true},
		{"half a png", plan.PNG, png[:len(png)/2], false},
		{"png that promises 4 GiB", plan.PNG, append(bytes.Clone(png[:33]), "\xff\xff\xff\xffIDAT"...), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := extras(tt.f, tt.bytes); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzWalkersNeverPanic(f *testing.F) {
	f.Add(transformtest.JPEG(transformtest.Picture(8, 8)))
	f.Add(transformtest.PNG(transformtest.Picture(8, 8)))
	f.Add(transformtest.GIF(1, transformtest.Picture(8, 8)))
	f.Add(transformtest.File("animated.webp"))
	f.Fuzz(func(t *testing.T, src []byte) {
		extras(plan.JPEG, src)
		extras(plan.PNG, src)
		_ = complete(plan.GIF, src)
		_ = complete(plan.WebP, src)
		if out, err := repackWebP(src, 8, 8, false, true, nil); err == nil {
			if _, err := repackWebP(out, 8, 8, false, true, nil); err != nil {
				t.Errorf("what was repacked can't be repacked: %v", err)
			}
		}
	})
}

func TestTheLongestSidesCanBeWritten(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	src := transformtest.PNG(transformtest.Uniform(8, 8, transformtest.Blue))
	for _, f := range []plan.Format{plan.JPEG, plan.WebP, plan.AVIF} {
		p := plan.Plan{
			Load: plan.Load{Format: plan.PNG, Shrink: 1, Scale: 1, Frames: 1}, Width: f.MaxSide(), Height: 16, Frames: 1,
			Ops:    []plan.Op{plan.Resize{Width: f.MaxSide(), Height: 16}, plan.Colour{}},
			Output: plan.Output{Format: f, Quality: 50},
		}
		if _, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p); err != nil {
			t.Errorf("%v with a side of %d: %v", f, f.MaxSide(), err)
		}
	}
}

func TestFilesDoNotShrinkAsTheQualityRises(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	src := transformtest.PNG(transformtest.Picture(120, 80))
	for _, f := range []plan.Format{plan.JPEG, plan.WebP, plan.AVIF, plan.JXL} {
		if !e.Writable().Has(f) {
			t.Errorf("this libvips doesn't write %v", f)
			continue
		}
		before := 0
		for _, q := range []int{1, 15, 40, 70, 95} {
			p := plan.Plan{
				Load: plan.Load{Format: plan.PNG, Shrink: 1, Scale: 1, Frames: 1}, Width: 120, Height: 80, Frames: 1,
				Ops:    []plan.Op{plan.Colour{}},
				Output: plan.Output{Format: f, Quality: q},
			}
			img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p)
			if err != nil {
				t.Fatalf("%v at %d: %v", f, q, err)
			}
			if len(img.Bytes) < before {
				t.Errorf("%v at %d has %d bytes, less than the %d of the quality before", f, q, len(img.Bytes), before)
			}
			before = len(img.Bytes)
		}
	}
}
