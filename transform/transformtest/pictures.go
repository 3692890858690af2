package transformtest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
)

// The colours of the corners of [Picture]: top left, top right, bottom left, bottom right.
var (
	Red    = color.NRGBA{R: 220, G: 30, B: 30, A: 255}
	Green  = color.NRGBA{R: 30, G: 170, B: 60, A: 255}
	Blue   = color.NRGBA{R: 40, G: 60, B: 210, A: 255}
	Yellow = color.NRGBA{R: 240, G: 210, B: 40, A: 255}
)

// Picture returns a picture that looks different in every orientation: a soft grey ground, a square of its own colour in
// each corner, and one detailed, saturated spot right of the centre and above it, which a crop should keep.
func Picture(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	spotX, spotY, radius := 0.72*float64(width), 0.36*float64(height), 0.2*float64(min(width, height))
	for y := range height {
		for x := range width {
			shade := 120 + 70*float64(x)/float64(width) - 30*float64(y)/float64(height)
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(shade), G: uint8(shade), B: uint8(shade + 8), A: 255})
			away := math.Hypot(float64(x)-spotX, float64(y)-spotY) / radius
			if away < 1 {
				ring := 0.5 + 0.5*math.Cos(away*3*math.Pi)
				img.SetNRGBA(x, y, color.NRGBA{R: uint8(255 - 60*away), G: uint8(60 + 150*ring), B: uint8(30 * (1 - ring)), A: 255})
			}
		}
	}
	side := max(min(width, height)/4, 1)
	corner := func(x, y int, c color.NRGBA) {
		draw.Draw(img, image.Rect(x, y, x+side, y+side), image.NewUniform(c), image.Point{}, draw.Src)
	}
	corner(0, 0, Red)
	corner(width-side, 0, Green)
	corner(0, height-side, Blue)
	corner(width-side, height-side, Yellow)
	return img
}

// Cutout returns [Picture] with everything outside of an ellipse transparent. What is transparent is pure magenta, so
// that a resize which forgets about alpha shows it.
func Cutout(width, height int) *image.NRGBA {
	img := Picture(width, height)
	for y := range height {
		for x := range width {
			if math.Hypot(2*(float64(x)+0.5)/float64(width)-1, 2*(float64(y)+0.5)/float64(height)-1) > 0.9 {
				img.SetNRGBA(x, y, color.NRGBA{R: 255, B: 255})
			}
		}
	}
	return img
}

// Uniform returns a picture of one colour.
func Uniform(width, height int, c color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Stored returns what a camera stores for a picture that is to be seen as upright with EXIF orientation o.
func Stored(upright *image.NRGBA, o int) *image.NRGBA {
	w, h := upright.Bounds().Dx(), upright.Bounds().Dy()
	stored := image.NewNRGBA(image.Rect(0, 0, w, h))
	if o >= 5 {
		stored = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			// EXIF: where the upright picture's pixel (x, y) lies in the stored one.
			at := [...]image.Point{
				1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {y, w - 1 - x}, 7: {h - 1 - y, w - 1 - x}, 8: {h - 1 - y, x},
			}[o]
			stored.SetNRGBA(at.X, at.Y, upright.NRGBAAt(x, y))
		}
	}
	return stored
}

// JPEG encodes img at quality 95.
func JPEG(img image.Image) []byte {
	var b bytes.Buffer
	must(jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

// PNG encodes img.
func PNG(img image.Image) []byte {
	var b bytes.Buffer
	must(png.Encode(&b, img))
	return b.Bytes()
}

// GIF encodes frames as an animation that shows each for so many hundredths of a second, twice in all.
func GIF(delay int, frames ...image.Image) []byte {
	g := &gif.GIF{LoopCount: 1}
	for _, f := range frames {
		g.Image = append(g.Image, paletted(f))
		g.Delay = append(g.Delay, delay)
		g.Disposal = append(g.Disposal, gif.DisposalBackground)
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, g))
	return b.Bytes()
}

// paletted maps img to a palette of a transparent and 216 opaque colours.
func paletted(img image.Image) *image.Paletted {
	colours := color.Palette{color.NRGBA{}}
	for r := range 6 {
		for g := range 6 {
			for b := range 6 {
				colours = append(colours, color.NRGBA{R: uint8(51 * r), G: uint8(51 * g), B: uint8(51 * b), A: 255})
			}
		}
	}
	out := image.NewPaletted(img.Bounds(), colours)
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// WithOrientation returns the JPEG with an EXIF segment that says the orientation o and holds an author's name.
func WithOrientation(jpeg []byte, o int) []byte {
	tiff := binary.BigEndian.AppendUint32([]byte("MM\x00*"), 8)
	tiff = binary.BigEndian.AppendUint16(tiff, 2)
	tiff = append(tiff, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0) // orientation, one SHORT
	tiff = append(tiff, 0x01, 0x3b, 0, 2, 0, 0, 0, 4, 'Z', 'o', 'e', 0) // artist, four ASCII
	return WithSegment(jpeg, 0xe1, append([]byte("Exif\x00\x00"), append(tiff, 0, 0, 0, 0)...))
}

// WithProfile returns the JPEG with an embedded ICC profile of less than 64 KiB.
func WithProfile(jpeg, profile []byte) []byte {
	return WithSegment(jpeg, 0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

// WithSegment returns the JPEG with a further segment at its beginning.
func WithSegment(jpeg []byte, marker byte, content []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2))
	return bytes.Join([][]byte{jpeg[:2], segment, content, jpeg[2:]}, nil)
}

// must is for encoders that write to memory, which fail only by a mistake in this package.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// deep returns img with 16 bits a channel.
func deep(img image.Image) image.Image {
	out := image.NewNRGBA64(img.Bounds())
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// grey returns img without colours.
func grey(img image.Image) image.Image {
	out := image.NewGray(img.Bounds())
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// pngText returns the PNG with an author's name in a tEXt chunk behind its header.
func pngText(file []byte) []byte {
	const header = 8 + 25
	content := []byte("tEXtAuthor\x00Zoe")
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(content)-4))
	chunk = append(chunk, content...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(content))
	return bytes.Join([][]byte{file[:header], chunk, file[header:]}, nil)
}
