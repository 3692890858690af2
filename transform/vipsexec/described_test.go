package vipsexec

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

func boxOf(kind string, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), append([]byte(kind), body...)...)
}

func TestCodePointsAreThoseOfTheMainPicture(t *testing.T) {
	nclx := func(colours, transfer byte) []byte {
		return boxOf("colr", []byte("nclx"), []byte{0, colours, 0, transfer, 0, 9, 0x80})
	}
	main := boxOf("pitm", []byte{0, 0, 0, 0, 0, 7})
	file := func(ipma string, properties ...[]byte) []byte {
		meta := boxOf("meta", make([]byte, 4), main, boxOf("iprp", boxOf("ipco", properties...), boxOf("ipma", []byte(ipma))))
		return append(boxOf("ftyp", []byte("avif")), append(boxOf("free", make([]byte, 40)), meta...)...)
	}
	wide := file("\x01\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x07\x01\x80\x01", nclx(9, 16))
	wide = bytes.Replace(wide, main, boxOf("pitm", []byte{1, 0, 0, 0, 0, 0, 0, 7}), 1)
	for _, kind := range []string{"meta"} { // which has grown with pitm
		at := bytes.Index(wide, []byte(kind)) - 4
		binary.BigEndian.PutUint32(wide[at:], binary.BigEndian.Uint32(wide[at:])+2)
	}
	for _, tt := range []struct {
		name string
		file []byte
		srgb bool
	}{
		{"its own", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x01", nclx(9, 16)), false},
		{"behind other properties", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x02\x01\x82", boxOf("ispe", make([]byte, 12)), nclx(12, 13)), false},
		{"behind another item", file("\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x01\x01\x00\x07\x01\x02", boxOf("ispe"), nclx(9, 18)), false},
		{"of wide numbers", wide, false},
		{"of another item", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x03\x01\x01", nclx(9, 16)), true},
		{"not its own", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x02", nclx(9, 16)), true},
		{"a profile", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x01", boxOf("colr", []byte("prof"), make([]byte, 20))), true},
		{"cut short", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x01", boxOf("colr", []byte("nclx\x00"))), true},
		{"sRGB", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x01", nclx(1, 13)), true},
		{"of a camera's curve", file("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x01\x01", nclx(1, 1)), true},
		{"nothing", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := heifDescription(tt.file).ofSRGB(); got != tt.srgb {
				t.Errorf("counts as sRGB: %v, want %v", got, tt.srgb)
			}
		})
	}
}

func TestLightBeyondWhiteIsRolledOffSmoothly(t *testing.T) {
	for _, curve := range []struct {
		name string
		of   func(float64) float64
	}{{"pq", perceptualQuantizer}, {"hlg", hybridLogGamma}} {
		last := -1.0
		for i := range 4096 {
			v := curve.of(float64(i) / 4095)
			if v < last || v < 0 || v > 1+1e-9 || math.IsNaN(v) {
				t.Fatalf("%s of %d/4095 is %v after %v", curve.name, i, v, last)
			}
			last = v
		}
		if last < 1-1e-9 {
			t.Errorf("%s ends at %v, want white", curve.name, last)
		}
	}
	if below, above := rolledOff(knee-1e-6), rolledOff(knee+1e-6); math.Abs((above-below)/2e-6-1) > 0.01 {
		t.Errorf("there is an edge at the knee: %v, %v", below, above)
	}
}

func FuzzDescribedColours(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(transformtest.File("chart.avif"))
	f.Add(transformtest.File("chart.heic"))
	f.Add(boxOf("meta", make([]byte, 4), boxOf("pitm", []byte{0, 0, 0, 0, 0, 7}), boxOf("iprp", boxOf("ipco", boxOf("colr", []byte("nclx\x00\x09\x00\x10\x00\x09\x80"))), boxOf("ipma", []byte("\x00\x00\x00\x00\xff\xff\xff\xff\x00\x07\x01\x01")))))
	png := transformtest.PNG(transformtest.Picture(8, 8))
	f.Add(bytes.Join([][]byte{png[:33], []byte("\x00\x00\x00\x04gAMA\x00\x01\x86\xa0\x00\x00\x00\x00\x00\x00\x00\x20cHRM"), make([]byte, 36), png[33:]}, nil))
	f.Add(bytes.Join([][]byte{png[:33], []byte("\x00\x00\x00\x04cICP\x09\x10\x00\x01\x00\x00\x00\x00"), png[33:]}, nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, format := range []plan.Format{plan.PNG, plan.AVIF} {
			for _, grey := range []bool{false, true} {
				profile := describedProfile(format, file, false, grey)
				if profile == nil {
					continue
				}
				space := map[bool]string{false: "RGB ", true: "GRAY"}[grey]
				if len(profile) > 16<<10 || int(binary.BigEndian.Uint32(profile)) != len(profile) || string(profile[16:20]) != space {
					t.Errorf("a profile of %d bytes for %s", len(profile), profile[16:20])
				}
			}
		}
	})
}
