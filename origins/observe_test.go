package origins_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestObserveReportsEachOpenOnce(t *testing.T) {
	content := readerOf("content")
	for _, tt := range []struct {
		name   string
		origin origins.Origin
		result string
		bytes  int64
	}{
		{"success", holding(content), "ok", 7},
		{"absence", failing(origins.NotExist), "not_exist", 0},
		{"no news", failing(origins.NotModified), "not_modified", 0},
		{"a body that breaks", holding(io.MultiReader(readerOf("abc"), iotest.ErrReader(&origins.Error{Kind: origins.Unreachable}))), "unreachable", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slowly := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
					time.Sleep(time.Second)
					return tt.origin.Open(ctx, req)
				})
				var seen []origins.Observation
				o := origins.Observe(origins.Named(slowly, "o", ""), func(s origins.Observation) { seen = append(seen, s) })
				obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
				total := time.Second
				if err == nil {
					if len(seen) != 0 {
						t.Error("reported before the body is closed")
					}
					_, err = io.Copy(io.Discard, obj.Body)
					time.Sleep(time.Second)
					total = 2 * time.Second
					obj.Body.Close()
					obj.Body.Close()
				}
				want := origins.Observation{Origin: "o", Key: "a.jpg", Err: err, Opened: time.Second, Total: total, Bytes: tt.bytes}
				if len(seen) != 1 || !same(seen[0], want) || seen[0].Result() != tt.result {
					t.Errorf("got %+v, want one %+v with the result %s", seen, want, tt.result)
				}
			})
		})
	}
}

func same(a, b origins.Observation) bool {
	equal := errors.Is(a.Err, b.Err)
	a.Err, b.Err = nil, nil
	return equal && a == b
}

// readerOf returns a reader that can nothing but read.
func readerOf(text string) io.Reader {
	rest := text
	return readerFunc(func(p []byte) (int, error) {
		if rest == "" {
			return 0, io.EOF
		}
		n := copy(p, rest)
		rest = rest[n:]
		return n, nil
	})
}
