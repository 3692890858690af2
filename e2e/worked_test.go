package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // for image.Decode
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "golang.org/x/image/webp" // for image.Decode
)

// worked is a request that shows what a worked example of the URL language says.
type worked struct {
	example int    // its number; 0 for what is beside the examples
	note    string // what tells this request from others of the example
	file    string
	chain   string
	query   string   // behind the file
	headers []string // of the request: names and values by turns

	status int      // 0 is 200
	answer []string // headers of the response: names and how they begin, by turns
	size   size     // zero where nothing is said
	format string   // by the bytes and the Content-Type; "" where nothing is said
	pixels fact     // the request then asks for PNG, if it asks for no format
	same   string   // the body is that of this path, which begins with a slash, or this file
}

var (
	grey        = color.NRGBA{0xf3, 0xf3, 0xf3, 0xff}
	black       = color.NRGBA{A: 0xff}
	yellow      = color.NRGBA{0xff, 0xff, 0, 0xff}
	pink        = color.NRGBA{0xff, 0xc0, 0xcb, 0xff}
	transparent = color.NRGBA{}
)

// workedExamples are the examples by number. A chain is asked in every form that a URL may have; example 19 is that.
var workedExamples = []worked{
	{example: 1, file: "plant.png", chain: "w-300,h-200,cm-pad_resize,bg-F3F3F3", size: size{300, 200}, pixels: all(around(76, 0, 148, 200, grey), within(76, 0, 148, 200, spans(plant, 0, 0, 640, 865)))},
	{example: 2, file: "plant.png", chain: "w-300,h-200,cm-pad_resize,bg-F3F3F3,fo-left", size: size{300, 200}, pixels: around(0, 0, 148, 200, grey)},
	{example: 3, file: "plant.png", chain: "w-100,h-200,cm-pad_resize,bg-F3F3F3,fo-top", size: size{100, 200}, pixels: around(0, 0, 100, 135, grey)},
	{example: 4, file: "plant.png", chain: "w-300,h-200,c-force", size: size{300, 200}, pixels: spans(plant, 0, 0, 640, 865)},
	{example: 5, file: "plant.png", chain: "w-300,h-200,c-at_max", size: size{148, 200}, pixels: spans(plant, 0, 0, 640, 865)},
	{example: 6, file: "plant.png", chain: "w-850,h-1000,c-at_max_enlarge", size: size{740, 1000}, pixels: spans(plant, 0, 0, 640, 865)},
	{example: 7, file: "plant.png", chain: "w-850,h-1000,c-at_max", size: size{640, 865}, pixels: spans(plant, 0, 0, 640, 865)},
	{example: 8, file: "plant.png", chain: "w-300,h-200,c-at_least", size: size{300, 405}, pixels: spans(plant, 0, 0, 640, 865)},
	{example: 9, file: "plant.png", chain: "w-300,h-200", size: size{300, 200}, pixels: spans(plant, 0, 219, 640, 427)},
	{example: 9, note: "the default said", file: "plant.png", chain: "w-300,h-200,c-maintain_ratio", size: size{300, 200}, same: "/tr:w-300,h-200/plant.png"},
	{example: 10, file: "plant.png", chain: "w-200,h-200,cm-extract", size: size{200, 200}, pixels: spans(plant, 220, 333, 200, 200)},
	{example: 11, file: "plant.png", chain: "w-300,h-300,cm-extract,fo-bottom_right", size: size{300, 300}, pixels: spans(plant, 340, 565, 300, 300)},
	{example: 12, file: "plant.png", chain: "w-300,h-300,cm-extract,x-100,y-300", size: size{300, 300}, pixels: spans(plant, 100, 300, 300, 300)},
	{example: 13, file: "plant.png", chain: "w-300,h-300,cm-extract,xc-300,yc-500", size: size{300, 300}, pixels: spans(plant, 150, 350, 300, 300)},
	{example: 14, file: "plant.png", chain: "w-300,h-300,cm-extract,xc-50,yc-50", status: 400, answer: []string{"Ik-Error", "EINVAL - xc: "}},
	{example: 15, file: "cafe.png", chain: "w-700,h-700,cm-pad_extract,bg-F3F3F3", size: size{700, 700}, pixels: all(around(50, 50, 600, 600, grey), within(50, 50, 600, 600, spans(cafe, 0, 0, 600, 600)))},
	{example: 16, file: "cafe.png", chain: "w-200", size: size{200, 200}, pixels: spans(cafe, 0, 0, 600, 600)},
	{example: 17, note: "by width", file: "cafe.png", chain: "w-0.4", size: size{240, 240}, pixels: spans(cafe, 0, 0, 600, 600)},
	{example: 17, note: "by height", file: "cafe.png", chain: "h-0.4", size: size{240, 240}, pixels: spans(cafe, 0, 0, 600, 600)},
	{example: 18, file: "cafe.png", chain: "ar-4-3,w-400", size: size{400, 300}, pixels: spans(cafe, 0, 75, 600, 450)},
	{example: 19, file: "cafe.jpg", chain: "w-300,h-300", size: size{300, 300}},
	{example: 19, note: "the same bytes", file: "cafe.jpg", query: "?tr=w-300,h-300", same: "/tr:w-300,h-300/cafe.jpg"},
	{example: 20, file: "cafe.png", chain: "w-400,h-200,ar-1-1", size: size{400, 200}, pixels: spans(cafe, 0, 150, 600, 300)},
	{example: 21, file: "car.png", chain: "w-400,h-400", size: size{400, 400}, pixels: spans(car, 320, 0, 1280, 1280)},
	{example: 26, file: "cafe.png", chain: "w-400,h-300:rt-90", size: size{300, 400}, pixels: follows(cafe, func(u, v float64) (float64, float64) {
		return 600 * v, 75 + 450*(1-u)
	})},
	{example: 27, file: "cafe.png", chain: "rt-90:w-400,h-300", size: size{400, 300}, pixels: follows(cafe, func(u, v float64) (float64, float64) {
		return 75 + 450*v, 600 * (1 - u)
	})},
	{example: 28, file: "cafe.png", chain: "w-400,h-400:w-500,h-400,cm-pad_resize,fo-right,bg-000000", size: size{500, 400}, pixels: all(around(100, 0, 400, 400, black), within(100, 0, 400, 400, spans(cafe, 0, 0, 600, 600)))},
	{example: 30, file: "car.jpg", chain: "w-100,dpr-auto", headers: []string{"Sec-CH-DPR", "2"}, size: size{200, 133}},
	{example: 31, file: "car.jpg", chain: "w-auto,dpr-auto", headers: []string{"Sec-CH-DPR", "2", "Sec-CH-Width", "600"}, size: size{600, 400}},
	{example: 32, file: "car.jpg", chain: "w-auto,dpr-auto", headers: []string{"Sec-CH-DPR", "2", "Sec-CH-Width", "212"}, size: size{300, 200}, answer: []string{"Content-Dpr", "2.83"}},
	{example: 33, file: "car.jpg", chain: "w-auto", headers: []string{"Sec-CH-Width", "150"}, size: size{200, 133}},
	{example: 34, note: "landscape", file: "car.jpg", chain: "if-ar_gt_1,w-200,if-else,w-300,if-end", size: size{200, 133}},
	{example: 34, note: "portrait", file: "plant.jpg", chain: "if-ar_gt_1,w-200,if-else,w-300,if-end", size: size{300, 405}},
	{example: 35, file: "plant.jpg", chain: "h-200:if-h_eq_200,w-100,if-end:rt-90", size: size{135, 100}},
	{example: 36, file: "plant.jpg", chain: "h-100,if-h_eq_200,w-100,if-end", status: 400, answer: []string{"Ik-Error", "EINVAL - if: "}},
	{example: 37, file: "wide.jpg", chain: "if-h_gte_100_and_h_lte_400_or_ar_lt_4-3,w-50,if-else,w-70,if-end", size: size{50, 21}},
	{example: 37, note: "and before or", file: "small.png", chain: "if-h_gte_100_and_h_lte_400_or_ar_lt_4-3,w-50,if-else,w-70,if-end", size: size{50, 63}},
	{example: 38, note: "the first step", file: "plant.png", chain: "w-iw_div_4,h-ih_div_2", size: size{160, 433}, pixels: spans(plant, 160, 0, 320, 865)},
	{example: 38, file: "plant.png", chain: "w-iw_div_4,h-ih_div_2:b-cw_mul_0.05_yellow", size: size{176, 449}, pixels: around(8, 8, 160, 433, yellow)},
	{example: 39, file: "cafe.png", chain: "w-iw_div_2,h-ih_div_2,cm-extract,x-iw_mul_0.2,y-ih_mul_0.2", size: size{300, 300}, pixels: spans(cafe, 120, 120, 300, 300)},
	{example: 41, file: "tall.png", chain: "w-ih_mul_0.8_add_iw_mul_0.4", size: size{200, 400}},
	{example: 42, file: "cutout.png", chain: "e-shadow", status: 400, answer: []string{"Ik-Error", "ELIMIT - "}},
	{example: 43, file: "cutout.png", chain: "w-500,e-shadow,f-png", format: "png"},
	{example: 43, note: "in two steps", file: "cutout.png", chain: "w-500:e-shadow,f-png", format: "png"},
	{example: 44, file: "badge.svg", chain: "f-png", size: size{158, 33}, format: "png", pixels: badgeOn(transparent, 0)},
	{example: 45, file: "badge.svg", chain: "f-jpg,w-200,bg-pink", size: size{200, 42}, format: "jpeg", pixels: badgeOn(pink, 24)},
	{example: 46, note: "automatic", file: "badge.svg", chain: "f-auto", format: "svg", same: "badge.svg"},
	{example: 46, note: "none", file: "badge.svg", headers: []string{"Accept", "image/avif,image/webp"}, format: "svg", same: "badge.svg"},
	{example: 47, file: "cafe.jpg", chain: "orig-true,w-100", headers: []string{"Accept", "image/webp"}, same: "cafe.jpg"},
	{example: 48, file: "missing.jpg", chain: "di-cafe.png,w-300,h-200", size: size{300, 200}, pixels: spans(cafe, 0, 100, 600, 400), answer: []string{"Ik-Error", "ENOENT - "}},
	{example: 49, file: "cafe.jpg", chain: "n-does_not_exist", status: 400, answer: []string{"Ik-Error", "EINVAL - n: "}},
	{example: 50, file: "ik-seo/plant/eiffel-tower.jpg", same: "/plant.jpg"},
	{example: 51, file: "ik-seo/path/of/folder/old-file-name/seo.jpg", chain: "w-70", size: size{70, 35}, same: "/tr:w-70/path/of/folder/old-file-name.jpg"},
	{example: 58, file: "file.pdf/ik-thumbnail.jpg", chain: "pg-2", size: size{300, 200}, format: "jpeg"},
	{example: 58, note: "for one who reads WebP", file: "file.pdf/ik-thumbnail.jpg", chain: "pg-2", headers: []string{"Accept", "image/webp"}, size: size{300, 200}, format: "webp"},
	{example: 59, file: "cafe.png", chain: "bg-blurred_25_N30,w-800,h-600,cm-pad_resize", size: size{800, 600}, pixels: all(within(100, 0, 600, 600, spans(cafe, 0, 0, 600, 600)), blurredBars(cafe, image.Rect(100, 0, 700, 600), -30))},
	{example: 59, note: "blurred", file: "stripes.png", chain: "bg-blurred_25_N30,w-800,h-600,cm-pad_resize", size: size{800, 600}, pixels: all(sharp(image.Rect(300, 100, 500, 500), 250), smooth(image.Rect(20, 100, 80, 500), 60), smooth(image.Rect(720, 100, 780, 500), 60))},
	{example: 60, file: "cafe.png", chain: "o-50,bg-0000FF30", same: "/tr:o-50,bg-0000FF/cafe.png"},
	{example: 60, note: "opaque", file: "cafe.png", chain: "o-50,bg-0000FF30", size: size{600, 600}, pixels: within(290, 290, 20, 20, filled(color.NRGBA{64, 64, 192, 255}, 6))},
	{example: 61, file: "narrow.jpg", chain: "w-2560", size: size{2560, 1707}},
	{example: 62, file: "narrow.jpg", chain: "w-2560,c-at_max", size: size{780, 520}},
	{example: 63, file: "uhd.jpg", chain: "w-2560,c-at_max", size: size{2560, 1440}},
	{example: 65, file: "cafe.jpg", chain: "f-gif", headers: []string{"Accept", "*/*"}, size: size{600, 600}, format: "jpeg"},
	{example: 66, file: "cafe.jpg", headers: []string{"Accept", "image/webp"}, size: size{600, 600}, format: "webp", answer: []string{"Vary", "Accept"}},
	{example: 67, file: "cafe.jpg", headers: []string{"Accept", "image/avif,image/webp"}, size: size{600, 600}, format: "webp", answer: []string{"Vary", "Accept"}},
	{example: 68, file: "cafe.jpg", headers: []string{"Accept", "*/*"}, size: size{600, 600}, format: "jpeg", answer: []string{"Vary", "Accept"}},
	{example: 69, file: "cafe.jpg", query: "?ik-attachment=true", answer: []string{"Content-Disposition", "attachment; filename=cafe.jpg"}},
	{example: 70, file: "missing.jpg", status: 404, answer: []string{"Ik-Error", "ENOENT - "}},

	{note: "an animation", file: "dots.gif", chain: "w-30", size: size{30, 20}, format: "gif"},
	{note: "an animation as WebP", file: "dots.gif", chain: "w-30", headers: []string{"Accept", "image/webp"}, size: size{30, 20}, format: "webp"},
	{note: "AVIF", file: "cafe.jpg", chain: "w-200,f-avif", size: size{200, 200}, format: "avif"},
}

