package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
)

// TestWorkedExamplesOfClientHints asks for those whose result depends on what the browser tells of itself.
func TestWorkedExamplesOfClientHints(t *testing.T) {
	dir := t.TempDir()
	if err := writePicture(filepath.Join(dir, "plant.jpg"), 640, 865); err != nil {
		t.Fatal(err)
	}
	base := serve(t, dir, "\t\tformats avif webp smallest\n\t\tsave_data 30")
	for _, tt := range []struct {
		example, chain string
		headers        []string
		width, height  int
		vary, dpr      string
	}{
		{"30", "w-100,dpr-auto,q-80", []string{"Sec-CH-DPR", "2"}, 200, 270, "Accept, Sec-CH-DPR", "2"},
		{"31", "w-auto,dpr-auto,q-80", []string{"Sec-CH-DPR", "2", "Sec-CH-Width", "600"}, 600, 811, "Accept, Sec-CH-Width, Sec-CH-DPR", "2"},
		{"32", "w-auto,dpr-auto,q-80", []string{"Sec-CH-DPR", "2", "Sec-CH-Width", "212"}, 300, 405, "Accept, Sec-CH-Width, Sec-CH-DPR", "2.83"},
		{"33", "w-auto,q-80", []string{"Sec-CH-Width", "150"}, 200, 270, "Accept, Sec-CH-Width, Sec-CH-DPR", ""},
		{"without hints", "w-auto,dpr-auto,c-force,q-80", nil, 640, 865, "Accept, Sec-CH-Width, Sec-CH-DPR", ""},
		{"less data", "w-100", []string{"Save-Data", "on", "Accept", "image/webp"}, 100, 135, "Accept, Save-Data", ""},
	} {
		t.Run(tt.example, func(t *testing.T) {
			for _, url := range forms(base, tt.chain, "plant.jpg") {
				a := ask(t, url, tt.headers...)
				width, height, _, err := measure(a.body)
				if err != nil || a.status != http.StatusOK {
					t.Fatalf("%s: got %d, ik-error %q, %v", url, a.status, a.header.Get("Ik-Error"), err)
				}
				if width != tt.width || height != tt.height {
					t.Errorf("%s: got %dx%d, want %dx%d", url, width, height, tt.width, tt.height)
				}
				if vary, dpr := a.header.Get("Vary"), a.header.Get("Content-DPR"); vary != tt.vary || dpr != tt.dpr {
					t.Errorf("%s: got Vary %q and Content-DPR %q, want %q and %q", url, vary, dpr, tt.vary, tt.dpr)
				}
			}
		})
	}

	url := base + "/tr:w-300/plant.jpg"
	all := get(t, url)
	saving := get(t, url, "Save-Data", "on")
	if len(saving) >= len(all) {
		t.Errorf("with Save-Data there are %d bytes, without %d", len(saving), len(all))
	}
	chosen := get(t, url, "Accept", "image/webp")
	for _, format := range []string{"jpg", "webp"} {
		if alone := get(t, base+"/tr:w-300,f-"+format+"/plant.jpg"); len(alone) < len(chosen) {
			t.Errorf("the smallest of JPEG and WebP has %d bytes, %s alone %d", len(chosen), format, len(alone))
		}
	}
	if a := ask(t, base+"/tr:h-auto/plant.jpg"); a.status != http.StatusBadRequest {
		t.Errorf("h-auto: got %d", a.status)
	}
}
