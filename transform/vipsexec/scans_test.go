package vipsexec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
)

func TestWhatCostsMoreThanItTellsIsRefusedBeforeItIsDecoded(t *testing.T) {
	const open = `<svg xmlns="http://www.w3.org/2000/svg">`
	head := "\xff\xd8\xff\xc2\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
	scan := "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00ab\xff\x00c\xff\xd0d"
	png := string(transformtest.PNG(transformtest.Picture(8, 8)))
	for _, tt := range []struct {
		name, file string
		f          plan.Format
		want       transform.Kind // Internal is none
	}{
		{"500 scans", head + strings.Repeat(scan, 500) + "\xff\xd9", plan.JPEG, 0},
		{"501 scans", head + strings.Repeat(scan, 501) + "\xff\xd9", plan.JPEG, transform.TooLarge},
		{"501 scans coded by arithmetic", strings.Replace(head, "\xff\xc2", "\xff\xc9", 1) + strings.Repeat(scan, 501), plan.JPEG, transform.TooLarge},
		{"501 scans of the plain kind", strings.Replace(head, "\xff\xc2", "\xff\xc0", 1) + strings.Repeat(scan, 501), plan.JPEG, 0},
		{"scans behind the end", head + scan + "\xff\xd9" + strings.Repeat(scan, 501), plan.JPEG, 0},
		{"scans in a segment", head + "\xff\xe1\xff\xff" + strings.Repeat(scan, 3000) + "\xff\xd9", plan.JPEG, 0},
		{"a jpeg of a mark", "\xff\xd8\xff", plan.JPEG, 0},
		{"a whole png", png, plan.PNG, 0},
		{"half of one, for its decoder to find", png[:len(png)/2], plan.PNG, 0},
		{"a png that promises a text", png[:33] + "\x7f\xff\xff\xfftEXtmore", plan.PNG, transform.Broken},
		{"a png that promises a byte too much", png[:33] + "\x00\x00\x00\x05tEXtmore", plan.PNG, transform.Broken},
		{"a drawing", open + "</svg>", plan.SVG, 0},
		{"one in utf-8", `<?xml version="1.0" encoding="UTF-8"?>` + open + "</svg>", plan.SVG, 0},
		{"one in utf-7, which hides entities", `<?xml version="1.0" encoding='UTF-7' ?>` + open + "</svg>", plan.SVG, transform.Unsupported},
		{"a MiB by entities", `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 1<<17) + `">]>` + open + strings.Repeat("&a;", 8) + "</svg>", plan.SVG, 0},
		{"more than that", `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 1<<17) + `">]>` + open + strings.Repeat("&a;", 9) + "</svg>", plan.SVG, transform.Broken},
		{"entities of entities", `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 1<<17) + `"><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>` + open + "&b;&b;</svg>", plan.SVG, transform.Broken},
		{"an entity of itself", `<!DOCTYPE svg [<!ENTITY a "&a;">]>` + open + "&a;</svg>", plan.SVG, transform.Broken},
		{"one that is declared twice", `<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 600_000) + `"><!ENTITY a "">]>` + open + "&a;&a;</svg>", plan.SVG, transform.Broken},
		{"one without an end", `<!DOCTYPE svg [<!ENTITY a "aaa`, plan.SVG, transform.Broken},
		{"200,000 elements", open + strings.Repeat("<g></g>", 199_999) + "</svg>", plan.SVG, 0},
		{"one more", open + strings.Repeat("<g></g>", 200_000) + "</svg>", plan.SVG, transform.TooLarge},
		{"a convolution of 400 numbers", open + `<feConvolveMatrix order="20"/></svg>`, plan.SVG, 0},
		{"one of 441", open + `<feConvolveMatrix order = '21'/></svg>`, plan.SVG, transform.Broken},
		{"one of 500 in a row", open + `<feConvolveMatrix order="500,1"/></svg>`, plan.SVG, transform.Broken},
		{"one of an order by an entity", open + `<feConvolveMatrix order="&#50;1"/></svg>`, plan.SVG, transform.Broken},
		{"an element hidden in an entity", `<!DOCTYPE svg [<!ENTITY a "&#60;feConvolveM&#x61;trix order='30'/>">]>` + open + "&a;</svg>", plan.SVG, transform.Broken},
		{"a space that does not break, as an entity", `<!DOCTYPE svg [<!ENTITY nbsp "&#160;">]>` + open + "&nbsp;</svg>", plan.SVG, 0},
		{"a parameter entity", `<!DOCTYPE svg [<!ENTITY % a "aaa">]>` + open + "</svg>", plan.SVG, transform.Broken},
		{"an entity of a file, and others unknown", `<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + open + "&a;&b;& &#38; &", plan.SVG, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := affordable(tt.f, []byte(tt.file))
			if (err != nil) != (tt.want != 0) || err != nil && transform.KindOf(err) != tt.want {
				t.Errorf("got %v, want it %v", err, tt.want)
			}
		})
	}
}

func FuzzAffordableNeverPanics(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xc2\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00ab\xff\x00c\xff\xd0d\xff\xd9"))
	f.Add(transformtest.PNG(transformtest.Picture(8, 8)))
	f.Add([]byte(`<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c '&a;&a;'><!ENTITY d SYSTEM "e">]><svg>&a;&c;</svg>`))
	f.Fuzz(func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		for _, format := range []plan.Format{plan.JPEG, plan.PNG, plan.SVG} {
			_ = affordable(format, src)
		}
		if !bytes.Equal(src, before) {
			t.Error("the file was changed")
		}
	})
}
