package origins_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// torn answers as origin does, with bodies that break with err after piece bytes.
type torn struct {
	origin origins.Origin
	piece  int
	err    error
	change func(obj *origins.Object, opened int) // changes what is opened, the first time and later

	asked  []origins.Request
	open   int // bodies
	closed int
}

func (o *torn) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	o.asked = append(o.asked, req)
	obj, err := o.origin.Open(ctx, req)
	if err != nil {
		return nil, err
	}
	o.open++
	whole, err := io.ReadAll(obj.Body)
	if err != nil {
		return nil, err
	}
	var once sync.Once
	var body io.Reader = bytes.NewReader(whole)
	if len(whole) > o.piece {
		body = io.MultiReader(bytes.NewReader(whole[:o.piece]), iotest.ErrReader(o.err))
	}
	obj.Body = struct {
		io.Reader
		closerFunc
	}{body, func() error { once.Do(func() { o.closed++ }); return nil }}
	if o.change != nil {
		o.change(obj, len(o.asked))
	}
	return obj, nil
}

var errBroke = &origins.Error{Kind: origins.Unreachable, Key: "a.jpg", Err: errors.New("reset by peer"), Remedy: "look after it"}

// text is what the torn origins hold.
var text = []byte(strings.Repeat("0123456789", 10))

func TestResumeGoesOnWhereTheBodyBroke(t *testing.T) {
	for _, tt := range []struct {
		name string
		part *origins.Range
		err  error
		want []origins.Range // that the origin is asked for after the first
	}{
		{"the whole", nil, errBroke, []origins.Range{{Start: 40, Length: 60}, {Start: 80, Length: 20}}},
		{"cut off, as if it were all", nil, io.EOF, []origins.Range{{Start: 40, Length: 60}, {Start: 80, Length: 20}}},
		{"an error of nobody's", nil, io.ErrUnexpectedEOF, []origins.Range{{Start: 40, Length: 60}, {Start: 80, Length: 20}}},
		{"a part", &origins.Range{Start: 5, Length: 50}, errBroke, []origins.Range{{Start: 45, Length: 10}}},
		{"a part up to the end", &origins.Range{Start: 55, Length: -1}, errBroke, []origins.Range{{Start: 95, Length: 5}}},
		{"a part that ends before it breaks", &origins.Range{Start: 5, Length: 40}, errBroke, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := &torn{origin: originstest.Memory{"a.jpg": text}, piece: 40, err: tt.err}
			req := origins.Request{Key: "a.jpg", Query: "v=1", Host: "example.com", From: "us", Range: tt.part, Validator: origins.Validator{ETag: `"old"`}}
			obj, err := origins.Resume(o, 2).Open(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			want := text
			if tt.part != nil {
				want = text[obj.Range.Start : obj.Range.Start+obj.Range.Length]
			}
			if got, err := io.ReadAll(obj.Body); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			obj.Body.Close()
			if o.closed != o.open {
				t.Errorf("%d bodies were opened, and closed %d times", o.open, o.closed)
			}
			if len(o.asked) != 1+len(tt.want) {
				t.Fatalf("asked %d times, want %d", len(o.asked), 1+len(tt.want))
			}
			for i, part := range tt.want {
				again := o.asked[1+i]
				if *again.Range != part || again.Match != obj.ETag || again.Validator != (origins.Validator{}) ||
					again.Key != req.Key || again.Query != req.Query || again.Host != req.Host || again.From != req.From {
					t.Errorf("asked again with %+v of %+v, want %+v", again, *again.Range, part)
				}
			}
		})
	}
}

