package caddymodule

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestAcceptBecomesASmallSet(t *testing.T) {
	for _, tt := range []struct {
		name, accept string
		want         plan.Set
	}{
		{"none", "", 0},
		{"wildcards say nothing", "image/*,*/*;q=0.8", 0},
		{"a browser", "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", plan.SetOf(plan.JXL, plan.AVIF, plan.WebP)},
		{"refused", "image/webp;q=0, image/avif;q=0.000", 0},
		{"weighted", "image/webp;q=0.001", plan.SetOf(plan.WebP)},
		{"malformed weight", "image/webp;q=much", 0},
		{"case and space", " Image/WebP ; Q=1 ", plan.SetOf(plan.WebP)},
	} {
		h := http.Header{}
		if tt.accept != "" {
			h.Set("Accept", tt.accept)
		}
		if got := acceptedFormats(h); got != tt.want {
			t.Errorf("%s: %q: got %v, want %v", tt.name, tt.accept, got, tt.want)
		}
	}
}

// told returns the headers of a client: names and values, one after the other.
func told(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestWidthHintsAreRoundedUpToHundreds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"none", told(), 0},
		{"example 31", told("Sec-CH-Width", "600"), 600},
		{"example 32", told("Sec-CH-Width", "212"), 300},
		{"example 33", told("Sec-CH-Width", "150"), 200},
		{"one", told("Sec-CH-Width", "1"), 100},
		{"leading zeros", told("Sec-CH-Width", "0101"), 200},
		{"with space and a parameter", told("Sec-CH-Width", " 101 ;a=1"), 200},
		{"beyond the longest side", told("Sec-CH-Width", "999999999999999"), 65500},
		{"more digits than an integer has", told("Sec-CH-Width", "9999999999999999"), 0},
		{"nothing", told("Sec-CH-Width", "0"), 0},
		{"negative", told("Sec-CH-Width", "-300"), 0},
		{"with a sign", told("Sec-CH-Width", "+300"), 0},
		{"a decimal", told("Sec-CH-Width", "300.5"), 0},
		{"a word", told("Sec-CH-Width", "wide"), 0},
		{"a text", told("Sec-CH-Width", `"300"`), 0},
		{"empty", told("Sec-CH-Width", ""), 0},
		{"a list", told("Sec-CH-Width", "300, 400"), 0},
		{"twice", told("Sec-CH-Width", "300", "Sec-CH-Width", "300"), 0},
		{"by its older name", told("Width", "300"), 0},
	} {
		if got := hintedWidth(tt.header); got != tt.want {
			t.Errorf("%s: %v: got %d, want %d", tt.name, tt.header, got, tt.want)
		}
	}
}

func TestRatioHintsAreRoundedUpToQuarters(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header http.Header
		want   float64
	}{
		{"none", told(), 0},
		{"a whole number", told("Sec-CH-DPR", "2"), 2},
		{"a decimal", told("Sec-CH-DPR", "2.0"), 2},
		{"a telephone's", told("Sec-CH-DPR", "2.625"), 2.75},
		{"a quarter", told("Sec-CH-DPR", "1.25"), 1.25},
		{"a bit more", told("Sec-CH-DPR", "1.251"), 1.5},
		{"in single precision", told("Sec-CH-DPR", "1.100000023841858"), 1.25},
		{"a whole number in single precision", told("Sec-CH-DPR", "2.0000000238"), 2},
		{"very small", told("Sec-CH-DPR", "0.001"), 0.25},
		{"very large", told("Sec-CH-DPR", "1000"), 5},
		{"nothing", told("Sec-CH-DPR", "0"), 0},
		{"negative", told("Sec-CH-DPR", "-2"), 0},
		{"an exponent", told("Sec-CH-DPR", "2e0"), 0},
		{"not a number", told("Sec-CH-DPR", "NaN"), 0},
		{"infinite", told("Sec-CH-DPR", "Inf"), 0},
		{"half a decimal", told("Sec-CH-DPR", "2."), 0},
		{"the other half", told("Sec-CH-DPR", ".5"), 0},
		{"two dots", told("Sec-CH-DPR", "1.2.3"), 0},
		{"a list", told("Sec-CH-DPR", "1,2"), 0},
		{"twice", told("Sec-CH-DPR", "1", "Sec-CH-DPR", "2"), 0},
		{"very long", told("Sec-CH-DPR", "2.00000000000000000000000000001"), 0},
		{"by its older name", told("DPR", "2"), 0},
	} {
		if got := hintedDPR(tt.header); got != tt.want {
			t.Errorf("%s: %v: got %g, want %g", tt.name, tt.header, got, tt.want)
		}
	}
}

