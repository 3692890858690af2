package caddymodule

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/imageorigin/imageorigin/caches"
	ram "github.com/imageorigin/imageorigin/caches/memory"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// sink is a ResponseWriter that drops the body in the ways that net/http's own takes one.
type sink struct {
	header  http.Header
	status  int
	written int64
}

func (s *sink) Header() http.Header  { return s.header }
func (s *sink) WriteHeader(code int) { s.status = code }
func (s *sink) Write(p []byte) (int, error) {
	s.written += int64(len(p))
	return len(p), nil
}

func (s *sink) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(struct{ io.Writer }{io.Discard}, r)
	s.written += n
	return n, err
}

// encoder is an engine whose results have 50 KB.
type encoder struct{ transform.Engine }

func (encoder) Probe(context.Context, transform.Original) (plan.Source, error) {
	return plan.Source{Format: plan.JPEG, Width: 4000, Height: 3000, Frames: 1}, nil
}

func (encoder) Render(_ context.Context, _ transform.Inputs, p plan.Plan) (*transform.Image, error) {
	return &transform.Image{Bytes: make([]byte, 50_000), Format: plan.JPEG, Width: p.Width, Height: p.Height}, nil
}

func (encoder) Writable() plan.Set { return plan.Set(0).With(plan.JPEG).With(plan.WebP) }

func (encoder) Readable() plan.Set { return plan.AllFormats }
func (encoder) Version() string    { return "1" }

// atHand is a pipeline that has the answer at once.
func atHand(body []byte) deliverFunc {
	return func(*delivery.Request) (*delivery.Response, error) {
		return &delivery.Response{
			Content: caches.Bytes(body), Size: int64(len(body)), ContentType: "image/jpeg", ETag: `"tag"`,
			Modified: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Transformed: true, Image: true, Vary: plan.VaryAccept,
			Format: plan.JPEG, Width: 400, Height: 300, Source: "0123456789abcdef/products/2026/chair.jpg",
			How:    delivery.How{Hit: true, Known: true, Age: time.Hour, TTL: 23 * time.Hour},
			Timing: delivery.Timing{Cache: 20 * time.Microsecond},
		}, nil
	}
}

// BenchmarkHit is one answer of 50 KB from memory through the handler: what address, headers, log and placeholders cost, and
// with "found in the store" what it costs to find it, too.
func BenchmarkHit(b *testing.B) {
	const target = "/tr:w-400,h-300,f-jpg/products/2026/chair.jpg"
	store, err := ram.New(64 << 20)
	if err != nil {
		b.Fatal(err)
	}
	origin := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		original := append([]byte("\xff\xd8\xff\xe0"), make([]byte, 100_000)...)
		return &origins.Object{
			Body:       io.NopCloser(bytes.NewReader(original)),
			Attributes: origins.Attributes{Origin: "shop", Size: int64(len(original)), ETag: `"1"`},
		}, nil
	})
	remembering := &delivery.Endpoint{Name: "default", Origin: origin, Limits: delivery.Limits{Timeout: time.Minute}, Keeping: delivery.Keeping{
		Fingerprint: "0123456789abcdef", Results: store, MaxAge: 24 * time.Hour,
	}}
	body := make([]byte, 50_000)
	for _, tt := range []struct {
		name, target, match string
		pipeline            delivery.Deliverer
		written             int64
	}{
		{"whole", target, "", atHand(body), 50_000},
		{"without a transformation", "/products/2026/chair.jpg", "", atHand(body), 50_000},
		{"known by its tag", target, `"tag"`, atHand(body), 0},
		{"found in the store", target, "", delivery.NewCache(encoder{}, delivery.NewMemory()), 50_000},
	} {
		b.Run(tt.name, func(b *testing.B) {
			config := &Endpoint{}
			config.setDefaults()
			e := &endpoint{name: "default", config: config, query: config.Query, delivery: remembering}
			h := &Handler{app: &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: tt.pipeline}, logger: zap.NewNop()}
			r := httptest.NewRequest(http.MethodGet, tt.target, nil)
			r.Header.Set("Accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")
			if tt.match != "" {
				r.Header.Set("If-None-Match", tt.match)
			}
			serve := func() *sink {
				// What Caddy makes for each request is not ours, but what grows by us is.
				b.StopTimer()
				ctx := context.WithValue(b.Context(), caddy.ReplacerCtxKey, caddy.NewReplacer())
				ctx = context.WithValue(ctx, caddyhttp.ExtraLogFieldsCtxKey, new(caddyhttp.ExtraLogFields))
				w, r := &sink{header: http.Header{}}, r.WithContext(ctx)
				b.StartTimer()
				if err := h.ServeHTTP(w, r, nil); err != nil {
					b.Fatal(err)
				}
				return w
			}
			for range 1000 { // what was made is kept behind the answer
				if w := serve(); strings.HasPrefix(w.header.Get("Cache-Status"), "imageorigin; hit") {
					break
				}
				time.Sleep(time.Millisecond)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				w := serve()
				if w.written != tt.written || !strings.HasPrefix(w.header["Cache-Status"][0], "imageorigin; hit") {
					b.Fatalf("got %d bytes, want %d; %s", w.written, tt.written, w.header["Cache-Status"])
				}
			}
		})
	}
}
