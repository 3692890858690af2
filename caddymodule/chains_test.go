package caddymodule

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// sketcher is an engine whose pictures are the plans. Its originals are 600 pixels wide and 300 high.
type sketcher struct{}

func (sketcher) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	f := transform.Sniff(o.Bytes)
	return plan.Source{Format: f, Width: 600, Height: 300, Orientation: 1, Frames: 1, Alpha: f == plan.SVG}, nil
}

func (sketcher) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	text := strings.Replace(p.String(), "colour srgb\n", "", 1) // stands wherever the picture is smallest
	return &transform.Image{Bytes: []byte(text), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: p.Frames}, nil
}

func (sketcher) Look(_ context.Context, _ transform.Inputs, l plan.Look) (plan.Window, error) {
	return plan.Window{Width: l.Width, Height: l.Height}, nil
}

func (sketcher) Writable() plan.Set { return plan.SetOf(plan.JPEG, plan.PNG, plan.WebP) }

func (sketcher) Readable() plan.Set { return plan.AllFormats }
func (sketcher) Version() string    { return "sketch" }

// shelf is what the origin of served endpoints has.
var shelf = map[string][]byte{
	"a.jpg":     append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("x"), 6000)...),
	"logo.svg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"/>`),
	"stand.jpg": append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("y"), 6000)...),
	"text.txt":  []byte("hello"),
}

func fromShelf(_ context.Context, req origins.Request) (*origins.Object, error) {
	file, ok := shelf[req.Key]
	if !ok {
		return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
	}
	return &origins.Object{
		Body:       io.NopCloser(bytes.NewReader(file)),
		Attributes: origins.Attributes{Origin: "shelf", Size: int64(len(file)), ContentType: "text/plain"},
	}, nil
}

// served is an answer, and what the log says of the transformation.
type served struct {
	*httptest.ResponseRecorder
	transform string
}

// serve asks an endpoint, all the way from the URL to the bytes.
func serve(t *testing.T, config Endpoint, target string, headers ...string) served {
	t.Helper()
	if err := config.prepare(caddy.NewReplacer()); err != nil {
		t.Fatal(err)
	}
	limits := defaultLimits
	e := (&App{Limits: &limits}).withoutOrigins("default", &config)
	e.delivery.Origin = origins.OriginFunc(fromShelf)
	app := &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: &delivery.Render{Engine: sketcher{}}}
	h := &Handler{app: app, logger: zap.NewNop()}
	repl := caddy.NewReplacer()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r = r.WithContext(context.WithValue(r.Context(), caddy.ReplacerCtxKey, repl))
	w := httptest.NewRecorder()
	if err := h.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })); err != nil {
		t.Fatal(err)
	}
	return served{w, repl.ReplaceAll("{http.imageorigin.transform}", "")}
}

// has fails unless the answer has the status, and its body, ik-error or warning the text.
func (s served) has(t *testing.T, status int, text string) {
	t.Helper()
	said := s.Body.String() + s.Header().Get("ik-error") + s.Header().Get("ik-warning")
	if s.Code != status || !strings.Contains(said, text) {
		t.Errorf("got %d\n%s\nik-error %q\nik-warning %q\nwant %d and %q", s.Code, s.Body, s.Header().Get("ik-error"), s.Header().Get("ik-warning"), status, text)
	}
}

func TestNamedTransformationsOfURLs(t *testing.T) {
	named := map[string]string{
		"thumb": "tr:w-100", "card": "n-thumb,h-200:q-33", "Thumb": "w-50", "tall": "if-ar_gt_1,h-30,if-else,w-30,if-end", "instead": "di-stand.jpg,w-77",
		"raw": "orig-true", "window": "w-700,h-10,cm-extract",
	}
	for _, tt := range []struct {
		name, target string
		status       int
		want         string // in the plan or the error
		log          string
	}{
		{"in the path", "/tr:n-thumb/a.jpg", 200, "resize 100x50\n", "w-100"},
		{"in the query", "/a.jpg?tr=n-thumb", 200, "resize 100x50\n", "w-100"},
		{"names in names", "/tr:n-card/a.jpg", 200, "resize 400x200\nresize 100x50\nsave jpeg q=33\n", "h-200:w-100:q-33"},
		{"beside items", "/tr:w-100,n-Thumb/a.jpg", 200, "resize 100x50\nresize 50x25\n", "w-100:w-50"},
		{"a condition", "/tr:n-tall/a.jpg", 200, "resize 60x30\n", "if-ar_gt_1,h-30,if-else,w-30,if-end"},
		{"the last step decides on the output", "/tr:n-card:q-44/a.jpg", 200, "save jpeg q=44", "h-200:w-100:q-33:q-44"},
		{"a picture that stands in", "/tr:n-instead/nowhere.jpg", 200, "resize 77x39", "w-77,di-stand.jpg"},
		{"the original", "/tr:n-raw/a.jpg", 200, "\xff\xd8", "orig-true"},
		{
			"unknown", "/tr:w-1,n-thumbs/a.jpg", 400,
			`EINVAL - n: no transformation is called "thumbs" here; names are case-sensitive, and declared by the endpoint's option transform (column 5)`,
			"w-1,n-thumbs",
		},
		{"unknown beside orig-true", "/tr:orig-true,n-x/a.jpg", 400, `no transformation is called "x" here`, "n-x,orig-true"},
		{"a condition in a branch", "/tr:if-w_gt_3,n-tall,if-end/a.jpg", 400, `EINVAL - n: "tall" holds a condition, and stands in a branch of another;`, "if-w_gt_3,n-tall,if-end"},
		{"an error of the picture", "/tr:q-50:n-window/a.jpg", 400, "EINVAL - w: the window is 700 pixels wide, the picture only 600; use cm-pad_extract, or ask for less (column 6)", "q-50:w-700,h-10,cm-extract"},
		{"too many steps", "/tr:" + strings.Repeat("n-card:", 6) + "n-card/a.jpg", 400, "ELIMIT - the transformation has 21 steps; at most 20 are allowed (limit steps)", strings.TrimSuffix(strings.Repeat("h-200:w-100:q-33:", 7), ":")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := serve(t, Endpoint{Transforms: named}, tt.target)
			got.has(t, tt.status, tt.want)
			if got.transform != tt.log {
				t.Errorf("the log says %q, want %q", got.transform, tt.log)
			}
			if err := got.Header().Get("ik-error"); strings.Contains(err, "card") || strings.Contains(err, "raw") {
				t.Errorf("ik-error tells other names: %s", err)
			}
		})
	}
}

