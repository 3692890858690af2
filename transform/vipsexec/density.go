package vipsexec

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

const millimetres = 25.4 // in an inch

// densityOf returns dots per inch to a tenth, 0 where libvips says the one dot a millimetre that stands for "unknown". PNG
// counts whole dots a metre, so that 72 comes back as 72.009.
func densityOf(img *vips.ImageRef) float64 {
	if x := img.ResX(); x > 0 && x != 1 {
		return math.Round(10*millimetres*x) / 10
	}
	return 0
}

// withDensity returns img with dots per inch in its header, from where the PNG saver takes them, and the JPEG one where it
// writes EXIF.
func (j *job) withDensity(img *vips.ImageRef, dpi int) (*vips.ImageRef, error) {
	dense, err := img.CopyChangingResolution(float64(dpi)/millimetres, float64(dpi)/millimetres)
	if err != nil {
		return nil, err
	}
	return j.track(dense), nil
}

// withJFIF begins a JPEG file with the segment that tells dots per inch (ITU-T T.871 §10.1), unless it has one or EXIF, which
// tells them too. libvips writes neither into a file without metadata.
func withJFIF(file []byte, dpi int) []byte {
	const start = 2 // behind the marker of the start
	if len(file) < start {
		return file
	}
	if rest := file[start:]; bytes.HasPrefix(rest, []byte{0xff, 0xe0}) ||
		bytes.HasPrefix(rest, []byte{0xff, 0xe1}) && bytes.HasPrefix(rest[min(4, len(rest)):], []byte("Exif\x00")) {
		return file
	}
	segment := append([]byte{0xff, 0xe0, 0, 16}, "JFIF\x00\x01\x01\x01"...) // version 1.01; 1: dots per inch
	segment = binary.BigEndian.AppendUint16(segment, uint16(dpi))
	segment = binary.BigEndian.AppendUint16(segment, uint16(dpi))
	segment = append(segment, 0, 0) // no thumbnail
	return slices.Insert(file, start, segment...)
}

// density adds to a file what o says and libvips left out.
func density(file []byte, o plan.Output) []byte {
	if o.Density > 0 && o.Format == plan.JPEG {
		return withJFIF(file, o.Density)
	}
	return file
}
