package caddymodule

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/imageurl"
	"github.com/imageorigin/imageorigin/origins"
)

// secretive is a source that says nothing of itself.
type secretive struct{ origins.Origin }

// outspoken is one that does.
type outspoken struct{ secretive }

func (outspoken) Target() string { return "here" }

func TestTheConfigOfASourceStandsForATargetThatItDoesntTell(t *testing.T) {
	raw := json.RawMessage(`{"type":"x","bucket":"b"}`)
	if got := targetOf(secretive{}, raw); got != string(raw) {
		t.Errorf("got %s, want %s", got, raw)
	}
	if got := targetOf(outspoken{}, raw); got != "here" {
		t.Errorf("got %s, want what the source says", got)
	}
}

func TestFingerprintsKeepFieldsApart(t *testing.T) {
	seen := map[string]string{}
	for name, list := range map[string][]*origin{
		"nothing":           {},
		"a then b":          {{kind: "web", target: "a"}, {kind: "web", target: "b"}},
		"both in one":       {{kind: "web", target: "a\" \n\"web\" \"b"}},
		"another type":      {{kind: "s3", target: "a"}, {kind: "web", target: "b"}},
		"type and target":   {{kind: "web a", target: ""}, {kind: "web", target: "b"}},
		"a space elsewhere": {{kind: "web", target: " a"}, {kind: "web", target: "b"}},
	} {
		got := fingerprint(list, origins.FallbackKinds(), "imagekit")
		if other, taken := seen[got]; taken {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[got] = name
	}
}

func TestVersionsOfARequestAreTheirPairsInOrder(t *testing.T) {
	for _, tt := range []struct {
		name, query, want string
		policy            queryPolicy
		passed            string
	}{
		{"none", "", "", queryPolicy{"all"}, ""},
		{"others", "a=1&vv=2&V=3", "", queryPolicy{"all"}, "a=1&vv=2&V=3"},
		{"each", "updatedAt=3&a=1&v=1&version=2", "updatedAt=3&v=1&version=2", queryPolicy{"all"}, "updatedAt=3&a=1&v=1&version=2"},
		{"as they are written", "v=a%20b&%76=2&v", "v=a%20b&%76=2&v", queryPolicy{"all"}, "v=a%20b&%76=2&v"},
		{"though origins don't see them", "v=1&a=2", "v=1", queryPolicy{"none"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := new(Endpoint)
			config.setDefaults()
			e := (&App{Limits: &defaultLimits}).withoutOrigins("a", config)
			e.query = tt.policy
			req := e.request(imageurl.Address{Key: "a.jpg", Query: tt.query}, http.Header{})
			if req.Versions != tt.want || req.Query != tt.passed {
				t.Errorf("got %q of the query %q, want %q of %q", req.Versions, req.Query, tt.want, tt.passed)
			}
			if k := req.Endpoint.Keeping; k.Results != nil || k.Originals != nil || k.Files != nil {
				t.Errorf("an endpoint without origins has stores: %+v", k)
			}
		})
	}
}

func TestABuiltInCacheThatTheBinaryLacksIsMissedOnlyWhereItIsNamed(t *testing.T) {
	all := builtIn
	defer func() { builtIn = all }()
	builtIn = []string{"tape", "disk"}
	e := new(Endpoint)
	e.setDefaults()
	if len(e.Results) != 1 || e.Results[0] != "disk" {
		t.Errorf("by default results are kept in %v, want what there is of the built-in caches", e.Results)
	}
	want := `results: cache "tape" is built in, but not into this binary; name another, or off`
	if err := new(App).checkCacheReferences(&Endpoint{Results: []string{"tape"}}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	builtIn = []string{"tape"}
	e = new(Endpoint)
	if e.setDefaults(); len(e.Results) != 1 || e.Results[0] != "off" {
		t.Errorf("without any cache results are kept in %v", e.Results)
	}
}

func TestCachesThatNoEndpointUsesAreKnown(t *testing.T) {
	a := &App{Caches: map[string]*Cache{"b": {}, "hot": {}, "a": {}}, inUse: map[string]caches.Store{"hot": caches.Tiers(nil, nil)}}
	if got := a.unusedCaches(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v, want a and b", got)
	}
}
