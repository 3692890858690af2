package vipsexec

import (
	"encoding/binary"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform/plan"
)

const profileField = "icc-profile-data" // where libvips keeps an embedded profile

// colour converts to 8-bit sRGB. Grey without a profile stays one channel, which is sRGB's neutral axis. To keep the
// profile, the pixels of RGB or grey stay as they are, in 8 bits. Where the colours are described by other means than a
// profile, there is none to keep: they are converted.
func (j *job) colour(c plan.Colour) error {
	img, keep := j.img, c.KeepProfile && holdsProfile(j.plan.Output, j.img)
	if described := describedProfile(j.plan.Load.Format, j.src, img.HasICCProfile(), img.Bands() < 3); described != nil {
		img.SetBlob(profileField, described)
		keep = false
	}
	return toSRGB(img, keep)
}

// holdsProfile reports whether the profile of img can be in the file. That of grey belongs to grey pixels, and WebP, AVIF
// and palettes have no such; a file that can't hold it needs pixels of sRGB.
func holdsProfile(o plan.Output, img *vips.ImageRef) bool {
	if !o.KeepProfile {
		return false
	}
	switch o.Format {
	case plan.JPEG:
		return true
	case plan.PNG:
		return !o.Palette || img.Bands() >= 3
	case plan.WebP, plan.AVIF:
		return img.Bands() >= 3
	}
	return false
}

func toSRGB(img *vips.ImageRef, keep bool) error {
	ink := img.Interpretation() == vips.InterpretationCMYK
	if img.HasICCProfile() && !fits(img.GetICCProfile(), img) {
		// A profile that is damaged or made for other pixels says nothing about these.
		if err := img.RemoveICCProfile(); err != nil {
			return err
		}
	}
	if ink || img.HasICCProfile() && !keep {
		if err := throughProfile(img, ink); err != nil {
			return err
		}
	}
	space := vips.InterpretationSRGB
	if img.Bands() < 3 {
		space = vips.InterpretationBW
	}
	if img.Interpretation() != space {
		if err := img.ToColorSpace(space); err != nil {
			return err
		}
	}
	if img.Bands() > 4 { // what TIFF has beside colours and alpha
		if err := img.ExtractBand(0, 4); err != nil {
			return err
		}
	}
	if img.BandFormat() != vips.BandFormatUchar {
		return img.Cast(vips.BandFormatUchar)
	}
	return nil
}

// throughProfile converts from the embedded profile to sRGB and drops the profile. The names are those of profiles built
// into libvips: paths would not be readable in a sandbox. It is perceptual, without compensation for the black of ink,
// as browsers do it.
func throughProfile(img *vips.ImageRef, ink bool) error {
	fallback := "srgb"
	if ink {
		fallback = "cmyk"
	}
	if err := img.TransformICCProfileWithFallback("srgb", fallback); err == nil {
		return img.RemoveICCProfile() // it has become that of sRGB, which needs none
	}
	// The profile has the form of one, and can't be linked.
	if err := img.RemoveICCProfile(); err != nil || !ink {
		return err
	}
	if err := img.TransformICCProfileWithFallback("srgb", fallback); err != nil {
		return err
	}
	return img.RemoveICCProfile()
}

// coloured gives grey three channels. A profile of grey that was kept says nothing about these.
func coloured(img *vips.ImageRef) error {
	if img.HasICCProfile() {
		return throughProfile(img, false)
	}
	return img.ToColorSpace(vips.InterpretationSRGB)
}

// fits reports whether a profile is whole and made for pixels like those of img.
func fits(profile []byte, img *vips.ImageRef) bool {
	const head, entry = 132, 12
	if len(profile) < head || string(profile[36:40]) != "acsp" || uint64(binary.BigEndian.Uint32(profile)) > uint64(len(profile)) {
		return false
	}
	count := uint64(binary.BigEndian.Uint32(profile[128:]))
	if count == 0 || head+entry*count > uint64(len(profile)) {
		return false
	}
	for i := range count {
		e := profile[head+entry*i:]
		if uint64(binary.BigEndian.Uint32(e[4:]))+uint64(binary.BigEndian.Uint32(e[8:])) > uint64(len(profile)) {
			return false
		}
	}
	return string(profile[16:20]) == profileSpace(img)
}

// profileSpace is what profiles call the channels of img; "" where libvips has its own way: for floating point, which a
// conversion by profile would cut off, and for spaces like L*a*b*.
func profileSpace(img *vips.ImageRef) string {
	if f := img.BandFormat(); f != vips.BandFormatUchar && f != vips.BandFormatUshort {
		return ""
	}
	switch img.Interpretation() {
	case vips.InterpretationCMYK:
		return "CMYK"
	case vips.InterpretationLAB, vips.InterpretationLABS, vips.InterpretationLABQ, vips.InterpretationXYZ, vips.InterpretationScRGB:
		return ""
	}
	if img.Bands() < 3 {
		return "GRAY"
	}
	return "RGB "
}
