package vipsexec

import (
	"encoding/binary"
	"math"
)

// chromaticity is where a colour lies in the diagram of CIE 1931.
type chromaticity struct{ x, y float64 }

// primaries are those of an RGB space, and its white.
type primaries struct{ red, green, blue, white chromaticity }

var (
	d65     = chromaticity{0.3127, 0.3290}
	srgb    = primaries{chromaticity{0.64, 0.33}, chromaticity{0.30, 0.60}, chromaticity{0.15, 0.06}, d65}
	p3      = primaries{chromaticity{0.680, 0.320}, chromaticity{0.265, 0.690}, chromaticity{0.150, 0.060}, d65}
	rec2020 = primaries{chromaticity{0.708, 0.292}, chromaticity{0.170, 0.797}, chromaticity{0.131, 0.046}, d65}
)

// near reports whether nobody sees the difference.
func (p primaries) near(q primaries) bool {
	const much = 0.002
	a, b := p.places(), q.places()
	for i := range a {
		if math.Abs(a[i].x-b[i].x) > much || math.Abs(a[i].y-b[i].y) > much {
			return false
		}
	}
	return true
}

// plausible reports whether the primaries can be those of a picture: all seen, and spanning a triangle around white.
func (p primaries) plausible() bool {
	for _, c := range p.places() {
		if c.x < 0 || c.y < 0.0001 || c.x+c.y > 1 {
			return false
		}
	}
	if p.white.y < 0.1 || math.Abs(determinant(p.columns())) < 0.01 {
		return false
	}
	for _, share := range p.shares() {
		if !(share > 0 && share < 100) {
			return false
		}
	}
	return true
}

func (p primaries) places() [4]chromaticity { return [4]chromaticity{p.red, p.green, p.blue, p.white} }

// xyz returns the colour with Y = 1.
func (c chromaticity) xyz() [3]float64 { return [3]float64{c.x / c.y, 1, (1 - c.x - c.y) / c.y} }

// columns are the primaries at Y = 1.
func (p primaries) columns() [3][3]float64 {
	return [3][3]float64{p.red.xyz(), p.green.xyz(), p.blue.xyz()}
}

// shares are the luminances of the primaries which make up white: Cramer's rule.
func (p primaries) shares() [3]float64 {
	columns := p.columns()
	whole := determinant(columns)
	var out [3]float64
	for i := range out {
		replaced := columns
		replaced[i] = p.white.xyz()
		out[i] = determinant(replaced) / whole
	}
	return out
}

func determinant(m [3][3]float64) float64 {
	return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) -
		m[1][0]*(m[0][1]*m[2][2]-m[0][2]*m[2][1]) +
		m[2][0]*(m[0][1]*m[1][2]-m[0][2]*m[1][1])
}

// profileWhite is the white of all profiles: the ICC's D50.
var profileWhite = [3]float64{0.9642, 1, 0.8249}

// Bradford's response of the cones, and back.
var (
	cones = [3][3]float64{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	back  = [3][3]float64{{0.9869929, -0.1470543, 0.1599627}, {0.4323053, 0.5183603, 0.0492912}, {-0.0085287, 0.0400428, 0.9684867}}
)

func product(m [3][3]float64, v [3]float64) [3]float64 {
	var out [3]float64
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

// adapted returns what a colour seen under a white looks like under that of profiles.
func adapted(colour, white [3]float64) [3]float64 {
	seen, from, to := product(cones, colour), product(cones, white), product(cones, profileWhite)
	for i := range seen {
		seen[i] *= to[i] / from[i]
	}
	return product(back, seen)
}

// curvePoints is how finely a profile's curve is sampled: every level of 12 bits.
const curvePoints = 4096

// profile writes the description as an ICC profile of version 2: a matrix and a curve, or the curve alone.
func (d description) profile(grey bool) []byte {
	if d.curve == nil {
		d.curve = srgbCurve
	}
	if d.primaries == (primaries{}) {
		d.primaries = srgb
	}
	curve := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), curvePoints)
	for i := range curvePoints {
		v := min(max(d.curve(float64(i)/(curvePoints-1)), 0), 1)
		curve = binary.BigEndian.AppendUint16(curve, uint16(math.Round(v*math.MaxUint16)))
	}
	if grey {
		return profileFile("GRAY", []tag{{"kTRC", curve}})
	}
	columns, shares, white := d.primaries.columns(), d.primaries.shares(), d.primaries.white.xyz()
	var tags []tag
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		for j := range columns[i] {
			columns[i][j] *= shares[i]
		}
		tags = append(tags, tag{name, xyzData(adapted(columns[i], white))})
	}
	return profileFile("RGB ", append(tags, tag{"rTRC", curve}, tag{"gTRC", curve}, tag{"bTRC", curve}))
}

// tag is an element of a profile.
type tag struct {
	name string // four characters
	data []byte
}

func xyzData(v [3]float64) []byte {
	data := []byte("XYZ \x00\x00\x00\x00")
	for _, c := range v {
		data = binary.BigEndian.AppendUint32(data, uint32(int32(math.Round(c*65536))))
	}
	return data
}

// profileFile writes a display profile. Equal neighbours share their data.
func profileFile(space string, tags []tag) []byte {
	name := "described\x00"
	desc := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)))
	desc = append(append(desc, name...), make([]byte, 78)...)
	tags = append([]tag{{"desc", desc}, {"cprt", []byte("text\x00\x00\x00\x00none\x00")}, {"wtpt", xyzData(profileWhite)}}, tags...)

	file := make([]byte, 128, 10<<10)
	copy(file[8:], "\x02\x40\x00\x00mntr"+space+"XYZ ")
	copy(file[36:], "acsp")
	copy(file[68:], xyzData(profileWhite)[8:])
	file = binary.BigEndian.AppendUint32(file, uint32(len(tags)))
	start := len(file) + 12*len(tags)
	var body []byte
	at := 0
	for i, t := range tags {
		if i == 0 || &t.data[0] != &tags[i-1].data[0] {
			body = append(body, make([]byte, -len(body)&3)...)
			at = start + len(body)
			body = append(body, t.data...)
		}
		file = append(file, t.name...)
		file = binary.BigEndian.AppendUint32(file, uint32(at))
		file = binary.BigEndian.AppendUint32(file, uint32(len(t.data)))
	}
	file = append(file, body...)
	binary.BigEndian.PutUint32(file, uint32(len(file)))
	return file
}
