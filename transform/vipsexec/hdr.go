package vipsexec

import "math"

// How light is brought from a range that goes far beyond white into that of sRGB: as it is up to half of white, then ever
// more slowly, so that what is as bright as peakNits ends at white. A sheet of paper, at 203 nits by ITU-R BT.2408, comes
// out at three quarters of the light, which is 226 of 255.
const (
	whiteNits = 203.0
	peakNits  = 1000.0
	knee      = 0.5
)

// rolledOff maps light, 1 being white, to 0…1.
func rolledOff(v float64) float64 {
	if v <= knee {
		return v
	}
	const most = (peakNits/whiteNits - knee) / (1 - knee)
	over := min((v-knee)/(1-knee), most)
	return knee + (1-knee)*over*(1+over/(most*most))/(1+over)
}

// perceptualQuantizer is the curve of SMPTE ST 2084, in which a value means a luminance up to 10000 nits.
func perceptualQuantizer(v float64) float64 {
	const m1, m2 = 2610.0 / 16384, 2523.0 / 32
	const c1, c2, c3 = 3424.0 / 4096, 2413.0 / 128, 2392.0 / 128
	p := math.Pow(v, 1/m2)
	return rolledOff(10000 / whiteNits * math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1))
}

// hybridLogGamma is the curve of ITU-R BT.2100 on a screen of 1000 nits, whose gamma of 1.2 is applied to each channel by
// itself.
func hybridLogGamma(v float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	light := v * v / 3
	if v > 0.5 {
		light = (math.Exp((v-c)/a) + b) / 12
	}
	return rolledOff(peakNits / whiteNits * math.Pow(light, 1.2))
}

// srgbCurve is that of IEC 61966-2-1.
func srgbCurve(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// power returns a curve of a plain gamma.
func power(gamma float64) func(float64) float64 {
	return func(v float64) float64 { return math.Pow(v, gamma) }
}
