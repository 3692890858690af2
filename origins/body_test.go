package origins_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/imageorigin/imageorigin/origins"
)

func TestBodyErrorsHaveAKind(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want origins.Kind
	}{
		{"cut off", io.ErrUnexpectedEOF, origins.Unreachable},
		{"unheard of", errors.New("moon"), origins.Unreachable},
		{"says timeout", os.ErrDeadlineExceeded, origins.Timeout},
		{"says its kind", &origins.Error{Kind: origins.Denied, Key: "a.jpg"}, origins.Denied},
		{"somebody else's context", context.Canceled, origins.Unreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := origins.NewBody(t.Context(), "a.jpg", io.NopCloser(iotest.ErrReader(tt.err)))
			_, err := body.Read(make([]byte, 1))
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != tt.want || e.Key != "a.jpg" || !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v about a.jpg", err, tt.want)
			}
		})
	}
}

func TestBodyIsClosedOnce(t *testing.T) {
	closed := 0
	inner := struct {
		io.Reader
		closerFunc
	}{nil, func() error { closed++; return nil }}
	body := origins.NewBody(t.Context(), "a.jpg", inner)
	if err := errors.Join(body.Close(), body.Close()); err != nil || closed != 1 {
		t.Errorf("closed %d times (%v), want once", closed, err)
	}
}

func TestBodyBlamesTheContextThatEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reader := readerFunc(func([]byte) (int, error) {
		cancel()
		return 0, errors.New("use of closed network connection")
	})
	_, err := origins.NewBody(ctx, "a.jpg", io.NopCloser(reader)).Read(make([]byte, 1))
	if kind := origins.KindOf(err); kind != origins.Canceled {
		t.Errorf("got %v (%v), want canceled", kind, err)
	}
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
