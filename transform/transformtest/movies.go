package transformtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// movies checks what animations are beside their pixels: how long each frame is seen, how often all are, and how the
// frames of a file, which may be parts only, make up what is seen.
func (s suite) movies(t *testing.T) {
	delays := []int{0, 1, 2, 7, 100} // hundredths
	for _, loops := range []int{-1, 0, 1, 5} {
		t.Run(fmt.Sprintf("a gif with loop count %d", loops), func(t *testing.T) {
			src := timedGIF(loops, delays)
			p := still(plan.GIF, 20, 15, plan.Resize{Width: 20, Height: 15}, plan.Colour{})
			p.Load.Frames, p.Frames = len(delays), len(delays)
			s.wantTimes(t, s.render(t, src, to(p, plan.Output{Format: plan.GIF})), []int{0, 10, 20, 70, 1000}, plays(loops))
			// What browsers make of such short times in a GIF.
			s.wantTimes(t, s.render(t, src, to(p, plan.Output{Format: plan.WebP, Lossless: true})), []int{100, 100, 20, 70, 1000}, plays(loops))
		})
	}
	for _, loops := range []int{0, 1, 2, 6} {
		t.Run(fmt.Sprintf("a webp that is seen %d times", loops), func(t *testing.T) {
			times := []int{10, 40, 70, 5000}
			src := s.timedWebP(t, loops, times)
			p := still(plan.WebP, 20, 15, plan.Resize{Width: 20, Height: 15}, plan.Colour{})
			p.Load.Frames, p.Frames = len(times), len(times)
			s.wantTimes(t, s.render(t, src, to(p, plan.Output{Format: plan.GIF})), times, loops)
			// Ten milliseconds become what browsers make of them.
			s.wantTimes(t, s.render(t, src, to(p, plan.Output{Format: plan.WebP, Lossless: true})), []int{100, 40, 70, 5000}, loops)
		})
	}
	t.Run("gif frames that are parts", func(t *testing.T) {
		src, want := partialGIF()
		s.wantFrames(t, plan.GIF, src, want)
	})
	t.Run("webp frames that are parts", func(t *testing.T) {
		src, want := s.partialWebP(t)
		s.wantFrames(t, plan.WebP, src, want)
	})
}

// plays returns how often a GIF is seen whose loop count Go calls n; 0 is for ever.
func plays(n int) int {
	switch n {
	case -1:
		return 1
	case 0:
		return 0
	}
	return n + 1
}

// movieColours are those of frames that tell themselves apart.
var movieColours = []color.NRGBA{Red, Green, Blue, Yellow, {R: 255, G: 255, B: 255, A: 255}}

// timedGIF returns frames of one colour each.
func timedGIF(loops int, delays []int) []byte {
	g := &gif.GIF{LoopCount: loops}
	for i, d := range delays {
		g.Image = append(g.Image, inColours(Uniform(40, 30, movieColours[i])))
		g.Delay = append(g.Delay, d)
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, g))
	return b.Bytes()
}

// inColours maps img to a palette of its own colours.
func inColours(img image.Image) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), color.Palette{color.NRGBA{}})
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y))
			if !slices.Contains(out.Palette, c) {
				out.Palette = append(out.Palette, c)
			}
			out.Set(x, y, c)
		}
	}
	return out
}

// wantTimes checks how long the frames of img are seen, in milliseconds, and how often.
func (s suite) wantTimes(t *testing.T, img *transform.Image, times []int, plays int) {
	t.Helper()
	got, n := timesOf(img)
	if !slices.Equal(got, times) || n != plays {
		t.Errorf("the %v shows its frames for %v ms, %d times; want %v, %d times", img.Format, got, n, times, plays)
	}
}

// timesOf reads a GIF or WebP.
func timesOf(img *transform.Image) (times []int, n int) {
	if img.Format == plan.GIF {
		g, err := gif.DecodeAll(bytes.NewReader(img.Bytes))
		must(err)
		for _, d := range g.Delay {
			times = append(times, 10*d)
		}
		return times, plays(g.LoopCount)
	}
	for kind, data := range riffChunks(img.Bytes) {
		switch kind {
		case "ANIM":
			n = int(binary.LittleEndian.Uint16(data[4:]))
		case "ANMF":
			times = append(times, int(data[12])|int(data[13])<<8|int(data[14])<<16)
		}
	}
	return times, n
}

// riffChunks goes over the parts of a WebP file.
func riffChunks(file []byte) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for at := 12; at+8 <= len(file); {
			size := int(binary.LittleEndian.Uint32(file[at+4:]))
			if !yield(string(file[at:at+4]), file[at+8:][:size]) {
				return
			}
			at += 8 + size + size&1
		}
	}
}

// webpFrame is a frame of a WebP file: a picture at an even place, of so many milliseconds.
type webpFrame struct {
	picture image.Image
	at      image.Point
	time    int
	replace bool // it doesn't mix with what is below it
	clear   bool // its place becomes transparent behind it
}

