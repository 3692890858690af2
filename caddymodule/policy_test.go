package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// moody is an engine to which every picture is what facts says, and which takes its time or fails.
type moody struct {
	scribe
	facts plan.Source
	mu    sync.Mutex
	delay time.Duration
	err   error
}

func (m *moody) Probe(_ context.Context, _ transform.Original) (plan.Source, error) {
	return m.facts, nil
}

func (m *moody) Render(ctx context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	select {
	case <-time.After(m.delay):
	case <-ctx.Done():
		return nil, &transform.Error{Kind: transform.Canceled, Op: "painting", Err: ctx.Err()}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	return m.scribe.Render(ctx, in, p)
}

// studio is a server of one picture, a.gif, of 5006 bytes.
type studio struct {
	t      *testing.T
	engine *moody
	memory *delivery.Memory
	log    bytes.Buffer
	*Handler
}

func newStudio(t *testing.T, config Endpoint, limits Limits) *studio {
	t.Helper()
	config.Results = []string{noCache}
	if err := config.prepare(caddy.NewReplacer()); err != nil {
		t.Fatal(err)
	}
	if err := limits.validate(); err != nil {
		t.Fatal(err)
	}
	limits.setDefaults()
	s := &studio{t: t, memory: delivery.NewMemory()}
	s.engine = &moody{facts: plan.Source{Format: plan.GIF, Width: 80, Height: 60, Orientation: 1, Frames: 1, Pages: 1}}
	s.memory.Shed().SetLimit(limits.Queue)
	e := (&App{Limits: &limits}).withoutOrigins("default", &config)
	for _, key := range config.Sign {
		e.keys = append(e.keys, []byte(key))
	}
	e.delivery.Origin = origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
		file, ok := files["dir/"+req.Key]
		if !ok {
			return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
		}
		a := origins.Attributes{Origin: "shelf", Size: int64(len(file)), ETag: `"1"`, ContentType: "image/gif"}
		return &origins.Object{Body: io.NopCloser(strings.NewReader(file)), Attributes: a}, nil
	})
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{LevelKey: "level", MessageKey: "msg", EncodeLevel: zapcore.LowercaseLevelEncoder})
	s.Handler = &Handler{
		app:    &App{router: newRouter(map[string]*endpoint{"default": e}, ""), pipeline: delivery.NewCache(s.engine, s.memory)},
		logger: zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&s.log), zapcore.InfoLevel)),
	}
	return s
}

// get asks for a URL.
func (s *studio) get(ctx context.Context, target string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r = r.WithContext(context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer()))
	w := httptest.NewRecorder()
	err := s.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil }))
	if gone, ok := errors.AsType[caddyhttp.HandlerError](err); err != nil && (!ok || gone.StatusCode != statusClientClosed) {
		s.t.Error(err)
	}
	return w
}