func TestUnnamedDenyLetsOnlyNamesThrough(t *testing.T) {
	const refused = "EACCES - this endpoint allows named transformations only: each step must be n-<name> alone"
	for _, tt := range []struct {
		name, target string
		status       int
		want         string
	}{
		{"nothing asked", "/a.jpg", 200, "keep-smaller"},
		{"an attachment", "/a.jpg?ik-attachment=true&v=3", 200, "keep-smaller"},
		{"a name", "/tr:n-thumb/a.jpg", 200, "resize 100x50"},
		{"two steps of a name", "/tr:n-thumb:n-grey/a.jpg", 200, "grey"},
		{"names in path and query", "/tr:n-thumb/a.jpg?tr=n-grey", 200, "grey"},
		{"an unknown name", "/tr:n-other/a.jpg", 400, "EINVAL - n: no transformation is called"},
		{"no grammar", "/tr:foo-1/a.jpg", 400, "EINVAL - foo"},
		{"another step", "/tr:n-thumb:w-3/a.jpg", 403, refused},
		{"an item beside a name", "/tr:n-thumb,w-3/a.jpg", 403, refused},
		{"in the query", "/tr:n-thumb/a.jpg?tr=q-3", 403, refused},
		{"the original", "/tr:orig-true/a.jpg", 403, refused},
		{"a picture that stands in", "/tr:di-stand.jpg/nowhere.jpg", 403, refused},
		{"a condition about names", "/tr:if-w_gt_3,n-thumb,if-end/a.jpg", 403, refused},
		{"what is no picture", "/tr:w-3/text.txt", 403, refused},
	} {
		for _, mode := range errorStatuses {
			t.Run(tt.name+" "+mode, func(t *testing.T) {
				config := Endpoint{Unnamed: "deny", ErrorStatus: mode, Transforms: map[string]string{"thumb": "w-100", "grey": "e-grayscale"}}
				got := serve(t, config, tt.target)
				got.has(t, tt.status, tt.want)
				if got.Code == 403 && got.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("got Cache-Control %q", got.Header().Get("Cache-Control"))
				}
			})
		}
	}
}

