package vipsexec

import (
	"encoding/binary"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// describedProfile returns an ICC profile for colours that a file describes by other means, which libvips knows nothing
// about: code points (nclx in HEIC and AVIF, cICP in PNG), or PNG's gamma. It is nil where there is no such description,
// where a profile in the file stands above it, and where it means sRGB. embedded tells that the file has a profile.
func describedProfile(f plan.Format, src []byte, embedded, grey bool) []byte {
	var d description
	switch {
	case f == plan.PNG:
		d = pngDescription(src, embedded)
	case (f == plan.AVIF || f == plan.HEIC) && !embedded:
		d = heifDescription(src)
	}
	if d.ofSRGB() {
		return nil
	}
	return d.profile(grey)
}

// description says what pixels look like. Its zero value is sRGB.
type description struct {
	primaries primaries             // zero: sRGB's
	curve     func(float64) float64 // nil: sRGB's
}

func (d description) ofSRGB() bool { return d.primaries == (primaries{}) && d.curve == nil }

// codePoints reads a description in the numbers of ITU-T H.273. Those that are reserved or unspecified mean sRGB, and so
// do the curves of cameras for television, which screens don't undo.
func codePoints(colours, transfer uint16) description {
	var d description
	switch colours {
	case 9:
		d.primaries = rec2020
	case 11: // cinema; its white is greenish, which nobody wants to see adapted away
		d.primaries = primaries{p3.red, p3.green, p3.blue, chromaticity{0.314, 0.351}}
	case 12:
		d.primaries = p3
	}
	switch transfer {
	case 4:
		d.curve = power(2.2)
	case 5:
		d.curve = power(2.8)
	case 8:
		d.curve = power(1)
	case 16:
		d.curve = perceptualQuantizer
	case 18:
		d.curve = hybridLogGamma
	}
	return d
}

// pngDescription reads the chunks before the pixels. By the third edition of PNG, cICP stands above a profile, and that
// above a gamma.
func pngDescription(src []byte, embedded bool) description {
	var gamma, places []byte
	srgb := embedded
	for at := 8; at+12 <= len(src); {
		size, kind := uint64(binary.BigEndian.Uint32(src[at:])), string(src[at+4:at+8])
		if size > uint64(len(src)-at-12) || kind == "IDAT" {
			break
		}
		data := src[at+8:][:size]
		switch {
		case kind == "cICP" && size == 4:
			return codePoints(uint16(data[0]), uint16(data[1]))
		case kind == "sRGB", kind == "iCCP":
			srgb = true
		case kind == "gAMA" && size == 4:
			gamma = data
		case kind == "cHRM" && size == 32:
			places = data
		}
		at += 12 + int(size)
	}
	if srgb || gamma == nil {
		return description{}
	}
	return gammaDescription(gamma, places)
}

// gammaDescription reads gAMA and, where there is one, cHRM. Values near those of sRGB mean sRGB.
func gammaDescription(gamma, places []byte) description {
	const unit = 100000.0
	var d description
	encoding := float64(binary.BigEndian.Uint32(gamma)) / unit
	switch {
	case encoding < 0.1 || encoding > 10:
		return description{} // no picture means that
	case encoding*2.2 < 0.95 || encoding*2.2 > 1.05:
		d.curve = power(1 / encoding)
	}
	if places == nil {
		return d
	}
	var v [8]float64
	for i := range v {
		v[i] = float64(binary.BigEndian.Uint32(places[4*i:])) / unit
	}
	p := primaries{white: chromaticity{v[0], v[1]}, red: chromaticity{v[2], v[3]}, green: chromaticity{v[4], v[5]}, blue: chromaticity{v[6], v[7]}}
	if p.plausible() && !p.near(srgb) {
		d.primaries = p
	}
	return d
}

// box is a part of a file of the ISO base media format.
type box struct {
	kind string // four characters
	data []byte
}

// nextBox cuts a box off the beginning of data; it is empty at the end, or where a box doesn't fit.
func nextBox(data []byte) (b box, rest []byte) {
	if len(data) < 8 {
		return box{}, nil
	}
	size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
	switch size {
	case 0: // up to the end
		size = uint64(len(data))
	case 1:
		if len(data) < 16 {
			return box{}, nil
		}
		size, head = binary.BigEndian.Uint64(data[8:]), 16
	}
	if size < head || size > uint64(len(data)) {
		return box{}, nil
	}
	return box{string(data[4:8]), data[head:size]}, data[size:]
}

// inside returns the content of the first box of a kind.
func inside(data []byte, kind string) []byte {
	for {
		b, rest := nextBox(data)
		if b.kind == kind || b.kind == "" {
			return b.data
		}
		data = rest
	}
}

// heifDescription reads the code points that belong to the main picture of a HEIC or AVIF file.
func heifDescription(src []byte) description {
	meta := inside(src, "meta")
	if len(meta) < 4 {
		return description{}
	}
	meta = meta[4:] // version and flags
	main, found := mainItem(inside(meta, "pitm"))
	if !found {
		return description{}
	}
	iprp := inside(meta, "iprp")
	owned := propertiesOf(inside(iprp, "ipma"), main)
	rest := inside(iprp, "ipco")
	for place := 1; len(rest) > 0; place++ {
		var b box
		if b, rest = nextBox(rest); b.kind != "colr" || len(b.data) < 10 || string(b.data[:4]) != "nclx" || !owned[place] {
			continue
		}
		return codePoints(binary.BigEndian.Uint16(b.data[4:]), binary.BigEndian.Uint16(b.data[6:]))
	}
	return description{}
}

// mainItem reads the number of the main picture.
func mainItem(pitm []byte) (id uint32, found bool) {
	switch {
	case len(pitm) >= 6 && pitm[0] == 0:
		return uint32(binary.BigEndian.Uint16(pitm[4:])), true
	case len(pitm) >= 8 && pitm[0] == 1:
		return binary.BigEndian.Uint32(pitm[4:]), true
	}
	return 0, false
}

// propertiesOf reads which properties an item has, counted from 1.
func propertiesOf(ipma []byte, item uint32) map[int]bool {
	if len(ipma) < 8 {
		return nil
	}
	idSize, placeSize := 2, 1
	if ipma[0] > 0 {
		idSize = 4
	}
	if ipma[3]&1 == 1 {
		placeSize = 2
	}
	owned := map[int]bool{}
	rest := ipma[8:]
	for range binary.BigEndian.Uint32(ipma[4:]) {
		if len(rest) < idSize+1 {
			break
		}
		id, count := bigEndian(rest[:idSize]), int(rest[idSize])
		if rest = rest[idSize+1:]; len(rest) < count*placeSize {
			break
		}
		for i := range count {
			if id == item {
				owned[int(bigEndian(rest[i*placeSize:][:placeSize])&(1<<(8*placeSize-1)-1))] = true // above is whether it is essential
			}
		}
		rest = rest[count*placeSize:]
	}
	return owned
}

func bigEndian(b []byte) uint32 {
	var v uint32
	for _, x := range b {
		v = v<<8 | uint32(x)
	}
	return v
}
