package vipsexec

import (
	"github.com/davidbyttow/govips/v2/vips"
)

// toSRGB converts to 8-bit sRGB. Grey without a profile stays one channel, which is sRGB's neutral axis. With keep, the
// pixels of an RGB or grey profile stay as they are, in 8 bits.
func toSRGB(img *vips.ImageRef, keep bool) error {
	space := img.Interpretation()
	if img.HasICCProfile() || space == vips.InterpretationCMYK {
		if space == vips.InterpretationCMYK || !keep {
			if err := throughProfile(img); err != nil {
				return err
			}
		}
	}
	space = vips.InterpretationSRGB
	if img.Bands() < 3 {
		space = vips.InterpretationBW
	}
	if img.Interpretation() != space {
		if err := img.ToColorSpace(space); err != nil {
			return err
		}
	}
	if img.BandFormat() != vips.BandFormatUchar {
		return img.Cast(vips.BandFormatUchar)
	}
	return nil
}

// throughProfile converts from the embedded profile to libvips' own sRGB. The names are those of profiles built into
// libvips: paths would not be readable in a sandbox.
func throughProfile(img *vips.ImageRef) error {
	fallback := "srgb"
	if img.Interpretation() == vips.InterpretationCMYK {
		fallback = "cmyk"
	}
	err := img.TransformICCProfileWithFallback("srgb", fallback)
	if err == nil {
		return nil
	}
	// A profile that is damaged or made for another number of channels says nothing about these pixels.
	if removal := img.RemoveICCProfile(); removal != nil {
		return removal
	}
	if img.Interpretation() == vips.InterpretationCMYK {
		return img.TransformICCProfileWithFallback("srgb", fallback)
	}
	return nil
}
