package vipsexec_test

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// TestRandomPlansBecomeFilesOfTheirSize renders random chains of all parameters on random sources: what plan promises is
// what the file is. Every failure of the engine is a mistake, of the engine or of the plan: its ops refuse to read outside
// of their input.
func TestRandomPlansBecomeFilesOfTheirSize(t *testing.T) {
	e := newEngine(t)
	sources := randomSources(t, e)
	wanted := 1000
	if testing.Short() {
		wanted = 200
	}
	rendered, seen := 0, map[string]int{}
	seed := uint64(0)
	for ; rendered < wanted && seed < uint64(10*wanted); seed++ {
		w := chaintest.New(seed, 250)
		src := sources[w.IntN(len(sources))]
		text := w.Plausible()
		c, err := syntax.Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, text, err)
		}
		hints := plan.Hints{Accept: plan.SetOf(plan.WebP), Formats: []plan.Format{plan.WebP}}
		p, err := transformtest.Resolve(t, e, src.bytes, c, hints, plan.Limits{OutputPixels: 1 << 17})
		if err != nil {
			checkRefusal(t, seed, text, err)
			continue
		}
		if p.Original {
			continue
		}
		rendered++
		for _, op := range p.Ops {
			seen[fmt.Sprintf("%T", op)]++
		}
		seen["frames"] += min(p.Frames-1, 1)
		checkRender(t, e, src, p, fmt.Sprintf("seed %d: %q on a %s", seed, text, src.name))
	}
	t.Logf("%d of %d chains were rendered: %v", rendered, seed, seen)
	if rendered < wanted {
		t.Errorf("only %d of %d chains were rendered: the test proves little", rendered, seed)
	}
	for _, op := range []plan.Op{
		plan.Resize{},
		plan.Crop{},
		plan.SmartCrop{},
		plan.Orient{},
		plan.Colour{},
		plan.Embed{},
		plan.Flatten{},
		plan.Rotate{},
		plan.Flip{},
		plan.Round{},
		plan.Opacity{},
		plan.Grey{},
		plan.Contrast{},
		plan.Blur{},
		plan.Unsharp{},
		plan.Shadow{},
		plan.Gradient{},
		plan.Tint{},
		plan.Replace{},
		plan.Backdrop{},
		plan.Perspective{},
		plan.Arc{},
	} {
		if kind := fmt.Sprintf("%T", op); seen[kind] < wanted/100 {
			t.Errorf("%s was rendered %d times only", kind, seen[kind])
		}
	}
	if seen["frames"] < wanted/20 {
		t.Errorf("only %d animations were rendered", seen["frames"])
	}
}

// checkRefusal fails unless the refusal is one that tells the person who wrote the URL what is wrong.
func checkRefusal(t *testing.T, seed uint64, text string, err error) {
	t.Helper()
	wrong, limit := (*syntax.Error)(nil), (*plan.LimitError)(nil)
	if !errors.As(err, &wrong) && !errors.As(err, &limit) {
		t.Errorf("seed %d: %q: %T %v", seed, text, err, err)
	}
}

func checkRender(t *testing.T, e *vipsexec.Engine, src randomSource, p plan.Plan, what string) {
	t.Helper()
	img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src.bytes}}, p)
	if err != nil {
		t.Errorf("%s: %v\n%v", what, err, p)
		return
	}
	got, err := e.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
	switch {
	case err != nil:
		t.Errorf("%s: the file can't be read: %v\n%v", what, err, p)
	case got.Width != p.Width || got.Height != p.Height || got.Format != p.Output.Format:
		t.Errorf("%s: the file is a %v of %dx%d, planned are %dx%d\n%v", what, got.Format, got.Width, got.Height, p.Width, p.Height, p)
	case got.Frames > p.Frames || got.Frames > 1 && got.Orientation != 1: // encoders join frames that are alike
		t.Errorf("%s: the file has %d frames, planned are %d\n%v", what, got.Frames, p.Frames, p)
	case got.Alpha && !p.Output.Format.Alpha() || got.Orientation != 1:
		t.Errorf("%s: the file says %+v\n%v", what, got, p)
	}
}

// randomSource is a file and what it is called.
type randomSource struct {
	name  string
	bytes []byte
}

// randomSources returns files of all kinds, of up to 200 pixels a side and down to one.
func randomSources(t *testing.T, e *vipsexec.Engine) []randomSource {
	t.Helper()
	w := chaintest.New(11, 200)
	var sources []randomSource
	add := func(name string, bytes []byte) {
		facts, err := e.Probe(t.Context(), transform.Original{Bytes: bytes})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sources = append(sources, randomSource{fmt.Sprintf("%s of %dx%d", name, facts.Width, facts.Height), bytes})
	}
	side := func() int {
		return []int{1, 2 + w.IntN(9), 10 + w.IntN(190), 10 + w.IntN(190), 10 + w.IntN(190)}[w.IntN(5)]
	}
	for orientation := 1; orientation <= 8; orientation++ {
		file := transformtest.JPEG(transformtest.Stored(transformtest.Picture(side(), side()), orientation))
		add(fmt.Sprintf("jpeg with orientation %d", orientation), transformtest.WithOrientation(file, orientation))
	}
	for range 4 {
		width, height := side(), side()
		pic, hole := transformtest.Picture(width, height), transformtest.Cutout(width, height)
		add("jpeg", transformtest.JPEG(pic))
		add("jpeg with profile", transformtest.WithProfile(transformtest.JPEG(pic), transformtest.File("displayp3.icc")))
		add("png", transformtest.PNG(pic))
		add("png with alpha", transformtest.PNG(hole))
		grey := image.NewGray(pic.Bounds())
		draw.Draw(grey, grey.Bounds(), pic, image.Point{}, draw.Src)
		add("grey png", transformtest.PNG(grey))
		deep := image.NewNRGBA64(pic.Bounds())
		draw.Draw(deep, deep.Bounds(), hole, image.Point{}, draw.Src)
		add("deep png", transformtest.PNG(deep))
		animation := transformtest.GIF(7, pic, transformtest.Stored(pic, 2), hole)
		add("animated gif", animation)
		add("animated webp", rewritten(t, e, animation, plan.WebP))
		add("webp", rewritten(t, e, transformtest.PNG(pic), plan.WebP))
		add("webp with alpha", rewritten(t, e, transformtest.PNG(hole), plan.WebP))
		drawing := fmt.Sprintf(`width="%d" height="%d" viewBox="0 0 120 80"`, width, height)
		add("svg", []byte(strings.Replace(transformtest.Drawing, `width="120" height="80"`, drawing, 1)))
	}
	for _, name := range []string{"cmyk.jpg", "still.avif", "rotated.heic", "still.tiff", "still.jxl"} {
		add(name, transformtest.File(name))
	}
	return sources
}

// rewritten returns a file in another format.
func rewritten(t *testing.T, e *vipsexec.Engine, src []byte, to plan.Format) []byte {
	t.Helper()
	s, err := e.Probe(t.Context(), transform.Original{Bytes: src})
	if err != nil {
		t.Fatal(err)
	}
	img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, plan.Plan{
		Load: plan.Load{Format: s.Format, Shrink: 1, Scale: 1, Frames: s.Frames}, Width: s.Width, Height: s.Height, Frames: s.Frames,
		Ops:    []plan.Op{plan.Colour{}},
		Output: plan.Output{Format: to, Quality: 80},
	})
	if err != nil {
		t.Fatal(err)
	}
	return img.Bytes
}
