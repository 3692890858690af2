package origins_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// mustOpen opens a.jpg and returns its body.
func mustOpen(t *testing.T, o origins.Origin) io.ReadCloser {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		t.Fatal(err)
	}
	return obj.Body
}

// streaming answers as o does, with bodies that can't seek, as those of a network can't.
func streaming(o origins.Origin) origins.Origin {
	return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		obj, err := o.Open(ctx, req)
		if err == nil {
			obj.Body = struct{ io.ReadCloser }{obj.Body}
		}
		return obj, err
	})
}

// stack puts around source what the host puts around every origin.
func stack(source origins.Origin, breaker origins.BreakerConfig) origins.Origin {
	o := origins.Retry(origins.MissingOnDenied(source), 2)
	o = origins.Limit(origins.InFlight(origins.Resume(o, 20), 100), 2<<20, 30*time.Second)
	o = origins.Named(origins.Breaker(o, breaker), "pictures", "https://example.com")
	return origins.Observe(o, func(origins.Observation) {})
}

func typeName(v any) string { return fmt.Sprintf("%T", v) }
