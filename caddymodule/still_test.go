package caddymodule

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// scribe is an engine to which every picture is a GIF of three frames, but for what begins like a PDF, and whose results are the
// plans.
type scribe struct {
	looked *int
	reads  plan.Set // 0 is all
}

func (scribe) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	s := plan.Source{Format: plan.GIF, Width: 80, Height: 60, Orientation: 1, Frames: 3, Pages: 3}
	if transform.Sniff(o.Bytes) == plan.PDF {
		s.Format, s.Frames = plan.PDF, 1
	}
	if o.Page < s.Pages {
		s.Page = o.Page
	}
	return s, nil
}

func (e scribe) Look(context.Context, transform.Inputs, plan.Look) (plan.Window, error) {
	*e.looked++
	return plan.Window{X: 5, Y: 10, Width: 40, Height: 20}, nil
}

func (scribe) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	return &transform.Image{Bytes: []byte(p.String()), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: p.Frames}, nil
}

func (scribe) Writable() plan.Set { return plan.SetOf(plan.JPEG, plan.PNG, plan.GIF, plan.WebP) }

func (e scribe) Readable() plan.Set {
	if e.reads == 0 {
		return plan.AllFormats
	}
	return e.reads
}

func (scribe) Version() string { return "scribe" }

// files are those of an origin.
var files = map[string]string{
	"dir/a.gif": "GIF89a" + strings.Repeat("x", 5000),
	"film.mp4":  "\x00\x00\x00\x18ftypmp42" + strings.Repeat("x", 50_000),
	"a.pdf":     "%PDF-1.7\n" + strings.Repeat("x", 5000),
	"b.pdf":     "%PDF-1.7\n" + strings.Repeat("y", 5000),
	"c.pdf":     "%PDF-1.7\n" + strings.Repeat("z", 5000),
}

