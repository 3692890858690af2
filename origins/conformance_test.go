package origins_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

func TestCombinatorsConform(t *testing.T) {
	for _, tt := range []struct {
		name string
		wrap func(o origins.Origin) origins.Origin
	}{
		{"named", func(o origins.Origin) origins.Origin { return origins.Named(o, "pictures", "https://example.com") }},
		{"fallback to itself", func(o origins.Origin) origins.Origin { return origins.Fallback([]origins.Origin{o}) }},
		{"fallback of named ones", func(o origins.Origin) origins.Origin {
			return origins.Fallback([]origins.Origin{
				origins.Named(originstest.Memory{}, "nothing", ""),
				origins.Named(o, "pictures", ""),
				origins.Named(originstest.Memory{"a.jpg": []byte("hidden")}, "other", ""),
			})
		}},
		{"limit", func(o origins.Origin) origins.Origin { return origins.Limit(o, 1<<20+7, time.Hour) }},
		{"observe", func(o origins.Origin) origins.Origin { return origins.Observe(o, func(origins.Observation) {}) }},
		{"retry", func(o origins.Origin) origins.Origin { return origins.Retry(o, 3) }},
		{"resume", func(o origins.Origin) origins.Origin { return origins.Resume(o, 3) }},
		{"missing on denied", origins.MissingOnDenied},
		{"in flight", func(o origins.Origin) origins.Origin { return origins.InFlight(o, 100) }},
		{"breaker", func(o origins.Origin) origins.Origin {
			return origins.Breaker(o, origins.BreakerConfig{Failures: 1, Window: time.Hour})
		}},
		{"negative", func(o origins.Origin) origins.Origin {
			return origins.Negative(origins.Named(o, "pictures", ""), time.Hour, 1000)
		}},
		{"last good, the second of two", func(o origins.Origin) origins.Origin {
			return origins.LastGood([]origins.Origin{
				origins.Named(originstest.Memory{}, "nothing", ""),
				origins.Named(o, "pictures", ""),
			}, time.Hour, 1000)
		}},
		{"all, as the host has them", func(o origins.Origin) origins.Origin {
			o = stack(o, origins.BreakerConfig{Failures: 1, Window: time.Hour})
			return origins.Negative(origins.LastGood([]origins.Origin{o}, time.Hour, 1000), time.Hour, 1000)
		}},
	} {
		for _, seekable := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, seekable %v", tt.name, seekable), func(t *testing.T) {
				var memory originstest.Memory
				originstest.Run(t, originstest.Config{
					Seekable: seekable,
					New: func(_ *testing.T, files map[string][]byte) origins.Origin {
						memory = files
						if seekable {
							return tt.wrap(memory)
						}
						return tt.wrap(streaming(memory))
					},
					Replace: func(_ *testing.T, key string, content []byte) { memory[key] = content },
				})
			})
		}
	}
}

// TestResumeHidesATornConnection runs the suite against an origin none of whose connections lasts.
func TestResumeHidesATornConnection(t *testing.T) {
	var memory originstest.Memory
	originstest.Run(t, originstest.Config{
		New: func(_ *testing.T, files map[string][]byte) origins.Origin {
			memory = files
			return origins.Resume(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
				obj, err := memory.Open(ctx, req)
				if err == nil {
					torn := io.MultiReader(io.LimitReader(obj.Body, 50_000), iotest.ErrReader(errBroke))
					obj.Body = origins.NewBody(ctx, req.Key, io.NopCloser(torn))
				}
				return obj, err
			}), 21) // 1 MiB is 21 times 50,000 bytes
		},
		Replace: func(_ *testing.T, key string, content []byte) { memory[key] = content },
	})
}

// failing is an origin that fails in one way.
func failing(kind origins.Kind) origins.Origin {
	return broken(&origins.Error{Kind: kind, Err: errors.New("as told")})
}
