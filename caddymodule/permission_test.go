package caddymodule

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddytls"
)

// bindings returns a router of the endpoints default and shop: shop has the domains.
func bindings(t *testing.T, domains ...string) *router {
	t.Helper()
	return newRouter(map[string]*endpoint{"default": testEndpoint("default"), "shop": testEndpoint("shop", domains...)}, "")
}

func TestCertificatesAreAllowedForDomainsAlone(t *testing.T) {
	rt := bindings(t, "img.example.com", "*.shop.example.com", "BÜCHER.example", "10.0.0.1", "new.shop.example.com", "localhost")
	if err := rt.bindMore("file.example.net shop\n*.wild.example.net default\n"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, domain string
		plain, wild  bool // without on_demand_wildcards, and with
	}{
		{"a domain", "img.example.com", true, true},
		{"a domain of the file", "file.example.net", true, true},
		{"a single label", "localhost", true, true},
		{"punycode", "xn--bcher-kva.example", true, true},
		{"a domain beside a wildcard", "new.shop.example.com", true, true},
		{"a stranger", "img.example.org", false, false},
		{"the parent of a domain", "example.com", false, false},
		{"a child of a domain", "www.img.example.com", false, false},
		{"what ends in a domain", "evilimg.example.com", false, false},
		{"what begins with a domain", "img.example.com.evil.org", false, false},
		{"another case", "IMG.example.com", false, false},
		{"no punycode", "bücher.example", false, false},
		{"a dot behind it", "img.example.com.", false, false},
		{"a port behind it", "img.example.com:443", false, false},
		{"a scheme before it", "https://img.example.com", false, false},
		{"a space behind it", "img.example.com ", false, false},
		{"a NUL in it", "img.example.com\x00.evil.org", false, false},
		{"nothing", "", false, false},
		{"a dot", ".", false, false},
		{"an address", "192.0.2.1", false, false},
		{"an address that is bound", "10.0.0.1", false, false},
		{"an IPv6 address", "2001:db8::1", false, false},
		{"a loopback address", "::1", false, false},
		{"below a wildcard", "a.shop.example.com", false, true},
		{"below a wildcard of the file", "a-1.wild.example.net", false, true},
		{"below a wildcard, in punycode", "xn--bcher-kva.shop.example.com", false, true},
		{"a wildcard itself", "*.shop.example.com", false, false},
		{"a wildcard's parent", "shop.example.com", false, false},
		{"a wildcard's parent with a dot before it", ".shop.example.com", false, false},
		{"two labels below a wildcard", "a.b.shop.example.com", false, false},
		{"what ends in a wildcard's parent", "evilshop.example.com", false, false},
		{"below a wildcard, another case", "A.shop.example.com", false, false},
		{"below a wildcard, its parent's case", "a.SHOP.example.com", false, false},
		{"below a wildcard, a dot behind it", "a.shop.example.com.", false, false},
		{"below a wildcard, not a name of the Internet", "a_b.shop.example.com", false, false},
		{"below a wildcard, a hyphen first", "-a.shop.example.com", false, false},
		{"below a wildcard, a hyphen last", "a-.shop.example.com", false, false},
		{"below a wildcard, no punycode", "ü.shop.example.com", false, false},
		{"below a wildcard, a slash", "a/b.shop.example.com", false, false},
		{"below a wildcard, too long", strings.Repeat("a", 64) + ".shop.example.com", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for wildcards, want := range map[bool]bool{false: tt.plain, true: tt.wild} {
				p := &Permission{OnDemandWildcards: wildcards, app: &App{router: rt}}
				err := p.CertificateAllowed(t.Context(), tt.domain)
				if (err == nil) != want {
					t.Errorf("%q, on_demand_wildcards %v: got %v, want allowed %v", tt.domain, wildcards, err, want)
				}
				if err != nil && !errors.Is(err, caddytls.ErrPermissionDenied) {
					t.Errorf("%q: %v does not wrap ErrPermissionDenied", tt.domain, err)
				}
			}
		})
	}
}

func TestRefusedCertificatesSayWhy(t *testing.T) {
	rt := bindings(t, "*.shop.example.com")
	for _, tt := range []struct{ domain, want string }{
		{"a.example.com", `"a.example.com": it is not a domain of an endpoint`},
		{"a.shop.example.com", `"a.shop.example.com": it is a domain of an endpoint only by a wildcard, and on_demand_wildcards is not set`},
		{"192.0.2.1", `"192.0.2.1": it is an IP address`},
	} {
		err := (&Permission{app: &App{router: rt}}).CertificateAllowed(t.Context(), tt.domain)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.domain, err, tt.want)
		}
	}
}

func TestPermissionGoesByTheFileThatIsInForce(t *testing.T) {
	rt := bindings(t)
	p := &Permission{app: &App{router: rt}}
	if p.CertificateAllowed(t.Context(), "a.example.com") == nil {
		t.Error("allowed before it is a domain")
	}
	if err := rt.bindMore("a.example.com shop"); err != nil {
		t.Fatal(err)
	}
	if err := p.CertificateAllowed(t.Context(), "a.example.com"); err != nil {
		t.Errorf("refused although it is a domain: %v", err)
	}
	if err := rt.bindMore("b.example.com shop"); err != nil {
		t.Fatal(err)
	}
	if p.CertificateAllowed(t.Context(), "a.example.com") == nil {
		t.Error("allowed although it is a domain no more")
	}
}