// elsewhere are the examples that have no row, and why.
var elsewhere = map[string][]int{
	"objects are found by a model that is not installed":    {22, 23, 24, 25},
	"layers are not supported in this version":              {29, 40, 52, 53, 54, 55, 56, 57},
	"signatures have tests of their own, with a secret key": {64},
}

const lastExample = 70

func TestEveryWorkedExampleHasARowOrAReason(t *testing.T) {
	for n := 1; n <= lastExample; n++ {
		rows, reasons := 0, 0
		for _, w := range workedExamples {
			if w.example == n {
				rows++
			}
		}
		for _, numbers := range elsewhere {
			if slices.Contains(numbers, n) {
				reasons++
			}
		}
		if (rows > 0) == (reasons > 0) || reasons > 1 {
			t.Errorf("example %d: %d rows and %d reasons for none", n, rows, reasons)
		}
	}
}

// TestWorkedExamples asks the built binary for the worked examples of the URL language and looks at status, headers,
// sizes, formats and pixels.
func TestWorkedExamples(t *testing.T) {
	dir := t.TempDir()
	writeSources(t, dir)
	base := serveWith(t, readsPDF, dir, "")
	for _, w := range workedExamples {
		name := strings.TrimSpace(fmt.Sprintf("example-%d %s", w.example, w.note))
		if w.example == 0 {
			name = w.note
		}
		t.Run(name, func(t *testing.T) {
			if w.pixels != nil && !strings.Contains(w.chain, "f-") {
				w.chain += ",f-png"
			}
			for _, url := range forms(base, w.chain, w.file) {
				w.check(t, dir, base, url+w.query)
			}
		})
	}
}

