package vipsexec_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// TestCorpusOfRealPictures renders every picture of a folder beside the repository, if there is one.
func TestCorpusOfRealPictures(t *testing.T) {
	const corpus = "../../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("there is no folder shared/corpus beside the repository")
	}
	e := newEngine(t)
	err := filepath.WalkDir(corpus, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if transform.Sniff(src) == plan.Unknown {
			return nil
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			s, err := e.Probe(t.Context(), transform.Original{Bytes: src})
			if err != nil {
				t.Fatal(err)
			}
			w, h := s.Upright()
			p := plan.Plan{Load: plan.Load{Format: s.Format, Frames: s.Frames}, Output: plan.Output{Format: plan.WebP, Quality: 80}, Width: 200, Height: max(200*h/w, 1), Frames: s.Frames}
			size := plan.Resize{Width: p.Width, Height: p.Height}
			if s.Orientation >= 5 {
				size.Width, size.Height = size.Height, size.Width
			}
			p.Ops = []plan.Op{size, plan.Colour{}}
			if s.Orientation > 1 {
				p.Ops = append(p.Ops, plan.Orient{Orientation: s.Orientation})
			}
			img := render(t, e, src, p)
			got, err := e.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
			// libwebp joins frames that look alike.
			if err != nil || got.Width != p.Width || got.Height != p.Height || (got.Frames > 1) != (s.Frames > 1) || got.Metadata {
				t.Errorf("the result is %+v, %v; the source was %+v", got, err, s)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
