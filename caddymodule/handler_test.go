package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

type deliverFunc func(*delivery.Request) (*delivery.Response, error)

func (f deliverFunc) Deliver(_ context.Context, req *delivery.Request) (*delivery.Response, error) {
	return f(req)
}

type content struct {
	io.ReadSeeker
}

func (content) Close() error { return nil }

// failing is content that breaks off after five bytes.
type failing struct {
	content
	read *int
}

func (f failing) Read(p []byte) (int, error) {
	if *f.read >= 5 {
		return 0, &origins.Error{Kind: origins.Unreachable, Err: errors.New("reset")}
	}
	n, err := f.content.Read(p[:min(len(p), 5)])
	*f.read += n
	return n, err
}

func picture() *delivery.Response {
	body := []byte("0123456789")
	return &delivery.Response{
		Content: content{bytes.NewReader(body)}, Size: int64(len(body)), ContentType: "image/webp", ETag: `"tag"`,
		Modified: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Transformed: true, Image: true, Vary: plan.VaryAccept, Format: plan.WebP,
		Timing: delivery.Timing{Download: 1500 * time.Microsecond, Transformation: 20 * time.Millisecond},
	}
}

// ask sends a request through a handler whose pipeline is answer.
func ask(t *testing.T, config *Endpoint, passThru bool, answer deliverFunc, r *http.Request) (*httptest.ResponseRecorder, error) {
	t.Helper()
	if config == nil {
		config = &Endpoint{}
	}
	config.setDefaults()
	e := &endpoint{name: "default", config: config, query: config.Query, delivery: &delivery.Endpoint{}}
	h := &Handler{app: &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: answer}, logger: zap.NewNop(), PassThru: passThru}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusTeapot)
		return nil
	})
	repl := caddy.NewReplacer()
	r = r.WithContext(context.WithValue(r.Context(), caddy.ReplacerCtxKey, repl))
	return w, h.ServeHTTP(w, r, next)
}

func always(resp *delivery.Response) deliverFunc {
	return func(*delivery.Request) (*delivery.Response, error) { return resp, nil }
}

