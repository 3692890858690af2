package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWorkedExamples asks the built binary for the worked examples of the URL language (docs/transformations.md names
// them by number) and looks at sizes, formats and pixels.
func TestWorkedExamples(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string][2]int{
		"plant.jpg": {640, 865}, "cafe.jpg": {600, 600}, "car.jpg": {1920, 1280}, "narrow.jpg": {780, 520},
		"uhd.jpg": {3840, 2160}, "badge.svg": {158, 33}, "plant.png": {640, 865}, "cafe.png": {600, 600}, "dots.gif": {60, 40},
	} {
		if err := writePicture(filepath.Join(dir, name), size[0], size[1]); err != nil {
			t.Fatal(err)
		}
	}
	base := serve(t, dir, "")

	for _, tt := range []struct {
		example, file, chain, accept string
		width, height                int
		format                       string
		pixels                       func(t *testing.T, img image.Image)
	}{
		{example: "1", file: "plant.png", chain: "w-300,h-200,cm-pad_resize,bg-F3F3F3", width: 300, height: 200, pixels: padded(76, 0, 148, 200)},
		{example: "2", file: "plant.png", chain: "w-300,h-200,cm-pad_resize,bg-F3F3F3,fo-left", width: 300, height: 200, pixels: padded(0, 0, 148, 200)},
		{example: "3", file: "plant.png", chain: "w-100,h-200,cm-pad_resize,bg-F3F3F3,fo-top", width: 100, height: 200, pixels: padded(0, 0, 100, 135)},
		{example: "4", file: "plant.png", chain: "w-300,h-200,c-force", width: 300, height: 200, pixels: spans(640, 865, 0, 0, 640, 865)},
		{example: "5", file: "plant.jpg", chain: "w-300,h-200,c-at_max", width: 148, height: 200},
		{example: "6", file: "plant.jpg", chain: "w-850,h-1000,c-at_max_enlarge", width: 740, height: 1000},
		{example: "7", file: "plant.jpg", chain: "w-850,h-1000,c-at_max", width: 640, height: 865},
		{example: "8", file: "plant.jpg", chain: "w-300,h-200,c-at_least", width: 300, height: 405},
		{example: "9", file: "plant.png", chain: "w-300,h-200", width: 300, height: 200, pixels: spans(640, 865, 0, 219, 640, 427)},
		{example: "9, the default said", file: "plant.png", chain: "w-300,h-200,c-maintain_ratio", width: 300, height: 200, pixels: spans(640, 865, 0, 219, 640, 427)},
		{example: "10", file: "plant.png", chain: "w-200,h-200,cm-extract", width: 200, height: 200, pixels: spans(640, 865, 220, 332, 200, 200)},
		{example: "11", file: "plant.png", chain: "w-300,h-300,cm-extract,fo-bottom_right", width: 300, height: 300, pixels: spans(640, 865, 340, 565, 300, 300)},
		{example: "12", file: "plant.png", chain: "w-300,h-300,cm-extract,x-100,y-300", width: 300, height: 300, pixels: spans(640, 865, 100, 300, 300, 300)},
		{example: "13", file: "plant.png", chain: "w-300,h-300,cm-extract,xc-300,yc-500", width: 300, height: 300, pixels: spans(640, 865, 150, 350, 300, 300)},
		{example: "15", file: "cafe.png", chain: "w-700,h-700,cm-pad_extract,bg-F3F3F3", width: 700, height: 700, pixels: padded(50, 50, 600, 600)},
		{example: "16", file: "cafe.jpg", chain: "w-200", width: 200, height: 200},
		{example: "17 by width", file: "cafe.jpg", chain: "w-0.4", width: 240, height: 240},
		{example: "17 by height", file: "cafe.jpg", chain: "h-0.4", width: 240, height: 240},
		{example: "18", file: "cafe.jpg", chain: "ar-4-3,w-400", width: 400, height: 300},
		{example: "19", file: "cafe.jpg", chain: "w-300,h-300", width: 300, height: 300},
		{example: "20", file: "cafe.jpg", chain: "w-400,h-200,ar-1-1", width: 400, height: 200},
		{example: "21", file: "car.jpg", chain: "w-400,h-400", width: 400, height: 400},
		{example: "26", file: "cafe.jpg", chain: "w-400,h-300:rt-90", width: 300, height: 400},
		{example: "27", file: "cafe.jpg", chain: "rt-90:w-400,h-300", width: 400, height: 300},
		{example: "38", file: "plant.jpg", chain: "w-iw_div_4,h-ih_div_2:b-cw_mul_0.05_yellow", width: 176, height: 449},
		{example: "44", file: "badge.svg", chain: "f-png", width: 158, height: 33, format: "png", pixels: transparentCorner},
		{example: "46 automatic", file: "badge.svg", chain: "f-auto", format: "svg"},
		{example: "46 none", file: "badge.svg", format: "svg"},
		{example: "61", file: "narrow.jpg", chain: "w-2560", width: 2560, height: 1707},
		{example: "62", file: "narrow.jpg", chain: "w-2560,c-at_max", width: 780, height: 520},
		{example: "63", file: "uhd.jpg", chain: "w-2560,c-at_max", width: 2560, height: 1440},
		{example: "65", file: "cafe.jpg", chain: "f-gif", accept: "*/*", width: 600, height: 600, format: "jpeg"},
		{example: "66", file: "cafe.jpg", accept: "image/webp", width: 600, height: 600, format: "webp"},
		{example: "67", file: "cafe.jpg", accept: "image/avif,image/webp", width: 600, height: 600, format: "webp"},
		{example: "68", file: "cafe.jpg", accept: "*/*", width: 600, height: 600, format: "jpeg"},
		{example: "animated", file: "dots.gif", chain: "w-30", width: 30, height: 20, format: "gif"},
		{example: "animated as WebP", file: "dots.gif", chain: "w-30", accept: "image/webp", width: 30, height: 20, format: "webp"},
		{example: "AVIF", file: "cafe.jpg", chain: "w-200,f-avif", width: 200, height: 200, format: "avif"},
	} {
		t.Run(tt.example, func(t *testing.T) {
			chain := tt.chain
			if tt.pixels != nil && !strings.Contains(chain, "f-") {
				chain += ",f-png"
			}
			for _, url := range forms(base, chain, tt.file) {
				body := get(t, url, tt.accept)
				width, height, format, err := measure(body)
				if err != nil {
					t.Fatalf("%s: %v", url, err)
				}
				if width != tt.width || height != tt.height || (tt.format != "" && format != tt.format) {
					t.Errorf("%s: got %s %dx%d, want %s %dx%d", url, format, width, height, tt.format, tt.width, tt.height)
				}
				if tt.pixels != nil {
					img, err := png.Decode(bytes.NewReader(body))
					if err != nil {
						t.Fatalf("%s: %v", url, err)
					}
					tt.pixels(t, img)
				}
			}
		})
	}

	t.Run("14", func(t *testing.T) {
		resp := request(t, base+"/tr:w-300,h-300,cm-extract,xc-50,yc-50/plant.jpg", "")
		if got := resp.Header.Get("Ik-Error"); resp.StatusCode != 400 || !strings.HasPrefix(got, "EINVAL - xc") {
			t.Errorf("a window that leaves the picture: got %d, ik-error %q", resp.StatusCode, got)
		}
	})
	t.Run("47", func(t *testing.T) {
		want, err := os.ReadFile(filepath.Join(dir, "cafe.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, base+"/tr:orig-true,w-100/cafe.jpg", "image/webp"); !bytes.Equal(got, want) {
			t.Errorf("orig-true: got %d bytes, want the file's own %d", len(got), len(want))
		}
	})
	t.Run("60", func(t *testing.T) {
		want := get(t, base+"/tr:o-50,bg-0000FF,f-png/cafe.png", "")
		got := get(t, base+"/tr:o-50,bg-0000FF30,f-png/cafe.png", "")
		if !bytes.Equal(got, want) {
			t.Error("the opacity of bg makes a difference beside o")
		}
		img, err := png.Decode(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, b, a := img.At(300, 300).RGBA(); a != 0xffff || b < 0x7fff {
			t.Errorf("the middle is %v, want it opaque and at least half blue", img.At(300, 300))
		}
	})
	t.Run("69", func(t *testing.T) {
		resp := request(t, base+"/cafe.jpg?ik-attachment=true", "*/*")
		if got := resp.Header.Get("Content-Disposition"); got != "attachment; filename=cafe.jpg" {
			t.Errorf("got Content-Disposition %q", got)
		}
	})
	t.Run("70", func(t *testing.T) {
		resp := request(t, base+"/missing.jpg", "")
		if got := resp.Header.Get("Ik-Error"); resp.StatusCode != 404 || !strings.HasPrefix(got, "ENOENT - ") {
			t.Errorf("a missing file: got %d, ik-error %q", resp.StatusCode, got)
		}
	})
}

// forms returns the URL forms that mean the same: in the path, in the query, with encoded separators.
func forms(base, chain, file string) []string {
	if chain == "" {
		return []string{base + "/" + file}
	}
	return []string{
		base + "/tr:" + chain + "/" + file,
		base + "/" + file + "?tr=" + chain,
		base + "/" + file + "?tr=" + strings.NewReplacer(",", "%2C", ":", "%3A").Replace(chain),
	}
}

func request(t *testing.T, url, accept string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func get(t *testing.T, url, accept string) []byte {
	t.Helper()
	resp := request(t, url, accept)
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s, ik-error %q", url, resp.Status, resp.Header.Get("Ik-Error"))
	}
	return body
}

// padded checks that the window at x, y of the given size holds the picture, and that all around it is F3F3F3.
func padded(x, y, width, height int) func(*testing.T, image.Image) {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		window := image.Rect(x, y, x+width, y+height)
		for _, at := range probes(img.Bounds()) {
			isPad := color.NRGBAModel.Convert(img.At(at.X, at.Y)) == color.NRGBA{0xf3, 0xf3, 0xf3, 0xff}
			if isPad == at.In(window) {
				t.Errorf("pixel %v: padding %v, want the picture at %v", at, isPad, window)
			}
		}
	}
}

// probes are points on a grid over r, corners included.
func probes(r image.Rectangle) []image.Point {
	var points []image.Point
	for i := range 9 {
		for j := range 9 {
			points = append(points, image.Pt(r.Min.X+i*(r.Dx()-1)/8, r.Min.Y+j*(r.Dy()-1)/8))
		}
	}
	return points
}

// spans checks that the picture shows the window x, y, w, h of a coded source.
func spans(sourceWidth, sourceHeight int, x, y, w, h float64) func(*testing.T, image.Image) {
	return func(t *testing.T, img image.Image) {
		t.Helper()
		b := img.Bounds()
		for _, at := range probes(b) {
			gotX, gotY := place(img.At(at.X, at.Y), sourceWidth, sourceHeight)
			wantX := x + (float64(at.X-b.Min.X)+0.5)*w/float64(b.Dx())
			wantY := y + (float64(at.Y-b.Min.Y)+0.5)*h/float64(b.Dy())
			// A step of the colour code is sourceWidth/255 pixels; the resampling blurs the outermost ones.
			if math.Abs(gotX-wantX) > 6 || math.Abs(gotY-wantY) > 8 {
				t.Errorf("pixel %v shows %s of the source, want %s", at, xy(gotX, gotY), xy(wantX, wantY))
			}
		}
	}
}

func xy(x, y float64) string { return fmt.Sprintf("(%.0f,%.0f)", x, y) }

func transparentCorner(t *testing.T, img image.Image) {
	t.Helper()
	b := img.Bounds()
	if _, _, _, a := img.At(b.Max.X-1, b.Max.Y-1).RGBA(); a != 0 {
		t.Errorf("the corner's alpha is %d, want 0", a)
	}
	if _, _, _, a := img.At(10, 10).RGBA(); a != 0xffff {
		t.Errorf("the circle's alpha is %d, want opaque", a)
	}
}