func TestEveryLimitIsNamedWhereItStandsInTheWay(t *testing.T) {
	manual := page(t, "../docs/caddyfile.md")
	large := plan.Source{Format: plan.GIF, Width: 400, Height: 300, Orientation: 1, Frames: 1, Pages: 1}
	long := plan.Source{Format: plan.GIF, Width: 40, Height: 30, Orientation: 1, Frames: 9, Pages: 9}
	tests := map[string]struct {
		limits Limits
		facts  plan.Source
		delay  time.Duration
		crowd  int // requests that are under way already
		target string
		status int
		header string
		want   string
	}{
		"source_size":   {limits: Limits{SourceSize: 5000}, target: "/tr:w-20/a.gif", status: 400, want: "ELIMIT - the original has 5006 bytes; at most 5000 bytes are transformed (limit source_size)"},
		"source_pixels": {limits: Limits{SourcePixels: 1000}, facts: large, target: "/tr:w-20/a.gif", status: 400, want: "(limit source_pixels)"},
		"output_pixels": {limits: Limits{OutputPixels: 1000}, facts: large, target: "/tr:w-200/a.gif", status: 400, want: "(limit output_pixels)"},
		"output_side":   {limits: Limits{OutputSide: 100}, facts: large, target: "/tr:w-101/a.gif", status: 400, want: "(limit output_side)"},
		"frames":        {limits: Limits{Frames: 8}, facts: long, target: "/tr:w-20/a.gif", status: 200, header: "ik-warning", want: "9 frames are more than the 8 allowed"},
		"steps":         {limits: Limits{Steps: 2}, target: "/tr:w-20:w-10:w-5/a.gif", status: 400, want: "(limit steps)"},
		"timeout":       {limits: Limits{Timeout: caddy.Duration(time.Second)}, delay: time.Minute, target: "/tr:w-20/a.gif", status: 400, want: "ELIMIT - the transformation took too long (limit timeout)"},
		"queue":         {limits: Limits{Queue: 3}, delay: time.Second, crowd: 3, target: "/tr:w-20/a.gif", status: 503, want: "EBUSY - too many pictures are under way (limit queue); try again"},
	}
	for _, word := range block.Words(limitOptions) {
		if !strings.Contains(manual, "\n| `"+word+" <") {
			t.Errorf("the manual doesn't list %s", word)
		}
		tt, ok := tests[word]
		if !ok && word != "memory" { // what it stands in the way of waits
			t.Errorf("%s: no request provokes it", word)
		}
		if !ok {
			continue
		}
		t.Run(word, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStudio(t, Endpoint{}, tt.limits)
				if s.engine.delay = tt.delay; tt.facts.Width > 0 {
					s.engine.facts = tt.facts
				}
				var before sync.WaitGroup
				for i := range tt.crowd {
					before.Go(func() { s.get(t.Context(), fmt.Sprintf("/tr:w-%d/a.gif", 30+i)) })
				}
				synctest.Wait()
				w := s.get(t.Context(), tt.target)
				header := tt.header
				if header == "" {
					header = "ik-error"
				}
				if got := w.Header().Get(header); w.Code != tt.status || !strings.Contains(got, tt.want) || !strings.Contains(got, word) {
					t.Errorf("got %d, %s %q\nwant %d, %q", w.Code, header, got, tt.status, tt.want)
				}
				if after := w.Header().Get("Retry-After"); (after == "1") != (word == "queue") {
					t.Errorf("Retry-After: got %q", after)
				}
				if w.Code != 200 && w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("Cache-Control: got %q", w.Header().Get("Cache-Control"))
				}
				before.Wait()
			})
		})
	}
}

func TestAStormOfRefusalsIsALineASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := shed.all()
		time.Sleep(time.Hour) // since whatever was refused by other tests
		s := newStudio(t, Endpoint{}, Limits{Queue: 1})
		s.engine.delay = 10 * time.Second
		var first sync.WaitGroup
		first.Go(func() { s.get(t.Context(), "/tr:w-30/a.gif") })
		for range 25 {
			synctest.Wait()
			for range 4 {
				if w := s.get(t.Context(), "/tr:w-20/a.gif"); w.Code != 503 {
					t.Fatalf("got %d", w.Code)
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
		if len(lines) != 3 {
			t.Fatalf("got %d lines, want 3:\n%s", len(lines), s.log.String())
		}
		for i, want := range []string{`"requests":1,`, `"requests":40,`, `"requests":40,`} {
			if !strings.Contains(lines[i], want) || !strings.HasPrefix(lines[i], `{"level":"warn","msg":"requests refused, for there is too much to do"`) {
				t.Errorf("line %d: got %s, want %s", i, lines[i], want)
			}
		}
		if n := shed.all() - before; n != 100 {
			t.Errorf("%d are counted, want 100", n)
		}
		first.Wait()
	})
}

func TestOneVariantTooManyIsA429ThatSaysWhen(t *testing.T) {
	const key = "a key of eight bytes and more"
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, Endpoint{
			Variants: &Variants{Max: 2, Window: caddy.Duration(time.Minute)}, Transforms: map[string]string{"thumb": "w-7", "card": "w-8"}, Sign: []string{key},
		}, Limits{})
		for _, tt := range []struct {
			target string
			status int
			after  string
		}{
			{"/tr:w-20/a.gif", 200, ""},
			{"/tr:n-thumb/a.gif", 200, ""},
			{"/tr:w-30/a.gif", 200, ""},
			{"/tr:w-40/a.gif", 429, "60"},
			{"/tr:n-card/a.gif", 200, ""},
			{"/tr:n-card,w-9/a.gif", 429, "60"},
			{"/tr:w-20/a.gif", 200, ""},
			{signedBy(key, "tr:w-40/a.gif"), 200, ""},
			{"/tr:w-40/a.gif", 429, "60"},
		} {
			w := s.get(t.Context(), tt.target)
			if w.Code != tt.status || w.Header().Get("Retry-After") != tt.after {
				t.Errorf("%s: got %d, Retry-After %q, %s; want %d and %q", tt.target, w.Code, w.Header().Get("Retry-After"), w.Body, tt.status, tt.after)
			}
			const want = "ELIMIT - 2 variants of this file were made within 1m, and no more may be (variants); ask for one that exists, or come back later"
			if got := w.Header().Get("ik-error"); tt.status == 429 && (got != want || w.Header().Get("Cache-Control") != "no-store") {
				t.Errorf("%s: got %q, %v", tt.target, got, w.Header())
			}
		}
		time.Sleep(59*time.Second + time.Millisecond)
		if w := s.get(t.Context(), "/tr:w-40/a.gif"); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("got %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
		}
		time.Sleep(time.Second)
		if w := s.get(t.Context(), "/tr:w-40/a.gif"); w.Code != 200 {
			t.Errorf("afterwards: got %d", w.Code)
		}
	})
}

