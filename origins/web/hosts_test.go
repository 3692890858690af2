package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestPatternsAreAnchored(t *testing.T) {
	for _, tt := range []struct {
		pattern, url string
		want         bool
	}{
		{"example.com", "https://example.com/a", true},
		{"example.com", "http://example.com/a", true},
		{"example.com", "https://example.com:443/a", true},
		{"example.com", "https://EXAMPLE.com./a", true},
		{"Example.COM.", "https://example.com/a", true},
		{"example.com", "https://www.example.com/a", false},
		{"example.com", "https://evilexample.com/a", false},
		{"example.com", "https://example.com.evil.test/a", false},
		{"example.com", "https://example.co/a", false},
		{"example.com", "https://exampleXcom/a", false},
		{"example.com", "https://example.com:8443/a", false},
		{"example.com", "http://example.com:443/a", false},
		{"example.com", "https://example.com:80/a", false},
		{"example.com:8443", "https://example.com:8443/a", true},
		{"example.com:8443", "http://example.com:8443/a", true},
		{"example.com:8443", "https://example.com/a", false},
		{"example.com:443", "http://example.com:443/a", true},
		{"https://example.com", "https://example.com/a", true},
		{"https://example.com", "http://example.com/a", false},
		{"https://example.com:8443", "https://example.com:8443/a", true},
		{"HTTP://example.com", "http://example.com/a", true},
		{"*.example.com", "https://a.example.com/a", true},
		{"*.example.com", "https://A.Example.Com./a", true},
		{"*.example.com", "https://example.com/a", false},
		{"*.example.com", "https://.example.com/a", false},
		{"*.example.com", "https://a.b.example.com/a", false},
		{"*.example.com", "https://evilexample.com/a", false},
		{"*.example.com", "https://a.example.com.evil.test/a", false},
		{"*.example.com", "https://a.example.com:8080/a", false},
		{"*.example.com:8080", "https://a.example.com:8080/a", true},
		{"https://*.example.com", "https://a.example.com/a", true},
		{"https://*.example.com", "http://a.example.com/a", false},
		{"b\u00fccher.example", "https://xn--bcher-kva.example/a", true},
		{"xn--bcher-kva.example", "https://B\u00dcCHER.example/a", true},
		{"example.com", "https://\uff45xample.com/a", true}, // the same name to every resolver
		{"my_bucket.example.com", "https://my_bucket.example.com/a", true},
		{"127.0.0.1", "http://127.0.0.1/a", true},
		{"127.0.0.1", "http://2130706433/a", false},
		{"127.0.0.1", "http://127.1/a", false},
		{"127.0.0.1", "http://0x7f.0.0.1/a", false},
		{"127.0.0.1", "http://[::ffff:127.0.0.1]/a", false},
		{"*.0.0.1.example", "http://127.0.0.1/a", false},
		{"[2001:db8::1]", "http://[2001:db8:0:0::1]/a", true},
		{"[2001:db8::1]:8080", "http://[2001:db8::1]:8080/a", true},
		{"[2001:db8::1]", "http://[2001:db8::2]/a", false},
	} {
		p, err := parsePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		scheme, rest, _ := strings.Cut(tt.url, "://")
		u := &url.URL{Scheme: scheme, Host: strings.TrimSuffix(rest, "/a")}
		if got := canonicalHost(u) == nil && p.matches(u); got != tt.want {
			t.Errorf("%s matches %s: %v, want %v", tt.pattern, tt.url, got, tt.want)
		}
	}
}

func TestPatternsThatMeanNothingAreRefused(t *testing.T) {
	for _, tt := range []struct{ pattern, want string }{
		{"", "whatever anybody asks it for"},
		{"any", "whatever anybody asks it for"},
		{"*", "whatever anybody asks it for"},
		{"*.*", "whatever anybody asks it for"},
		{"https://*", "whatever anybody asks it for"},
		{"**.example.com", "has a star that doesn't stand for the first label"},
		{"a*.example.com", "has a star"},
		{"www.*.com", "has a star"},
		{"*.*.example.com", "has a star"},
		{"*example.com", "has a star"},
		{"example.com/images", "is more than a host"},
		{"https://example.com/", "is more than a host"},
		{"example.com?x", "is more than a host"},
		{"user@example.com", "has a user name"},
		{"ftp://example.com", "another scheme"},
		{"exa mple.com", "a character that no host has"},
		{`example.com\x`, "a character that no host has"},
		{"example.com:0", "port"},
		{"example.com:70000", "port"},
		{"example.com:http", "port"},
		{"a..example.com", "empty label"},
		{"[::1", "no address"},
		{"[fe80::1%25eth0]", "no address"},
		{"::1", "it has no host"},
		{"*.127.0.0.1", "no name is below"},
	} {
		_, err := parsePattern(tt.pattern)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "hosts: ") {
			t.Errorf("%q: got %v, want %q in it", tt.pattern, err, tt.want)
		}
	}
}
