package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imageorigin/imageorigin/caches"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/origins"
)

// forgetful notes what it is told to forget.
type forgetful struct {
	origins.Origin
	mu  sync.Mutex
	log []string
}

func (f *forgetful) Forget(r origins.Request) { f.note(r.Key + "?" + r.Query + "@" + r.Host) }

func (f *forgetful) Clear() { f.note("all") }

func (f *forgetful) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, what)
}

// knowing is a pipeline that knows variants: names by key, all of those that it has none of.
type knowing struct {
	delivery.Deliverer
	names map[string][]string
}

func (k knowing) Variants(_ context.Context, req *delivery.Request) ([]string, bool) {
	names, ok := k.names[req.Key]
	return names, !ok
}

// remembering returns an app with endpoints default, shop and bound (to bound.example.com), one that a handler is bound to,
// if inline, and what their origins are told to forget. The fingerprint of each is its name.
func rememberingApp(t *testing.T, inline bool) (*App, map[string]*forgetful) {
	t.Helper()
	misses := map[string]*forgetful{}
	limits := defaultLimits
	a := &App{Account: "demo", Limits: &limits, endpoints: map[string]*endpoint{}, pipeline: knowing{names: map[string][]string{"known.jpg": {"v1", "v2"}, "unknown.jpg": nil}}}
	add := func(name string, config *Endpoint) *endpoint {
		config.setDefaults()
		var err error
		if config.ready, err = config.compile(); err != nil {
			t.Fatal(err)
		}
		e := a.withoutOrigins(name, config)
		e.delivery.Keeping.Fingerprint = name
		misses[name] = new(forgetful)
		e.delivery.Origin = misses[name]
		return e
	}
	a.endpoints["default"] = add("default", &Endpoint{})
	a.endpoints["shop"] = add("shop", &Endpoint{})
	a.endpoints["bound"] = add("bound", &Endpoint{Domains: []string{"bound.example.com"}})
	if inline {
		a.bind(add("inline", &Endpoint{Transforms: map[string]string{"thumb": "w-20"}}))
	}
	a.router = newRouter(a.endpoints, a.Account)
	return a, misses
}