func TestResumeNeverGivesAShortOrMixedBody(t *testing.T) {
	changed := "the object changed while it was read"
	for _, tt := range []struct {
		name     string
		attempts int
		change   func(obj *origins.Object, opened int)
		want     origins.Kind
		asked    int
		says     string
	}{
		{"no ETag", 3, func(obj *origins.Object, _ int) { obj.ETag = "" }, origins.Unreachable, 1, "strong ETag"},
		{"a weak ETag", 3, func(obj *origins.Object, _ int) { obj.ETag = `W/"x"` }, origins.Unreachable, 1, "strong ETag"},
		{"an ETag that is none", 3, func(obj *origins.Object, _ int) { obj.ETag = `x` }, origins.Unreachable, 1, "strong ETag"},
		{"no size", 3, func(obj *origins.Object, _ int) { obj.Size = -1 }, origins.Unreachable, 1, "size"},
		{"no attempts", 0, nil, origins.Unreachable, 1, "attempt"},
		{"too few attempts", 1, nil, origins.Unreachable, 2, "attempt"},
		{"another version", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.ETag = `"other"`
			}
		}, origins.Unknown, 2, changed},
		{"no version any more", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.ETag = ""
			}
		}, origins.Unknown, 2, changed},
		{"another size", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Size++
			}
		}, origins.Unknown, 2, changed},
		{"the whole instead of a part", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Range = nil
			}
		}, origins.Unreachable, 2, "another part"},
		{"a shorter part", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Range.Length--
			}
		}, origins.Unreachable, 2, "another part"},
		{"a part of elsewhere", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Range.Start--
			}
		}, origins.Unreachable, 2, "another part"},
		{"nothing more comes", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			}
		}, origins.Unreachable, 4, "attempt"},
		{"nothing more comes, without an error", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Body = io.NopCloser(strings.NewReader(""))
			}
		}, origins.Unreachable, 4, "attempt"},
		{"it goes on in another way", 3, func(obj *origins.Object, opened int) {
			if opened > 1 {
				obj.Body = io.NopCloser(iotest.ErrReader(&origins.Error{Kind: origins.Denied}))
			}
		}, origins.Denied, 2, "denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, brk := range []error{errBroke, io.EOF} {
				o := &torn{origin: originstest.Memory{"a.jpg": text}, piece: 40, err: brk, change: tt.change}
				obj, err := origins.Resume(o, tt.attempts).Open(t.Context(), origins.Request{Key: "a.jpg"})
				if err != nil {
					t.Fatal(err)
				}
				if obj.Size < 0 && brk == io.EOF {
					continue // nobody can know
				}
				got, err := io.ReadAll(obj.Body)
				e, ok := err.(*origins.Error)
				if !ok || e.Kind != tt.want || !strings.Contains(e.Error(), tt.says) {
					t.Fatalf("got %v, want %v that says %q", err, tt.want, tt.says)
				}
				if brk == io.EOF && errors.Is(err, io.EOF) {
					t.Errorf("got %v, which some take for the end", err)
				}
				if !bytes.HasPrefix(text, got) || len(got) < 40 || len(o.asked) != tt.asked {
					t.Errorf("got %q after asking %d times, want %d", got, len(o.asked), tt.asked)
				}
				if brk == errBroke && tt.want != origins.Denied && (!errors.Is(err, errBroke.Err) || e.Remedy != errBroke.Remedy) {
					t.Errorf("got %v, which doesn't tell the first cause", err)
				}
				if n, again := obj.Body.Read(make([]byte, 10)); n != 0 || again != err {
					t.Errorf("reading on: got %d bytes and %v, want the same failure", n, again)
				}
				if obj.Body.Close(); o.closed < 1 {
					t.Error("the body was not closed")
				}
			}
		})
	}
}

