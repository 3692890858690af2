package origins_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestKeysThatLeadUpAreInvalid(t *testing.T) {
	for _, tt := range []struct {
		key  string
		want origins.Kind
	}{
		{"", origins.NotExist},
		{"/a", origins.NotExist},
		{"a/", origins.NotExist},
		{"a//b", origins.NotExist},
		{"..", origins.Invalid},
		{"a/../b", origins.Invalid},
		{"a/.", origins.Invalid},
		{`a\..\b`, origins.Invalid},
		{`..\b`, origins.Invalid},
		{"a\x00", origins.Invalid},
	} {
		if got := origins.KindOf(origins.CheckKey(tt.key)); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.key, got, tt.want)
		}
	}
	for _, key := range []string{"a", "a/b", "...", "..a/b..", ".hidden", `a\b`, "%2e%2e/x", "\xff\xfe", "a b"} {
		if err := origins.CheckKey(key); err != nil {
			t.Errorf("%q: got %v, want none", key, err)
		}
	}
}

func FuzzEscapedKeysStayPaths(f *testing.F) {
	for _, key := range []string{"a.jpg", "a b/+;?#%2F", "//evil", `\evil`, "@evil", "a:b", "http://x/", "\x00\n\xff", "\u00e9/\U0001f600"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		escaped := origins.EscapeKey(key)
		u, err := url.Parse("https://example.com/base/" + escaped)
		if err != nil {
			t.Fatalf("%q: %q is no path: %v", key, escaped, err)
		}
		if u.Host != "example.com" || u.RawQuery != "" || u.Fragment != "" || u.Path != "/base/"+key {
			t.Errorf("%q: %q means %q at %q, query %q, fragment %q", key, escaped, u.Path, u.Host, u.RawQuery, u.Fragment)
		}
		if strings.ContainsAny(escaped, "+;?#\\ ") || strings.Count(escaped, "/") != strings.Count(key, "/") {
			t.Errorf("%q: %q has what servers disagree about", key, escaped)
		}
	})
}