// patternsText returns patterns as text: the source, "*" behind a prefix, " v1" for a variant, " #tag".
func patternsText(patterns []caches.Pattern) string {
	var all []string
	for _, p := range patterns {
		text := p.Source
		if p.Prefix {
			text += "*"
		}
		if p.Variant != nil {
			text += " " + *p.Variant
		}
		if p.Tag != "" {
			text += "#" + p.Tag
		}
		if text == "" {
			text = "everything"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestPurgesMeanWhatTheURLServes(t *testing.T) {
	const host = "https://images.example.com"
	for _, tt := range []struct {
		name   string
		ask    purgeAsk
		inline bool
		want   string
	}{
		{name: "an original", ask: purgeAsk{URLs: []string{host + "/a/b.jpg"}}, want: "default/a/b.jpg"},
		{name: "a path", ask: purgeAsk{URLs: []string{"/a/b.jpg"}}, want: "default/a/b.jpg"},
		{name: "two slashes", ask: purgeAsk{URLs: []string{"//a//b.jpg"}}, want: "default/a//b.jpg"},
		{name: "encoded", ask: purgeAsk{URLs: []string{host + "/a%2Fb%20c.jpg#top"}}, want: "default/a/b c.jpg"},
		{name: "a further query", ask: purgeAsk{URLs: []string{host + "/a.jpg?v=3"}}, want: "default/a.jpg"},
		{name: "the account's segment", ask: purgeAsk{URLs: []string{host + "/demo/a.jpg"}}, want: "default/a.jpg"},
		{name: "an endpoint by its segment", ask: purgeAsk{URLs: []string{host + "/shop/a.jpg"}}, want: "shop/a.jpg"},
		{name: "behind the account's segment", ask: purgeAsk{URLs: []string{host + "/demo/shop/a.jpg"}}, want: "shop/a.jpg"},
		{name: "an endpoint by its host", ask: purgeAsk{URLs: []string{"https://bound.example.com:8443/shop/a.jpg"}}, want: "bound/shop/a.jpg"},
		{name: "a name for search engines", ask: purgeAsk{URLs: []string{host + "/ik-seo/red/any-name.jpg"}}, want: "default/red.jpg"},
		{name: "several", ask: purgeAsk{URLs: []string{"/a.jpg", "/shop/a.jpg", "/a.jpg"}}, want: "default/a.jpg, shop/a.jpg"},
		{name: "a variant by path", ask: purgeAsk{URLs: []string{host + "/tr:w-300/known.jpg"}}, want: "default/known.jpg v1, default/known.jpg v2"},
		{name: "a variant by query", ask: purgeAsk{URLs: []string{host + "/known.jpg?tr=w-300"}}, want: "default/known.jpg v1, default/known.jpg v2"},
		{name: "a still", ask: purgeAsk{URLs: []string{host + "/known.jpg/ik-thumbnail.jpg"}}, want: "default/known.jpg v1, default/known.jpg v2"},
		{name: "a variant whose name can't be told", ask: purgeAsk{URLs: []string{host + "/tr:w-300/other.jpg"}}, want: "default/other.jpg"},
		{name: "a variant of what isn't known may be made now", ask: purgeAsk{URLs: []string{host + "/tr:w-300/unknown.jpg"}}, want: "default/unknown.jpg"},
		{name: "a prefix", ask: purgeAsk{URLs: []string{host + "/a/b*"}}, want: "default/a/b*"},
		{name: "a folder", ask: purgeAsk{URLs: []string{host + "/a/*"}}, want: "default/a/*"},
		{name: "the root", ask: purgeAsk{URLs: []string{host + "/*"}}, want: "default/*"},
		{name: "the root of an endpoint", ask: purgeAsk{URLs: []string{host + "/shop/*"}}, want: "shop/*"},
		{name: "files that begin like an endpoint", ask: purgeAsk{URLs: []string{host + "/shop*"}}, want: "default/shop*"},
		{name: "a prefix in an endpoint", ask: purgeAsk{URLs: []string{host + "/demo/shop/a/b*"}}, want: "shop/a/b*"},
		{name: "a prefix on a bound host", ask: purgeAsk{URLs: []string{"https://bound.example.com/shop*"}}, want: "bound/shop*"},
		{name: "a prefix with a percent sign", ask: purgeAsk{URLs: []string{host + "/a%20b*"}}, want: "default/a b*"},
		{name: "a star in a name", ask: purgeAsk{URLs: []string{host + "/a%2A.jpg"}}, want: "default/a*.jpg"},
		{name: "an endpoint", ask: purgeAsk{Endpoint: "shop"}, want: "shop/*"},
		{name: "tags", ask: purgeAsk{Tags: []string{"red", "blue"}}, want: "#red, #blue"},
		{name: "everything", ask: purgeAsk{Everything: true}, want: "everything"},
		{name: "handlers with an endpoint of their own are tried, too", ask: purgeAsk{URLs: []string{host + "/shop/a.jpg"}}, inline: true, want: "shop/a.jpg, inline/shop/a.jpg"},
		{name: "by prefixes, too", ask: purgeAsk{URLs: []string{host + "/shop/*"}}, inline: true, want: "shop/*, inline/shop/*"},
		{name: "what one of them alone understands", ask: purgeAsk{URLs: []string{host + "/tr:n-thumb/a.jpg"}}, inline: true, want: "inline/a.jpg"},
		{name: "endpoints of handlers by name", ask: purgeAsk{Endpoint: "inline"}, inline: true, want: "inline/*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := rememberingApp(t, tt.inline)
			p, err := a.planPurge(t.Context(), tt.ask)
			if err != nil {
				t.Fatalf("%+v: %v", tt.ask, err)
			}
			if got := patternsText(p.patterns); got != tt.want {
				t.Errorf("%+v:\ngot  %s\nwant %s", tt.ask, got, tt.want)
			}
			if p.broad != slices.ContainsFunc(p.patterns, func(m caches.Pattern) bool { return m.Prefix || m.Source == "" }) {
				t.Errorf("%+v: broad is %v", tt.ask, p.broad)
			}
		})
	}
}

func TestPurgesThatMeanNothingAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  purgeAsk
		want string
	}{
		{"nothing", purgeAsk{}, "urls: nothing is named"},
		{"an empty URL", purgeAsk{URLs: []string{""}}, `urls: "": the URL is empty`},
		{"no slash", purgeAsk{URLs: []string{"a.jpg"}}, `urls: "a.jpg": that is neither an http or https URL nor a path`},
		{"another scheme", purgeAsk{URLs: []string{"ftp://x/a.jpg"}}, `that is neither an http or https URL nor a path`},
		{"no host", purgeAsk{URLs: []string{"https:///a.jpg"}}, `that is neither an http or https URL nor a path`},
		{"malformed", purgeAsk{URLs: []string{"/100%.jpg"}}, `urls: "/100%.jpg": invalid URL escape "%.j"`},
		{"no file", purgeAsk{URLs: []string{"https://images.example.com/"}}, `the path names no file; write a "*" behind it`},
		{"dots", purgeAsk{URLs: []string{"/a/../b.jpg"}}, `path: must not contain "." or ".." segments`},
		{"dots in a prefix", purgeAsk{URLs: []string{"/a/../b*"}}, `path: must not contain "." or ".." segments`},
		{"a wrong transformation", purgeAsk{URLs: []string{"/tr:hh-3/a.jpg"}}, `hh: unknown parameter; did you mean h?`},
		{"a star inside", purgeAsk{URLs: []string{"/a/*/b.jpg"}}, `"*" stands at the end and nowhere else; write a star in a name as %2A`},
		{"two stars", purgeAsk{URLs: []string{"/a/**"}}, `"*" stands at the end and nowhere else`},
		{"a star and a query", purgeAsk{URLs: []string{"/a/*?v=1"}}, `leave the query out`},
		{"a star in the query", purgeAsk{URLs: []string{"/a.jpg?tr=w-1*"}}, `"*" stands at the end of a path; leave the query out`},
		{"a transformation in a prefix", purgeAsk{URLs: []string{"/shop/tr:w-300/a*"}}, `leave the transformation out`},
		{"an encoded one", purgeAsk{URLs: []string{"/tr%3Aw-300/a*"}}, `leave the transformation out`},
		{"a name for search engines in a prefix", purgeAsk{URLs: []string{"/ik-seo/a*"}}, `ik-seo hides them`},
		{"half an encoding", purgeAsk{URLs: []string{"/a%2*"}}, `invalid URL escape`},
		{"an unknown endpoint", purgeAsk{Endpoint: "shp"}, `endpoint: "shp" is not declared; declared: bound, default and shop`},
		{"an empty tag", purgeAsk{Tags: []string{""}}, `tags: "" is not a tag`},
		{"a tag that nothing has", purgeAsk{Tags: []string{"für"}}, `tags: "für" is not a tag: one word of visible ASCII of at most 256 bytes`},
		{"a long tag", purgeAsk{Tags: []string{strings.Repeat("x", 257)}}, `x" is not a tag`},
		{"two tags in one", purgeAsk{Tags: []string{"a,b"}}, `tags: "a,b" is not a tag`},
		{"one of several URLs", purgeAsk{URLs: []string{"/a.jpg", "b.jpg"}}, `urls: "b.jpg": `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := rememberingApp(t, false)
			_, err := a.planPurge(t.Context(), tt.ask)
			if wrong, ok := errors.AsType[*purgeError](err); !ok || !strings.Contains(wrong.Error(), tt.want) {
				t.Errorf("%+v:\ngot  %v\nwant %s", tt.ask, err, tt.want)
			}
		})
	}
}

