package origins_test

import (
	"context"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// unchanged is an origin whose object is still the one that a validator names, with another time to keep it.
func unchanged(asked *int) origins.Origin {
	return counted(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		if req.Validator.ETag != `W/"1"` {
			return having.Open(ctx, req)
		}
		return nil, &origins.Error{Kind: origins.NotModified, Key: req.Key, CacheControl: "max-age=7", Age: 3 * time.Second}
	}), asked)
}

func TestNotModifiedIsAnAnswerToAll(t *testing.T) {
	req := origins.Request{Key: "a.jpg", Validator: origins.Validator{Origin: "o", ETag: `W/"1"`}}
	for _, tt := range []struct {
		name string
		wrap func(o origins.Origin) origins.Origin
	}{
		{"named", func(o origins.Origin) origins.Origin { return o }},
		{"fallback", func(o origins.Origin) origins.Origin { return origins.Fallback([]origins.Origin{o, having}) }},
		{"fallback behind who doesn't have it", func(o origins.Origin) origins.Origin {
			return origins.Fallback([]origins.Origin{origins.Named(failing(origins.NotExist), "empty", ""), o, having})
		}},
		{"last good", func(o origins.Origin) origins.Origin {
			return origins.LastGood([]origins.Origin{failing(origins.NotExist), o, having}, time.Hour, 10)
		}},
		{"negative", func(o origins.Origin) origins.Origin { return origins.Negative(o, time.Hour, 10) }},
		{"retry", func(o origins.Origin) origins.Origin { return origins.Retry(o, 5) }},
		{"resume", func(o origins.Origin) origins.Origin { return origins.Resume(o, 5) }},
		{"limit", func(o origins.Origin) origins.Origin { return origins.Limit(o, 1, time.Hour) }},
		{"in flight", func(o origins.Origin) origins.Origin { return origins.InFlight(o, 1) }},
		{"missing on denied", origins.MissingOnDenied},
		{"breaker", func(o origins.Origin) origins.Origin {
			return origins.Breaker(o, origins.BreakerConfig{Failures: 1, Window: time.Hour, Changed: func(bool, time.Duration, error) {
				t.Error("the breaker takes it for a fault")
			}})
		}},
		{"observe", func(o origins.Origin) origins.Origin {
			return origins.Observe(o, func(seen origins.Observation) {
				if seen.Result() != "not_modified" || seen.Origin != "o" {
					t.Errorf("observed was %+v, result %s", seen, seen.Result())
				}
			})
		}},
	} {
		asked := 0
		o := tt.wrap(origins.Named(unchanged(&asked), "o", ""))
		const times = 3 // a place that isn't given back, or a breaker that opens, shows at the second
		for range times {
			_, err := o.Open(t.Context(), req)
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != origins.NotModified || e.Origin != "o" || e.Key != "a.jpg" || e.CacheControl != "max-age=7" || e.Age != 3*time.Second {
				t.Fatalf("%s: got %+v", tt.name, err)
			}
		}
		if asked != times {
			t.Errorf("%s: asked %d times, want %d", tt.name, asked, times)
		}
	}
}

func TestNotModifiedEndsARowOfFaults(t *testing.T) {
	kind := origins.Timeout
	o := origins.Breaker(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		return failing(kind).Open(ctx, req)
	}), origins.BreakerConfig{Failures: 2, Window: time.Hour})
	for i, next := range []origins.Kind{origins.Timeout, origins.NotModified, origins.Timeout, origins.NotModified, origins.Timeout} {
		kind = next
		// A key for each: one that fails again and again counts once.
		if _, err := o.Open(t.Context(), origins.Request{Key: string(rune('a' + i))}); origins.KindOf(err) != next {
			t.Fatalf("request %d: got %v, want %v: faults with an answer between them are not in a row", i, err, next)
		}
	}
}
