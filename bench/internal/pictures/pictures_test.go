package pictures

import (
	"bytes"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

func TestSmallIsAsLargeAsItSays(t *testing.T) {
	large, err := JPEG(Shapes(3000, 2000, 0, false), 85)
	if err != nil {
		t.Fatal(err)
	}
	small, err := Small(large)
	if err != nil {
		t.Fatal(err)
	}
	if len(small) < 150_000 || len(small) > 300_000 {
		t.Errorf("%d bytes, want about 0.2 MB", len(small))
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(small)); err != nil || c.Width != 768 || c.Height != 512 {
		t.Errorf("%v, %v", c, err)
	}
}

// TestHostileFilesAreSmallAndTheSameEachTime looks at the bombs, too, as far as Go reads what they claim.
func TestHostileFilesAreSmallAndTheSameEachTime(t *testing.T) {
	good, err := GIF(60, 40, 3)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"moving.gif": good}
	first, second := Hostile(files), Hostile(files)
	if len(first) < 16 {
		t.Errorf("%d files", len(first))
	}
	for name, content := range first {
		if !bytes.Equal(content, second[name]) {
			t.Errorf("%s is another each time", name)
		}
		if len(content) > 500_000 {
			t.Errorf("%s has %d bytes", name, len(content))
		}
	}
	for name, side := range map[string]int{"flood.png": 60_000, "packed.png": 9000, "comment.png": 8} {
		if c, err := png.DecodeConfig(bytes.NewReader(first[name])); err != nil || c.Width != side || c.Height != side {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if c, err := png.Decode(bytes.NewReader(first["comment.png"])); err != nil {
		t.Errorf("comment.png: %v, %v", c, err)
	}
	if g, err := gif.DecodeAll(bytes.NewReader(first["frames.gif"])); err != nil || len(g.Image) != 3000 {
		t.Errorf("frames.gif: %v", err)
	}
	if c, err := gif.DecodeConfig(bytes.NewReader(first["canvas.gif"])); err != nil || c.Width != 65_535 {
		t.Errorf("canvas.gif: %v, %v", c, err)
	}
}
