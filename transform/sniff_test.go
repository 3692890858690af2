package transform_test

import (
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestSniffDecidesByContentAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		head string
		want plan.Format
	}{
		{"jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF", plan.JPEG},
		{"jpeg with exif first", "\xff\xd8\xff\xe1", plan.JPEG},
		{"png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", plan.PNG},
		{"png damaged by a text transfer", "\x89PNG\n\x1a\n\x00\x00\x00\rIHDR", plan.Unknown},
		{"gif 87", "GIF87a\x01\x00\x01\x00", plan.GIF},
		{"gif 89", "GIF89a\x01\x00\x01\x00", plan.GIF},
		{"gif of no known version", "GIF90a\x01\x00\x01\x00", plan.Unknown},
		{"webp", "RIFF\x10\x00\x00\x00WEBPVP8 ", plan.WebP},
		{"another riff file", "RIFF\x10\x00\x00\x00WAVEfmt ", plan.Unknown},
		{"avif", "\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1", plan.AVIF},
		{"avif sequence", "\x00\x00\x00\x20ftypavis\x00\x00\x00\x00", plan.AVIF},
		{"avif that calls itself mif1", "\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf", plan.AVIF},
		{"heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", plan.HEIC},
		{"heix", "\x00\x00\x00\x18ftypheix\x00\x00\x00\x00", plan.HEIC},
		{"heic sequence", "\x00\x00\x00\x18ftyphevc\x00\x00\x00\x00", plan.HEIC},
		{"heic that calls itself mif1", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", plan.HEIC},
		{"brands beyond the box don't count", "\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00heicavif", plan.HEIC},
		{"mp4", "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomavc1", plan.Unknown},
		{"tiff, little endian", "II*\x00\x08\x00\x00\x00", plan.TIFF},
		{"tiff, big endian", "MM\x00*\x00\x00\x00\x08", plan.TIFF},
		{"bigtiff, little endian", "II+\x00\x08\x00\x00\x00", plan.TIFF},
		{"bigtiff, big endian", "MM\x00+\x00\x08\x00\x00", plan.TIFF},
		{"jxl codestream", "\xff\x0a\xfa\x1f", plan.JXL},
		{"jxl container", "\x00\x00\x00\x0cJXL \r\n\x87\n", plan.JXL},
		{"jpeg 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 ", plan.Unknown},
		{"bmp", "BM\x00\x00\x00\x00", plan.Unknown},
		{"pdf", "%PDF-1.7", plan.PDF},
		{"pdf of two", "%PDF-2.0\n%\xe2\xe3\xcf\xd3", plan.PDF},
		{"pdf behind something else", "\n%PDF-1.7", plan.Unknown},
		{"pdf behind a byte order mark", "\xef\xbb\xbf%PDF-1.7", plan.Unknown},
		{"html that mentions pdf", "<html>%PDF-1.7", plan.Unknown},
		{"postscript", "%!PS-Adobe-3.0", plan.Unknown},
		{"html", "<!DOCTYPE html><html><svg xmlns='x'/>", plan.Unknown},
		{"html without doctype", "<html><body><svg></svg>", plan.Unknown},
		{"text that mentions svg", "see <svg> in the manual", plan.Unknown},
		{"nothing", "", plan.Unknown},
		{"one byte", "\xff", plan.Unknown},
		{"svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", plan.SVG},
		{"svg without attributes", "<svg>", plan.SVG},
		{"svg behind a byte order mark", "\xef\xbb\xbf<svg width='1'/>", plan.SVG},
		{"svg behind a declaration", "<?xml version='1.0'?>\n<svg/>", plan.SVG},
		{"svg behind comments", "<!-- <html> -->\n<!-- more --> <svg/>", plan.SVG},
		{"svg behind a style sheet", "<?xml version='1.0'?><?xml-stylesheet href='a'?><svg/>", plan.SVG},
		{"svg with a doctype", "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg/>", plan.SVG},
		{"svg with entities", "<!DOCTYPE svg [ <!ENTITY ns 'http://x'> ]><svg/>", plan.SVG},
		{"svg with a prefix", "<svg:svg xmlns:svg='http://www.w3.org/2000/svg'/>", plan.SVG},
		{"another element", "<svgfont/>", plan.Unknown},
		{"another document type", "<!DOCTYPE svgfont><svg/>", plan.Unknown},
		{"a declaration without end", "<?xml version='1.0'", plan.Unknown},
		{"other xml", "<?xml version='1.0'?><rss/>", plan.Unknown},
		{"svg in upper case is no svg", "<SVG/>", plan.Unknown},
		{"svg beyond what is looked at", "<!--" + strings.Repeat(" ", transform.SniffLen) + "--><svg/>", plan.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := transform.Sniff([]byte(tt.head)); got != tt.want {
				t.Errorf("Sniff(%q) = %v, want %v", tt.head[:min(len(tt.head), 60)], got, tt.want)
			}
		})
	}
}

func FuzzSniffNeverPanics(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic"))
	f.Add([]byte("<?xml?><!-- --><!DOCTYPE svg"))
	f.Fuzz(func(t *testing.T, head []byte) {
		got := transform.Sniff(head)
		if again := transform.Sniff(append(head[:len(head):len(head)], make([]byte, transform.SniffLen)...)); len(head) >= transform.SniffLen && again != got {
			t.Errorf("bytes beyond SniffLen changed %v to %v", got, again)
		}
	})
}
