package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/webp"
)

// coded returns a picture whose colour tells the place: red grows to the right, green downwards.
func coded(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{R: ramp(x, width), G: ramp(y, height), B: 128, A: 255})
		}
	}
	return img
}

func ramp(at, size int) uint8 { return uint8(at * 255 / max(1, size-1)) }

// place is the reverse of coded: where in a picture of the given size a colour stands.
func place(c color.Color, width, height int) (x, y float64) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return float64(n.R) * float64(width-1) / 255, float64(n.G) * float64(height-1) / 255
}

// writePicture writes a coded picture of the format that the file's name tells.
func writePicture(file string, width, height int) error {
	var buf bytes.Buffer
	var err error
	switch img := coded(width, height); filepath.Ext(file) {
	case ".jpg", ".jpeg":
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95})
	case ".png":
		err = png.Encode(&buf, img)
	case ".gif":
		err = gif.EncodeAll(&buf, animation(width, height, 5))
	case ".svg":
		fmt.Fprintf(&buf, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d"><circle cx="10" cy="10" r="8" fill="#c00"/></svg>`, width, height)
	default:
		err = fmt.Errorf("no pictures of format %q are made here", filepath.Ext(file))
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o600)
}

// animation returns frames of one colour each.
func animation(width, height, frames int) *gif.GIF {
	g := &gif.GIF{LoopCount: 0}
	for i := range frames {
		palette := color.Palette{color.RGBA{R: uint8(50 * i), G: 100, B: 200, A: 255}, color.Black}
		g.Image = append(g.Image, image.NewPaletted(image.Rect(0, 0, width, height), palette))
		g.Delay = append(g.Delay, 10)
	}
	return g
}

// measure returns size and format of an encoded picture.
func measure(b []byte) (width, height int, format string, err error) {
	var c image.Config
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8")):
		format = "jpeg"
		c, err = jpeg.DecodeConfig(bytes.NewReader(b))
	case bytes.HasPrefix(b, []byte("\x89PNG")):
		format = "png"
		c, err = png.DecodeConfig(bytes.NewReader(b))
	case bytes.HasPrefix(b, []byte("GIF8")):
		format = "gif"
		c, err = gif.DecodeConfig(bytes.NewReader(b))
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		format = "webp"
		if c, err = webp.DecodeConfig(bytes.NewReader(b)); err != nil {
			c, err = animatedWebP(b)
		}
	case len(b) > 12 && string(b[4:12]) == "ftypavif":
		format = "avif"
		c, err = avifConfig(b)
	case strings.Contains(string(b[:min(len(b), 500)]), "<svg"):
		format = "svg"
	default:
		return 0, 0, "", fmt.Errorf("not a picture that is known here: %q", b[:min(len(b), 40)])
	}
	return c.Width, c.Height, format, err
}

// animatedWebP reads the canvas of an extended WebP file (RFC 9649 §2.7).
func animatedWebP(b []byte) (image.Config, error) {
	if len(b) < 30 || string(b[12:16]) != "VP8X" {
		return image.Config{}, fmt.Errorf("not an extended WebP file")
	}
	side := func(b []byte) int { return 1 + int(b[0]) + int(b[1])<<8 + int(b[2])<<16 }
	return image.Config{Width: side(b[24:]), Height: side(b[27:])}, nil
}

// avifConfig reads the first image spatial extents box (ISO/IEC 23008-12 §6.5.3).
func avifConfig(b []byte) (image.Config, error) {
	i := bytes.Index(b, []byte("ispe"))
	if i < 0 || len(b) < i+16 {
		return image.Config{}, fmt.Errorf("no ispe box")
	}
	return image.Config{Width: int(binary.BigEndian.Uint32(b[i+8:])), Height: int(binary.BigEndian.Uint32(b[i+12:]))}, nil
}
