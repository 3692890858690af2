package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf16"
)

// iccTag is one entry of a profile. Several signatures may share the data.
type iccTag struct {
	signatures []string
	data       []byte
}

// iccProfile lays out an ICC profile of version 4: header, table of tags, data.
func iccProfile(class, space, pcs string, tags []iccTag) []byte {
	count := 0
	for _, t := range tags {
		count += len(t.signatures)
	}
	var table, data bytes.Buffer
	be32(&table, uint32(count))
	start := 128 + 4 + 12*count
	for _, t := range tags {
		for _, s := range t.signatures {
			table.WriteString(s)
			be32(&table, uint32(start+data.Len()), uint32(len(t.data)))
		}
		data.Write(t.data)
		data.Write(make([]byte, (4-data.Len()%4)%4))
	}
	header := make([]byte, 128)
	binary.BigEndian.PutUint32(header[0:], uint32(start+data.Len()))
	binary.BigEndian.PutUint32(header[8:], 0x04300000)
	copy(header[12:], class)
	copy(header[16:], space)
	copy(header[20:], pcs)
	for i, n := range []uint16{2025, 1, 1} { // a fixed date: the profile must not differ from run to run
		binary.BigEndian.PutUint16(header[24+2*i:], n)
	}
	copy(header[36:], "acsp")
	var white bytes.Buffer
	fixed(&white, d50[:]...)
	copy(header[68:], white.Bytes())
	return append(append(header, table.Bytes()...), data.Bytes()...)
}

// d50 is the white of the profile connection space.
var d50 = [3]float64{0.9642, 1, 0.8249}

// displayP3 returns a profile for Display-P3: its primaries, adapted to D50, and the sRGB curve.
func displayP3() []byte {
	var curve bytes.Buffer
	curve.WriteString("para\x00\x00\x00\x00\x00\x03\x00\x00")
	fixed(&curve, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
	var adaptation bytes.Buffer
	adaptation.WriteString("sf32\x00\x00\x00\x00")
	fixed(&adaptation, 1.047886, 0.022919, -0.050216, 0.029582, 0.990484, -0.017079, -0.009252, 0.015073, 0.751678)
	return iccProfile("mntr", "RGB ", "XYZ ", []iccTag{
		{[]string{"desc"}, iccText("Display P3")},
		{[]string{"cprt"}, iccText("CC0")},
		{[]string{"wtpt"}, iccXYZ(d50)},
		{[]string{"rXYZ"}, iccXYZ([3]float64{0.515121, 0.241196, -0.001053})},
		{[]string{"gXYZ"}, iccXYZ([3]float64{0.291977, 0.692245, 0.041885})},
		{[]string{"bXYZ"}, iccXYZ([3]float64{0.157104, 0.066574, 0.784073})},
		{[]string{"rTRC", "gTRC", "bTRC"}, curve.Bytes()},
		{[]string{"chad"}, adaptation.Bytes()},
	})
}

func iccText(s string) []byte {
	var b bytes.Buffer
	text := utf16.Encode([]rune(s))
	b.WriteString("mluc\x00\x00\x00\x00")
	be32(&b, 1, 12)
	b.WriteString("enUS")
	be32(&b, uint32(2*len(text)), 28)
	for _, c := range text {
		b.Write([]byte{byte(c >> 8), byte(c)})
	}
	return b.Bytes()
}

func iccXYZ(xyz [3]float64) []byte {
	b := bytes.NewBufferString("XYZ \x00\x00\x00\x00")
	fixed(b, xyz[:]...)
	return b.Bytes()
}

// fixed writes s15Fixed16 numbers.
func fixed(b *bytes.Buffer, numbers ...float64) {
	for _, n := range numbers {
		be32(b, uint32(int32(math.Round(n*65536))))
	}
}

func be32(b *bytes.Buffer, numbers ...uint32) {
	for _, n := range numbers {
		b.Write(binary.BigEndian.AppendUint32(nil, n))
	}
}
