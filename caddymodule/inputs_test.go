package caddymodule

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// TestADrawingThatIsNotReadRunsNothing asks for an SVG of an engine whose inputs have none: it is a file then, and as active
// as before.
func TestADrawingThatIsNotReadRunsNothing(t *testing.T) {
	const drawing = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	for _, tt := range []struct{ contentType, want, policy string }{
		{"image/svg+xml", "image/svg+xml", "sandbox"},
		{"text/xml", "text/xml", "sandbox"},
		{"", "application/octet-stream", ""},
	} {
		for _, url := range []string{"/logo.svg", "/tr:w-300,f-png/logo.svg", "/tr:orig-true/logo.svg"} {
			origin := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
				a := origins.Attributes{Origin: "shelf", Size: int64(len(drawing)), ETag: `"1"`, ContentType: tt.contentType}
				return &origins.Object{Body: io.NopCloser(strings.NewReader(drawing)), Attributes: a}, nil
			})
			pipeline := &delivery.Render{Engine: scribe{new(int), plan.AllFormats &^ plan.SetOf(plan.SVG)}}
			w, err := ask(t, nil, false, func(req *delivery.Request) (*delivery.Response, error) {
				req.Endpoint = &delivery.Endpoint{Origin: origin}
				return pipeline.Deliver(t.Context(), req)
			}, httptest.NewRequest("GET", url, nil))
			if err != nil {
				t.Fatal(err)
			}
			h := w.Header()
			if w.Code != 200 || w.Body.String() != drawing || h.Get("Content-Type") != tt.want || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s as %q: got %d %q, %v", url, tt.contentType, w.Code, w.Body, h)
			}
			if got := h.Get("Content-Security-Policy"); strings.Contains(got, "sandbox") != (tt.policy != "") {
				t.Errorf("%s as %q: got the policy %q", url, tt.contentType, got)
			}
		}
	}
}