// check asks for url and holds the answer against w.
func (w worked) check(t *testing.T, dir, base, url string) {
	t.Helper()
	got := ask(t, url, w.headers...)
	want := http.StatusOK
	if w.status != 0 {
		want = w.status
	}
	if got.status != want {
		t.Fatalf("%s: got %d, ik-error %q; want %d", url, got.status, got.header.Get("Ik-Error"), want)
	}
	for i := 0; i < len(w.answer); i += 2 {
		if value := strings.Join(got.header.Values(w.answer[i]), ", "); !strings.HasPrefix(value, w.answer[i+1]) {
			t.Errorf("%s: got %s %q, want it to begin with %q", url, w.answer[i], value, w.answer[i+1])
		}
	}
	if got.status != http.StatusOK {
		return
	}
	w.checkPicture(t, url, got)
	switch {
	case w.same == "":
	case strings.HasPrefix(w.same, "/"):
		if !bytes.Equal(got.body, get(t, base+w.same, w.headers...)) {
			t.Errorf("%s: the body is not that of %s", url, w.same)
		}
	default:
		want, err := os.ReadFile(filepath.Join(dir, w.same))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.body, want) {
			t.Errorf("%s: got %d bytes, want the %d of %s", url, len(got.body), len(want), w.same)
		}
	}
}

