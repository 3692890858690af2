package delivery

import (
	"errors"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestAlwaysStandsBehindWhatIsAskedFor(t *testing.T) {
	o := &shelf{files: map[string][]byte{"a": jpeg, "stand": jpeg}}
	for _, tt := range []struct{ name, key, chain, always, want string }{
		{"nothing asked", "a", "", "w-400", "resize 400x300\n"},
		{"after a step", "a", "w-500", "w-400", "resize 500x375\nresize 400x300\n"},
		{"its stand-in counts", "nowhere", "di-nothing,w-500", "di-stand", "resize 500x375\n"},
		{"nothing at all", "a", "w-500", "", "resize 500x375\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := deliver(t, o, still(), func(r *Request) {
				r.Key, r.Chain, r.Endpoint.Always = tt.key, chain(t, tt.chain), chain(t, tt.always).At(-1)
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(body(t, resp), "colour srgb\n", ""); !strings.Contains(got, "\n"+tt.want+"save") {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestVectorsAreDrawnWhereAlwaysPaints(t *testing.T) {
	vector := plan.Source{Format: plan.SVG, Width: 800, Height: 600, Orientation: 1, Frames: 1}
	for _, tt := range []struct {
		always string
		drawn  bool
	}{{"", false}, {"q-3", false}, {"w-400", true}, {"if-w_gt_9000,bl-3,if-end", true}} {
		req := &Request{Endpoint: &Endpoint{Always: chain(t, tt.always)}}
		p, err := req.Resolve(plan.Sources{Base: vector}, plan.SetOf(plan.JPEG, plan.PNG))
		if err != nil || p.Original == tt.drawn {
			t.Errorf("always %q: got %v\n%v", tt.always, err, p)
		}
	}
}

func TestTheEndpointsOwnStepIsBlamedWithoutAColumn(t *testing.T) {
	for _, tt := range []struct{ chain, always, want string }{
		{"w-9,h-9", "w-10,h-1,cm-extract", "w: the window is 10 pixels wide, the picture only 9; use cm-pad_extract, or ask for less (a step of the endpoint's always)"},
		{"w-9:w-10,h-1,cm-extract", "w-5", "w: the window is 10 pixels wide, the picture only 9; use cm-pad_extract, or ask for less (column 5)"},
	} {
		req := &Request{Endpoint: &Endpoint{Always: chain(t, tt.always).At(-1)}, Chain: chain(t, tt.chain)}
		_, err := req.Resolve(plan.Sources{Base: still().facts}, plan.SetOf(plan.JPEG))
		if _, ours := errors.AsType[*syntax.Error](err); !ours || err.Error() != tt.want {
			t.Errorf("%s, always %s: got %v, want %s", tt.chain, tt.always, err, tt.want)
		}
	}
}

func TestALimitOfTheEndpointsOwnStepIsBlamedWithoutAColumn(t *testing.T) {
	req := &Request{
		Endpoint: &Endpoint{Always: chain(t, "w-900,h-900").At(-1), Limits: Limits{Limits: plan.Limits{OutputPixels: 500_000}}},
		Chain:    chain(t, "w-9"),
	}
	_, err := req.Resolve(plan.Sources{Base: still().facts}, plan.SetOf(plan.JPEG))
	const want = "w: the result would have 810,000 pixels (900 x 900); at most 500,000 are allowed (a step of the endpoint's always) (limit output_pixels)"
	if _, over := errors.AsType[*plan.LimitError](err); !over || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
