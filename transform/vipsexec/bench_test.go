package vipsexec_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// photograph returns a JPEG whose detail is spread over all scales, as that of a photograph is: octaves of smooth noise
// and a little grain.
func photograph(width, height int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	const octaves, first = 7, 4
	var grids [octaves][3][]float64
	for o := range octaves {
		side := first<<o + 2
		for c := range 3 {
			grids[o][c] = make([]float64, side*side)
			for i := range grids[o][c] {
				grids[o][c][i] = random.Float64() - 0.5
			}
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			var v [3]float64
			amplitude := 150.0
			for o := range octaves {
				cells := first << o
				fx, fy := float64(x*cells)/float64(width), float64(y*cells)/float64(height)
				ix, iy := int(fx), int(fy)
				fx, fy = fx-float64(ix), fy-float64(iy)
				at := iy*(cells+2) + ix
				for c := range 3 {
					g := grids[o][c]
					top, bottom := g[at]+(g[at+1]-g[at])*fx, g[at+cells+2]+(g[at+cells+3]-g[at+cells+2])*fx
					v[c] += amplitude * (top + (bottom-top)*fy)
				}
				amplitude *= 0.62
			}
			grain := random.Float64()*10 - 5
			channel := func(f float64) uint8 { return uint8(min(max(128+f+grain, 0), 255)) }
			img.SetRGBA(x, y, color.RGBA{R: channel(v[0]), G: channel(0.6*v[0] + 0.4*v[1]), B: channel(0.6*v[0] + 0.4*v[2]), A: 255})
		}
	}
	return transformtest.JPEG(img)
}

// BenchmarkRender12MP compares the engine with the same govips calls alone, which are the floor.
func BenchmarkRender12MP(b *testing.B) {
	src := photograph(4000, 3000)
	b.Run("engine", func(b *testing.B) {
		e := newEngine(b)
		in := transform.Inputs{Base: transform.Original{Bytes: src}}
		p := plan.Plan{
			Load:   plan.Load{Format: plan.JPEG, Shrink: 4, Frames: 1},
			Ops:    []plan.Op{plan.Resize{Width: 400, Height: 300}, plan.Colour{}},
			Output: plan.Output{Format: plan.JPEG, Quality: 80},
			Width:  400, Height: 300, Frames: 1,
		}
		for b.Loop() {
			if _, err := e.Probe(b.Context(), in.Base); err != nil {
				b.Fatal(err)
			}
			if _, err := e.Render(b.Context(), in, p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		newEngine(b)
		for b.Loop() {
			if err := floor(src); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func floor(src []byte) error {
	params := vips.NewImportParams()
	params.JpegShrinkFactor.Set(4)
	params.Access.Set(vips.AccessSequential)
	img, err := vips.LoadImageFromBuffer(src, params)
	if err != nil {
		return err
	}
	defer img.Close()
	if err := img.Resize(400/float64(img.Width()), vips.KernelLanczos3); err != nil {
		return err
	}
	_, _, err = img.ExportJpeg(&vips.JpegExportParams{Quality: 80, OptimizeCoding: true, StripMetadata: true})
	return err
}

// BenchmarkParameters12MP shows what parameters cost at the full size of a large picture, as CPU time, beside nothing but
// decoding and encoding it (q-80). What must be looked at before there is a plan counts.
func BenchmarkParameters12MP(b *testing.B) {
	e := newEngine(b)
	src := photograph(4000, 3000)
	for _, text := range []string{
		"q-80", "t-true", "rt-90", "rt-5,bg-red", "fl-h", "e-distort-p-300_0_4000_300_3700_3000_0_2700,bg-red", "e-distort-a-45,bg-red",
		"e-grayscale", "e-contrast", "e-colorize-co-red", "cr-red_35_blue", "cr-red", "bl-2", "bl-100", "e-sharpen", "e-usm-100-100-1-0",
		"e-gradient", "r-max,bg-red", "b-20_red", "o-50,bg-red", "w-4400,h-3000,cm-pad_resize,bg-red", "w-4400,h-3000,cm-pad_resize,bg-blurred",
		"w-4400,h-3000,cm-pad_resize,bg-gradient_dominant_4", "w-1600", "w-1600:w-1630,h-1222,cm-pad_extract,bg-transparent:e-shadow,bg-white",
	} {
		b.Run(text, func(b *testing.B) {
			chain, err := syntax.Parse(text + ":f-jpg")
			if err != nil {
				b.Fatal(err)
			}
			before := cpuTime(b)
			for b.Loop() {
				p, err := transformtest.Resolve(b, e, src, chain, plan.Hints{}, plan.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				render(b, e, src, p)
			}
			b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
