package origins_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// broken is an origin that answers err.
func broken(err error) origins.Origin {
	return origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) { return nil, err })
}

// holding is an origin that answers body, whatever is asked.
func holding(body io.Reader) origins.Origin {
	return origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		return &origins.Object{Body: io.NopCloser(body), Attributes: origins.Attributes{Size: -1}}, nil
	})
}

func TestNamedSignsErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		name string
		err  error
		want origins.Error
	}{
		{"ours", &origins.Error{Kind: origins.Denied, Key: "guest's", Err: cause}, origins.Error{Kind: origins.Denied, Origin: "o", Key: "guest's"}},
		{"ours without a key", &origins.Error{Kind: origins.Denied, Err: cause}, origins.Error{Kind: origins.Denied, Origin: "o", Key: "a.jpg"}},
		{"under a wrong name", &origins.Error{Kind: origins.Invalid, Origin: "x", Err: cause}, origins.Error{Kind: origins.Invalid, Origin: "o", Key: "a.jpg"}},
		{"none of ours", cause, origins.Error{Kind: origins.Unknown, Origin: "o", Key: "a.jpg"}},
		{"of a context", fmt.Errorf("%w: %w", context.Canceled, cause), origins.Error{Kind: origins.Canceled, Origin: "o", Key: "a.jpg"}},
		{"wrapped", fmt.Errorf("x: %w", &origins.Error{Kind: origins.Timeout, Err: cause}), origins.Error{Kind: origins.Timeout, Origin: "o", Key: "a.jpg"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check := func(err error) {
				t.Helper()
				got, ok := err.(*origins.Error)
				if !ok {
					t.Fatalf("got %v, want an *origins.Error", err)
				}
				if got.Kind != tt.want.Kind || got.Origin != tt.want.Origin || got.Key != tt.want.Key || !errors.Is(err, cause) {
					t.Errorf("got %+v, want %+v with its cause", got, tt.want)
				}
			}
			_, err := origins.Named(broken(tt.err), "o", "").Open(t.Context(), origins.Request{Key: "a.jpg"})
			check(err)

			obj, err := origins.Named(holding(iotest.ErrReader(tt.err)), "o", "").Open(t.Context(), origins.Request{Key: "a.jpg"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = obj.Body.Read(make([]byte, 1))
			check(err)
		})
	}
}

func TestNamedLeavesTheGuestsErrorAlone(t *testing.T) {
	shared := &origins.Error{Kind: origins.NotExist}
	_, err := origins.Named(broken(shared), "o", "").Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err == error(shared) || shared.Origin != "" || shared.Key != "" {
		t.Errorf("the error that the guest shares became %+v", shared)
	}
}

func TestNamedGivesCanonicalURLs(t *testing.T) {
	for _, tt := range []struct{ base, key, want string }{
		{"", "a.jpg", ""},
		{"https://example.com", "a.jpg", "https://example.com/a.jpg"},
		{"https://example.com/media/", "folder/b c.jpg", "https://example.com/media/folder/b%20c.jpg"},
		{"https://example.com", "50%+?#\u00e9.jpg", "https://example.com/50%25%2B%3F%23%C3%A9.jpg"},
		{"https://example.com", "a\r\nX: y", "https://example.com/a%0D%0AX:%20y"},
		{"https://example.com", "<b>\"", "https://example.com/%3Cb%3E%22"},
	} {
		o := origins.Named(originstest.Memory{tt.key: nil}, "o", tt.base)
		obj, err := o.Open(t.Context(), origins.Request{Key: tt.key})
		if err != nil {
			t.Fatal(err)
		}
		if obj.Canonical != tt.want || obj.Origin != "o" {
			t.Errorf("base %q, key %q: got %q of %q, want %q of o", tt.base, tt.key, obj.Canonical, obj.Origin, tt.want)
		}
	}
}

func TestNamedWithholdsForeignValidators(t *testing.T) {
	for _, tt := range []struct {
		from string
		seen bool
	}{{"o", true}, {"other", false}, {"", false}} {
		var got origins.Validator
		o := origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
			got = req.Validator
			return nil, &origins.Error{Kind: origins.NotExist}
		})
		sent := origins.Validator{Origin: tt.from, ETag: `"x"`}
		if _, err := origins.Named(o, "o", "").Open(t.Context(), origins.Request{Key: "a.jpg", Validator: sent}); err == nil {
			t.Fatal("opened")
		}
		if seen := got == sent; seen != tt.seen {
			t.Errorf("validator of %q: the origin o sees %+v", tt.from, got)
		}
	}
}

func TestBodiesSeekOnlyIfTheInnermostDoes(t *testing.T) {
	wrap := func(body io.ReadCloser) io.ReadCloser {
		o := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			return &origins.Object{Body: origins.NewBody(ctx, req.Key, body)}, nil
		})
		obj, err := origins.Observe(origins.Named(origins.Limit(o, 100, 0), "o", ""), func(origins.Observation) {}).
			Open(t.Context(), origins.Request{Key: "a.jpg"})
		if err != nil {
			t.Fatal(err)
		}
		return obj.Body
	}
	stream := wrap(io.NopCloser(bytes.NewBufferString("stream")))
	if _, ok := stream.(io.Seeker); ok {
		t.Error("a stream became an io.Seeker")
	}
	file := wrap(struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader([]byte("0123456789")), io.NopCloser(nil)})
	if _, ok := file.(io.Seeker); !ok {
		t.Error("a file is no io.Seeker any more")
	}
}
