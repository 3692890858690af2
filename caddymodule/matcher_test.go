package caddymodule

import (
	"net/http/httptest"
	"testing"
)

func TestMatcherKnowsWhatARequestMeans(t *testing.T) {
	rt := bindings(t, "img.example.com", "*.wild.example.com")
	if err := rt.bindMore("a.example.net default"); err != nil {
		t.Fatal(err)
	}
	shop, standard, either := []string{"shop"}, []string{"default"}, []string{"shop", "default"}
	for _, tt := range []struct {
		name        string
		endpoints   []string
		transformed bool
		target      string
		want        bool
	}{
		{"a domain of the config", nil, false, "https://img.example.com/a.jpg", true},
		{"a domain with a port, in another case", nil, false, "https://IMG.example.com:8443/a.jpg", true},
		{"a domain of the file", nil, false, "https://a.example.net/a.jpg", true},
		{"a domain below a wildcard", nil, false, "https://x.wild.example.com/a.jpg", true},
		{"a wildcard's parent", nil, false, "https://wild.example.com/a.jpg", false},
		{"another host", nil, false, "https://www.example.com/shop/a.jpg", false},
		{"an endpoint by its domain", shop, false, "https://img.example.com/a.jpg", true},
		{"an endpoint by its segment", shop, false, "https://www.example.com/shop/a.jpg", true},
		{"the default one where none is named", standard, false, "https://www.example.com/a.jpg", true},
		{"the default one by its domain", standard, false, "https://a.example.net/shop/a.jpg", true},
		{"another endpoint", shop, false, "https://www.example.com/a.jpg", false},
		{"another endpoint by its domain", shop, false, "https://a.example.net/shop/a.jpg", false},
		{"one of two", either, false, "https://www.example.com/shop/a.jpg", true},
		{"a transformation in the path", nil, true, "https://www.example.com/tr:w-3/a.jpg", true},
		{"a transformation further back", nil, true, "https://www.example.com/shop/x/tr:w-3/a.jpg", true},
		{"an encoded transformation", nil, true, "https://www.example.com/%74r%3Aw-3/a.jpg", true},
		{"a transformation in the query", nil, true, "https://www.example.com/a.jpg?v=1&tr=w-3", true},
		{"an encoded one in the query", nil, true, "https://www.example.com/a.jpg?%74r=w-3", true},
		{"a wrong transformation", nil, true, "https://www.example.com/tr:/a.jpg", true},
		{"no transformation", nil, true, "https://www.example.com/str:w-3/a.jpg?v=tr&utr=w-3", false},
		{"no transformation on a domain", nil, true, "https://img.example.com/a.jpg", false},
		{"both", shop, true, "https://img.example.com/tr:w-3/a.jpg", true},
		{"the endpoint alone", shop, true, "https://img.example.com/a.jpg", false},
		{"the transformation alone", shop, true, "https://www.example.com/tr:w-3/a.jpg", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &Matcher{Endpoints: tt.endpoints, Transformed: tt.transformed, app: &App{router: rt}}
			got, err := m.MatchWithError(httptest.NewRequest("GET", tt.target, nil))
			if err != nil || got != tt.want {
				t.Errorf("%s, endpoints %v, transformed %v: got %v, %v; want %v", tt.target, tt.endpoints, tt.transformed, got, err, tt.want)
			}
		})
	}
}

func TestMatcherMeansNothingWithoutAnEndpoint(t *testing.T) {
	rt := newRouter(map[string]*endpoint{"shop": testEndpoint("shop")}, "")
	m := &Matcher{Endpoints: []string{"shop"}, app: &App{router: rt}}
	if got, err := m.MatchWithError(httptest.NewRequest("GET", "https://www.example.com/a.jpg", nil)); got || err != nil {
		t.Errorf("a request that means no endpoint: got %v, %v", got, err)
	}
}
