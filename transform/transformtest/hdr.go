package transformtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/color"
	"math"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// The numbers of ITU-R H.273.
const (
	bt709, bt2020, displayP3Points            = 1, 9, 12
	unspecified, gamma22, linearLight, asSRGB = 2, 4, 8, 13
	pq, hlg                                   = 16, 18
)

// codedLook is the reference of code points: by the formulas of ITU-R BT.2100 with paper at 203 nits, and what is
// brighter than half of that rolled off up to 1000 nits.
func codedLook(colours, transfer int) look {
	space := map[int]primaries{bt709: srgbSpace, bt2020: rec2020Space, displayP3Points: p3Space, unspecified: srgbSpace}[colours]
	curve := map[int]func(float64) float64{
		gamma22:     func(v float64) float64 { return math.Pow(v, 2.2) },
		linearLight: func(v float64) float64 { return v },
		pq:          func(v float64) float64 { return rollOff(pqNits(v)) },
		hlg:         func(v float64) float64 { return rollOff(hlgNits(v)) },
	}[transfer]
	if curve == nil {
		curve = linear
	}
	toSRGB := srgbSpace.toXYZ().inverse().after(space.toXYZ())
	return func(p []uint16) rgb {
		var v rgb
		for i := range v {
			v[i] = curve(float64(p[i%len(p)]) / 0xffff)
		}
		return toSRGB.times(v)
	}
}

// pqNits is the EOTF of BT.2100, table 4.
func pqNits(v float64) float64 {
	p := math.Pow(v, 32/2523.0)
	return 10000 * math.Pow(max(p-0.8359375, 0)/(18.8515625-18.6875*p), 16384/2610.0)
}

// hlgNits is the EOTF of BT.2100, table 5, for grey on a screen of 1000 nits.
func hlgNits(v float64) float64 {
	scene := v * v / 3
	if v > 0.5 {
		scene = (math.Exp((v-0.55991073)/0.17883277) + 0.28466892) / 12
	}
	return 1000 * math.Pow(scene, 1.2)
}

// rollOff maps nits to light of sRGB: x up to a half, above that 0.5 + 0.5 t (1 + t/T²) / (1 + t), where t is how far x is
// beyond a half, in halves, and T the t of 1000 nits.
func rollOff(nits float64) float64 {
	x := nits / 203
	if x <= 0.5 {
		return x
	}
	top := 2*1000/203.0 - 1
	t := min(2*x-1, top)
	return 0.5 + 0.5*t*(1+t/top/top)/(1+t)
}

