package delivery

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func engineFault(kind transform.Kind) error {
	return &transform.Error{Kind: kind, Op: "painting", Err: errors.New("no luck")}
}

func TestTheOriginalStandsInWhereTheEngineFails(t *testing.T) {
	for _, tt := range []struct {
		name     string
		kind     transform.Kind
		instead  bool
		kept     bool // originals are
		uncached bool
	}{
		{name: "damaged data", kind: transform.Broken, instead: true},
		{name: "a crash", kind: transform.Internal, instead: true},
		{name: "too slow", kind: transform.Timeout, instead: true},
		{name: "a crash where originals are kept", kind: transform.Internal, instead: true, kept: true},
		{name: "a crash where nothing is kept", kind: transform.Internal, instead: true, uncached: true},
		{name: "over a limit", kind: transform.TooLarge},
		{name: "too much to do", kind: transform.Overloaded},
		{name: "not a picture to the engine", kind: transform.Unsupported},
		{name: "over a limit where nothing is kept", kind: transform.TooLarge, uncached: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inKiosk(t, oneFile, func(k *kiosk) {
				k.e.Untouched, k.engine.err = true, engineFault(tt.kind)
				if tt.kept {
					k.e.Keeping.Originals = k.store
				}
				if tt.uncached {
					k.e.Keeping.Results = nil
				}
				for range 2 {
					resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-200"))
					if !tt.instead {
						if err == nil || transform.KindOf(err) != tt.kind {
							t.Errorf("got %v, %v", resp, err)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if transform.KindOf(resp.Failed) != tt.kind || resp.Transformed || !resp.Image || resp.Format != plan.JPEG || resp.How.Stored ||
						len(resp.Warnings) != 1 || !resp.Vary.Has(plan.VaryAccept) {
						t.Errorf("got %+v", resp)
					}
					if got := k.tell(resp, nil); !strings.HasPrefix(got, "one: ") {
						t.Errorf("got %q", got)
					}
				}
				for _, variant := range k.store.variants() {
					if !strings.HasPrefix(variant, "record") && (!tt.kept || !strings.HasPrefix(variant, "original")) {
						t.Errorf("%s is kept", variant)
					}
				}
				k.engine.err = nil // as good as new
				time.Sleep(time.Minute)
				if got := k.ask("a.jpg", "w-200"); !strings.HasPrefix(got, "200x150 jpeg of one") {
					t.Errorf("afterwards: got %q", got)
				}
			})
		})
	}
}

func TestTheOriginalNeverStandsInWhereThatIsNotMeant(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(k *kiosk, req *Request)
	}{
		{"an endpoint that doesn't want it", func(k *kiosk, _ *Request) { k.e.Untouched = false }},
		{"an endpoint that does something always", func(k *kiosk, _ *Request) { k.e.Always = chain(k.t, "r-10") }},
		{"a still picture", func(_ *kiosk, req *Request) { req.Still = true }},
		{"a private original, signed or by name", func(k *kiosk, _ *Request) { k.origin.private = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inKiosk(t, oneFile, func(k *kiosk) {
				k.e.Untouched, k.engine.err = true, engineFault(transform.Broken)
				req := k.request("a.jpg", "w-200")
				tt.change(k, req)
				for range 2 {
					if resp, err := k.cache.Deliver(k.t.Context(), req); err == nil || transform.KindOf(err) != transform.Broken {
						t.Errorf("got %+v, %v", resp, err)
					}
				}
			})
		})
	}
}

// svgs is an engine to which every file is an SVG, and which fails.
type svgs struct{ brush }

func (s *svgs) Probe(context.Context, transform.Original) (plan.Source, error) {
	return plan.Source{Format: plan.SVG, Width: 400, Height: 300, Orientation: 1, Frames: 1}, nil
}

func TestAnSVGNeverStandsInForItself(t *testing.T) {
	for _, uncached := range []bool{false, true} {
		inKiosk(t, nil, func(k *kiosk) {
			k.e.Untouched = true
			k.cache = NewCache(&svgs{brush{err: engineFault(transform.Internal)}}, k.memory)
			k.e.Origin = &shelf{files: map[string][]byte{"a.svg": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}, etag: `"1"`}
			if uncached {
				k.e.Keeping.Results = nil
			}
			if resp, err := k.cache.Deliver(k.t.Context(), k.request("a.svg", "w-200,f-png")); err == nil || transform.KindOf(err) != transform.Internal {
				t.Errorf("got %+v, %v", resp, err)
			}
		})
	}
}

// growing is an origin whose file is another one the second time.
type growing struct {
	first, then []byte
	vague       bool
	opened      int
}

func (g *growing) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	g.opened++
	file := g.first
	if g.opened > 1 {
		file = g.then
	}
	return (&shelf{files: map[string][]byte{req.Key: file}, vague: g.vague}).Open(ctx, req)
}

func TestAnOriginalThatHasGrownOverTheLimitDoesNotStandIn(t *testing.T) {
	large := append([]byte(nil), jpeg...)
	large = append(large, make([]byte, 10_000)...)
	for _, tt := range []struct {
		name  string
		then  []byte
		vague bool
		want  bool
	}{
		{"as it was", jpeg, false, true},
		{"as it was, of unknown size", jpeg, true, true},
		{"larger", large, false, false},
		{"larger, of unknown size", large, true, false},
		{"no picture any more", []byte("text"), false, false},
		{"an SVG by now", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inKiosk(t, nil, func(k *kiosk) {
				k.e.Untouched, k.e.Limits.SourceSize = true, 10_000
				k.engine.err = engineFault(transform.Broken)
				k.e.Origin = &growing{first: jpeg, then: tt.then, vague: tt.vague}
				resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-200"))
				if (err == nil) != tt.want {
					t.Fatalf("got %+v, %v", resp, err)
				}
				if err == nil {
					if got := k.tell(resp, nil); got != ": bypass" {
						t.Errorf("got %q", got)
					}
				}
			})
		})
	}
}

func TestAFailingOriginIsNotHiddenByTheOriginal(t *testing.T) {
	inKiosk(t, oneFile, func(k *kiosk) {
		k.e.Untouched, k.engine.err = true, engineFault(transform.Broken)
		k.ask("a.jpg", "w-200")
		k.origin.set(func() { k.origin.fault = &origins.Error{Kind: origins.Unreachable} })
		if resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-300")); err == nil {
			t.Errorf("got %+v", resp)
		}
	})
}

// patient is an engine whose pictures have waited for a slot.
type patient struct{ brush }

func (p *patient) Render(ctx context.Context, in transform.Inputs, pl plan.Plan) (*transform.Image, error) {
	time.Sleep(3 * time.Second)
	img, err := p.brush.Render(ctx, in, pl)
	if err == nil {
		img.Queued = 3 * time.Second
	}
	return img, err
}

func TestTheWaitForASlotIsToldApart(t *testing.T) {
	for _, uncached := range []bool{false, true} {
		inKiosk(t, oneFile, func(k *kiosk) {
			k.origin.delay = 5 * time.Second
			k.cache = NewCache(&patient{brush{delay: time.Second}}, k.memory)
			if uncached {
				k.e.Keeping.Results = nil
			}
			resp, err := k.cache.Deliver(k.t.Context(), k.request("a.jpg", "w-200"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Close()
			want := Timing{Cache: resp.Timing.Cache, Download: 5 * time.Second, Queue: 3 * time.Second, Transformation: time.Second}
			if resp.Timing != want {
				t.Errorf("got %+v, want %+v", resp.Timing, want)
			}
		})
	}
}
