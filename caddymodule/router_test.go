package caddymodule

import (
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
)

func testEndpoint(name string, domains ...string) *endpoint {
	config := &Endpoint{Domains: domains}
	config.setDefaults()
	return &endpoint{name: name, config: config, query: config.Query}
}

func TestRouterFindsTheEndpointThatIsMeant(t *testing.T) {
	byName := map[string]*endpoint{}
	for _, e := range []*endpoint{
		testEndpoint("default"), testEndpoint("shoes", "shoes.example.com", "*.shop.example.com", "BÜCHER.example"), testEndpoint("hats"),
	} {
		byName[e.name] = e
	}
	rt := newRouter(byName, "demo_id")
	for _, tt := range []struct{ name, host, path, endpoint, rest string }{
		{"default", "www.example.com", "/a/b.jpg", "default", "/a/b.jpg"},
		{"by segment", "www.example.com", "/shoes/a.jpg", "shoes", "/a.jpg"},
		{"segment alone", "www.example.com", "/shoes", "shoes", "/"},
		{"encoded segment", "www.example.com", "/sh%6Fes/a%2Fb.jpg", "shoes", "/a%2Fb.jpg"},
		{"a segment behind the transformation is a folder", "www.example.com", "/tr:w-3/shoes/a.jpg", "default", "/tr:w-3/shoes/a.jpg"},
		{"default is no segment", "www.example.com", "/default/a.jpg", "default", "/default/a.jpg"},
		{"account", "www.example.com", "/demo_id/a.jpg", "default", "/a.jpg"},
		{"account and segment", "www.example.com", "/demo_id/hats/a.jpg", "hats", "/a.jpg"},
		{"account once", "www.example.com", "/demo_id/demo_id/a.jpg", "default", "/demo_id/a.jpg"},
		{"by domain", "shoes.example.com", "/hats/a.jpg", "shoes", "/hats/a.jpg"},
		{"by domain with port, dot and case", "SHOES.example.com.:8443", "/a.jpg", "shoes", "/a.jpg"},
		{"by wildcard", "x.shop.example.com", "/a.jpg", "shoes", "/a.jpg"},
		{"a wildcard is one label", "x.y.shop.example.com", "/a.jpg", "default", "/a.jpg"},
		{"a wildcard is not its parent", "shop.example.com", "/a.jpg", "default", "/a.jpg"},
		{"by name in punycode", "xn--bcher-kva.example", "/a.jpg", "shoes", "/a.jpg"},
		{"an IPv6 host", "[::1]:8080", "/a.jpg", "default", "/a.jpg"},
		{"nothing", "", "", "default", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, rest := rt.route(tt.host, tt.path)
			if e == nil || e.name != tt.endpoint || rest != tt.rest {
				t.Errorf("route(%q, %q): got %v, %q; want %s, %q", tt.host, tt.path, e, rest, tt.endpoint, tt.rest)
			}
		})
	}
}

func TestRouterWithoutADefaultMeansNothingElse(t *testing.T) {
	rt := newRouter(map[string]*endpoint{"shoes": testEndpoint("shoes")}, "")
	if e, _ := rt.route("example.com", "/a.jpg"); e != nil {
		t.Errorf("got %s, want none", e.name)
	}
}

func TestQueryPolicyFiltersByName(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy queryPolicy
		want   string
	}{
		{"all", queryPolicy{"all"}, "alt=media&t%6Fken=a+b&x"},
		{"none", queryPolicy{"none"}, ""},
		{"by name", queryPolicy{"token", "y"}, "t%6Fken=a+b"},
	} {
		if got := tt.policy.filter("alt=media&t%6Fken=a+b&x"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWhatIsRememberedOfURLsIsBounded(t *testing.T) {
	const urls = 1000
	for _, tt := range []struct {
		name, url string
		kept      int
	}{
		{"a usual one", "http://h/tr:w-%d,h-200,f-jpg/products/chair.jpg?v=1", urls},
		{"behind much that says nothing", "http://" + strings.Repeat("u", 100_000) + "@h/tr:w-%d/a.jpg?v=1", urls},
		{"a long path", "http://h/tr:w-%d/" + strings.Repeat("a", maxAsked), 0},
		{"a long query", "http://h/tr:w-%d/a.jpg?a=" + strings.Repeat("a", maxAsked), 0},
		{"many steps", "http://h/tr:h-%d" + strings.Repeat(":w-1", maxChain/4) + "/a.jpg", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rt := newRouter(map[string]*endpoint{defaultEndpoint: {config: &Endpoint{}}}, "")
			before := heap()
			for i := range urls {
				u, err := url.ParseRequestURI(fmt.Sprintf(tt.url, i+1)) // as net/http does
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := rt.locate(nil, u.Host, u); err != nil {
					t.Fatal(err)
				}
			}
			if got := rt.domains.Load().located.Len(); got != tt.kept {
				t.Errorf("%d are kept, want %d", got, tt.kept)
			}
			if took := heap() - before; took > urls*9<<10 {
				t.Errorf("they take %d bytes each, want nine kibibytes at most", took/urls)
			}
			runtime.KeepAlive(rt)
		})
	}
}

// heap returns how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