func TestResumeWatchesTheLength(t *testing.T) {
	for _, tt := range []struct {
		name   string
		size   int64
		part   *origins.Range
		length int
		want   origins.Kind // of reading; Canceled is none
		got    int
	}{
		{"as announced", 10, nil, 10, origins.Canceled, 10},
		{"nothing, as announced", 0, nil, 0, origins.Canceled, 0},
		{"too short", 10, nil, 9, origins.Unreachable, 9},
		{"too long", 10, nil, 11, origins.Unknown, 10},
		{"much too long", 10, nil, 1 << 20, origins.Unknown, 10},
		{"size unknown", -1, nil, 12, origins.Canceled, 12},
		{"a part as announced", 100, &origins.Range{Start: 90, Length: 10}, 10, origins.Canceled, 10},
		{"a part too short", 100, &origins.Range{Start: 90, Length: 10}, 9, origins.Unreachable, 9},
		{"a part too long", 100, &origins.Range{Start: 50, Length: 10}, 11, origins.Unknown, 10},
		{"a part of who knows what", -1, &origins.Range{Start: 50, Length: 10}, 9, origins.Unreachable, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, reader := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader,
			} {
				o := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
					body := io.NopCloser(reader(io.LimitReader(zeros{}, int64(tt.length))))
					return &origins.Object{Body: body, Range: tt.part, Attributes: origins.Attributes{Size: tt.size}}, nil
				})
				body := mustOpen(t, origins.Resume(o, 2))
				got, err := io.ReadAll(body)
				if len(got) != tt.got || (tt.want == origins.Canceled) != (err == nil) || err != nil && origins.KindOf(err) != tt.want {
					t.Errorf("got %d bytes and %v, want %d and %v", len(got), err, tt.got, tt.want)
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestResumeAcceptsABreakBehindTheLastByte(t *testing.T) {
	o := &torn{origin: originstest.Memory{"a.jpg": text}, piece: len(text) - 1, err: errBroke}
	o.change = func(obj *origins.Object, _ int) {
		obj.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), iotest.ErrReader(errBroke)))
	}
	if got, err := io.ReadAll(mustOpen(t, origins.Resume(o, 2))); err != nil || !bytes.Equal(got, text) || len(o.asked) != 1 {
		t.Errorf("got %d bytes, %v, asking %d times; want all, none, once", len(got), err, len(o.asked))
	}
}

func TestResumeAttemptsGrowWithWhatComes(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name  string
		piece int
		opens int
		fails bool
	}{
		{"a long video, broken now and then", mib / 2, 16, false},
		{"each byte another connection", 1, 4, true},
		{"a little at a time", mib / 8, 4, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			video := make([]byte, 8*mib)
			o := &torn{origin: originstest.Memory{"a.jpg": video}, piece: tt.piece, err: errBroke}
			got, err := io.ReadAll(mustOpen(t, origins.Resume(o, 3)))
			if (err != nil) != tt.fails || len(o.asked) != tt.opens || !tt.fails && len(got) != len(video) {
				t.Errorf("got %d bytes and %v, asking %d times; want failure %v, %d times", len(got), err, len(o.asked), tt.fails, tt.opens)
			}
		})
	}
}

func TestResumeAsksAgainWhileTheOriginIsOut(t *testing.T) {
	for _, tt := range []struct {
		name string
		errs []error // of opening again
		want origins.Kind
		fine bool
	}{
		{"one failure", []error{errBroke}, 0, true},
		{"too many", []error{errBroke, errBroke, errBroke}, origins.Unreachable, false},
		{"deleted", []error{&origins.Error{Kind: origins.NotExist}}, origins.Unknown, false},
		{"another version, says the store", []error{&origins.Error{Kind: origins.Unknown, Err: errors.New("412")}}, origins.Unknown, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good := &torn{origin: originstest.Memory{"a.jpg": text}, piece: 60, err: errBroke}
			asked := 0
			o := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
				asked++
				if i := asked - 2; i >= 0 && i < len(tt.errs) {
					return nil, tt.errs[i]
				}
				return good.Open(ctx, req)
			})
			got, err := io.ReadAll(mustOpen(t, origins.Resume(o, 3)))
			if tt.fine && (err != nil || !bytes.Equal(got, text)) || !tt.fine && (err == nil || origins.KindOf(err) != tt.want) {
				t.Errorf("got %d bytes and %v, want %v", len(got), err, tt.want)
			}
			if !tt.fine && asked != 1+len(tt.errs) {
				t.Errorf("asked %d times, want %d", asked, 1+len(tt.errs))
			}
		})
	}
}

