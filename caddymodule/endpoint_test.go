package caddymodule

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestEndpointsHaveTheirDefaults(t *testing.T) {
	e := &Endpoint{Domains: []string{"BÜCHER.Example"}, DefaultImage: "/missing.png"}
	if err := e.prepare(caddy.NewReplacer()); err != nil {
		t.Fatal(err)
	}
	want := &Endpoint{
		FallbackOn:    []string{"not_exist", "denied", "unreachable", "timeout", "unknown"},
		Domains:       []string{"xn--bcher-kva.example"},
		Query:         []string{"all"},
		Unnamed:       "allow",
		Formats:       []string{"webp"},
		Quality:       80,
		CacheControl:  "public, max-age=31536000, must-revalidate",
		CDNTags:       "off",
		Results:       []string{"memory", "disk"},
		Originals:     []string{"off"},
		Files:         []string{"off"},
		MaxAge:        new(caddy.Duration(24 * 3600e9)),
		Stale:         new(caddy.Duration(3600e9)),
		StaleIfError:  new(caddy.Duration(24 * 3600e9)),
		MissTTL:       new(caddy.Duration(30e9)),
		DegradedTTL:   new(caddy.Duration(60e9)),
		DefaultImage:  "missing.png",
		ActiveContent: "block",
		ErrorStatus:   "imagekit",
		ReqFrom:       "imagekit",

		OnTransformError: "error",
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	if got := e.fallbackKinds(); !slices.Equal(got, origins.FallbackKinds()) {
		t.Errorf("fallback kinds: got %v", got)
	}
	if got := e.autoFormats(); !slices.Equal(got, []plan.Format{plan.WebP}) {
		t.Errorf("formats: got %v", got)
	}
	if got := e.reqFrom(); got != "imagekit" {
		t.Errorf("x-req-from: got %q", got)
	}
}

func TestEndpointsKeepWhatIsSet(t *testing.T) {
	e := &Endpoint{MissTTL: new(caddy.Duration(0)), ReqFrom: "off", FallbackOn: []string{"timeout"}, Formats: []string{"avif", "webp"}}
	e.setDefaults()
	if *e.MissTTL != 0 {
		t.Errorf("miss_ttl 0: got %v", *e.MissTTL)
	}
	if got := e.reqFrom(); got != "" {
		t.Errorf("req_from off: got %q", got)
	}
	if got := e.fallbackKinds(); !slices.Equal(got, []origins.Kind{origins.Timeout}) {
		t.Errorf("fallback_on timeout: got %v", got)
	}
	if got := e.autoFormats(); !slices.Equal(got, []plan.Format{plan.AVIF, plan.WebP}) || e.smallest() {
		t.Errorf("formats avif webp: got %v, smallest %v", got, e.smallest())
	}
	e.Formats = append(e.Formats, "smallest")
	if got := e.autoFormats(); !slices.Equal(got, []plan.Format{plan.AVIF, plan.WebP}) || !e.smallest() {
		t.Errorf("formats avif webp smallest: got %v, smallest %v", got, e.smallest())
	}
}

func TestLibraryIsAskedFirstAndOnce(t *testing.T) {
	for _, tt := range []struct {
		name    string
		origins []string
		library string
		want    []string
	}{
		{"no library", []string{"a", "b"}, "", []string{"a", "b"}},
		{"before the others", []string{"a", "b"}, "media", []string{"media", "a", "b"}},
		{"alone", nil, "media", []string{"media"}},
		{"named by the endpoint as well", []string{"a", "media"}, "media", []string{"media", "a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &Endpoint{Origins: tt.origins}
			if got := e.order(tt.library); !slices.Equal(got, tt.want) {
				t.Errorf("origins %v, library %q: got %v, want %v", tt.origins, tt.library, got, tt.want)
			}
		})
	}
}

func TestDomainsAreHostNames(t *testing.T) {
	for _, tt := range []struct {
		host string
		ok   bool
	}{
		{"example.com", true},
		{"localhost", true},
		{"*.example.com", true},
		{"bücher.example", true},
		{"{env.HOST}", true},
		{"10.0.0.1", true},
		{"", false},
		{"example.com:443", false},
		{"https://example.com", false},
		{"example.com/x", false},
		{"*", false},
		{"a.*.com", false},
		{"*x.example.com", false},
		{"a b.com", false},
		{"example.com.", false},
		{"a..b", false},
	} {
		if err := checkHost(tt.host); (err == nil) != tt.ok {
			t.Errorf("%q: got %v, want ok %v", tt.host, err, tt.ok)
		}
	}
}

func TestInlineEndpointsAreCheckedAsTheOthersAre(t *testing.T) {
	own := func(names ...string) (list []NamedOrigin) {
		for _, name := range names {
			list = append(list, NamedOrigin{Name: name})
		}
		return list
	}
	for _, tt := range []struct {
		name   string
		config Endpoint
		own    []NamedOrigin
		want   string // of the error; "" is none
	}{
		{"right", Endpoint{Origins: []string{"photos"}}, own("inline#1", "inline#2"), ""},
		{"domains", Endpoint{Domains: []string{"example.com"}}, own("a"), "domains: an inline endpoint has none; match hosts in the route that the handler is in"},
		{"no name", Endpoint{}, own(""), `inline_origins: name "" is not made of letters, digits, hyphens, underscores, dots and #`},
		{"same name", Endpoint{}, own("a", "a"), `inline_origins: name "a" stands twice`},
		{"name of the app's", Endpoint{Origins: []string{"photos"}}, own("photos"), `inline_origins: name "photos" stands twice`},
		{"a field", Endpoint{Quality: 101}, own("a"), "quality: 101 is out of range; set a number from 1 to 100"},
		{"another field", Endpoint{SaveData: -1}, own("a"), "save_data: -1 is out of range; set a number from 1 to 100"},
		{"the smallest of nothing", Endpoint{Formats: []string{"smallest"}}, own("a"), `formats: "smallest" stands once, behind the formats that it chooses from`},
		{"the smallest of some", Endpoint{Formats: []string{"avif", "smallest"}}, own("a"), ""},
		{"a placeholder", Endpoint{ReqFrom: "{env.NO_SUCH_VARIABLE}"}, own("a"), "req_from: resolving placeholders"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.prepareInline(caddy.NewReplacer(), tt.own)
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err == nil && tt.config.Quality == 0 {
				t.Error("defaults are not filled in")
			}
		})
	}
}
