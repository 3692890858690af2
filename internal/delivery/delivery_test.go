package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// jpeg begins as a JPEG does; the fake engine looks no further.
var jpeg = append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("x"), 6000)...)

// shelf is an origin that counts what is asked of it.
type shelf struct {
	files  map[string][]byte
	etag   string
	deaf   bool // ignores ranges
	vague  bool // doesn't tell sizes
	short  int  // bytes that bodies lack
	opened []origins.Request
	sent   int
}

func (s *shelf) Open(_ context.Context, req origins.Request) (*origins.Object, error) {
	s.opened = append(s.opened, req)
	file, ok := s.files[req.Key]
	if !ok {
		return nil, &origins.Error{Kind: origins.NotExist, Key: req.Key}
	}
	obj := &origins.Object{Attributes: origins.Attributes{Origin: "shelf", Size: int64(len(file)), ETag: s.etag, ContentType: "text/plain"}}
	part := file
	if r := req.Range; r != nil && !s.deaf {
		if r.Start >= int64(len(file)) {
			return nil, &origins.Error{Kind: origins.Invalid, Key: req.Key}
		}
		part = file[r.Start:]
		if r.Length >= 0 && r.Length < int64(len(part)) {
			part = part[:r.Length]
		}
		obj.Range = &origins.Range{Start: r.Start, Length: int64(len(part))}
	}
	if s.vague {
		obj.Size = -1
	}
	obj.Body = io.NopCloser(&counting{bytes.NewReader(part[:len(part)-s.short]), &s.sent})
	return obj, nil
}

type counting struct {
	io.Reader
	n *int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += n
	return n, err
}

// painter is an engine whose results say what was planned.
type painter struct {
	facts plan.Source
	err   error
	delay time.Duration
	looks []plan.Look   // what it was asked to look at
	found []plan.Window // what it finds, one after the other; the whole picture behind the last
	pages []int         // what it was asked about
}

func (p *painter) Look(_ context.Context, in transform.Inputs, l plan.Look) (plan.Window, error) {
	p.looks = append(p.looks, l)
	if n := len(p.looks); n <= len(p.found) {
		return p.found[n-1], nil
	}
	return plan.Window{Width: l.Width, Height: l.Height}, nil
}

func (p *painter) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	p.pages = append(p.pages, o.Page)
	facts := p.facts
	if o.Page < facts.Pages {
		facts.Page = o.Page
	}
	return facts, p.err
}
func (p *painter) Writable() plan.Set { return plan.SetOf(plan.JPEG, plan.WebP) }

func (p *painter) Readable() plan.Set { return plan.AllFormats }
func (p *painter) Version() string    { return "painter" }

func (p *painter) Render(ctx context.Context, _ transform.Inputs, pl plan.Plan) (*transform.Image, error) {
	select {
	case <-time.After(p.delay):
	case <-ctx.Done():
		return nil, &transform.Error{Kind: transform.Canceled, Op: "painting", Err: ctx.Err()}
	}
	return &transform.Image{Bytes: []byte(pl.String()), Format: pl.Output.Format, Width: pl.Width, Height: pl.Height, Frames: 1}, nil
}

func still() *painter {
	return &painter{facts: plan.Source{Format: plan.JPEG, Width: 800, Height: 600, Orientation: 1, Frames: 1}}
}

func chain(t testing.TB, text string) syntax.Chain {
	t.Helper()
	if text == "" {
		return nil
	}
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func deliver(t *testing.T, o origins.Origin, e transform.Engine, change func(*Request)) (*Response, error) {
	t.Helper()
	req := &Request{Endpoint: &Endpoint{Origin: o}, Key: "a"}
	if change != nil {
		change(req)
	}
	return (&Render{Engine: e}).Deliver(t.Context(), req)
}

func body(t *testing.T, r *Response) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r.Content)
	if err != nil {
		t.Fatalf("reading the response: %v", err)
	}
	return string(b)
}

func TestPicturesAreRenderedAsPlanned(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}, etag: `"1"`}
	resp, err := deliver(t, s, still(), func(r *Request) { r.Chain = chain(t, "w-400") })
	if err != nil {
		t.Fatal(err)
	}
	if !resp.Transformed || resp.Width != 400 || resp.Height != 300 || resp.ContentType != "image/jpeg" || resp.Vary != plan.VaryAccept {
		t.Errorf("got %+v", resp)
	}
	if got := body(t, resp); !strings.Contains(got, "resize 400x300") || resp.Size != int64(len(got)) {
		t.Errorf("got a body of %q with size %d", got, resp.Size)
	}
	if len(s.opened) != 1 {
		t.Errorf("the origin was asked %d times, want once", len(s.opened))
	}
}