func TestAlwaysIsAppliedToEveryPictureLast(t *testing.T) {
	const untouched = "EACCES - this endpoint applies a transformation to every picture, so none is sent as it is: leave out orig-true"
	webp := []string{"Accept", "image/webp"}
	for _, tt := range []struct {
		name, always, target string
		accept               []string
		status               int
		want                 string
	}{
		{"nothing asked", "w-400,c-at_max", "/a.jpg", nil, 200, "resize 400x200\nsave jpeg q=80\n"},
		{"behind what is asked", "w-400,c-at_max:b-2_red", "/tr:w-500/a.jpg", nil, 200, "resize 500x250\nresize 400x200\nembed 404x204"},
		{"behind what is named", "b-2_red", "/tr:n-thumb/a.jpg", nil, 200, "resize 100x50\nembed 104x54"},
		{"by name", "n-thumb", "/a.jpg", nil, 200, "resize 100x50\n"},
		{"its output wins", "q-33", "/tr:q-99/a.jpg", nil, 200, "save jpeg q=33 keep-smaller"},
		{"the original's format", "w-400", "/tr:f-orig/a.jpg", webp, 200, "save jpeg q=80"},
		{"to a picture that stands in", "w-400", "/tr:di-stand.jpg/nowhere.jpg", nil, 200, "resize 400x200"},
		{"orig-true", "q-33", "/tr:orig-true/a.jpg", nil, 403, untouched},
		{"orig-true in the query", "q-33", "/tr:w-3/a.jpg?tr=w-3,orig-true", nil, 403, untouched},
		{"orig-true in a branch", "q-33", "/tr:if-w_gt_3,w-3,if-else,orig-true,if-end/a.jpg", nil, 403, untouched},
		{"orig-true taken back", "q-33", "/tr:orig-true:orig-false/a.jpg", nil, 403, untouched},
		{"orig-true of what is no picture", "q-33", "/tr:orig-true/text.txt", nil, 403, untouched},
		{"what is no picture", "w-400", "/text.txt", nil, 200, "hello"},
		{"an SVG", "w-400", "/logo.svg", nil, 200, "load svg scale=0.66667\nresize 400x200\nsave png"},
		{"an SVG, negotiated", "w-400", "/logo.svg", webp, 200, "save webp q=80"},
		{"an SVG that shall stay one", "w-400", "/tr:f-svg/logo.svg", webp, 200, "every picture of this endpoint is changed"},
		{"an SVG, if the condition holds", "if-w_gt_9000,w-400,if-end", "/logo.svg", nil, 200, "save png"},
		{"an SVG whose pixels don't change", "q-33", "/logo.svg", nil, 200, "<svg"},
		{
			"what the picture forbids", "q-50:w-700,h-10,cm-extract", "/tr:q-3/a.jpg", nil, 400,
			"EINVAL - w: the window is 700 pixels wide, the picture only 600; use cm-pad_extract, or ask for less (a step of the endpoint's always)",
		},
		{"what the picture forbids the URL", "q-50", "/tr:w-700,h-10,cm-extract/a.jpg", nil, 400, "or ask for less (column 1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := serve(t, Endpoint{Always: tt.always, Transforms: map[string]string{"thumb": "w-100"}}, tt.target, tt.accept...)
			got.has(t, tt.status, tt.want)
			if strings.Contains(got.Header().Get("ik-error"), "always) (column") {
				t.Errorf("the endpoint's own step has a column: %s", got.Header().Get("ik-error"))
			}
			if kind := got.Header().Get("Content-Type"); strings.HasPrefix(got.Body.String(), "<svg") != strings.HasPrefix(kind, "image/svg") {
				t.Errorf("got Content-Type %q for %q", kind, got.Body)
			}
		})
	}
}