func TestURLsOfStillsAndTrimsAreAnswered(t *testing.T) {
	origin := origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
		file, ok := files[req.Key]
		if !ok {
			return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
		}
		a := origins.Attributes{Origin: "shelf", Size: int64(len(file)), ETag: `"` + req.Key + `"`, ContentType: "application/x-any"}
		return &origins.Object{Body: io.NopCloser(strings.NewReader(file)), Attributes: a}, nil
	})
	tags := map[string]string{}
	for _, tt := range []struct {
		name, url, accept string
		status            int
		contentType, body string
		ikError           string
		looks             int
		reads             plan.Set
	}{
		{
			name: "a still", url: "/dir/a.gif/ik-thumbnail.jpg", status: 200, contentType: "image/jpeg",
			body: "load gif\ncolour srgb\nsave jpeg q=80\nvary accept\n",
		},
		{
			name: "a still of a frame", url: "/tr:pg-2,w-40/dir/a.gif/ik-thumbnail.jpg", accept: "image/webp", status: 200, contentType: "image/webp",
			body: "load gif page=2\nresize 40x30\ncolour srgb\nsave webp q=80\nvary accept\n",
		},
		{
			name: "a still by the query", url: "/dir/a.gif/ik-thumbnail.jpg?tr=pg-3", status: 200, contentType: "image/jpeg",
			body: "load gif page=3\ncolour srgb\nsave jpeg q=80\nvary accept\n",
		},
		{name: "the original", url: "/tr:orig-true/dir/a.gif/ik-thumbnail.jpg", status: 200, contentType: "image/gif", body: files["dir/a.gif"]},
		{name: "a frame that isn't there", url: "/tr:pg-4/dir/a.gif/ik-thumbnail.jpg", status: 400, ikError: "EINVAL - pg: there is no page 4; the file has 3 frames (column 1)"},
		{name: "a frame without a still", url: "/tr:w-3,pg-2/dir/a.gif", status: 400, ikError: "EINVAL - pg: needs /ik-thumbnail.jpg behind the path of the file, which asks for the still picture of a page (column 5)"},
		{name: "pages of a PSD", url: "/tr:pg-1_3/dir/a.gif/ik-thumbnail.jpg", status: 400, ikError: "EINVAL - pg: takes one whole number from 1 on; lists, ranges and names of layers belong to PSD, which is not read (column 4)"},
		{name: "a still of a film", url: "/film.mp4/ik-thumbnail.jpg", status: 400, ikError: "EINVAL - no still picture can be made of this kind of file; /ik-thumbnail.jpg is for pictures, animations, TIFF, and PDF where the engine's inputs have it; video is not read in this version"},
		{
			name: "a still of a PDF", url: "/tr:pg-2/a.pdf/ik-thumbnail.jpg", status: 200, contentType: "image/jpeg",
			body: "load pdf page=2\ncolour srgb\nsave jpeg q=80\nvary accept\n",
		},
		{name: "a page of a PDF that isn't there", url: "/tr:pg-4/a.pdf/ik-thumbnail.jpg", status: 400, ikError: "EINVAL - pg: there is no page 4; the file has 3 pages (column 1)"},
		{name: "a PDF", url: "/a.pdf", status: 200, contentType: "application/x-any", body: files["a.pdf"]},
		{name: "a PDF with a transformation", url: "/tr:w-20,f-png/b.pdf", status: 200, contentType: "application/x-any", body: files["b.pdf"]},
		{name: "the original of a still of a PDF", url: "/tr:orig-true/c.pdf/ik-thumbnail.jpg", status: 200, contentType: "application/x-any", body: files["c.pdf"]},
		{name: "a still of a PDF where none is read", url: "/tr:pg-2/a.pdf/ik-thumbnail.jpg", reads: plan.SetOf(plan.JPEG), status: 400, ikError: "EINVAL - no still picture can be made of this kind of file; /ik-thumbnail.jpg is for pictures, animations, TIFF, and PDF where the engine's inputs have it; video is not read in this version"},
		{name: "a still of nothing", url: "/b.gif/ik-thumbnail.jpg", status: 404, ikError: "ENOENT - no origin has the file"},
		{name: "the name of a still alone", url: "/ik-thumbnail.jpg", status: 404, ikError: "ENOENT - no origin has the file"},
		{
			name: "a trim", url: "/tr:t-true,w-20/dir/a.gif", status: 200, contentType: "image/gif", looks: 1,
			body: "load gif frames=3\ncrop 40x20 at 5,10\nresize 20x10\ncolour srgb\nsave gif\nvary accept\n",
		},
		{
			name: "a trim of a still", url: "/tr:pg-2,t-true/dir/a.gif/ik-thumbnail.jpg", status: 200, contentType: "image/jpeg", looks: 1,
			body: "load gif page=2\ncrop 40x20 at 5,10\ncolour srgb\nsave jpeg q=80\nvary accept\n",
		},
		{name: "too many trims", url: "/tr:t-1:t-2:t-3:t-4/dir/a.gif", status: 400, ikError: "ELIMIT - t: a transformation trims at most 3 times (column 13)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			looks := 0
			pipeline := &delivery.Render{Engine: scribe{&looks, tt.reads}}
			r := httptest.NewRequest("GET", tt.url, nil)
			r.Header.Set("Accept", tt.accept)
			w, err := ask(t, nil, false, func(req *delivery.Request) (*delivery.Response, error) {
				req.Endpoint = &delivery.Endpoint{Origin: origin}
				return pipeline.Deliver(t.Context(), req)
			}, r)
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Header().Get("Ik-Error") != tt.ikError {
				t.Fatalf("got %d %q, want %d %q", w.Code, w.Header().Get("Ik-Error"), tt.status, tt.ikError)
			}
			if looks != tt.looks {
				t.Errorf("the engine looked %d times, want %d", looks, tt.looks)
			}
			if tt.status != 200 {
				return
			}
			if got := w.Body.Bytes(); !bytes.Equal(got, []byte(tt.body)) || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("got %s %q, want %s %q", w.Header().Get("Content-Type"), got, tt.contentType, tt.body)
			}
			tag := w.Header().Get("Etag")
			if tags[tag] != "" {
				t.Errorf("%q has the ETag %s, as %q has", tt.name, tag, tags[tag])
			}
			tags[tag] = tt.name
		})
	}
}