// described checks pictures whose colours are told by other means than a profile, HDR among them.
func (s suite) described(t *testing.T) {
	coarse := latticeChart(3, 4, 8)
	fine, greys := latticeChart(3, 5, 18), latticeChart(1, 60, 0)
	type file struct {
		name  string
		chart chart
		file  []byte
		look  look
	}
	var list []file
	for _, points := range [][2]int{
		{bt2020, pq},
		{bt2020, hlg},
		{displayP3Points, asSRGB},
		{displayP3Points, pq},
		{bt709, asSRGB},
		{bt709, gamma22},
		{bt709, linearLight},
		{unspecified, unspecified},
	} {
		colours, transfer := points[0], points[1]
		name := fmt.Sprintf("primaries %d and curve %d in ", colours, transfer)
		looks := codedLook(colours, transfer)
		chunk := []byte{byte(colours), byte(transfer), 0, 1}
		list = append(list,
			file{name + "avif", coarse, withCodePoints(File("chart.avif"), colours, transfer), depths(looks)},
			file{name + "heic of 10 bits", coarse, withCodePoints(File("chart.heic"), colours, transfer), looks},
			file{name + "png of 8 bits", fine, withChunk(fine.png(8), "cICP", chunk), depths(looks)},
			file{name + "png of 16 bits", fine.deep(), withChunk(fine.deep().png(16), "cICP", chunk), looks},
			file{name + "grey png of 16 bits", greys.deep(), withChunk(greys.deep().png(16), "cICP", chunk), looks},
		)
	}
	gama := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	list = append(list,
		file{"png of gamma 1.0", fine, withChunk(fine.png(8), "gAMA", gama(100000)), depths(codedLook(bt709, linearLight))},
		file{"png of 16 bits and gamma 1.0", fine.deep(), withChunk(fine.deep().png(16), "gAMA", gama(100000)), codedLook(bt709, linearLight)},
		file{"grey png of gamma 1.0", greys, withChunk(greys.png(8), "gAMA", gama(100000)), depths(codedLook(bt709, linearLight))},
		file{"png of sRGB's gamma", fine, withChunk(fine.png(8), "gAMA", gama(45455)), depths(codedLook(bt709, asSRGB))},
		file{"png of sRGB's gamma and places of P3", fine, withChunk(withChunk(fine.png(8), "gAMA", gama(45455)), "cHRM", places(p3Space)), depths(codedLook(displayP3Points, asSRGB))},
		file{"png of gamma 1.0 that is sRGB", fine, withChunk(withChunk(fine.png(8), "gAMA", gama(100000)), "sRGB", []byte{0}), depths(codedLook(bt709, asSRGB))},
		file{"png of places without a gamma", fine, withChunk(fine.png(8), "cHRM", places(p3Space)), depths(codedLook(bt709, asSRGB))},
		file{"png of a gamma of nothing", fine, withChunk(fine.png(8), "gAMA", gama(0)), depths(codedLook(bt709, asSRGB))},
		file{"png of impossible places", fine, withChunk(withChunk(fine.png(8), "gAMA", gama(45455)), "cHRM", make([]byte, 32)), depths(codedLook(bt709, asSRGB))},
		file{"png of a profile and a gamma", fine, withChunk(withPNGProfile(fine.png(8), File("displayp3.icc")), "gAMA", gama(100000)), depths(codedLook(displayP3Points, asSRGB))},
		file{"png of a profile and code points", fine, withChunk(withPNGProfile(fine.png(8), File("adobergb.icc")), "cICP", []byte{bt2020, pq, 0, 1}), depths(codedLook(bt2020, pq))},
	)
	for _, l := range list {
		f := transform.Sniff(l.file)
		for _, shrink := range []int{1, 2} {
			for _, keep := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s at 1:%d, keep %v", l.name, shrink, keep), func(t *testing.T) {
					s.need(t, f)
					w, h := l.chart.width()/shrink, l.chart.height()/shrink
					img := s.render(t, l.file, to(still(f, w, h, plan.Resize{Width: w, Height: h}, plan.Colour{KeepProfile: keep}), plan.Output{Format: plan.PNG, KeepProfile: keep}))
					c := profileCase{name: l.name, chart: l.chart, looks: l.look}
					shown := srgbLight
					if kept := pngProfile(t, img.Bytes); kept != nil {
						shown = depths(through(t, kept)).of8bits
					}
					c.compare(t, s.pixels(t, img), shrink, 1, shown)
				})
			}
		}
	}
	t.Run("paper of HDR is not white, and black is black", func(t *testing.T) {
		// 58 % of PQ and 75 % of HLG are 203 nits.
		for transfer, code := range map[int]float64{pq: 0.5806, hlg: 0.75} {
			v := uint8(math.Round(255 * code))
			grey := Uniform(8, 8, color.NRGBA{R: v, G: v, B: v, A: 255})
			file := withChunk(PNG(grey), "cICP", []byte{bt2020, byte(transfer), 0, 1})
			got := s.pixels(t, s.render(t, file, still(plan.PNG, 8, 8, plan.Colour{})))
			wantColor(t, got, 4, 4, color.NRGBA{R: 226, G: 226, B: 226, A: 255}, 3)
			black := withChunk(PNG(Uniform(8, 8, color.Black)), "cICP", []byte{bt2020, byte(transfer), 0, 1})
			wantColor(t, s.pixels(t, s.render(t, black, still(plan.PNG, 8, 8, plan.Colour{}))), 4, 4, color.Black, 0)
			white := withChunk(PNG(Uniform(8, 8, color.White)), "cICP", []byte{bt2020, byte(transfer), 0, 1})
			wantColor(t, s.pixels(t, s.render(t, white, still(plan.PNG, 8, 8, plan.Colour{}))), 4, 4, color.White, 1)
		}
	})
}

// places is the content of a cHRM chunk.
func places(p primaries) []byte {
	var out []byte
	for _, c := range []chromaticity{p.white, p.red, p.green, p.blue} {
		for _, v := range []float64{c.x, c.y} {
			out = binary.BigEndian.AppendUint32(out, uint32(math.Round(100000*v)))
		}
	}
	return out
}

// withCodePoints returns a HEIC or AVIF of one item that says the code points of its colours in a colr box.
func withCodePoints(file []byte, colours, transfer int) []byte {
	points := []byte{0, byte(colours), 0, byte(transfer)}
	file = bytes.Clone(file)
	if at := bytes.Index(file, []byte("colrnclx")); at >= 0 {
		copy(file[at+8:], points)
		return file
	}
	find := func(kind string) int { return bytes.Index(file, []byte(kind)) - 4 }
	grow := func(at, by int) {
		binary.BigEndian.PutUint32(file[at:], binary.BigEndian.Uint32(file[at:])+uint32(by))
	}
	insert := func(at int, data []byte) { file = append(file[:at:at], append(data, file[at:]...)...) }
	colr := append([]byte("\x00\x00\x00\x13colrnclx"), append(points, 0, 6, 0x80)...)
	grown := len(colr) + 1

	// The item is the only one: its place in the file is at a fixed distance in iloc, its properties end ipma.
	grow(find("iloc")+20, grown)
	ipco, ipma := find("ipco"), find("ipma")
	properties := 0
	for at := ipco + 8; at < ipma; at += int(binary.BigEndian.Uint32(file[at:])) {
		properties++
	}
	file[ipma+18]++
	for at, by := range map[int]int{find("meta"): grown, find("iprp"): grown, ipco: len(colr), ipma: 1} {
		grow(at, by)
	}
	insert(ipma+int(binary.BigEndian.Uint32(file[ipma:]))-1, []byte{byte(properties + 1)})
	insert(ipma, colr)
	return file
}