func TestWhatIsNoPictureIsNoFaultOfAlways(t *testing.T) {
	config := Endpoint{Always: "w-400", ErrorStatus: "native"}
	serve(t, config, "/text.txt").has(t, 200, "hello")
	serve(t, config, "/tr:w-3/text.txt").has(t, 415, "EINVAL - the file is not a picture that can be transformed")
}

func TestSizesBindURLsAndNotTheEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name, target string
		strict       bool
		status       int
		want, log    string
	}{
		{"snapped", "/tr:w-300/a.jpg", false, 200, "resize 320x160\nresize 444x222\n", "w-300"},
		{"beyond the largest", "/tr:w-3000/a.jpg", false, 200, "resize 640x320\nresize 444x222\n", "w-3000"},
		{"named", "/tr:n-thumb/a.jpg", false, 200, "resize 100x50\nresize 444x222\n", "w-100,own_size"},
		{"beside a name", "/tr:w-90,n-thumb/a.jpg", false, 200, "resize 320x160\nresize 100x50\nresize 444x222\n", "w-90:w-100,own_size"},
		{"strict, on the ladder", "/tr:w-320/a.jpg", true, 200, "resize 320x160\nresize 444x222\n", "w-320"},
		{"strict, off the ladder", "/tr:q-3,w-300/a.jpg", true, 400, "EINVAL - w: a width of 300 pixels is not among those of this endpoint; ask for 320 or 640 (column 5)", "w-300,q-3"},
		{"strict, named", "/tr:n-thumb/a.jpg", true, 200, "resize 100x50\nresize 444x222\n", "w-100,own_size"},
		{"strict, nothing asked", "/a.jpg", true, 200, "resize 444x222\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := serve(t, Endpoint{
				Sizes:      &Sizes{Widths: []int{640, 320}, Strict: tt.strict},
				Transforms: map[string]string{"thumb": "w-100"}, Always: "w-444",
			}, tt.target)
			got.has(t, tt.status, tt.want)
			if got.transform != tt.log {
				t.Errorf("the log says %q, want %q", got.transform, tt.log)
			}
		})
	}
}

func TestEndpointsHave250NamedTransformations(t *testing.T) {
	e := Endpoint{}
	for i := range maxTransforms {
		if err := readTransform(&e, []string{fmt.Sprintf("t%d", i), "w-1"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.prepare(caddy.NewReplacer()); err != nil || len(e.ready.named) != 250 {
		t.Errorf("with 250: got %v, and %d are ready", err, len(e.ready.named))
	}
	const want = "an endpoint has at most 250 named transformations; move some to another endpoint"
	if err := readTransform(&e, []string{"more", "w-1"}); err == nil || err.Error() != want {
		t.Errorf("in a Caddyfile: got %v, want %s", err, want)
	}
	e.Transforms["more"] = "w-1"
	if err := e.prepare(caddy.NewReplacer()); err == nil || err.Error() != "transform: "+want {
		t.Errorf("in JSON: got %v, want %s", err, want)
	}
}

func TestWidthsAreSortedAtLoad(t *testing.T) {
	s := &Sizes{Widths: []int{640, 320, 1280}}
	if got := fmt.Sprint(s.ladder().Widths, s.Widths); got != "[320 640 1280] [640 320 1280]" {
		t.Errorf("got %s: the ladder must be in order, and the config as it was written", got)
	}
}
