package transformtest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// animation checks that what is done to a picture is done to each frame, and that time stays.
func (s suite) animation(t *testing.T) {
	// In the colours of the palette, so that the file holds exactly these.
	frames := []image.Image{paletted(Picture(60, 40)), paletted(Stored(Picture(60, 40), 2)), paletted(Uniform(60, 40, color.NRGBA{R: 255, G: 102, A: 255}))}
	src := GIF(7, frames...)
	animated := func(width, height int, ops ...plan.Op) plan.Plan {
		p := still(plan.GIF, width, height, ops...)
		p.Load.Frames, p.Frames = 3, 3
		return p
	}
	for _, f := range []plan.Format{plan.GIF, plan.WebP} {
		for _, tt := range []struct {
			name          string
			width, height int
			ops           []plan.Op
			on            func(image.Image) image.Image // the same done to a still picture
		}{
			{"as it is", 60, 40, nil, func(i image.Image) image.Image { return i }},
			{"cropped", 30, 25, []plan.Op{plan.Crop{X: 30, Y: 5, Width: 30, Height: 25}}, func(i image.Image) image.Image { return cut(i, 30, 5, 30, 25) }},
			{"turned", 40, 60, []plan.Op{plan.Orient{Orientation: 8}}, func(i image.Image) image.Image { return Stored(cut(i, 0, 0, 60, 40).(*image.NRGBA), 6) }},
			{"embedded", 80, 50, []plan.Op{plan.Embed{X: 20, Y: 4, Width: 80, Height: 50, Background: plan.Color{G: 204, B: 255, A: 255}}}, func(i image.Image) image.Image {
				out := Uniform(80, 50, color.NRGBA{G: 204, B: 255, A: 255})
				draw.Draw(out, image.Rect(20, 4, 80, 44), i, image.Point{}, draw.Over)
				return out
			}},
		} {
			t.Run(tt.name+" to "+f.String(), func(t *testing.T) {
				img := s.render(t, src, to(animated(tt.width, tt.height, append(tt.ops, plan.Colour{})...), plan.Output{Format: f, Lossless: f == plan.WebP}))
				got := s.frames(t, img)
				for i := range frames {
					// Another palette of 256 colours moves some; frames mixed up are far beyond.
					d := Compare(got.images[i], tt.on(frames[i]))
					if d.Mean > 6 || d.Worst > 20 {
						t.Errorf("frame %d is %v from what is expected", i, d)
					}
				}
				if !slices.Equal(got.delays, []int{7, 7, 7}) {
					t.Errorf("the frames last %v hundredths, want 7 each", got.delays)
				}
				if got.loops != 1 {
					t.Errorf("the loop count is %d, want 1", got.loops)
				}
			})
		}
	}
	t.Run("frames don't bleed into each other", func(t *testing.T) {
		colours := []color.Color{color.NRGBA{R: 255, A: 255}, color.NRGBA{B: 255, A: 255}, color.NRGBA{G: 255, A: 255}}
		var flat []image.Image
		for _, c := range colours {
			flat = append(flat, Uniform(61, 43, c))
		}
		for _, size := range [][2]int{{23, 17}, {61, 10}, {80, 57}} {
			img := s.render(t, GIF(7, flat...), to(animated(size[0], size[1], plan.Resize{Width: size[0], Height: size[1]}, plan.Colour{}), plan.Output{Format: plan.WebP, Lossless: true}))
			for i, frame := range s.frames(t, img).images {
				expect(t, frame, Uniform(size[0], size[1], colours[i]), 1)
			}
		}
	})
	t.Run("smart crop cuts all frames in one place", func(t *testing.T) {
		wide := []image.Image{Picture(120, 40), Stored(Picture(120, 40), 2), Picture(120, 40)}
		img := s.render(t, GIF(7, wide...), to(animated(40, 40, plan.SmartCrop{Width: 40, Height: 40}, plan.Colour{}), plan.Output{Format: plan.GIF}))
		got := s.frames(t, img)
		if d := Compare(got.images[0], got.images[2]); d.Worst > 1 {
			t.Errorf("frames of the same picture differ by %v", d)
		}
		if d := Compare(got.images[0], got.images[1]); d.Worst < 5 {
			t.Errorf("frames of different pictures differ by %v only", d)
		}
	})
	t.Run("the first frame alone", func(t *testing.T) {
		for _, file := range []struct {
			f     plan.Format
			bytes []byte
			w, h  int
		}{{plan.GIF, src, 60, 40}, {plan.WebP, File("animated.webp"), 48, 32}} {
			for _, f := range []plan.Format{plan.PNG, plan.WebP, plan.GIF} {
				img := s.render(t, file.bytes, to(still(file.f, file.w, file.h, plan.Colour{}), plan.Output{Format: f}))
				got := s.pixels(t, img)
				wantColor(t, got, 3, 3, Red, 40)
				wantColor(t, got, file.w-4, 3, Green, 40)
				if got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: img.Bytes}); err != nil || got.Frames != 1 {
					t.Errorf("the first frame of %v as %v has %d frames, %v", file.f, f, got.Frames, err)
				}
			}
		}
	})
	t.Run("webp to gif and scaled while it is decoded", func(t *testing.T) {
		p := animated(24, 16, plan.Resize{Width: 24, Height: 16}, plan.Colour{})
		p.Load = plan.Load{Format: plan.WebP, Shrink: 1, Scale: 0.5, Frames: 3}
		got := s.frames(t, s.render(t, File("animated.webp"), to(p, plan.Output{Format: plan.GIF})))
		wantColor(t, got.images[2], 12, 8, Blue, 12)
		if !slices.Equal(got.delays, []int{7, 7, 7}) {
			t.Errorf("the frames last %v hundredths, want 7 each", got.delays)
		}
	})
}

type movie struct {
	images []image.Image
	delays []int
	loops  int
}

// frames returns what img shows; for WebP by way of the engine's own GIF.
func (s suite) frames(t *testing.T, img *transform.Image) movie {
	t.Helper()
	if img.Format != plan.GIF {
		p := still(img.Format, img.Width, img.Height, plan.Colour{})
		p.Load.Frames, p.Frames = img.Frames, img.Frames
		img = s.render(t, img.Bytes, to(p, plan.Output{Format: plan.GIF}))
	}
	g, err := gif.DecodeAll(bytes.NewReader(img.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != img.Frames {
		t.Fatalf("there are %d frames, want %d", len(g.Image), img.Frames)
	}
	m := movie{delays: g.Delay, loops: g.LoopCount}
	canvas := image.NewNRGBA(image.Rect(0, 0, g.Config.Width, g.Config.Height))
	for i, frame := range g.Image {
		draw.Draw(canvas, frame.Bounds(), frame, frame.Bounds().Min, draw.Over)
		m.images = append(m.images, cut(canvas, 0, 0, img.Width, img.Height))
		if g.Disposal[i] == gif.DisposalBackground {
			draw.Draw(canvas, frame.Bounds(), image.Transparent, image.Point{}, draw.Src)
		}
	}
	return m
}