// webp puts an animation together from pictures that the engine encodes.
func (s suite) webp(t *testing.T, size image.Point, loops int, frames []webpFrame) []byte {
	t.Helper()
	uint24 := func(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
	part := func(kind string, data []byte) []byte {
		head := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
		return append(append(head, data...), make([]byte, len(data)&1)...)
	}
	body := []byte("WEBP")
	body = append(body, part("VP8X", slices.Concat([]byte{0x12, 0, 0, 0}, uint24(size.X-1), uint24(size.Y-1)))...)
	body = append(body, part("ANIM", []byte{0, 0, 0, 0, byte(loops), byte(loops >> 8)})...)
	for _, f := range frames {
		b := f.picture.Bounds()
		still := s.render(t, PNG(f.picture), to(still(plan.PNG, b.Dx(), b.Dy()), plan.Output{Format: plan.WebP, Lossless: true}))
		var flags byte
		if f.replace {
			flags |= 2
		}
		if f.clear {
			flags |= 1
		}
		data := slices.Concat(uint24(f.at.X/2), uint24(f.at.Y/2), uint24(b.Dx()-1), uint24(b.Dy()-1), uint24(f.time), []byte{flags})
		for kind, picture := range riffChunks(still.Bytes) {
			if kind == "VP8L" {
				data = append(data, part(kind, picture)...)
			}
		}
		body = append(body, part("ANMF", data)...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func (s suite) timedWebP(t *testing.T, loops int, times []int) []byte {
	var frames []webpFrame
	for i, time := range times {
		frames = append(frames, webpFrame{picture: Uniform(40, 30, movieColours[i]), time: time})
	}
	return s.webp(t, image.Pt(40, 30), loops, frames)
}

// partialGIF returns a GIF of every way to go on from a frame to the next, and what is seen.
func partialGIF() (file []byte, want []image.Image) {
	size := image.Rect(0, 0, 40, 30)
	ring := image.NewNRGBA(image.Rect(10, 8, 30, 24)) // with a hole
	draw.Draw(ring, ring.Bounds(), image.NewUniform(Yellow), image.Point{}, draw.Src)
	draw.Draw(ring, image.Rect(15, 12, 25, 20), image.Transparent, image.Point{}, draw.Src)
	frames := []struct {
		picture  image.Image
		disposal byte
	}{
		{Uniform(40, 30, Red), gif.DisposalNone},
		{ring, gif.DisposalPrevious},
		{in(image.Rect(0, 0, 12, 30), Green), gif.DisposalNone},
		{ring, gif.DisposalBackground},
		{in(image.Rect(28, 20, 40, 30), Blue), 0},
		{in(image.Rect(20, 0, 24, 30), Yellow), gif.DisposalPrevious},
		{in(image.Rect(38, 0, 40, 2), Green), gif.DisposalNone},
	}
	g := &gif.GIF{Config: image.Config{Width: 40, Height: 30}}
	canvas := image.NewNRGBA(size)
	for _, f := range frames {
		g.Image = append(g.Image, inColours(f.picture))
		g.Delay = append(g.Delay, 5)
		g.Disposal = append(g.Disposal, f.disposal)
		before := cut(canvas, 0, 0, 40, 30)
		draw.Draw(canvas, f.picture.Bounds(), f.picture, f.picture.Bounds().Min, draw.Over)
		want = append(want, cut(canvas, 0, 0, 40, 30))
		switch f.disposal {
		case gif.DisposalBackground:
			draw.Draw(canvas, f.picture.Bounds(), image.Transparent, image.Point{}, draw.Src)
		case gif.DisposalPrevious:
			draw.Draw(canvas, size, before, image.Point{}, draw.Src)
		}
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, g))
	return b.Bytes(), want
}

// in returns a picture of one colour at a place.
func in(r image.Rectangle, c color.Color) image.Image {
	img := image.NewNRGBA(r)
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// partialWebP is the same for WebP.
func (s suite) partialWebP(t *testing.T) (file []byte, want []image.Image) {
	ring := Uniform(20, 16, Yellow)
	draw.Draw(ring, image.Rect(5, 4, 15, 12), image.Transparent, image.Point{}, draw.Src)
	frames := []webpFrame{
		{picture: Uniform(40, 30, Red), replace: true},
		{picture: ring, at: image.Pt(10, 8)},
		{picture: Uniform(12, 30, Green), clear: true},
		{picture: ring, at: image.Pt(4, 2), replace: true},
		{picture: Uniform(12, 10, Blue), at: image.Pt(28, 20)},
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range frames {
		f := &frames[i]
		f.time = 50
		place, op := f.picture.Bounds().Add(f.at), draw.Over
		if f.replace {
			op = draw.Src
		}
		draw.Draw(canvas, place, f.picture, image.Point{}, op)
		want = append(want, cut(canvas, 0, 0, 40, 30))
		if f.clear {
			draw.Draw(canvas, place, image.Transparent, image.Point{}, draw.Src)
		}
	}
	return s.webp(t, image.Pt(40, 30), 0, frames), want
}

// wantFrames checks what is seen of an animation, as it is and at twice the size.
func (s suite) wantFrames(t *testing.T, f plan.Format, src []byte, want []image.Image) {
	t.Helper()
	for _, out := range []plan.Format{plan.GIF, plan.WebP} {
		for _, scale := range []int{1, 2} {
			w, h := 40*scale, 30*scale
			p := still(f, w, h, plan.Resize{Width: w, Height: h}, plan.Colour{})
			p.Load.Frames, p.Frames = len(want), len(want)
			img := s.render(t, src, to(p, plan.Output{Format: out, Lossless: out == plan.WebP}))
			for i, got := range s.frames(t, img).images {
				// The middles of what has one colour; between them GIF has a palette and the resize soft edges.
				for y := 1; y < 30; y += 2 {
					for x := 1; x < 40; x += 2 {
						if flatAround(want[i], x, y) {
							wantColor(t, got, x*scale, y*scale, want[i].At(x, y), 12)
						}
					}
				}
			}
		}
	}
}

// flatAround reports whether the pixels near one are all the same.
func flatAround(img image.Image, x, y int) bool {
	for dy := -3; dy <= 3; dy++ {
		for dx := -3; dx <= 3; dx++ {
			p := image.Pt(x+dx, y+dy)
			if p.In(img.Bounds()) && img.At(p.X, p.Y) != img.At(x, y) {
				return false
			}
		}
	}
	return true
}
