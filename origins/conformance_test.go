package origins_test

import (
	"errors"
	"testing"
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
		{"all, as the host has them", func(o origins.Origin) origins.Origin {
			o = origins.Named(origins.Limit(o, 2<<20, time.Hour), "pictures", "https://example.com")
			return origins.Fallback([]origins.Origin{origins.Observe(o, func(origins.Observation) {})})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var memory originstest.Memory
			originstest.Run(t, originstest.Config{
				Seekable: true,
				New: func(_ *testing.T, files map[string][]byte) origins.Origin {
					memory = files
					return tt.wrap(memory)
				},
				Replace: func(_ *testing.T, key string, content []byte) { memory[key] = content },
			})
		})
	}
}

// failing is an origin that fails in one way.
func failing(kind origins.Kind) origins.Origin {
	return broken(&origins.Error{Kind: kind, Err: errors.New("as told")})
}
