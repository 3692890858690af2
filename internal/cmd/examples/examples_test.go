package main

import (
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEveryWorkIsCommittedAndNoOther(t *testing.T) {
	const root = "../../../examples"
	byHand := []string{"library/badge.svg", "library/notes.txt", "legacy/index.html"}
	var want []string
	for _, w := range works {
		want = append(want, w.path)
	}
	want = append(want, byHand...)
	var got []string
	for _, folder := range []string{"library", "legacy"} {
		err := fs.WalkDir(os.DirFS(root), folder, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				got = append(got, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Pictures with stars are exempt: a star is never smaller than a pixel, so a tiny night is a bright one.
func TestPicturesLookAlikeAtAnySize(t *testing.T) {
	for _, tt := range []struct {
		name   string
		aspect float64
		paint  func(*Picture)
	}{
		{"morning", 2.0 / 3, paintMorning},
		{"forest", 2.0 / 3, paintForest},
		{"papercut", 1.5, paintPapercut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			small := painted(int(60*tt.aspect), 60, tt.paint)
			large := painted(int(120*tt.aspect), 120, tt.paint)
			sum := 0.0
			for i := range 36 {
				a, b := part(small, i), part(large, i)
				sum += math.Abs(a.R-b.R) + math.Abs(a.G-b.G) + math.Abs(a.B-b.B)
			}
			if mean := sum / 3 / 36; mean > 0.01 {
				t.Errorf("the parts differ by %.3f on average, want at most 0.01", mean)
			}
		})
	}
}

// part returns the mean light of part i of a 6 × 6 grid: single places differ, as a tree's outline may pass between them.
func part(p *Picture, i int) Color {
	var sum Color
	const steps = 20
	for j := range steps * steps {
		u := (float64(i%6) + (float64(j%steps)+0.5)/steps) / 6 * p.Aspect()
		v := (float64(i/6) + (float64(j/steps)+0.5)/steps) / 6
		sum = sum.Add(p.Look(u, v).Scale(1.0 / (steps * steps)))
	}
	return sum
}

func TestTheSamePictureComesOutTwice(t *testing.T) {
	develop := func() []byte { return painted(90, 60, paintHarbour).Develop(Film{Grain: 0.5}) }
	if first, second := develop(), develop(); !slices.Equal(first, second) {
		t.Error("two paintings differ")
	}
}

func TestNoiseStaysInBoundsAndVaries(t *testing.T) {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range 10000 {
		x := Noise(1).At(float64(i)*0.37, float64(i)*0.11)
		low, high = min(low, x), max(high, x)
	}
	if low < -1.1 || high > 1.1 || high-low < 1 {
		t.Errorf("got %.2f to %.2f, want a wide part of -1.1 to 1.1", low, high)
	}
}

func TestWavesEndWhereTheyBegin(t *testing.T) {
	for k := range waveWater {
		for u := 0.0; u < 1.5; u += 0.1 {
			if begin, end := waveLine(k, u, 0), waveLine(k, u, 1); math.Abs(begin-end) > 1e-9 {
				t.Errorf("wave %d at %.1f: begins at %v, ends at %v", k, u, begin, end)
			}
		}
	}
	if n := len(wavePalette()); n > 256 {
		t.Errorf("the palette has %d colours, a GIF holds 256", n)
	}
}

func TestTurningLeftPutsTheRightBorderOnTop(t *testing.T) {
	p := NewPicture(2, 3)
	for i := range p.pix {
		p.pix[i].r = float32(i)
	}
	turned := turnedLeft(p)
	var got []float32
	for _, at := range turned.pix {
		got = append(got, at.r)
	}
	if want := []float32{1, 3, 5, 0, 2, 4}; turned.W != 3 || turned.H != 2 || !slices.Equal(got, want) {
		t.Errorf("got %d × %d %v, want 3 × 2 %v", turned.W, turned.H, got, want)
	}
}

func TestProfilesFitIntoOneSegment(t *testing.T) {
	const most = 65535 - 2 - 14 // the length field and the label count too
	for name, profile := range map[string][]byte{"P3": displayP3(), "press": pressProfile()} {
		if len(profile) > most {
			t.Errorf("%s: %d bytes, want at most %d", name, len(profile), most)
		}
		if size := int(binary.BigEndian.Uint32(profile)); size != len(profile) {
			t.Errorf("%s: claims %d bytes and has %d", name, size, len(profile))
		}
	}
}

func TestSeparationFindsInksThatPrintTheColour(t *testing.T) {
	for _, tt := range []struct {
		name string
		lab  [3]float64
	}{
		{"paper", [3]float64{100, 0, 0}},
		{"light grey", [3]float64{80, 0, 0}},
		{"dark grey", [3]float64{35, 0, 0}},
		{"coral", [3]float64{60, 45, 35}},
		{"sky", [3]float64{70, -15, -25}},
		{"leaf", [3]float64{55, -35, 35}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inks := separate(tt.lab)
			got := printed(inks)
			if d := math.Sqrt(sq(got[0]-tt.lab[0]) + sq(got[1]-tt.lab[1]) + sq(got[2]-tt.lab[2])); d > 2 {
				t.Errorf("inks %.2f print %.1f, want %v: off by %.1f", inks, got, tt.lab, d)
			}
		})
	}
}

func sq(x float64) float64 { return x * x }