func TestNoEndpointMeansNoPurge(t *testing.T) {
	a, _ := rememberingApp(t, false)
	delete(a.endpoints, "default")
	a.router = newRouter(a.endpoints, "")
	for _, text := range []string{"/a.jpg", "/a*"} {
		if _, err := a.planPurge(t.Context(), purgeAsk{URLs: []string{text}}); !errors.Is(err, errNoEndpoint) {
			t.Errorf("%s: got %v, want %v", text, err, errNoEndpoint)
		}
	}
}

func TestWhereNothingIsKeptNoPatternFits(t *testing.T) {
	a, misses := rememberingApp(t, false)
	a.endpoints["default"].delivery.Keeping.Fingerprint = ""
	for _, text := range []string{"/a.jpg", "/*"} {
		p, err := a.planPurge(t.Context(), purgeAsk{URLs: []string{text}})
		if err != nil || len(p.patterns) != 0 || !strings.Contains(fmt.Sprint(p.targets), "nothing is kept there") {
			t.Errorf("%s: got %v %v, %v", text, p.patterns, p.targets, err)
		}
		for _, forget := range p.misses {
			forget()
		}
	}
	if got := strings.Join(misses["default"].log, " "); got != "a.jpg?@ all" {
		t.Errorf("misses: got %s", got)
	}
}

