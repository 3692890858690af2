package web

import (
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestTargetsTellWhatIsRead(t *testing.T) {
	t.Setenv("IMAGEORIGIN_TEST_HOST", "www.example.com")
	const media = `web "https://www.example.com:443/media"`
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"a folder", Module{BaseURL: "https://www.example.com/media"}, media},
		{"in other spelling", Module{BaseURL: "HTTPS://WWW.Example.com.:443/media/"}, media},
		{"by a placeholder", Module{BaseURL: "https://{env.IMAGEORIGIN_TEST_HOST}/media"}, media},
		{"with credentials", Module{BaseURL: "https://www.example.com/media", Auth: &AuthConfig{Scheme: "basic", User: "hunter2", Password: "hunter2"}}, media},
		{"with headers", Module{BaseURL: "https://www.example.com/media", Header: map[string]string{"Authorization": "hunter2", "X-Key": "hunter2"}}, media},
		{"with the host that it has", Module{BaseURL: "https://www.example.com/media", Header: map[string]string{"Host": "www.example.com"}}, media},
		{"in no hurry", Module{BaseURL: "https://www.example.com/media", Connection: remote.Connection{ConnectTimeout: caddy.Duration(time.Minute)}}, media},
		{"another folder", Module{BaseURL: "https://www.example.com/"}, `web "https://www.example.com:443"`},
		{"another folder, encoded", Module{BaseURL: "https://www.example.com/a%2Fb"}, `web "https://www.example.com:443/a%2Fb"`},
		{"in the clear", Module{BaseURL: "http://www.example.com/media"}, `web "http://www.example.com:80/media"`},
		{"another site there", Module{BaseURL: "https://www.example.com/media", Header: map[string]string{"host": "Old.example.com"}}, media + ` "host" "old.example.com"`},
		{"the visitor's site", Module{BaseURL: "https://www.example.com/media", ForwardHost: true}, media + ` "forward_host"`},
		{"wherever it leads", Module{BaseURL: "https://www.example.com/media", FollowRedirects: []string{"any"}}, media + ` "redirects" "any"`},
		{"where it may lead", Module{BaseURL: "https://www.example.com/media", FollowRedirects: []string{"b.example:8080", "A.example"}}, media + ` "redirects" "a.example:443" "a.example:80" "b.example:8080"`},
		{"in other order", Module{BaseURL: "https://www.example.com/media", FollowRedirects: []string{"a.example", "b.example:8080"}}, media + ` "redirects" "a.example:443" "a.example:80" "b.example:8080"`},
		{"even inside", Module{BaseURL: "https://www.example.com/media", FollowRedirects: []string{"any"}, AllowPrivate: true}, media + ` "redirects" "any" "allow_private"`},
		{"another certificate", Module{BaseURL: "https://www.example.com/media", Connection: remote.Connection{TLSServerName: "old.example.com"}}, media + ` tls_server_name "old.example.com"`},
	} {
		if err := provision(t, &tt.m); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		t.Cleanup(func() { tt.m.Cleanup() })
		if got := tt.m.Target(); got != tt.want || !tt.m.ReadsQuery() || tt.m.ForwardsHost() != tt.m.ForwardHost {
			t.Errorf("%s: got %s, query %v, host %v, want %s", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}

func TestTargetsOfAProxyTellWhoMayBeAsked(t *testing.T) {
	t.Setenv("IMAGEORIGIN_TEST_HOST", "www.example.com")
	const one = `web_proxy "//www.example.com"`
	for _, tt := range []struct {
		name string
		m    ProxyModule
		want string
	}{
		{"a host", ProxyModule{Hosts: []string{"www.example.com"}}, one},
		{"in other spelling, twice", ProxyModule{Hosts: []string{"WWW.example.com.", "www.example.com"}}, one},
		{"by a placeholder", ProxyModule{Hosts: []string{"{env.IMAGEORIGIN_TEST_HOST}"}}, one},
		{"in no hurry", ProxyModule{Hosts: []string{"www.example.com"}, ConnectTimeout: caddy.Duration(time.Minute)}, one},
		{"two hosts", ProxyModule{Hosts: []string{"www.example.com", "b.example"}}, `web_proxy "//b.example" "//www.example.com"`},
		{"in other order", ProxyModule{Hosts: []string{"b.example", "www.example.com"}}, `web_proxy "//b.example" "//www.example.com"`},
		{"what is below", ProxyModule{Hosts: []string{"*.www.example.com"}}, `web_proxy "//*.www.example.com"`},
		{"one scheme", ProxyModule{Hosts: []string{"https://www.example.com"}}, `web_proxy "https://www.example.com"`},
		{"one scheme with its port", ProxyModule{Hosts: []string{"https://www.example.com:443"}}, `web_proxy "https://www.example.com"`},
		{"one port", ProxyModule{Hosts: []string{"www.example.com:443"}}, `web_proxy "//www.example.com port 443"`},
		{"even inside", ProxyModule{Hosts: []string{"www.example.com"}, AllowPrivate: true}, one + ` "allow_private"`},
	} {
		if err := provision(t, &tt.m); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		t.Cleanup(func() { tt.m.Cleanup() })
		if got := tt.m.Target(); got != tt.want || !tt.m.ReadsQuery() || tt.m.ForwardsHost() {
			t.Errorf("%s: got %s, query %v, host %v, want %s", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}