func TestAnswersCarryWhatHTTPPromises(t *testing.T) {
	get := func(headers ...string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/a.jpg", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	for _, tt := range []struct {
		name    string
		config  *Endpoint
		request *http.Request
		change  func(*delivery.Response)
		status  int
		body    string
		headers map[string]string
	}{
		{name: "a picture", request: get(), status: 200, body: "0123456789", headers: map[string]string{
			"Content-Type": "image/webp", "Content-Length": "10", "Etag": `"tag"`, "Vary": "Origin|Accept", "Accept-Ranges": "bytes",
			"Last-Modified": "Thu, 02 Jan 2020 03:04:05 GMT", "Cache-Control": "public, max-age=31536000, must-revalidate",
			"Server-Timing": "download;dur=1.5, transformation;dur=20.0", "Access-Control-Allow-Origin": "*",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "", "Link": "", "Ik-Error": "",
		}},
		{name: "known by its tag", request: get("If-None-Match", `"tag"`), status: 304, headers: map[string]string{"Etag": `"tag"`, "Vary": "Origin|Accept"}},
		{name: "known by its date", request: get("If-Modified-Since", "Thu, 02 Jan 2020 03:04:05 GMT"), status: 304},
		{name: "a part", request: get("Range", "bytes=2-4"), status: 206, body: "234", headers: map[string]string{"Content-Range": "bytes 2-4/10"}},
		{name: "a part of another version", request: get("Range", "bytes=2-4", "If-Range", `"other"`), status: 200, body: "0123456789"},
		{
			name: "behind the end", request: get("Range", "bytes=99-"), status: 416, body: "EINVAL - the range lies behind the end of the file\n",
			headers: map[string]string{"Content-Range": "bytes */10", "Cache-Control": "no-store", "Etag": ""},
		},
		{name: "a part in another spelling", request: get("Range", "Bytes=2-4"), status: 206, body: "234"},
		{name: "a part in another unit", request: get("Range", "lines=2-4"), status: 200, body: "0123456789"},
		{name: "too many parts", request: get("Range", "bytes=0-0,1-1,2-2,3-3,4-4,5-5"), status: 200, body: "0123456789"},
		{
			name: "style sheets of XML are active", request: get(), change: func(r *delivery.Response) { r.ContentType = "text/xsl" },
			status: 200, body: "0123456789", headers: map[string]string{"Content-Security-Policy": sandbox},
		},
		{
			name: "no negotiation", request: get(), change: func(r *delivery.Response) { r.Vary = 0 }, status: 200, body: "0123456789",
			headers: map[string]string{"Vary": "Origin"},
		},
		{
			name: "canonical", request: get(), change: func(r *delivery.Response) { r.Origin.Canonical = "https://www.example.com/a.jpg" }, status: 200,
			body: "0123456789", headers: map[string]string{"Link": `<https://www.example.com/a.jpg>; rel="canonical"`},
		},
		{
			name: "degraded", request: get(), change: func(r *delivery.Response) { r.Origin.Degraded = true }, status: 200, body: "0123456789",
			headers: map[string]string{"Cache-Control": "public, max-age=60, must-revalidate"},
		},
		{
			name: "own cache policy", config: &Endpoint{CacheControl: "private"}, request: get(), status: 200, body: "0123456789",
			headers: map[string]string{"Cache-Control": "private"},
		},
		{
			name: "the origin's cache policy", config: &Endpoint{CacheControl: "origin"}, request: get(), status: 200, body: "0123456789",
			change: func(r *delivery.Response) { r.Origin.CacheControl = "max-age=7" }, headers: map[string]string{"Cache-Control": "max-age=7"},
		},
		{
			name: "the origin has no cache policy", config: &Endpoint{CacheControl: "origin"}, request: get(), status: 200, body: "0123456789",
			headers: map[string]string{"Cache-Control": "public, max-age=31536000, must-revalidate"},
		},
		{
			name: "active content", request: get(), change: func(r *delivery.Response) { r.ContentType, r.Image = "text/html; charset=utf-8", false },
			status: 200, body: "0123456789", headers: map[string]string{"Content-Security-Policy": sandbox, "Access-Control-Allow-Origin": ""},
		},
		{
			name: "active content allowed", config: &Endpoint{ActiveContent: "allow"}, request: get(),
			change: func(r *delivery.Response) { r.ContentType = "image/svg+xml" }, status: 200, body: "0123456789",
			headers: map[string]string{"Content-Security-Policy": "", "Content-Type": "image/svg+xml"},
		},
		{
			name: "a type that nobody can read is active", request: get(), change: func(r *delivery.Response) { r.ContentType = "text/html;=" },
			status: 200, body: "0123456789", headers: map[string]string{"Content-Security-Policy": sandbox},
		},
		{
			name: "no type", request: get(), change: func(r *delivery.Response) { r.ContentType = "" }, status: 200, body: "0123456789",
			headers: map[string]string{"Content-Type": "application/octet-stream"},
		},
		{
			name: "size unknown", request: get("Range", "bytes=2-4"), change: func(r *delivery.Response) { r.Size = -1 }, status: 200, body: "0123456789",
			headers: map[string]string{"Content-Length": "", "Accept-Ranges": ""},
		},
		{name: "HEAD", request: httptest.NewRequest(http.MethodHead, "/a.jpg", nil), status: 200, headers: map[string]string{"Content-Length": "10"}},
		{name: "HEAD, size unknown", request: httptest.NewRequest(http.MethodHead, "/a.jpg", nil), change: func(r *delivery.Response) { r.Size = -1 }, status: 200},
		{
			name: "a warning", request: get(), change: func(r *delivery.Response) { r.Warnings = []string{"only\nthe first frame"} }, status: 200,
			body: "0123456789", headers: map[string]string{"Ik-Warning": "only?the first frame"},
		},
		{
			name: "a stand-in", request: get(), change: func(r *delivery.Response) { r.Missing = &origins.Error{Kind: origins.NotExist} }, status: 200,
			body: "0123456789", headers: map[string]string{"Ik-Error": "ENOENT - no origin has the file", "Cache-Control": "public, max-age=30"},
		},
		{
			name: "an attachment", request: httptest.NewRequest("GET", "/x/r%C3%A9d.jpg?ik-attachment=true", nil), status: 200, body: "0123456789",
			headers: map[string]string{"Content-Disposition": "attachment; filename*=utf-8''r%C3%A9d.webp"},
		},
		{
			name: "an attachment's name can't break the header", request: httptest.NewRequest("GET", "/a%22%0D%0AX:y.jpg?ik-attachment=true", nil),
			change: func(r *delivery.Response) { r.Transformed = false }, status: 200, body: "0123456789",
			headers: map[string]string{"Content-Disposition": "attachment; filename*=utf-8''a%22%0D%0AX%3Ay.jpg", "X": ""},
		},
		{
			name: "a private file", request: get(), change: func(r *delivery.Response) { r.Origin.Private = true }, status: 401,
			body: "EACCES - the file is private: only signed URLs may show it\n", headers: map[string]string{"Cache-Control": "no-store", "Etag": ""},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := picture()
			if tt.change != nil {
				tt.change(resp)
			}
			w, err := ask(t, tt.config, false, always(resp), tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || (tt.status < 300 || tt.body != "") && w.Body.String() != tt.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
			for name, want := range tt.headers {
				if got := strings.Join(w.Header().Values(name), "|"); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestErrorsFollowTheTable(t *testing.T) {
	origin := func(kind origins.Kind) error {
		return &origins.Error{Kind: kind, Origin: "secret-origin", Err: errors.New("dial 10.0.0.1: secret")}
	}
	engine := func(kind transform.Kind) error {
		return &transform.Error{Kind: kind, Op: "decoding", Err: errors.New("secret")}
	}
	const keep, forget = "public, max-age=30", "no-store"
	for _, tt := range []struct {
		name             string
		err              error
		imagekit, native int
		code             string
		cacheControl     string
	}{
		{"missing", origin(origins.NotExist), 404, 404, "ENOENT", keep},
		{"denied", origin(origins.Denied), 404, 403, "EACCES", forget},
		{"unreachable", origin(origins.Unreachable), 404, 502, "ECONNREFUSED", forget},
		{"timeout", origin(origins.Timeout), 404, 504, "ETIMEDOUT", forget},
		{"unknown", origin(origins.Unknown), 404, 502, "UNIDENTIFIED", forget},
		{"too large at the origin", origin(origins.TooLarge), 400, 422, "ELIMIT", forget},
		{"impossible key", origin(origins.Invalid), 400, 400, "EINVAL", forget},
		{"limit", &plan.LimitError{Limit: "output_side", Msg: "too wide"}, 400, 422, "ELIMIT", forget},
		{"limit of the language", &syntax.Error{Param: "w", Msg: "too wide", Limit: true}, 400, 422, "ELIMIT", forget},
		{"grammar", &syntax.Error{Pos: 3, Param: "w", Msg: "is no width"}, 400, 400, "EINVAL", forget},
		{"URL", &imageurl.Error{Part: "path", Msg: "is wrong"}, 400, 400, "EINVAL", forget},
		{"unnamed", errUnnamed, 403, 403, "EACCES", forget},
		{"as it is", errUntouched, 403, 403, "EACCES", forget},
		{"no still", delivery.ErrNoStill, 400, 415, "EINVAL", forget},
		{"broken", engine(transform.Broken), 404, 422, "EDECODE", forget},
		{"too much", engine(transform.TooLarge), 400, 422, "ELIMIT", forget},
		{"busy", engine(transform.Overloaded), 503, 503, "EBUSY", forget},
		{"slow", engine(transform.Timeout), 400, 422, "ELIMIT", forget},
		{"bug", engine(transform.Internal), 500, 500, "UNIDENTIFIED", forget},
		{"anything else", errors.New("secret"), 500, 500, "UNIDENTIFIED", forget},
	} {
		for _, mode := range []struct {
			word   string
			status int
		}{{"imagekit", tt.imagekit}, {"native", tt.native}} {
			t.Run(tt.name+" "+mode.word, func(t *testing.T) {
				w, err := ask(t, &Endpoint{ErrorStatus: mode.word}, false,
					func(*delivery.Request) (*delivery.Response, error) { return nil, tt.err }, httptest.NewRequest("GET", "/a.jpg", nil))
				if err != nil {
					t.Fatal(err)
				}
				ikError := w.Header().Get("Ik-Error")
				if w.Code != mode.status || !strings.HasPrefix(ikError, tt.code+" - ") {
					t.Errorf("got %d, ik-error %q; want %d %s", w.Code, ikError, mode.status, tt.code)
				}
				if got := w.Header().Get("Cache-Control"); got != tt.cacheControl {
					t.Errorf("got Cache-Control %q, want %q", got, tt.cacheControl)
				}
				if w.Header().Get("Etag") != "" || w.Body.Len() == 0 {
					t.Errorf("got ETag %q and body %q", w.Header().Get("Etag"), w.Body)
				}
				if said := ikError + w.Body.String(); strings.Contains(said, "secret") || strings.Contains(said, "10.0.0.1") {
					t.Errorf("the answer tells what it must not: %s", said)
				}
			})
		}
	}
}

func TestOnlyWhatIsCertainlyMissingIsPassedOn(t *testing.T) {
	for _, tt := range []struct {
		kind   origins.Kind
		status int
	}{{origins.NotExist, http.StatusTeapot}, {origins.Unreachable, http.StatusNotFound}} {
		w, err := ask(t, nil, true, func(*delivery.Request) (*delivery.Response, error) {
			return nil, &origins.Error{Kind: tt.kind}
		}, httptest.NewRequest("GET", "/a.jpg", nil))
		if err != nil || w.Code != tt.status {
			t.Errorf("%v: got %d, %v; want %d", tt.kind, w.Code, err, tt.status)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	w, err := ask(t, nil, false, always(picture()), httptest.NewRequest(http.MethodPut, "/a.jpg", nil))
	if err != nil || w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d, %v, Allow %q", w.Code, err, w.Header().Get("Allow"))
	}
}

func TestABodyThatBreaksOffBreaksTheConnection(t *testing.T) {
	for _, size := range []int64{10, -1} {
		func() {
			defer func() {
				if got := recover(); got != http.ErrAbortHandler {
					t.Errorf("size %d: got %v, want the connection aborted", size, got)
				}
			}()
			resp := picture()
			resp.Size = size
			resp.Content = failing{content{bytes.NewReader([]byte("0123456789"))}, new(int)}
			_, err := ask(t, nil, false, always(resp), httptest.NewRequest("GET", "/a.jpg", nil))
			t.Errorf("size %d: the answer ended as if it were whole: %v", size, err)
		}()
	}
}

func TestHandleErrorsSeesTheError(t *testing.T) {
	r := httptest.NewRequest("GET", "/a.jpg", nil)
	answering := caddyhttp.Route{Handlers: []caddyhttp.MiddlewareHandler{new(caddyhttp.StaticResponse)}}
	server := &caddyhttp.Server{Errors: &caddyhttp.HTTPErrorConfig{Routes: caddyhttp.RouteList{answering}}}
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.ServerCtxKey, server))
	w, err := ask(t, nil, false, func(*delivery.Request) (*delivery.Response, error) {
		return nil, &origins.Error{Kind: origins.NotExist}
	}, r)
	if e, ok := errors.AsType[caddyhttp.HandlerError](err); !ok || e.StatusCode != 404 {
		t.Errorf("got %v, want a 404 for handle_errors", err)
	}
	if got := w.Header().Get("Ik-Error"); got != "ENOENT - no origin has the file" {
		t.Errorf("got ik-error %q", got)
	}
}
