package vipsexec_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

// TestEveryPlanIsExecutable resolves chains for sources of every kind: whatever plan allows, the engine does, and the
// result has the size that was planned.
func TestEveryPlanIsExecutable(t *testing.T) {
	e := newEngine(t)
	pic := transformtest.Picture(301, 203)
	sources := map[string][]byte{
		"jpeg":          transformtest.JPEG(pic),
		"rotated jpeg":  transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(pic, 8)), 8),
		"mirrored jpeg": transformtest.WithOrientation(transformtest.JPEG(transformtest.Stored(pic, 5)), 5),
		"large jpeg":    transformtest.JPEG(transformtest.Picture(1283, 857)),
		"cmyk":          transformtest.File("cmyk.jpg"),
		"p3":            transformtest.WithProfile(transformtest.JPEG(pic), transformtest.File("displayp3.icc")),
		"png":           transformtest.PNG(pic),
		"cutout":        transformtest.PNG(transformtest.Cutout(301, 203)),
		"gif":           transformtest.GIF(7, pic, transformtest.Stored(pic, 2), transformtest.Cutout(301, 203)),
		"webp":          transformtest.File("alpha.webp"),
		"animated webp": transformtest.File("animated.webp"),
		"avif":          transformtest.File("still.avif"),
		"heic":          transformtest.File("rotated.heic"),
		"tiff":          transformtest.File("still.tiff"),
		"jxl":           transformtest.File("still.jxl"),
		"svg":           []byte(transformtest.Drawing),
		"view box":      []byte(transformtest.ViewBoxDrawing),
		"tiny":          transformtest.PNG(transformtest.Picture(1, 1)),
	}
	sizes := []string{"", "w-100", "h-77", "w-100,h-77", "w-0.5", "w-700,h-40", "w-3,h-150", "h-90,ar-4-3", "w-1,h-1", "w-40,dpr-2"}
	crops := []string{"", "c-force", "c-at_max", "c-at_least", "c-maintain_ratio", "cm-extract", "cm-pad_resize", "cm-pad_resize,bg-FF000050", "cm-pad_extract,bg-00FF00", "fo-auto", "cm-extract,fo-auto", "fo-bottom_right", "cm-extract,x-10,y-5"}
	outputs := []string{"", "f-jpg", "f-webp", "f-avif", "f-png", "f-auto", "f-jpg,pr-true", "f-png,lo-true", "f-webp,lo-true,md-true", "f-jpg,cp-true,md-true", "q-30"}
	chains := []string{"w-100,h-77:w-50", "w-60,h-60,fo-auto:h-20,cm-extract:w-90,h-90,cm-pad_resize,bg-112233", "w-2000,c-at_max:w-30"}
	scenes := []string{
		"w-90,h-70,cm-pad_resize,bg-blurred", "w-900,h-70,cm-pad_resize_no_enlarge,bg-blurred_80_N40,f-jpg", "h-90,ar-1-2,cm-pad_resize,bg-blurred_0_255,r-9",
		"w-90,h-300,cm-pad_extract,bg-dominant", "w-90,cm-pad_resize,bg-gradient_dominant,f-webp", "w-400,h-90,cm-pad_extract_no_shrink,bg-gradient_dominant_4",
		"w-90,h-70,cm-pad_resize,bg-gradient_dominant:w-70,h-90,cm-pad_resize,bg-blurred,f-png", "w-60,h-60,fo-dog_cat,z-2", "w-60,h-60,fo-custom,cm-extract",
		"e-distort-p-20_0_200_30_170_120_0_90", "w-90,e-distort-p-N20_0_20_5_25_60_0_50,bg-red,f-jpg", "e-distort-p-0_0_1_0_1_1_0_1", "e-distort-p-300_0_0_0_9_200_290_190,o-50",
		"w-90,e-distort-a-60", "e-distort-a-N359,bg-FF000050,f-webp", "h-30,cm-extract,e-distort-a-360,e-grayscale,bl-3,f-jpg", "e-grayscale:w-80,e-distort-a-0.5",
		"e-grayscale:w-90,h-70,cm-pad_resize,bg-dominant", "rt-30,e-distort-a-N90,r-8,b-3_red,o-80:w-60,h-60,cm-pad_resize,bg-blurred",
	}
	looks := []string{
		"rt-90", "rt-N90,fl-v", "rt-180,fl-h_v", "rt-45", "rt-N12.5,bg-red", "rt-3,bg-FF000050", "r-20", "r-max,bg-white", "r-5_0_90_7,b-4_FF000050",
		"b-8_yellow", "r-9,b-cw_mul_0.05_navy", "o-50", "o-0,bg-0000FF30", "bl-1", "bl-100", "e-grayscale", "e-contrast", "e-sharpen", "e-usm",
		"e-grayscale,e-contrast,bl-2,e-sharpen-90,e-usm-0-5-1-0.05,rt-10,fl-h,r-7,b-2_red,o-90", "e-grayscale,o-50,bg-red", "e-grayscale,r-30:b-3_teal",
		"e-shadow", "e-shadow-bl-0_st-100_x-N50_y-99", "e-shadow-bl-15,bg-teal", "rt-7,e-shadow-x-N20,bg-FF000050", "e-gradient", "e-gradient-ld-123_sp-cw_div_2",
		"e-gradient-ld-top_left_from-FF000050_to-blue_sp-9", "e-colorize", "e-colorize-co-red_in-40", "cr-red", "cr-red_80_9090A0", "e-grayscale,cr-teal_100",
		"e-grayscale,e-contrast,e-colorize-co-gold,cr-navy,bl-3,e-shadow,e-gradient,r-20,b-3_teal,o-70,bg-red", "e-grayscale,e-shadow:e-gradient-from-red",
		"t-true", "t-50,dn-144", "rt-20:t-true:b-2_red", "dn-idn_mul_2",
	}
	chains = append(chains, scenes...)
	for i, look := range looks {
		for j := range 3 {
			size := "w-90,h-70,cm-pad_resize,"
			if (i+j)%3 > 0 {
				size = []string{"", "w-60:"}[(i+j)%3-1]
			}
			chains = append(chains, strings.TrimSuffix(size+look+","+outputs[(3*i+j)%len(outputs)], ","))
		}
	}
	for i, size := range sizes {
		for j, crop := range crops {
			chain := size
			for _, more := range []string{crop, outputs[(i*len(crops)+j)%len(outputs)]} {
				if more != "" && chain != "" {
					chain += ","
				}
				chain += more
			}
			chains = append(chains, chain)
		}
	}
	chains = append(chains, outputs...)
	const share = 12 // each source takes every twelfth chain, each another one
	resolved, n := 0, 0
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		src := sources[name]
		n++
		for i, text := range chains {
			if (i+n)%share != 0 {
				continue
			}
			chain, err := syntax.Parse(text)
			if err != nil {
				continue // a mixture that the language forbids
			}
			for _, accept := range []plan.Set{0, plan.SetOf(plan.WebP, plan.AVIF)} {
				p, err := transformtest.Resolve(t, e, src, chain, plan.Hints{Accept: accept, Formats: []plan.Format{plan.AVIF, plan.WebP}}, plan.Limits{OutputPixels: 1 << 22})
				if err != nil {
					if limit := (*plan.LimitError)(nil); !errors.As(err, &limit) {
						if wrong := (*syntax.Error)(nil); !errors.As(err, &wrong) {
							t.Errorf("%s %q: %v", name, text, err)
						}
					}
					continue
				}
				if p.Original {
					continue
				}
				resolved++
				img, err := e.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: src}}, p)
				if err != nil {
					t.Errorf("%s %q: %v\n%v", name, text, err, p)
					continue
				}
				if got, err := e.Probe(t.Context(), transform.Original{Bytes: img.Bytes}); err != nil || got.Width != p.Width || got.Height != p.Height {
					t.Errorf("%s %q: the file is %dx%d, %v; planned are %dx%d", name, text, got.Width, got.Height, err, p.Width, p.Height)
				}
			}
		}
	}
	if resolved < 500 {
		t.Errorf("only %d plans came about; is the language another?", resolved)
	}
}