// TestHintsAreASmallFiniteSet sends whatever headers can hold: no more comes of it than caches can bear.
func TestHintsAreASmallFiniteSet(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	widths, ratios := map[int]bool{}, map[float64]bool{}
	for range 200_000 {
		text := fmt.Sprint(random.IntN(1 << (1 + random.IntN(40))))
		if random.IntN(2) == 0 {
			text = fmt.Sprintf("%.*f", random.IntN(8), 6*random.Float64())
		}
		h := told("Sec-CH-Width", text, "Sec-CH-DPR", text)
		widths[hintedWidth(h)], ratios[hintedDPR(h)] = true, true
	}
	if len(widths) > 656 || len(widths) < 600 || len(ratios) != 21 {
		t.Errorf("there are %d widths and %d ratios, want at most 656 and 21", len(widths), len(ratios))
	}
	for width := range widths {
		if width%100 != 0 || width < 0 || width > 65535 {
			t.Errorf("there is a width of %d", width)
		}
	}
}

func TestSaveDataIsOnOrNot(t *testing.T) {
	for value, want := range map[string]bool{"on": true, "On": true, " on ": true, "on;q=1": true, "": false, "off": false, "1": false, "on, on": false} {
		if got := savesData(told("Save-Data", value)); got != want {
			t.Errorf("Save-Data: %q: got %v, want %v", value, got, want)
		}
	}
}

func TestVaryNamesTheHeadersThatCount(t *testing.T) {
	for vary, want := range map[plan.Vary]string{
		0:                              "",
		plan.VaryAccept:                "Accept",
		plan.VaryAccept | plan.VaryDPR: "Accept, Sec-CH-DPR",
		plan.VaryWidth:                 "Sec-CH-Width, Sec-CH-DPR",
		plan.VarySaveData:              "Save-Data",
		plan.VarySaveData | plan.VaryWidth | plan.VaryAccept | plan.VaryDPR: "Accept, Sec-CH-Width, Sec-CH-DPR, Save-Data",
	} {
		if got := varyHeaders(vary); got != want {
			t.Errorf("%v: got %q, want %q", vary, got, want)
		}
	}
}

func TestContentDPRIsByTheHintsAsTheyAreTold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		plan   plan.Plan
		header http.Header
		want   string
	}{
		{"example 32", plan.Plan{Width: 300, HintedWidth: true}, told("Sec-CH-Width", "212", "Sec-CH-DPR", "2"), "2.83"},
		{"as wide as told", plan.Plan{Width: 600, HintedWidth: true}, told("Sec-CH-Width", "600", "Sec-CH-DPR", "2"), "2"},
		{"a ratio between quarters", plan.Plan{Width: 600, HintedWidth: true}, told("Sec-CH-Width", "600", "Sec-CH-DPR", "1.3"), "1.3"},
		{"not enlarged", plan.Plan{Width: 150, HintedWidth: true}, told("Sec-CH-Width", "600", "Sec-CH-DPR", "2"), "0.5"},
		{"no ratio is told", plan.Plan{Width: 600, HintedWidth: true}, told("Sec-CH-Width", "600"), ""},
		{"a ratio that was applied", plan.Plan{Width: 200, HintedDPR: 2}, told("Sec-CH-DPR", "1.9"), "2"},
		{"too little to write", plan.Plan{Width: 1, HintedWidth: true}, told("Sec-CH-Width", "60000", "Sec-CH-DPR", "1"), ""},
		{"no hint counted", plan.Plan{Width: 200}, told("Sec-CH-Width", "600", "Sec-CH-DPR", "2"), ""},
	} {
		if got := contentDPR(tt.header, tt.plan); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
