package caddymodule

import (
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
