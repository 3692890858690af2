package stores_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// conform runs the suite on an origin of the kind, which is connected by way of what between returns.
func conform(t *testing.T, kind kind, between func(t *testing.T, addr string) string, wrap func(origins.Origin) origins.Origin) {
	t.Helper()
	var current store
	originstest.Run(t, originstest.Config{
		NoTimes: kind.roughTimes(),
		New: func(t *testing.T, files map[string][]byte) origins.Origin {
			s, addr := kind.start(t)
			current = s
			for key, content := range files {
				s.Put(key, content, "", "")
			}
			o, err := kind.connect(t, s, direct(t, between(t, addr)))
			if err != nil {
				t.Fatal(err)
			}
			return wrap(o)
		},
		Replace: func(t *testing.T, key string, content []byte) {
			t.Helper()
			current.Put(key, content, "", "")
		},
	})
}

func TestOriginsConformAgainstRealServers(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			conform(t, kind, func(_ *testing.T, addr string) string { return addr }, func(o origins.Origin) origins.Origin { return o })
		})
	}
}

// steady makes of an origin what the host makes of it against connections that break.
func steady(o origins.Origin) origins.Origin { return origins.Resume(origins.Retry(o, 6), 8) }

func TestOriginsConformWhenEveryFifthAnswerBreaks(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			faultsMade := 0
			conform(t, kind, func(t *testing.T, addr string) string {
				p := faults.Start(t, addr)
				p.Set(faults.ResetInBody(faults.Anywhere).Chance(0.2))
				t.Cleanup(func() { faultsMade += p.Counts().Faults })
				return p.Addr()
			}, steady)
			if faultsMade < 20 {
				t.Errorf("only %d answers broke", faultsMade)
			}
		})
	}
}

// TestNoShortPictureIsTakenForAWholeOne reads one object again and again through connections of which every fifth breaks,
// by a reset or by an end that looks like any other. There are whole pictures and there are errors, and nothing else.
func TestNoShortPictureIsTakenForAWholeOne(t *testing.T) {
	picture := make([]byte, 200_000)
	random := rand.New(rand.NewPCG(3, 3))
	for i := range picture {
		picture[i] = byte(random.Uint32())
	}
	const requests = 100
	for _, kind := range kinds {
		for _, tt := range []struct {
			name     string
			fault    faults.Fault
			wrap     func(origins.Origin) origins.Origin
			failures bool // there are any
		}{
			{"reset", faults.ResetInBody(faults.Anywhere), func(o origins.Origin) origins.Origin { return o }, true},
			{"truncated", faults.Truncate(faults.Anywhere), func(o origins.Origin) origins.Origin { return o }, true},
			{"reset, and resumed", faults.ResetInBody(faults.Anywhere), steady, false},
			{"truncated, and resumed", faults.Truncate(faults.Anywhere), steady, false},
		} {
			t.Run(kind.name+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s, addr := kind.start(t)
				s.Put("a.jpg", picture, "image/jpeg", "")
				p := faults.Start(t, addr)
				o, err := kind.connect(t, s, direct(t, p.Addr()))
				if err != nil {
					t.Fatal(err)
				}
				o = tt.wrap(o)
				p.Set(tt.fault.Chance(0.2))
				whole, failed := 0, 0
				for range requests {
					content, err := readAll(t, o)
					switch {
					case err == nil && bytes.Equal(content, picture):
						whole++
					case err == nil:
						t.Fatalf("%d bytes of %d were taken for the whole", len(content), len(picture))
					case origins.KindOf(err) != origins.Unreachable:
						t.Fatalf("got %v, want the kind %v", err, origins.Unreachable)
					default:
						failed++
					}
				}
				if made := p.Counts().Faults; made < requests/10 || (failed > 0) != tt.failures || tt.failures && failed != made {
					t.Errorf("%d requests: %d whole, %d failed, with %d faults", requests, whole, failed, made)
				}
			})
		}
	}
}

// readAll reads the object as far as it comes.
func readAll(t *testing.T, o origins.Origin) ([]byte, error) {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
	if err != nil {
		return nil, err
	}
	defer obj.Body.Close()
	return io.ReadAll(obj.Body)
}