// checkPicture holds size, format and pixels of a picture against w.
func (w worked) checkPicture(t *testing.T, url string, got answer) {
	t.Helper()
	width, height, format, err := measure(got.body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	if w.size != (size{}) && w.size != (size{width, height}) || w.format != "" && format != w.format {
		t.Errorf("%s: got %s %dx%d, want %s %dx%d", url, format, width, height, w.format, w.size.w, w.size.h)
	}
	mediaType := "image/" + strings.Replace(format, "svg", "svg+xml", 1)
	if kind := got.header.Get("Content-Type"); kind != mediaType {
		t.Errorf("%s: the Content-Type of the %s is %s", url, format, kind)
	}
	if w.pixels == nil {
		return
	}
	img, _, err := image.Decode(bytes.NewReader(got.body))
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	w.pixels(t, img)
	if t.Failed() {
		t.Logf("these were the pixels of %s", url)
	}
}

// writeSources makes the pictures of the examples in dir. PNG is for those whose pixels are looked at.
func writeSources(t *testing.T, dir string) {
	t.Helper()
	for name, s := range map[string]size{
		"plant.jpg": plant, "plant.png": plant, "cafe.jpg": cafe, "cafe.png": cafe, "car.jpg": car, "car.png": car,
		"narrow.jpg": {780, 520}, "uhd.jpg": {3840, 2160}, "wide.jpg": {600, 250}, "small.png": {40, 50}, "tall.png": {100, 200},
		"badge.svg": {158, 33}, "dots.gif": {60, 40}, "path/of/folder/old-file-name.jpg": {200, 100},
	} {
		if err := writePicture(filepath.Join(dir, name), s.w, s.h); err != nil {
			t.Fatal(err)
		}
	}
	writePNG(t, filepath.Join(dir, "cutout.png"), cutout(2216, 1500))
	writeDocument(t, filepath.Join(dir, "file.pdf"))
	writePNG(t, filepath.Join(dir, "stripes.png"), stripes(cafe.w, cafe.h))
}

func writePNG(t *testing.T, file string, img image.Image) {
	t.Helper()
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cutout returns a coded picture with a transparent margin of a quarter on each side.
func cutout(width, height int) image.Image {
	img := coded(width, height)
	inside := image.Rect(width/4, height/4, width-width/4, height-height/4)
	for y := range height {
		for x := range width {
			if !image.Pt(x, y).In(inside) {
				img.SetNRGBA(x, y, color.NRGBA{})
			}
		}
	}
	return img
}

// stripes returns upright stripes of black and white, 4 pixels each.
func stripes(width, height int) image.Image {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetGray(x, y, color.Gray{Y: uint8(x / 4 % 2 * 255)})
		}
	}
	return img
}
