package caddymodule

import (
	"net/http/httptest"
	"testing"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// TestWhatNeedsTooMuchMemoryIsToldSo has a gate refuse a picture: its client reads how much it is, and what to do.
func TestWhatNeedsTooMuchMemoryIsToldSo(t *testing.T) {
	gate := transform.NewGate(1)
	gate.SetLimits(transform.GateLimits{Slots: 1, Memory: 256 << 20})
	for _, tt := range []struct {
		errors string
		status int
	}{{"imagekit", 400}, {"native", 422}} {
		w, err := ask(t, &Endpoint{ErrorStatus: tt.errors}, false, func(*delivery.Request) (*delivery.Response, error) {
			_, err := gate.Guard(sleeper{}).Render(t.Context(), transform.Inputs{}, plan.Plan{Memory: 1500 << 20})
			return nil, err
		}, httptest.NewRequest("GET", "/a.jpg", nil))
		if err != nil {
			t.Fatal(err)
		}
		const want = "ELIMIT - making the picture: about 1,500 MiB of memory would be needed, and at most 256 MiB are allowed; " +
			"a smaller size, fewer effects or another format need less (limit memory)"
		if got := w.Header().Get("Ik-Error"); got != want || w.Code != tt.status {
			t.Errorf("%s: got %d, %q; want %d, %q", tt.errors, w.Code, got, tt.status, want)
		}
		if got := w.Header().Get("Retry-After"); got != "" {
			t.Errorf("%s: it may be tried again after %s s, which changes nothing", tt.errors, got)
		}
	}
}
