// Package pictures makes originals for measurements, always the same ones.
package pictures

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
)

// Small returns a JPEG of 768 x 512 and about 0.2 MB that shows what a larger JPEG shows, grain added: how fine the grain
// is decides the size of the file.
func Small(large []byte) ([]byte, error) {
	photo, err := jpeg.Decode(bytes.NewReader(large))
	if err != nil {
		return nil, err
	}
	const width, height, wanted = 768, 512, 200_000
	small := shrunk(photo, width, height)
	var file []byte
	for quality := 60; quality <= 100; quality += 4 {
		if file, err = JPEG(Grainy(small, 12), quality); err != nil || len(file) >= wanted {
			return file, err
		}
	}
	return nil, errors.New("no quality makes a JPEG of 768 x 512 as large as 0.2 MB")
}

// shrunk returns the picture in another size, each pixel the mean of those that it stands for.
func shrunk(photo image.Image, width, height int) *image.NRGBA {
	to, b := image.NewNRGBA(image.Rect(0, 0, width, height)), photo.Bounds()
	for y := range height {
		for x := range width {
			var sum [3]uint32
			n := uint32(0)
			for sy := b.Min.Y + y*b.Dy()/height; sy < b.Min.Y+(y+1)*b.Dy()/height; sy++ {
				for sx := b.Min.X + x*b.Dx()/width; sx < b.Min.X+(x+1)*b.Dx()/width; sx++ {
					red, green, blue, _ := photo.At(sx, sy).RGBA()
					sum[0], sum[1], sum[2], n = sum[0]+red>>8, sum[1]+green>>8, sum[2]+blue>>8, n+1
				}
			}
			n = max(n, 1)
			to.SetNRGBA(x, y, color.NRGBA{R: uint8(sum[0] / n), G: uint8(sum[1] / n), B: uint8(sum[2] / n), A: 255})
		}
	}
	return to
}

// Grainy returns the picture with noise of so much strength, the same each time.
func Grainy(picture *image.NRGBA, strength int) *image.NRGBA {
	random := rand.New(rand.NewPCG(1, 2))
	grainy := *picture
	grainy.Pix = slices.Clone(picture.Pix)
	for i := range grainy.Pix {
		if i%4 != 3 {
			grainy.Pix[i] = uint8(min(255, max(0, int(grainy.Pix[i])+random.IntN(2*strength+1)-strength)))
		}
	}
	return &grainy
}

// Shapes returns a picture of soft colours and hard edges, with transparency if it is wanted. The turn makes frames differ.
func Shapes(width, height, turn int, transparent bool) *image.NRGBA {
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{R: uint8(x * 255 / width), G: uint8(y * 255 / height), B: 140, A: 255}
			if dx, dy := x-(width/4+turn*width/16)%width, y-height/2; dx*dx+dy*dy < height*height/9 {
				c = color.NRGBA{R: 230, G: uint8(40 + dx&63), B: 60, A: 255}
			} else if transparent {
				c.A = uint8(255 - x*255/width)
			}
			to.SetNRGBA(x, y, c)
		}
	}
	return to
}

// JPEG encodes a picture.
func JPEG(picture image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// PNG encodes a picture.
func PNG(picture image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, picture)
	return b.Bytes(), err
}

// GIF returns an animation of so many frames.
func GIF(width, height, frames int) ([]byte, error) {
	var b bytes.Buffer
	g := new(gif.GIF)
	for turn := range frames {
		frame, palette := Shapes(width, height, turn, false), color.Palette{}
		for i := range 64 {
			palette = append(palette, color.NRGBA{R: uint8(i & 3 * 85), G: uint8(i >> 2 & 3 * 85), B: uint8(i >> 4 * 85), A: 255})
		}
		paletted := image.NewPaletted(frame.Rect, palette)
		for y := range height {
			for x := range width {
				c := frame.NRGBAAt(x, y)
				paletted.SetColorIndex(x, y, c.R/86|c.G/86<<2|c.B/86<<4)
			}
		}
		g.Image, g.Delay = append(g.Image, paletted), append(g.Delay, 8)
	}
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}