func TestETagsFollowOriginalAndPlan(t *testing.T) {
	tag := func(etag, transformation string) string {
		s := &shelf{files: map[string][]byte{"a": jpeg}, etag: etag}
		resp, err := deliver(t, s, still(), func(r *Request) { r.Chain = chain(t, transformation) })
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Close()
		return resp.ETag
	}
	same := tag(`"1"`, "w-400")
	if again := tag(`"1"`, "w-400"); again != same || !strings.HasPrefix(same, `"`) {
		t.Errorf("got %s and %s for the same picture, want one strong tag", same, again)
	}
	for _, other := range []string{tag(`"2"`, "w-400"), tag(`"1"`, "w-401"), tag("", "w-400"), tag(`W/"1"`, "w-400")} {
		if other == same || !strings.HasPrefix(other, `"`) {
			t.Errorf("got %s for another picture, want another strong tag than %s", other, same)
		}
	}
}

func TestOtherFilesPassThrough(t *testing.T) {
	text := strings.Repeat("0123456789", 2000)
	for _, tt := range []struct {
		name  string
		shelf shelf
		size  int64
	}{
		{"size known", shelf{}, 20000},
		{"size unknown", shelf{vague: true}, -1},
		{"ranges ignored", shelf{deaf: true}, 20000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shelf
			s.files = map[string][]byte{"a": []byte(text)}
			resp, err := deliver(t, &s, still(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Image || resp.Transformed || resp.Size != tt.size || resp.ContentType != "text/plain" {
				t.Errorf("got %+v", resp)
			}
			if got := body(t, resp); got != text {
				t.Errorf("got %d bytes, want the %d of the file", len(got), len(text))
			}
			if len(s.opened) != 1 {
				t.Errorf("the origin was asked %d times, want once", len(s.opened))
			}
		})
	}
}

func TestPartsOfOtherFilesAreFetchedAlone(t *testing.T) {
	text := strings.Repeat("0123456789", 100_000)
	for _, tt := range []struct {
		name          string
		shelf         shelf
		start, length int64
		atMost        int // bytes that the origin may have been asked for
	}{
		{"in the middle", shelf{}, 500_003, 10, transform.SniffLen + 10},
		{"at the start", shelf{}, 0, 10, transform.SniffLen},
		{"across the head", shelf{}, transform.SniffLen - 5, 10, transform.SniffLen + 10},
		{"ranges ignored", shelf{deaf: true}, 500_003, 10, 2_000_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shelf
			s.files = map[string][]byte{"a": []byte(text)}
			resp, err := deliver(t, &s, still(), func(r *Request) { r.Range = &origins.Range{Start: tt.start, Length: tt.length} })
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Close()
			if _, err := resp.Content.Seek(tt.start, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, tt.length)
			if _, err := io.ReadFull(resp.Content, got); err != nil {
				t.Fatal(err)
			}
			if want := text[tt.start : tt.start+tt.length]; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if s.sent > tt.atMost {
				t.Errorf("%d bytes were fetched, want at most %d", s.sent, tt.atMost)
			}
		})
	}
}

func TestAFileThatChangesMidwayIsNeverMixed(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": bytes.Repeat([]byte("a"), 200_000)}, etag: `"1"`}
	resp, err := deliver(t, s, still(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	s.etag = `"2"`
	if _, err := resp.Content.Seek(150_000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := resp.Content.Read(make([]byte, 10)); err == nil {
		t.Error("bytes of another version were delivered")
	}
}

func TestAPartOfAFileOfUnknownSizeIsTheWhole(t *testing.T) {
	text := strings.Repeat("0123456789", 2000)
	s := &shelf{files: map[string][]byte{"a": []byte(text)}, vague: true}
	resp, err := deliver(t, s, still(), func(r *Request) { r.Range = &origins.Range{Start: 5000, Length: 10} })
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, resp); got != text || resp.Size != -1 {
		t.Errorf("got %d bytes with size %d, want all %d, streamed", len(got), resp.Size, len(text))
	}
}

func TestFaultsOfAPartAreToldBeforeTheAnswerBegins(t *testing.T) {
	asked := 0
	s := &shelf{files: map[string][]byte{"a": bytes.Repeat([]byte("a"), 200_000)}}
	moody := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		if asked++; asked > 1 {
			return nil, &origins.Error{Kind: origins.Unreachable}
		}
		return s.Open(ctx, req)
	})
	_, err := deliver(t, moody, still(), func(r *Request) { r.Range = &origins.Range{Start: 100_000, Length: 10} })
	if origins.KindOf(err) != origins.Unreachable {
		t.Errorf("got %v, want the fault", err)
	}
}

func TestAnOriginThatNamesItsVersionsAtRandomServesParts(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": bytes.Repeat([]byte("a"), 200_000)}}
	random := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		s.etag = strconv.Quote(strconv.Itoa(len(s.opened)))
		return s.Open(ctx, req)
	})
	resp, err := deliver(t, random, still(), func(r *Request) { r.Range = &origins.Range{Start: 100_000, Length: 10} })
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	if _, err := resp.Content.Seek(100_000, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(resp.Content, make([]byte, 10)); n != 10 || err != nil {
		t.Errorf("got %d bytes, %v; want 10", n, err)
	}
}

func TestShortBodiesAreErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		file []byte
	}{{"of a picture", jpeg}, {"of a small picture", jpeg[:2000]}, {"of a text", bytes.Repeat([]byte("t"), 20000)}} {
		t.Run(tt.name, func(t *testing.T) {
			s := &shelf{files: map[string][]byte{"a": tt.file}, short: 100}
			resp, err := deliver(t, s, still(), nil)
			if err == nil {
				defer resp.Close()
				_, err = io.Copy(io.Discard, resp.Content)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want an unexpected end", err)
			}
		})
	}
}

func TestLimitsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		shelf  shelf
		limits Limits
		want   string
	}{
		{"size told", shelf{}, Limits{SourceSize: 1000}, "source_size"},
		{"size found out", shelf{vague: true}, Limits{SourceSize: 1000}, "source_size"},
		{"pixels", shelf{}, Limits{Limits: plan.Limits{SourcePixels: 1000}}, "source_pixels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.shelf
			s.files = map[string][]byte{"a": jpeg}
			_, err := deliver(t, &s, still(), func(r *Request) { r.Endpoint.Limits = tt.limits })
			if e, ok := errors.AsType[*plan.LimitError](err); !ok || e.Limit != tt.want {
				t.Errorf("got %v, want limit %s", err, tt.want)
			}
		})
	}
}

func TestTheDefaultImageStandsInForAMissingFileOnly(t *testing.T) {
	s := &shelf{files: map[string][]byte{"default.jpg": jpeg}}
	resp, err := deliver(t, s, still(), func(r *Request) { r.Endpoint.DefaultImage = "default.jpg" })
	if err != nil {
		t.Fatal(err)
	}
	if !resp.Image || origins.KindOf(resp.Missing) != origins.NotExist {
		t.Errorf("got %+v, want the default image and why", resp)
	}
	resp.Close()

	down := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		return nil, &origins.Error{Kind: origins.Unreachable}
	})
	_, err = deliver(t, down, still(), func(r *Request) { r.Endpoint.DefaultImage = "default.jpg" })
	if origins.KindOf(err) != origins.Unreachable {
		t.Errorf("got %v, want the outage told", err)
	}
}

func TestOrigTrueDeliversTheBytesOfAPicture(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}}
	resp, err := deliver(t, s, &painter{err: errors.New("nobody may look inside")}, func(r *Request) { r.Chain = chain(t, "orig-true,w-3") })
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, resp); got != string(jpeg) || resp.ContentType != "image/jpeg" || resp.Transformed {
		t.Errorf("got %d bytes of %s", len(got), resp.ContentType)
	}
}

func TestOrigIsJudgedAsThePlanDoes(t *testing.T) {
	text := &shelf{files: map[string][]byte{"a": []byte("hello")}}
	for _, tt := range []struct {
		name, chain string
		origin      *shelf
		unsupported bool
		transformed bool
	}{
		{"the last step that says it counts", "orig-true:orig-false,w-3", &shelf{files: map[string][]byte{"a": jpeg}}, false, true},
		{"a text may be asked for as it is", "orig-true", text, false, false},
		{"but not in another size", "w-3", text, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := deliver(t, tt.origin, still(), func(r *Request) { r.Chain = chain(t, tt.chain) })
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Close()
			if resp.Unsupported != tt.unsupported || resp.Transformed != tt.transformed {
				t.Errorf("unsupported %v, transformed %v; want %v, %v", resp.Unsupported, resp.Transformed, tt.unsupported, tt.transformed)
			}
		})
	}
}

func TestTheTimeoutIsToldAsOne(t *testing.T) {
	slow := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		<-ctx.Done()
		return nil, &origins.Error{Kind: origins.KindOf(ctx.Err()), Key: req.Key, Err: ctx.Err()}
	})
	limits := func(r *Request) { r.Endpoint.Limits.Timeout = time.Second }
	t.Run("of an origin", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := deliver(t, slow, still(), limits)
			if origins.KindOf(err) != origins.Timeout {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	})
	t.Run("of the engine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := still()
			e.delay = time.Hour
			_, err := deliver(t, &shelf{files: map[string][]byte{"a": jpeg}}, e, limits)
			if transform.KindOf(err) != transform.Timeout {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	})
	t.Run("of the line before the engine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := still()
			slow.delay = time.Hour
			e := transform.NewGate(1).Guard(slow)
			busy := make(chan struct{})
			go func() {
				defer close(busy)
				_, _ = e.Render(t.Context(), transform.Inputs{}, plan.Plan{})
			}()
			synctest.Wait()
			_, err := deliver(t, &shelf{files: map[string][]byte{"a": jpeg}}, e, limits)
			if transform.KindOf(err) != transform.Overloaded {
				t.Errorf("got %v, want it overloaded", err)
			}
			<-busy
		})
	})
	t.Run("not of a client that reads slowly", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			resp, err := deliver(t, &shelf{files: map[string][]byte{"a": jpeg}}, still(), limits)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			body(t, resp)
		})
	})
	t.Run("not of a client that leaves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			req := &Request{Endpoint: &Endpoint{Origin: slow, Limits: Limits{Timeout: time.Second}}, Key: "a"}
			_, err := (&Render{Engine: still()}).Deliver(ctx, req)
			if origins.KindOf(err) != origins.Canceled {
				t.Errorf("got %v, want canceled", err)
			}
		})
	})
}
