package transformtest

import (
	"bytes"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func wantProfile(t *testing.T, s suite, file []byte, want bool) {
	t.Helper()
	got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: file})
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile != want {
		t.Errorf("the %v has a profile: %v, want %v", got.Format, got.Profile, want)
	}
}

// metadata checks that nothing of a person leaves by accident, and that it does where it is to.
func (s suite) metadata(t *testing.T) {
	const person = "Zoe"
	src := WithProfile(WithOrientation(JPEG(Stored(Picture(60, 40), 6)), 6), File("displayp3.icc"))
	src = WithSegment(src, 0xfe, []byte("by "+person))
	ops := []plan.Op{plan.Colour{}, plan.Orient{Orientation: 6}}
	for _, f := range s.engine.Writable().Formats() {
		t.Run("stripped from "+f.String(), func(t *testing.T) {
			img := s.render(t, src, to(still(plan.JPEG, 60, 40, ops...), plan.Output{Format: f}))
			if bytes.Contains(img.Bytes, []byte(person)) {
				t.Error("the author is still in it")
			}
			got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
			if err != nil {
				t.Fatal(err)
			}
			// JPEG XL has no pixels without a description of their colours, which reads like a profile.
			if (got.Metadata || got.Profile) && f != plan.JXL {
				t.Errorf("there is still something to strip: %+v", got)
			}
		})
	}
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.WebP, plan.AVIF} {
		t.Run("kept in "+f.String(), func(t *testing.T) {
			s.needWriter(t, f)
			img := s.render(t, src, to(still(plan.JPEG, 60, 40, ops...), plan.Output{Format: f, KeepMetadata: true}))
			if !bytes.Contains(img.Bytes, []byte(person)) {
				t.Error("the author is lost")
			}
			got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes})
			if err != nil {
				t.Fatal(err)
			}
			if got.Orientation != 1 || got.Width != 60 {
				t.Errorf("the upright picture would be turned again: %+v", got)
			}
			if got.Profile || !got.Metadata {
				t.Errorf("got %+v, want metadata and no profile", got)
			}
		})
	}
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.WebP, plan.AVIF} {
		t.Run("a profile kept in "+f.String()+" keeps nobody's name", func(t *testing.T) {
			s.needWriter(t, f)
			img := s.render(t, src, to(still(plan.JPEG, 60, 40, plan.Colour{KeepProfile: true}, plan.Orient{Orientation: 6}), plan.Output{Format: f, KeepProfile: true}))
			if bytes.Contains(img.Bytes, []byte(person)) {
				t.Error("the author is still in it")
			}
			if f == plan.JPEG && bytes.Contains(img.Bytes, []byte("Exif\x00\x00")) {
				t.Error("there is EXIF, which nobody asked for")
			}
			wantProfile(t, s, img.Bytes, true)
		})
	}
	t.Run("a thumbnail in EXIF doesn't show what was cut away", func(t *testing.T) {
		src := WithSegment(JPEG(Picture(60, 40)), 0xe1, exifThumbnail(JPEG(Uniform(20, 10, Blue))))
		img := s.render(t, src, to(still(plan.JPEG, 20, 20, plan.Crop{Width: 20, Height: 20}, plan.Colour{}), plan.Output{Format: plan.JPEG, KeepMetadata: true}))
		if n := bytes.Count(img.Bytes, []byte("\xff\xd8\xff")); n != 1 {
			t.Errorf("there are %d pictures in the file, want 1", n)
		}
		if !bytes.Contains(img.Bytes, []byte(person)) {
			t.Error("the author is lost")
		}
	})
}

// exifThumbnail returns the content of an EXIF segment with an author and a thumbnail.
func exifThumbnail(jpeg []byte) []byte {
	size := []byte{byte(len(jpeg) >> 24), byte(len(jpeg) >> 16), byte(len(jpeg) >> 8), byte(len(jpeg))}
	return bytes.Join([][]byte{
		[]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08"),
		{0, 1, 0x01, 0x3b, 0, 2, 0, 0, 0, 4, 'Z', 'o', 'e', 0, 0, 0, 0, 26}, // artist; the next directory at 26
		{0, 3, 0x01, 0x03, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0},                    // compression: JPEG
		{0x02, 0x01, 0, 4, 0, 0, 0, 1, 0, 0, 0, 68},
		append([]byte{0x02, 0x02, 0, 4, 0, 0, 0, 1}, size...),
		{0, 0, 0, 0}, // thumbnail at 68, its size
		jpeg,
	}, nil)
}
