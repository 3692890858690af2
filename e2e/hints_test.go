package e2e

import (
	"io"
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
		headers        map[string]string
		width, height  int
		vary, dpr      string
	}{
		{"30", "w-100,dpr-auto,q-80", map[string]string{"Sec-CH-DPR": "2"}, 200, 270, "Accept, Sec-CH-DPR", "2"},
		{"31", "w-auto,dpr-auto,q-80", map[string]string{"Sec-CH-DPR": "2", "Sec-CH-Width": "600"}, 600, 811, "Accept, Sec-CH-Width, Sec-CH-DPR", "2"},
		{"32", "w-auto,dpr-auto,q-80", map[string]string{"Sec-CH-DPR": "2", "Sec-CH-Width": "212"}, 300, 405, "Accept, Sec-CH-Width, Sec-CH-DPR", "2.83"},
		{"33", "w-auto,q-80", map[string]string{"Sec-CH-Width": "150"}, 200, 270, "Accept, Sec-CH-Width, Sec-CH-DPR", ""},
		{"without hints", "w-auto,dpr-auto,c-force,q-80", nil, 640, 865, "Accept, Sec-CH-Width, Sec-CH-DPR", ""},
		{"less data", "w-100", map[string]string{"Save-Data": "on", "Accept": "image/webp"}, 100, 135, "Accept, Save-Data", ""},
	} {
		t.Run(tt.example, func(t *testing.T) {
			for _, url := range forms(base, tt.chain, "plant.jpg") {
				resp, body := hinted(t, url, tt.headers)
				width, height, _, err := measure(body)
				if err != nil {
					t.Fatalf("%s: %v", url, err)
				}
				if width != tt.width || height != tt.height {
					t.Errorf("%s: got %dx%d, want %dx%d", url, width, height, tt.width, tt.height)
				}
				if vary, dpr := resp.Header.Get("Vary"), resp.Header.Get("Content-DPR"); vary != tt.vary || dpr != tt.dpr {
					t.Errorf("%s: got Vary %q and Content-DPR %q, want %q and %q", url, vary, dpr, tt.vary, tt.dpr)
				}
			}
		})
	}

	url := base + "/tr:w-300/plant.jpg"
	_, all := hinted(t, url, nil)
	_, saving := hinted(t, url, map[string]string{"Save-Data": "on"})
	if len(saving) >= len(all) {
		t.Errorf("with Save-Data there are %d bytes, without %d", len(saving), len(all))
	}
	_, chosen := hinted(t, url, map[string]string{"Accept": "image/webp"})
	for _, format := range []string{"jpg", "webp"} {
		if alone := get(t, base+"/tr:w-300,f-"+format+"/plant.jpg", ""); len(alone) < len(chosen) {
			t.Errorf("the smallest of JPEG and WebP has %d bytes, %s alone %d", len(chosen), format, len(alone))
		}
	}
	if resp := request(t, base+"/tr:h-auto/plant.jpg", ""); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("h-auto: got %s", resp.Status)
	}
}

// hinted asks with the headers and returns a picture that is there.
func hinted(t *testing.T, url string, headers map[string]string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s, ik-error %q, %v", url, resp.Status, resp.Header.Get("Ik-Error"), err)
	}
	return resp, body
}