// signedBy returns the path of a URL that is signed for ever.
func signedBy(key, text string) string {
	query := imageurl.Sign([]byte(key), "default", text, imageurl.Never, false)
	return "/" + text + "?" + query
}

func TestAnOriginalThatStandsInSaysSo(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		ikError string
		level   string
	}{
		{"damaged", &transform.Error{Kind: transform.Broken, Op: "decoding", Err: errors.New("secret cause")}, "EDECODE - the picture's data is damaged", "info"},
		{"a crash", &transform.Error{Kind: transform.Internal, Op: "decoding", Err: transform.ErrCrashed}, "UNIDENTIFIED - the server failed; its log says why", "error"},
		{"too slow", &transform.Error{Kind: transform.Timeout, Op: "decoding"}, "ELIMIT - the transformation took too long (limit timeout)", "info"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStudio(t, Endpoint{OnTransformError: originalOnError, CDNCacheControl: "max-age=9999"}, Limits{})
			s.engine.err = tt.err
			w := s.get(t.Context(), "/tr:w-20,f-auto/a.gif")
			if w.Code != 200 || w.Body.String() != files["dir/a.gif"] {
				t.Fatalf("got %d, %d bytes", w.Code, w.Body.Len())
			}
			for name, want := range map[string]string{
				"Ik-Error": tt.ikError, "Ik-Warning": "the transformation failed, and the original is sent as it is", "Content-Type": "image/gif",
				"Cache-Control": "public, max-age=60, must-revalidate", "Cdn-Cache-Control": "", "Cache-Status": "imageorigin; fwd=bypass", "Vary": "Accept", "Age": "",
			} {
				if got := w.Header().Get(name); !strings.Contains(got, want) || want == "" && got != "" {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if line := s.log.String(); !strings.Contains(line, `"msg":"transformation failed, and the original is sent"`) || !strings.Contains(line, `"level":"`+tt.level+`"`) {
				t.Errorf("the log says %s", line)
			}
			s = newStudio(t, Endpoint{}, Limits{})
			s.engine.err = tt.err
			if w := s.get(t.Context(), "/tr:w-20/a.gif"); w.Code == 200 {
				t.Error("it stands in though nobody wants that")
			}
		})
	}
}

func TestTheWaitForASlotIsTold(t *testing.T) {
	for _, tt := range []struct {
		queue     time.Duration
		want, not string
	}{
		{1500 * time.Microsecond, "download;dur=1.5, queue;dur=1.5, transformation;dur=20.0", ""},
		{49 * time.Microsecond, "download;dur=1.5, transformation;dur=20.0", "queue"},
	} {
		resp := picture()
		resp.Timing.Queue = tt.queue
		if got := serverTiming(resp); got != tt.want {
			t.Errorf("Server-Timing: got %q, want %q", got, tt.want)
		}
		var log bytes.Buffer
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&log), zapcore.DebugLevel)).
			Info("", zap.Object("imageorigin", &exchange{response: resp}))
		if has := strings.Contains(log.String(), `"queue_ms":1.5`); has != (tt.not == "") {
			t.Errorf("the log says %s", log.String())
		}
	}
}

func TestDefaultsGoByTheMachine(t *testing.T) {
	for there, want := range map[uint64]int64{0: 1 << 30, 1 << 20: 16 << 20, 4 << 30: 2 << 30} {
		if got := memoryFor(there); got != want {
			t.Errorf("with %d bytes: got %d, want %d", there, got, want)
		}
	}
	var l Limits
	l.setDefaults()
	if l.Queue < 192 || l.Memory < leastMemory {
		t.Errorf("got %+v", l)
	}
}
