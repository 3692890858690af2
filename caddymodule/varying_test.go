package caddymodule

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestAnswersTellWhichHeadersCount(t *testing.T) {
	for _, tt := range []struct {
		name       string
		vary       plan.Vary
		plan       plan.Plan
		headers    []string
		want       string // Vary, behind the site's own
		contentDPR string
	}{
		{
			"example 32", plan.VaryAccept | plan.VaryWidth,
			plan.Plan{Width: 300, HintedWidth: true},
			[]string{"Sec-CH-Width", "212", "Sec-CH-DPR", "2"},
			"Accept, Sec-CH-Width, Sec-CH-DPR", "2.83",
		},
		{"no hint, where one would count", plan.VaryWidth, plan.Plan{Width: 640}, nil, "Sec-CH-Width, Sec-CH-DPR", ""},
		{"a ratio", plan.VaryDPR, plan.Plan{Width: 200, HintedDPR: 2}, []string{"Sec-CH-DPR", "2"}, "Sec-CH-DPR", "2"},
		{"less data", plan.VaryAccept | plan.VarySaveData, plan.Plan{}, []string{"Save-Data", "on"}, "Accept, Save-Data", ""},
		{"hints that don't count", 0, plan.Plan{Width: 300}, []string{"Sec-CH-Width", "212", "Sec-CH-DPR", "2"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := picture()
			resp.Vary, resp.Plan = tt.vary, tt.plan
			r := httptest.NewRequest("GET", "/a.jpg", nil)
			for name, values := range told(tt.headers...) {
				r.Header[name] = values
			}
			w, err := ask(t, nil, false, always(resp), r)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix("Origin|"+tt.want, "|")
			if got := strings.Join(w.Header().Values("Vary"), "|"); got != want {
				t.Errorf("Vary: got %q, want %q", got, want)
			}
			if got := w.Header().Get("Content-DPR"); got != tt.contentDPR {
				t.Errorf("Content-DPR: got %q, want %q", got, tt.contentDPR)
			}
		})
	}
}

func TestErrorsTellWhichHintsCount(t *testing.T) {
	const both = "/tr:w-auto:if-w_gt_3,h-5,dpr-auto,if-end/a.jpg"
	for _, tt := range []struct {
		name, target string
		always       string // of the endpoint
		err          error
		want         string
	}{
		{"a limit", "/tr:w-auto/a.jpg", "", &plan.LimitError{Msg: "too wide"}, "Sec-CH-Width, Sec-CH-DPR"},
		{"a window that a hint makes too large", "/tr:w-5,dpr-auto,cm-extract/a.jpg", "", &syntax.Error{Msg: "leaves the picture"}, "Sec-CH-DPR"},
		{"in any branch", both, "", &transform.Error{Kind: transform.TooLarge}, "Sec-CH-Width, Sec-CH-DPR"},
		{"in what is always done", "/tr:w-9/a.jpg", "if-w_gt_3,w-auto,if-end", &plan.LimitError{Msg: "too wide"}, "Sec-CH-Width, Sec-CH-DPR"},
		{"no hints", "/tr:w-9/a.jpg", "", &plan.LimitError{Msg: "too wide"}, ""},
		{"missing, whatever the hints", both, "", &origins.Error{Kind: origins.NotExist}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fails := func(*delivery.Request) (*delivery.Response, error) { return nil, tt.err }
			config := &Endpoint{Always: tt.always}
			var err error
			if config.ready, err = config.compile(); err != nil {
				t.Fatal(err)
			}
			w, err := ask(t, config, false, fails, httptest.NewRequest("GET", tt.target, nil))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix("Origin|"+tt.want, "|")
			if got := strings.Join(w.Header().Values("Vary"), "|"); got != want {
				t.Errorf("Vary: got %q, want %q", got, want)
			}
		})
	}
}

func TestHintsReachTheDelivery(t *testing.T) {
	r := httptest.NewRequest("GET", "/tr:w-auto/a.jpg", nil)
	for name, value := range map[string]string{"Sec-CH-Width": "212", "Sec-CH-DPR": "2.625", "Save-Data": "on", "Accept": "image/avif"} {
		r.Header.Set(name, value)
	}
	var got delivery.Request
	_, err := ask(t, nil, false, func(req *delivery.Request) (*delivery.Response, error) {
		got = *req
		return picture(), nil
	}, r)
	if err != nil {
		t.Fatal(err)
	}
	if got.Width != 300 || got.DPR != 2.75 || !got.SaveData || got.Accept != plan.SetOf(plan.AVIF) {
		t.Errorf("got %+v", got)
	}
}

func TestEndpointOptionsOfTheEncodingReachTheDelivery(t *testing.T) {
	config := &Endpoint{Formats: []string{"avif", "smallest"}, Quality: 70, QualityExact: true, SaveData: 30}
	config.setDefaults()
	got := (&App{Limits: &defaultLimits}).withoutOrigins("a", config).delivery
	if !got.Smallest || len(got.Formats) != 1 || got.Quality != 70 || !got.QualityExact || got.SaveData != 30 {
		t.Errorf("got %+v", got)
	}
}
