package transformtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// curveTag samples a transfer curve for a profile, linear values by encoded ones, at so many points.
func curveTag(curve func(float64) float64, points int) []byte {
	tag := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(points))
	for i := range points {
		v := min(max(curve(float64(i)/float64(points-1)), 0), 1)
		tag = binary.BigEndian.AppendUint16(tag, uint16(math.Round(v*0xffff)))
	}
	return tag
}

// gammaTag is a curve tag of a power.
func gammaTag(gamma float64) []byte {
	tag := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01")
	return binary.BigEndian.AppendUint16(tag, uint16(math.Round(gamma*256)))
}

func xyzTag(v [3]float64) []byte {
	tag := []byte("XYZ \x00\x00\x00\x00")
	for _, c := range v {
		tag = binary.BigEndian.AppendUint32(tag, uint32(int32(math.Round(c*65536))))
	}
	return tag
}

// profileTag is an element of a profile: its name of four characters, and what it holds.
type profileTag struct {
	name string
	data []byte
}

// matrixProfile returns an ICC profile of RGB by primaries and one curve.
func matrixProfile(p primaries, curve []byte) []byte {
	m := p.toPCS()
	column := func(j int) []byte { return xyzTag([3]float64{m[0][j], m[1][j], m[2][j]}) }
	return profileFile("RGB ", []profileTag{
		{"rXYZ", column(0)}, {"gXYZ", column(1)}, {"bXYZ", column(2)}, {"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	})
}

// greyProfile returns an ICC profile of grey.
func greyProfile(curve []byte) []byte { return profileFile("GRAY", []profileTag{{"kTRC", curve}}) }

// profileFile writes a display profile of version 2.
func profileFile(space string, tags []profileTag) []byte {
	name := "made for a test\x00"
	desc := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)))
	desc = append(append(desc, name...), make([]byte, 78)...)
	tags = append([]profileTag{{"desc", desc}, {"cprt", []byte("text\x00\x00\x00\x00CC0\x00")}, {"wtpt", xyzTag(pcsWhite)}}, tags...)

	head := make([]byte, 128)
	copy(head[8:], "\x02\x40\x00\x00mntr"+space+"XYZ ")
	copy(head[24:], "\x07\xea\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00acsp")
	copy(head[68:], xyzTag(pcsWhite)[8:])
	file := binary.BigEndian.AppendUint32(head, uint32(len(tags)))
	at := len(file) + 12*len(tags)
	var body []byte
	for _, t := range tags {
		file = append(file, t.name...)
		file = binary.BigEndian.AppendUint32(file, uint32(at+len(body)))
		file = binary.BigEndian.AppendUint32(file, uint32(len(t.data)))
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	file = append(file, body...)
	binary.BigEndian.PutUint32(file, uint32(len(file)))
	return file
}

// ThroughProfile returns what a picture in the space of a profile looks like, in sRGB of 16 bits: the reference rendering,
// in float64. The profile is of RGB, by a matrix and curves.
func ThroughProfile(profile []byte, img image.Image) (image.Image, error) {
	r, err := readRendering(profile)
	if err != nil || r.grey {
		return nil, errors.Join(err, errors.New("no profile of a matrix and curves"))
	}
	bounds := img.Bounds()
	out := image.NewNRGBA64(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			red, green, blue, _ := img.At(x, y).RGBA()
			c := r.sRGB([3]float64{float64(red) / 0xffff, float64(green) / 0xffff, float64(blue) / 0xffff})
			out.SetNRGBA64(x, y, color.NRGBA64{R: encodedDeep(c[0]), G: encodedDeep(c[1]), B: encodedDeep(c[2]), A: 0xffff})
		}
	}
	return out, nil
}

// rendering is what a profile of RGB or grey says about colours, computed in float64.
type rendering struct {
	curves [3]func(float64) float64
	matrix matrix // to XYZ under D50; unused by grey
	grey   bool
}

// readRendering reads a profile of the matrix or the grey kind.
func readRendering(profile []byte) (rendering, error) {
	if len(profile) < 132 {
		return rendering{}, errors.New("the profile is too short")
	}
	tags := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint32(profile[128:])) {
		entry := profile[132+12*i:]
		at, size := binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:])
		tags[string(entry[:4])] = profile[at:][:size]
	}
	r := rendering{grey: string(profile[16:20]) == "GRAY"}
	for i, colour := range "rgb" {
		name := string(colour) + "TRC"
		if r.grey {
			name = "kTRC"
		}
		curve, err := readCurve(tags[name])
		if err != nil {
			return rendering{}, fmt.Errorf("%s: %w", name, err)
		}
		r.curves[i] = curve
		if column := tags[string(colour)+"XYZ"]; len(column) >= 20 {
			for j := range 3 {
				r.matrix[j][i] = s15Fixed16(column[8+4*j:])
			}
		}
	}
	return r, nil
}

func s15Fixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// readCurve reads a curve tag: a table, a power, or a formula.
func readCurve(tag []byte) (func(float64) float64, error) {
	if len(tag) < 12 {
		return nil, errors.New("there is no curve")
	}
	switch kind, n := string(tag[:4]), int(binary.BigEndian.Uint32(tag[8:])); {
	case kind == "curv" && n == 0:
		return func(v float64) float64 { return v }, nil
	case kind == "curv" && n == 1:
		gamma := float64(binary.BigEndian.Uint16(tag[12:])) / 256
		return func(v float64) float64 { return math.Pow(v, gamma) }, nil
	case kind == "curv":
		return func(v float64) float64 {
			place := v * float64(n-1)
			i := min(int(place), n-2)
			low := float64(binary.BigEndian.Uint16(tag[12+2*i:])) / 0xffff
			high := float64(binary.BigEndian.Uint16(tag[14+2*i:])) / 0xffff
			return low + (high-low)*(place-float64(i))
		}, nil
	case kind == "para":
		return readFormula(tag)
	default:
		return nil, fmt.Errorf("unknown kind %q", kind)
	}
}

// readFormula reads a parametric curve of the kinds 0 and 3 of ICC.1:2022, table 68.
func readFormula(tag []byte) (func(float64) float64, error) {
	kind := binary.BigEndian.Uint16(tag[8:])
	p := make([]float64, (len(tag)-12)/4)
	for i := range p {
		p[i] = s15Fixed16(tag[12+4*i:])
	}
	switch kind {
	case 0:
		return func(v float64) float64 { return math.Pow(v, p[0]) }, nil
	case 3:
		g, a, b, c, d := p[0], p[1], p[2], p[3], p[4]
		return func(v float64) float64 {
			if v < d {
				return c * v
			}
			return math.Pow(a*v+b, g)
		}, nil
	}
	return nil, fmt.Errorf("unknown formula %d", kind)
}

// sRGB converts encoded values of the profile's space, 0…1, relative to its white. A grey takes the first value.
func (r rendering) sRGB(v [3]float64) rgb {
	if r.grey {
		y := r.curves[0](v[0])
		return rgb{y, y, y}
	}
	for i := range v {
		v[i] = r.curves[i](v[i])
	}
	return pcsToSRGB.times(r.matrix.times(v))
}

var pcsToSRGB = srgbSpace.toPCS().inverse()

// formulaTag writes sRGB's curve as a formula.
func formulaTag() []byte {
	tag := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		tag = binary.BigEndian.AppendUint32(tag, uint32(int32(math.Round(v*65536))))
	}
	return tag
}

// asVersion4 returns the profile with the version number 4, which formulas need.
func asVersion4(profile []byte) []byte {
	out := bytes.Clone(profile)
	copy(out[8:], "\x04\x20")
	return out
}