func TestResumeEndsWithItsCaller(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(cancel context.CancelFunc, body io.Closer)
		want origins.Kind
	}{
		{"canceled", func(cancel context.CancelFunc, _ io.Closer) { cancel() }, origins.Canceled},
		{"closed", func(_ context.CancelFunc, body io.Closer) { body.Close() }, origins.Unknown},
	} {
		for _, at := range []string{"while it breaks", "between two reads", "while it is opened again", "while it can't be opened again"} {
			t.Run(tt.name+" "+at, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var body io.ReadCloser
				inner := &torn{origin: originstest.Memory{"a.jpg": text}, piece: 40}
				inner.err = errBroke
				if at == "while it breaks" {
					inner.change = func(obj *origins.Object, _ int) {
						obj.Body = struct {
							io.Reader
							io.Closer
						}{io.MultiReader(bytes.NewReader(text[:40]), readerFunc(func([]byte) (int, error) {
							tt.end(cancel, body)
							return 0, io.ErrUnexpectedEOF
						})), obj.Body}
					}
				}
				if at == "while it is opened again" {
					inner.change = func(_ *origins.Object, opened int) {
						if opened == 2 {
							tt.end(cancel, body)
						}
					}
				}
				outer := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
					obj, err := inner.Open(ctx, req)
					if req.Range != nil && at == "while it can't be opened again" {
						obj.Body.Close()
						tt.end(cancel, body)
						return nil, &origins.Error{Kind: origins.Canceled}
					}
					return obj, err
				})
				obj, err := origins.Resume(outer, 3).Open(ctx, origins.Request{Key: "a.jpg"})
				if err != nil {
					t.Fatal(err)
				}
				body = obj.Body
				if _, err := io.ReadFull(body, make([]byte, 40)); err != nil {
					t.Fatal(err)
				}
				if at == "between two reads" {
					tt.end(cancel, body)
				}
				_, err = io.ReadAll(body)
				if e, ok := err.(*origins.Error); !ok || e.Kind != tt.want {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				want := 1
				if strings.Contains(at, "opened again") {
					want = 2
				}
				if len(inner.asked) != want {
					t.Errorf("asked %d times, want %d", len(inner.asked), want)
				}
				body.Close()
				if inner.closed != inner.open {
					t.Errorf("%d bodies were opened, and closed %d times", inner.open, inner.closed)
				}
			})
		}
	}
}

func TestResumeLeavesFilesAlone(t *testing.T) {
	body := mustOpen(t, having)
	again := mustOpen(t, origins.Resume(having, 3))
	if got, want := typeName(again), typeName(body); got != want {
		t.Errorf("got a %s, want the %s as it was", got, want)
	}
}

func TestResumeMayBeClosedInTheMiddleOfARead(t *testing.T) {
	for range 50 {
		reading, writing := io.Pipe()
		asked := 0
		o := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
			asked++
			return &origins.Object{Body: reading, Attributes: origins.Attributes{Size: 10, ETag: `"x"`}}, nil
		})
		body := mustOpen(t, origins.Resume(o, 3))
		done := make(chan error)
		go func() {
			_, err := io.ReadAll(body)
			done <- err
		}()
		writing.Write([]byte("half"))
		body.Close()
		if err := <-done; err == nil || asked != 1 {
			t.Fatalf("got %v, asking %d times; want a failure and once", err, asked)
		}
	}
}

func TestAnUnreliableOriginGivesWholeBodiesOrErrors(t *testing.T) {
	picture := bytes.Repeat(text, 1000)
	chance := rand.New(rand.NewPCG(1, 2)) // the same at each run
	source := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		obj, err := originstest.Memory{"a.jpg": picture}.Open(ctx, req)
		if err == nil && chance.IntN(5) == 0 {
			left := io.LimitReader(obj.Body, chance.Int64N(int64(len(picture))))
			obj.Body = io.NopCloser(io.MultiReader(left, iotest.ErrReader(io.ErrUnexpectedEOF)))
		}
		return obj, err
	})
	for _, tt := range []struct {
		name     string
		origin   origins.Origin
		failures int // at most
	}{
		{"resumed", stack(streaming(source), origins.BreakerConfig{Failures: 5, Window: time.Minute}), 0},
		{"not resumed", origins.Resume(streaming(source), 0), 150},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failures := 0
			for i := range 500 {
				body := mustOpen(t, tt.origin)
				got, err := io.ReadAll(body)
				body.Close()
				switch {
				case err != nil:
					failures++
				case !bytes.Equal(got, picture):
					t.Fatalf("request %d: got %d bytes of %d, and no error", i, len(got), len(picture))
				}
			}
			if failures > tt.failures || tt.failures > 0 && failures == 0 {
				t.Errorf("%d of 500 failed, want at most %d", failures, tt.failures)
			}
		})
	}
}
