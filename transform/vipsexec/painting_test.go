package vipsexec_test

import (
	"image/color"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// paintingGoldens are chains on the pictures of [lookSources], and what they look like.
var paintingGoldens = []struct{ name, chain, source string }{
	{"shadow", "e-shadow,f-png", "cutout"},
	{"shadow-dark", "e-shadow-bl-15_st-100_x-8_y-N12,f-png", "cutout"},
	{"shadow-sharp", "e-shadow-bl-0_st-60_x-N6_y-6,f-png", "cutout"},
	{"shadow-on-colour", "e-shadow-st-70_x-5_y-5,bg-F3D9A4,f-png", "cutout"},
	{"shadow-on-padding", "w-160,h-120,cm-pad_resize,e-shadow-st-80_x-3_y-3,bg-white,f-png", "picture"},
	{"shadow-blurred-cutout", "w-100,bl-4,e-shadow-st-60,bg-white,f-png", "cutout"},
	{"gradient", "e-gradient,f-png", "picture"},
	{"gradient-cutout", "e-gradient-from-FF000080_to-0000FF80_ld-right,f-png", "cutout"},
	{"gradient-corner", "e-gradient-ld-top_right_from-teal_to-FFD70000,f-png", "picture"},
	{"gradient-opaque", "e-gradient-ld-60_from-F2559A_to-F27855,f-png", "picture"},
	{"gradient-stop", "e-gradient-ld-left_from-000_to-00000000_sp-0.4,f-png", "picture"},
	{"gradient-stop-in-pixels", "e-gradient-ld-30_from-red_to-FFFF0030_sp-20,f-png", "picture"},
	{"tinted", "e-colorize-co-CC7722,f-png", "picture"},
	{"tinted-half", "e-colorize-co-blue_in-50,f-png", "picture"},
	{"tinted-grey", "e-colorize,f-png", "picture"},
	{"tinted-cutout", "e-colorize-co-teal,f-png", "cutout"},
	{"tinted-after-grey", "e-grayscale,e-colorize-co-red,f-png", "cutout"},
	{"replaced", "cr-navy_30_DC1E1E,f-png", "picture"},
	{"replaced-dominant", "cr-C0392B,f-png", "picture"},
	{"replaced-cutout", "cr-teal_40,f-png", "cutout"},
	{"replaced-grey", "e-grayscale,cr-green_20,f-png", "picture"},
	{"painted", "e-colorize-co-teal_in-40,cr-gold_25,e-shadow-st-80,e-gradient-to-navy_from-00008000,r-20,b-4_navy,bg-white,f-png", "cutout"},
}

func TestGoldenPaintings(t *testing.T) {
	sources := lookSources(t)
	for _, tt := range paintingGoldens {
		t.Run(tt.name, func(t *testing.T) {
			compareGolden(t, "look-"+tt.name, rendered(t, sources[tt.source], tt.chain))
		})
	}
}

// TestPaintingsReadTheSourceOnce compares with what is painted on the same picture from memory: a source is decoded from top to
// bottom, once.
func TestPaintingsReadTheSourceOnce(t *testing.T) {
	cutout, opaque := transformtest.PNG(transformtest.Cutout(100, 2500)), transformtest.JPEG(transformtest.Picture(100, 2500))
	for _, chain := range []string{
		"e-colorize-co-red_in-30", "cr-red_30_blue", "cr-red", "e-gradient-ld-30", "e-shadow", "e-colorize,cr-red_50_gray,e-gradient", "cr-red:cr-blue:e-shadow,e-gradient",
	} {
		for _, src := range [][]byte{cutout, opaque} {
			// Half a turn holds the picture, and two are none.
			if d := transformtest.Compare(rendered(t, src, chain+",f-png"), rendered(t, src, "rt-180:rt-180:"+chain+",f-png")); d.Worst > 0 {
				t.Errorf("%s: %v from the same done in memory", chain, d)
			}
		}
	}
}

// TestNoPaintingMixesInvisibleColoursIn is TestNoLookMixesInvisibleColoursIn for what paints colours.
func TestNoPaintingMixesInvisibleColoursIn(t *testing.T) {
	src := transformtest.PNG(transformtest.Cutout(160, 100))
	for _, chain := range []string{"e-shadow-st-100_x-9", "e-gradient-from-000_to-transparent", "cr-black_5_white,e-shadow", "e-colorize-in-20,bl-4,e-shadow-bl-15"} {
		wantNoMagenta(t, src, chain)
	}
}

// TestShadowsLookAlikeAtEverySize compares a shadow on a large picture, scaled down, with one on the small picture.
func TestShadowsLookAlikeAtEverySize(t *testing.T) {
	src := transformtest.PNG(transformtest.Cutout(1200, 750))
	for _, shadow := range []string{"e-shadow", "e-shadow-bl-15_st-100_x-10_y-N10", "e-shadow-bl-3_st-60"} {
		large, small := rendered(t, src, shadow+",bg-white:w-240,f-png"), rendered(t, src, "w-240,"+shadow+",bg-white,f-png")
		if d := transformtest.Compare(large, small); d.Mean > 0.3 || d.Worst > 3 {
			t.Errorf("%s: %v between the sizes", shadow, d)
		}
	}
}

// TestReplacingNothingChangesNothing guards against colours that come back from L*a*b* as others.
func TestReplacingNothingChangesNothing(t *testing.T) {
	img := transformtest.Uniform(256, 256, color.Black)
	for i := range 256 * 256 {
		img.SetNRGBA(i%256, i/256, color.NRGBA{R: uint8(i), G: uint8(i >> 8), B: uint8(i*7 + i>>5), A: 255})
	}
	e, src := newEngine(t), transformtest.PNG(img)
	p := planned(t, e, src, "cr-red,f-png")
	grey := plan.Color{R: 128, G: 128, B: 128, A: 255}
	p.Ops[len(p.Ops)-1] = plan.Replace{To: grey, From: grey, Tolerance: 100}                       // shifts by nothing
	if d := transformtest.Compare(decodePNG(t, render(t, e, src, p).Bytes), img); d.Worst > 0.05 { // one in thousands is off by one
		t.Errorf("%v from the picture", d)
	}
}