func TestPurgesForgetWhatWasMissing(t *testing.T) {
	for _, tt := range []struct {
		name string
		ask  purgeAsk
		want map[string]string
	}{
		{"an original", purgeAsk{URLs: []string{"/shop/a.jpg"}}, map[string]string{"shop": "a.jpg?@"}},
		{"with and without what not all origins see", purgeAsk{URLs: []string{"https://images.example.com/a.jpg?v=3&tr=w-3"}}, map[string]string{
			"default": "a.jpg?@ a.jpg?v=3@images.example.com",
		}},
		{"a prefix", purgeAsk{URLs: []string{"/shop/a*"}}, map[string]string{"shop": "all"}},
		{"an endpoint", purgeAsk{Endpoint: "bound"}, map[string]string{"bound": "all"}},
		{"a tag", purgeAsk{Tags: []string{"x"}}, map[string]string{"bound": "all", "default": "all", "shop": "all"}},
		{"everything", purgeAsk{Everything: true}, map[string]string{"bound": "all", "default": "all", "shop": "all"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, misses := rememberingApp(t, false)
			p, err := a.planPurge(t.Context(), tt.ask)
			if err != nil {
				t.Fatal(err)
			}
			for _, forget := range p.misses {
				forget()
			}
			for name, f := range misses {
				if got := strings.Join(f.log, " "); got != tt.want[name] {
					t.Errorf("%s: got %q, want %q", name, got, tt.want[name])
				}
			}
		})
	}
}

func TestTheOriginsOfAnEndpointForget(t *testing.T) {
	asked := 0
	missing := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		asked++
		return nil, &origins.Error{Kind: origins.NotExist}
	})
	config := new(Endpoint)
	config.setDefaults()
	whole := config.origin([]*origin{{Origin: missing}, {Origin: missing, local: true}})
	open := func() { _, _ = whole.Open(t.Context(), origins.Request{Key: "a.jpg"}) }
	open()
	open()
	if asked != 3 { // the local one is always asked
		t.Fatalf("asked %d times before, want 3", asked)
	}
	whole.(origins.Forgetter).Forget(origins.Request{Key: "a.jpg"})
	open()
	if asked != 5 {
		t.Errorf("asked %d times, want 5", asked)
	}
}

func TestNoticesNameWhatACDNKnows(t *testing.T) {
	tag := sourceTag("shop/a.jpg")
	if len(tag) != len("io-")+16 || !strings.HasPrefix(tag, "io-") || tag == sourceTag("shop/b.jpg") {
		t.Errorf("the tag of an original: got %s", tag)
	}
	a, _ := rememberingApp(t, true)
	for _, tt := range []struct {
		name string
		ask  purgeAsk
		want purgeNotice
	}{
		{"an original", purgeAsk{URLs: []string{"https://x.example.com/shop/a.jpg"}}, purgeNotice{
			URLs: []string{"https://x.example.com/shop/a.jpg"}, Tags: []string{tag, sourceTag("inline/shop/a.jpg")},
		}},
		{"a prefix", purgeAsk{URLs: []string{"https://x.example.com/shop/a*"}}, purgeNotice{Prefixes: []string{"https://x.example.com/shop/a"}}},
		{"an endpoint", purgeAsk{Endpoint: "shop"}, purgeNotice{Endpoint: "shop", Tags: []string{"io-shop"}}},
		{"a tag", purgeAsk{Tags: []string{"b", "a"}}, purgeNotice{Tags: []string{"a", "b"}}},
		{"everything", purgeAsk{Everything: true}, purgeNotice{Everything: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := a.planPurge(t.Context(), tt.ask)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(tt.want.Tags)
			if got, want := fmt.Sprintf("%+v", p.notice), fmt.Sprintf("%+v", tt.want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
