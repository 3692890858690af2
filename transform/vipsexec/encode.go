package vipsexec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// encode computes the picture and returns it as a file, in Go memory: in the smallest of the plan's encodings, and of equal
// ones the first.
func (j *job) encode() (smallest []byte, o plan.Output, err error) {
	outputs := j.plan.Outputs()
	if len(outputs) > 1 {
		// Each encoder asks for all pixels, and the source can be read once.
		if err := toMemory(j.img); err != nil {
			return nil, o, j.blame("rendering", err)
		}
	}
	for i, output := range outputs {
		data, err := j.encodeAs(output)
		if err != nil {
			return nil, output, err
		}
		if i == 0 || len(data) < len(smallest) {
			smallest, o = data, output
		}
	}
	return smallest, o, nil
}

// encodeAs returns the picture as one file.
func (j *job) encodeAs(o plan.Output) ([]byte, error) {
	op := "encoding " + o.Format.String()
	if err := j.ctx.Err(); err != nil {
		return nil, failed(transform.KindOf(err), op, err)
	}
	if side := o.Format.MaxSide(); side > 0 && max(j.plan.Width, j.plan.Height) > side {
		return nil, failed(transform.TooLarge, op, fmt.Errorf("%dx%d; the format ends at %d pixels", j.plan.Width, j.plan.Height, side))
	}
	if j.frames > 1 && !o.Format.Animated() {
		return nil, failed(transform.Internal, op, fmt.Errorf("the format has no place for %d frames", j.frames))
	}
	if err := strip(j.img, o); err != nil {
		return nil, failed(transform.Internal, op, err)
	}
	alpha, profile := j.img.HasAlpha(), []byte(nil)
	if o.KeepProfile {
		profile = j.img.GetICCProfile()
	}
	img := j.img
	if o.Density > 0 {
		var err error
		if img, err = j.withDensity(img, o.Density); err != nil {
			return nil, failed(transform.Internal, op, err)
		}
	}
	data, err := save(img, o)
	if err != nil {
		return nil, j.blame(op, err)
	}
	if o.Format == plan.WebP {
		if data, err = repackWebP(data, j.plan.Width, j.plan.Height, alpha, o.KeepMetadata, profile); err != nil {
			return nil, failed(transform.Internal, op, err)
		}
	}
	if o.Format == plan.JPEG && o.KeepProfile && !o.KeepMetadata {
		data = withoutEXIF(data)
	}
	return density(data, o), nil
}

// withoutEXIF drops the EXIF segments from a JPEG file. libvips makes one up for every picture, and its saver leaves out
// either that and the profile, or neither.
func withoutEXIF(file []byte) []byte {
	out, at := append(make([]byte, 0, len(file)), file[:2]...), 2
	for at+4 <= len(file) && file[at] == 0xff && file[at+1] != 0xda { // up to the start of the scan
		size := 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if at+size > len(file) {
			break
		}
		segment := file[at : at+size]
		if segment[1] != 0xe1 || !bytes.HasPrefix(segment[4:], []byte("Exif\x00")) {
			out = append(out, segment...)
		}
		at += size
	}
	return append(out, file[at:]...)
}

// strip removes what the output shall not hold, by hand: the savers' own option leaves the profile in WebP, knows nothing
// of JXL, and can't tell profile and metadata apart.
func strip(img *vips.ImageRef, o plan.Output) error {
	if !o.KeepProfile || img.HasICCProfile() && !fits(img.GetICCProfile(), img) {
		if err := img.RemoveICCProfile(); err != nil {
			return err
		}
	}
	if !o.KeepMetadata {
		return errors.Join(removeFields(img), img.RemoveOrientation())
	}
	// The thumbnail in EXIF shows the picture as it was: what has been cut away would be seen in it.
	fields := slices.DeleteFunc(img.GetFields(), func(name string) bool {
		return name == "jpeg-thumbnail-data" || name == "gif-palette"
	})
	return errors.Join(img.RemoveMetadata(fields...), img.RemoveOrientation(), withoutAppended(img))
}

// removeFields removes all but what the picture needs. govips looks at 256 fields at a time, and EXIF may have more.
func removeFields(img *vips.ImageRef) error {
	for before := -1; ; {
		now := len(img.GetFields())
		if now == before {
			return nil
		}
		before = now
		if err := img.RemoveMetadata(); err != nil {
			return err
		}
	}
}

// save runs the encoder of o. The settings are explained in docs/formats.md; those below that look needless are not.
func save(img *vips.ImageRef, o plan.Output) (data []byte, err error) {
	stripped := !o.KeepMetadata && !o.KeepProfile
	switch o.Format {
	case plan.JPEG:
		data, _, err = img.ExportJpeg(&vips.JpegExportParams{
			Quality:        o.Quality,
			Interlace:      o.Progressive,
			OptimizeCoding: true,
			SubsampleMode:  vips.VipsForeignSubsampleAuto,
			StripMetadata:  stripped,
		})
	case plan.PNG:
		filter := vips.PngFilterAll // without, photographs would be up to 1.6 times as large; drawings are alike
		if o.Palette {
			filter = vips.PngFilterNone
		}
		data, _, err = img.ExportPng(&vips.PngExportParams{
			Compression:   6,
			Filter:        filter,
			Palette:       o.Palette,
			Quality:       o.Quality,
			StripMetadata: stripped,
		})
	case plan.WebP:
		data, _, err = img.ExportWebp(&vips.WebpExportParams{
			Quality:         o.Quality,
			Lossless:        o.Lossless,
			ReductionEffort: 4,
			StripMetadata:   stripped,
		})
	case plan.AVIF:
		data, _, err = img.ExportAvif(&vips.AvifExportParams{
			Quality: o.Quality,
			// govips passes the effort on only together with a bit depth, and never one of 0: either mistake means
			// libvips' default, which takes six times as long.
			Bitdepth:      8,
			Effort:        1,
			StripMetadata: stripped,
		})
	case plan.GIF:
		data, _, err = img.ExportGIF(&vips.GifExportParams{Effort: 3, Bitdepth: 8, Dither: 1})
	case plan.JXL:
		data, _, err = img.ExportJxl(&vips.JxlExportParams{
			Distance: jxlDistance(o.Quality), // govips always passes one on, so libvips would ignore a quality
			Lossless: o.Quality == 0,
			Effort:   3, // the least that libvips 8.14 takes; it would make 7 of less
		})
	default:
		err = fmt.Errorf("%v is not written", o.Format)
	}
	return data, err
}

// jxlDistance turns a quality of 1…100 into libjxl's measure, where 1 is not to be told from the original: the formula by
// which libjxl's own tools read a quality, up to 15, the worst that libvips takes; it would use its default for more.
func jxlDistance(quality int) float64 {
	q := float64(quality)
	if quality >= 30 {
		return 0.1 + (100-q)*0.09
	}
	return min(53.0/3000*q*q-23.0/20*q+25, 15)
}
