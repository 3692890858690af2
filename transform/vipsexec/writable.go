package vipsexec

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// revision counts changes of this package that change the bytes of results.
const revision = "2"

// tryEncoders encodes a small picture in every format: whether libvips was built with an encoder, and whether its library
// is present, shows only then. The bytes also tell versions of the encoders apart.
func tryEncoders() (plan.Set, string) {
	var writable plan.Set
	sum := sha256.New()
	for _, f := range []plan.Format{plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF, plan.JXL} {
		if data, err := encodeSample(f); err == nil {
			writable = writable.With(f)
			sum.Write(data)
		}
	}
	return writable, "vips-" + vips.Version + "-" + revision + "-" + hex.EncodeToString(sum.Sum(nil)[:4])
}

func encodeSample(f plan.Format) ([]byte, error) {
	const side = 32
	pixels := make([]byte, 0, side*side*3)
	for y := range side {
		for x := range side {
			pixels = append(pixels, byte(x*7), byte(y*5+x), byte(x*y))
		}
	}
	img, err := vips.NewImageFromMemory(pixels, side, side, 3, vips.BandFormatUchar, vips.InterpretationSRGB)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	return save(img, plan.Output{Format: f, Quality: 80})
}
