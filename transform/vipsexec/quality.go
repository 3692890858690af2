package vipsexec

import (
	"encoding/binary"
	"math"
	"slices"
)

// quantiser is a quantisation table of JPEG in the order of rows.
type quantiser [64]uint16

// The tables that libjpeg and most others scale by the quality: ITU-T T.81, Annex K.1 and K.2.
var (
	standardLuminance = quantiser{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	standardChrominance = quantiser{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
)

// zigzag holds the place in a quantiser of each value as files have them (T.81, figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// The segments of a JPEG file that matter here.
const (
	markerStart        = 0xd8
	markerEnd          = 0xd9
	markerScan         = 0xda
	markerQuantisation = 0xdb
)

// qualityOf returns the quality that a JPEG was encoded at, in libjpeg's measure of 1…100: of one that scaled the standard
// tables exactly it, of others the nearest; 0 if the header doesn't tell.
func qualityOf(file []byte) int {
	luminance, chrominance := quantisers(file)
	if luminance == nil {
		return 0
	}
	best, least := 0, math.Inf(1)
	try := func(quality int) {
		distance := luminance.distance(&standardLuminance, quality, least)
		if chrominance != nil && distance < least {
			distance += chrominance.distance(&standardChrominance, quality, least-distance)
		}
		if distance < least {
			best, least = quality, distance
		}
	}
	for quality := luminance.guess(); quality <= 100 && least > 0; quality++ {
		try(quality)
	}
	for quality := luminance.guess() - 1; quality >= 1 && least > 0; quality-- {
		try(quality)
	}
	return best
}

// guess returns a quality near that of t: with a good one found first, little of the others has to be looked at.
func (t *quantiser) guess() int {
	var sum, standard int
	for i, v := range t {
		sum += int(v)
		standard += int(standardLuminance[i])
	}
	percent := max(100*sum/standard, 1)
	if percent > 100 {
		return max(5000/percent, 1)
	}
	return min((200-percent)/2, 100)
}

// distance says how far t is from a standard table at a quality: the sum of the differences, each in relation to its size.
// It stops counting at limit.
func (t *quantiser) distance(standard *quantiser, quality int, limit float64) (sum float64) {
	largest := math.MaxUint8
	if slices.Max(t[:]) > math.MaxUint8 {
		largest = math.MaxInt16 // by an encoder that isn't held to baseline
	}
	for i, v := range t {
		a, b := float64(v), float64(scaledStep(int(standard[i]), quality, largest))
		if a != b {
			sum += math.Abs(a-b) / (a + b)
		}
		if sum >= limit {
			break
		}
	}
	return sum
}

// scaledStep is what libjpeg makes of a value of a standard table (jpeg_quality_scaling and jpeg_add_quant_table).
func scaledStep(v, quality, largest int) int {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	return min(max((v*scale+50)/100, 1), largest)
}

// quantisers returns the tables of the first component, which is luminance in all but a few files, and of the second where
// that has another; nil for what the header up to the first scan lacks.
func quantisers(file []byte) (luminance, chrominance *quantiser) {
	var tables [4]*quantiser
	var used []byte // numbers of tables, by component
	for at := 0; at+4 <= len(file); {
		if file[at] != 0xff {
			return nil, nil // between segments there is nothing else
		}
		marker := file[at+1]
		switch marker {
		case 0xff: // padding
			at++
			continue
		case markerStart:
			at += 2
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if marker == markerScan || marker == markerEnd || end < at+4 || end > len(file) {
			break
		}
		segment := file[at+4 : end]
		switch {
		case marker == markerQuantisation:
			readQuantisers(segment, &tables)
		case isFrame(marker):
			used = tablesOf(segment)
		}
		at = end
	}
	if len(used) == 0 {
		return nil, nil
	}
	luminance = tables[used[0]]
	if len(used) > 1 && used[1] != used[0] {
		chrominance = tables[used[1]]
	}
	return luminance, chrominance
}

// isFrame reports whether a marker opens a frame: those from 0xc0 on, but for three of other meanings.
func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

// readQuantisers reads the tables of a segment (T.81, B.2.4.1): each a byte with its precision and number, then 64 values.
func readQuantisers(segment []byte, into *[4]*quantiser) {
	for len(segment) > 0 {
		wide, number := segment[0]>>4, segment[0]&15
		size := 64 << wide
		if segment = segment[1:]; wide > 1 || number > 3 || len(segment) < size {
			return
		}
		t := new(quantiser)
		for i, place := range zigzag {
			if wide == 1 {
				t[place] = binary.BigEndian.Uint16(segment[2*i:])
			} else {
				t[place] = uint16(segment[i])
			}
		}
		into[number] = t
		segment = segment[size:]
	}
}

// tablesOf returns the numbers of the tables that the components of a frame use (T.81, B.2.2).
func tablesOf(frame []byte) (numbers []byte) {
	if len(frame) < 6 {
		return nil
	}
	components := int(frame[5])
	for frame = frame[6:]; components > 0 && len(frame) >= 3 && frame[2] <= 3; components-- {
		numbers = append(numbers, frame[2])
		frame = frame[3:]
	}
	return numbers
}
