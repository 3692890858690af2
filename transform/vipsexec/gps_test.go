package vipsexec_test

import (
	"bytes"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// located returns a JPEG that tells where it was taken: in EXIF and in XMP.
func located() []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00" +
		"\x01\x00\x25\x88\x04\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00\x00\x00\x00" + // one entry: the directory of places
		"\x01\x00\x1b\x00\x07\x00\x10\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x00\x00" + // one there: GPSProcessingMethod
		"ASCII\x00\x00\x00HOMEHOME")
	file := transformtest.WithSegment(transformtest.JPEG(transformtest.Picture(60, 40)), 0xe1, append([]byte("Exif\x00\x00"), tiff...))
	xmp := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,HOMEHOME"/></rdf:RDF></x:xmpmeta>`
	return transformtest.WithSegment(file, 0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), xmp...))
}

// Attack case 27: where a picture was taken is told only where somebody asks for metadata.
func TestPlacesAreToldOnRequestOnly(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct {
		chain string
		told  bool
	}{
		{"f-jpg", false},
		{"f-auto", false},
		{"w-30", false},
		{"w-30,f-png", false},
		{"w-30,f-webp", false},
		{"w-30,f-avif", false},
		{"cp-true", false},
		{"w-30,f-jpg,md-true", true},
	} {
		c, err := syntax.Parse(tt.chain)
		if err != nil {
			t.Fatal(err)
		}
		p, err := transformtest.Resolve(t, e, located(), c, plan.Hints{}, defaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if p.Original || p.KeepsSmaller() {
			t.Errorf("%s: the original may be sent, with all that it tells:\n%v", tt.chain, p)
			continue
		}
		img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: located()}}, p)
		if err != nil {
			t.Fatal(err)
		}
		if told := bytes.Contains(img.Bytes, []byte("HOME")) || bytes.Contains(img.Bytes, []byte("GPS")); told != tt.told {
			t.Errorf("%s: the place is told: %t, want %t", tt.chain, told, tt.told)
		}
	}
}
