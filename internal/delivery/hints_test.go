package delivery

import (
	"context"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestWhatTheClientTellsReachesThePlan(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}, etag: `"1"`}
	saving := &Endpoint{Origin: s, SaveData: 45}
	tags := map[string]string{}
	for _, tt := range []struct {
		name   string
		change func(*Request)
		want   string // of the plan
		vary   plan.Vary
	}{
		{"a width", func(r *Request) { r.Chain, r.Width = chain(t, "w-auto"), 300 }, "resize 300x225", plan.VaryAccept | plan.VaryWidth},
		{"no width", func(r *Request) { r.Chain = chain(t, "w-auto,c-force") }, "colour srgb\nsave jpeg q=80 keep-smaller", plan.VaryAccept | plan.VaryWidth},
		{"a ratio", func(r *Request) { r.Chain, r.DPR = chain(t, "w-100,dpr-auto"), 1.5 }, "resize 150x113", plan.VaryAccept | plan.VaryDPR},
		{"less data", func(r *Request) { r.Chain, r.Endpoint, r.SaveData = chain(t, "w-100"), saving, true }, "save jpeg q=45", plan.VaryAccept | plan.VarySaveData},
		{"all data", func(r *Request) { r.Chain, r.Endpoint = chain(t, "w-100"), saving }, "save jpeg q=80", plan.VaryAccept | plan.VarySaveData},
		{"less data, where the endpoint has none", func(r *Request) { r.Chain, r.SaveData = chain(t, "w-100"), true }, "save jpeg q=80", plan.VaryAccept},
	} {
		resp, err := deliver(t, s, still(), tt.change)
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, resp); !strings.Contains(got, tt.want) || resp.Vary != tt.vary {
			t.Errorf("%s: got %q, varying by %v; want %q, %v", tt.name, got, resp.Vary, tt.want, tt.vary)
		}
		tags[resp.Plan.Recipe()] = resp.ETag
	}
	seen := map[string]bool{}
	for text, tag := range tags {
		if seen[tag] {
			t.Errorf("two results have the ETag %s, one of them of %q", tag, text)
		}
		seen[tag] = true
	}
}

func TestQualityOfTheOriginIsACeilingUnlessItIsExact(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}}
	for _, tt := range []struct {
		name  string
		exact bool
		want  string
	}{{"a ceiling", false, "save jpeg q=60"}, {"exact", true, "save jpeg q=80"}} {
		e := still()
		e.facts.Quality = 60
		resp, err := deliver(t, s, e, func(r *Request) {
			r.Chain, r.Endpoint = chain(t, "rt-90"), &Endpoint{Origin: s, QualityExact: tt.exact}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := body(t, resp); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// picky is an engine whose smallest file is in another format than the first.
type picky struct {
	*painter
	size int
}

func (p *picky) Render(_ context.Context, _ transform.Inputs, pl plan.Plan) (*transform.Image, error) {
	outputs := pl.Outputs()
	return &transform.Image{Bytes: make([]byte, p.size), Format: outputs[len(outputs)-1].Format, Width: pl.Width, Height: pl.Height, Frames: 1}, nil
}

func TestSmallestFileIsSentAsWhatItIs(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}, etag: `"1"`}
	for _, tt := range []struct {
		name, chain string
		size        int
		want        string // the content type
		transformed bool
	}{
		{"another format than the first", "w-100", 100, "image/jpeg", true},
		{"the original is smaller than all", "", len(jpeg) + 1, "image/jpeg", false},
		{"the original is as small", "", len(jpeg), "image/jpeg", false},
		{"the original is larger", "", len(jpeg) - 1, "image/jpeg", true},
		{"the original is smaller, but a size was asked for", "w-100", len(jpeg) + 1, "image/jpeg", true},
	} {
		resp, err := deliver(t, s, &picky{still(), tt.size}, func(r *Request) {
			r.Chain, r.Accept, r.Endpoint = chain(t, tt.chain), plan.SetOf(plan.WebP), &Endpoint{Origin: s, Smallest: true}
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.Plan.Alternatives) != 1 || resp.Plan.Output.Format != plan.WebP {
			t.Fatalf("%s: the plan has no alternatives: %v", tt.name, resp.Plan)
		}
		if resp.ContentType != tt.want || resp.Format != plan.JPEG || resp.Transformed != tt.transformed || resp.Vary != plan.VaryAccept {
			t.Errorf("%s: got %s as %v, transformed %v, varying by %v", tt.name, resp.ContentType, resp.Format, resp.Transformed, resp.Vary)
		}
		if got := body(t, resp); int64(len(got)) != resp.Size || (got == string(jpeg)) == tt.transformed {
			t.Errorf("%s: got %d bytes of %d", tt.name, len(got), resp.Size)
		}
		if resp.Width == 0 || resp.ETag == "" {
			t.Errorf("%s: got width %d and ETag %q", tt.name, resp.Width, resp.ETag)
		}
	}
}
