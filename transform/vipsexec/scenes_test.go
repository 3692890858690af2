package vipsexec_test

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// sceneGoldens are chains that put pictures of 160×100 before a backdrop or bend them, and what they look like.
var sceneGoldens = []struct{ name, chain, source string }{
	{"blurred", "w-240,h-100,cm-pad_resize,bg-blurred,f-png", "picture"},
	{"blurred-darker", "w-160,h-160,cm-pad_resize,bg-blurred_25_N60,f-png", "picture"},
	{"blurred-not-at-all", "w-160,h-160,cm-pad_resize_no_enlarge,bg-blurred_0_40,f-png", "picture"},
	{"blurred-cutout", "w-240,h-100,cm-pad_resize,bg-blurred_10,fo-left,f-png", "cutout"},
	{"blurred-rounded", "w-240,h-100,cm-pad_resize,bg-blurred,r-30,f-png", "picture"},
	{"blurred-grey", "w-240,h-100,cm-pad_resize,bg-blurred_10,f-png", "grey"},
	{"dominant", "w-240,h-140,cm-pad_extract,bg-dominant,f-png", "picture"},
	{"dominant-cutout", "w-160,h-100,cm-pad_resize,bg-dominant,f-png", "island"},
	{"gradient-across", "w-240,h-100,cm-pad_resize,bg-gradient_dominant,f-png", "sunset turned"},
	{"gradient-down", "w-100,h-160,cm-pad_resize,bg-gradient_dominant_2,f-png", "sunset"},
	{"gradient-of-corners", "w-240,h-160,cm-pad_extract,bg-gradient_dominant_4,f-png", "picture"},
	{"perspective", "e-distort-p-30_0_160_25_130_80_0_100,f-png", "picture"},
	{"perspective-on-colour", "e-distort-p-30_0_160_25_130_80_0_100,bg-teal,f-png", "picture"},
	{"perspective-enlarged", "e-distort-p-0_40_280_0_230_180_60_130,bg-FF000050,f-png", "picture"},
	{"perspective-reduced", "e-distort-p-10_0_50_5_60_40_0_30,f-png", "picture"},
	{"perspective-cutout", "e-distort-p-30_0_160_25_130_80_0_100,f-png", "cutout"},
	{"perspective-grey", "e-distort-p-30_0_160_25_130_80_0_100,bg-black,f-png", "grey"},
	{"arc", "e-distort-a-60,f-png", "picture"},
	{"arc-down", "e-distort-a-N60,bg-white,f-png", "picture"},
	{"arc-of-a-ribbon", "h-40,cm-extract,e-distort-a-300,f-png", "picture"},
	{"arc-of-a-full-turn", "h-40,cm-extract,e-distort-a-360,f-png", "picture"},
	{"arc-beyond-its-centre", "e-distort-a-250,bg-navy,f-png", "picture"},
	{"arc-cutout", "e-distort-a-90,f-png", "cutout"},
}

func sceneSources(t *testing.T) map[string][]byte {
	t.Helper()
	sunset := image.NewNRGBA(image.Rect(0, 0, 160, 100))
	draw.Draw(sunset, sunset.Bounds(), transformtest.Picture(160, 100), image.Point{}, draw.Src)
	draw.Draw(sunset, image.Rect(0, 0, 160, 20), image.NewUniform(color.NRGBA{R: 240, G: 140, B: 60, A: 255}), image.Point{}, draw.Src)
	draw.Draw(sunset, image.Rect(0, 80, 160, 100), image.NewUniform(color.NRGBA{R: 30, G: 40, B: 90, A: 255}), image.Point{}, draw.Src)
	grey := image.NewGray(image.Rect(0, 0, 160, 100))
	draw.Draw(grey, grey.Bounds(), transformtest.Picture(160, 100), image.Point{}, draw.Src)
	return map[string][]byte{
		"picture":       transformtest.PNG(transformtest.Picture(160, 100)),
		"cutout":        transformtest.PNG(transformtest.Cutout(160, 100)),
		"island":        transformtest.PNG(island(160, 100)),
		"sunset":        transformtest.PNG(sunset),
		"sunset turned": transformtest.PNG(transformtest.Stored(sunset, 6)),
		"grey":          transformtest.PNG(grey),
	}
}

// island returns a picture with a hole in it: its border is visible.
func island(width, height int) image.Image {
	img := transformtest.Picture(width, height)
	draw.Draw(img, image.Rect(width/4, height/4, width*3/4, height*3/4), image.Transparent, image.Point{}, draw.Src)
	return img
}

func TestGoldenScenes(t *testing.T) {
	sources := sceneSources(t)
	for _, tt := range sceneGoldens {
		t.Run(tt.name, func(t *testing.T) {
			compareGolden(t, "scene-"+tt.name, rendered(t, sources[tt.source], tt.chain))
		})
	}
}
