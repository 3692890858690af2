package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestCaddyfileOfAProxyBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"any host", "web_proxy", "{}"},
		{"any host, in a block", "web_proxy {\n allow_private\n}", `{"allow_private":true}`},
		{"the least", "web_proxy images.example.com", `{"hosts":["images.example.com"]}`},
		{"several", "web_proxy images.example.com *.cdn.example.com", `{"hosts":["images.example.com","*.cdn.example.com"]}`},
		{"in a block", "web_proxy {\n hosts images.example.com {env.CDN}\n}", `{"hosts":["images.example.com","{env.CDN}"]}`},
		{
			"everything", `web_proxy images.example.com {
				hosts https://*.cdn.example.com other.test:8080
				allow_private
				connect_timeout 2s
				tls_ca /etc/ca.pem
			}`,
			`{"hosts":["images.example.com","https://*.cdn.example.com","other.test:8080"],"allow_private":true,"connect_timeout":2000000000,"tls_ca":"/etc/ca.pem"}`,
		},
	} {
		var m ProxyModule
		if err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got, err := json.Marshal(&m); string(got) != tt.want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestMistakesInTheCaddyfileOfAProxyAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"an empty list", "web_proxy {\n hosts\n}", "wrong number of arguments; write hosts <host...>, at Testfile:2"},
		{"any", "web_proxy any", `"any" would make this server fetch whatever anybody asks it for; list the hosts`},
		{"a star", "web_proxy a.test {\n hosts *\n}", `"*" would make this server fetch whatever anybody asks it for; list the hosts, and write it like images.example.com or *.example.com, at Testfile:2`},
		{"a URL", "web_proxy https://a.test/images", "is more than a host"},
		{"credentials", "web_proxy a.test {\n auth bearer hunter2\n}", `unknown option "auth"; expected hosts, allow_private, connect_timeout or tls_ca`},
		{"twice", "web_proxy a.test {\n allow_private\n allow_private\n}", "allow_private is already set at Testfile:2, at Testfile:3"},
	} {
		err := new(ProxyModule).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

func TestModulesLeadToPrivateAddressesOnlyIfTold(t *testing.T) {
	server := httptest.NewServer(newSite(map[string][]byte{"a.jpg": []byte("content")}))
	defer server.Close()
	base := httptest.NewServer(http.RedirectHandler(server.URL+"/media/a.jpg", http.StatusFound))
	defer base.Close()
	address := server.Listener.Addr().String()
	for _, tt := range []struct {
		name   string
		module interface {
			caddy.Provisioner
			caddy.CleanerUpper
			origins.Origin
		}
		key string
		ok  bool
	}{
		{"proxy", &ProxyModule{Hosts: []string{address}}, server.URL + "/media/a.jpg", false},
		{"proxy, told", &ProxyModule{Hosts: []string{address}, AllowPrivate: true}, server.URL + "/media/a.jpg", true},
		{"redirect", &Module{BaseURL: base.URL, FollowRedirects: []string{address}}, "a.jpg", false},
		{"redirect, told", &Module{BaseURL: base.URL, FollowRedirects: []string{address}, AllowPrivate: true}, "a.jpg", true},
	} {
		if err := provision(t, tt.module); err != nil {
			t.Fatal(err)
		}
		obj, err := tt.module.Open(t.Context(), origins.Request{Key: tt.key})
		if err == nil {
			obj.Body.Close()
		}
		if (err == nil) != tt.ok || err != nil && (origins.KindOf(err) != origins.Denied || !errors.Is(err, remote.ErrAddress)) {
			t.Errorf("%s: got %v, want success: %v", tt.name, err, tt.ok)
		}
		if err := tt.module.Cleanup(); err != nil {
			t.Error(err)
		}
	}
}

func TestProxyStandsForManyServers(t *testing.T) {
	if !new(ProxyModule).ManyServers() {
		t.Error("one dead server would make the host skip all of them")
	}
}

func TestProxyModuleFetchesAndLeavesNothingBehind(t *testing.T) {
	server := httptest.NewServer(newSite(map[string][]byte{"a.jpg": []byte("content")}))
	defer server.Close()
	t.Setenv("IMAGEORIGIN_TEST_HOST", server.Listener.Addr().String())
	load := func() *ProxyModule {
		m := &ProxyModule{Hosts: []string{"{env.IMAGEORIGIN_TEST_HOST}"}, AllowPrivate: true}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := load()
	if got := content(t, before, server.URL+"/media/a.jpg"); got != "content" {
		t.Errorf("got %q", got)
	}
	after := load()
	if before.origin.transport != after.origin.transport {
		t.Error("a reload doesn't keep the connections")
	}
	for _, m := range []*ProxyModule{before, after, after} {
		if err := m.Cleanup(); err != nil {
			t.Error(err)
		}
	}
	again := load()
	defer again.Cleanup()
	if again.origin.transport == after.origin.transport {
		t.Error("the transport is still there after everybody gave it back")
	}
	if transport := again.origin.transport.(*http.Transport); transport.Proxy != nil {
		t.Error("the proxy of the environment would connect wherever it likes")
	}
	for _, tt := range []struct {
		name string
		m    ProxyModule
		want string
	}{
		{"any", ProxyModule{Hosts: []string{"any"}}, "whatever anybody asks it for"},
		{"a missing variable", ProxyModule{Hosts: []string{"{env.IMAGEORIGIN_TEST_UNSET}"}}, "hosts:"},
		{"authorities that aren't there", ProxyModule{Hosts: []string{"a.test"}, TLSCA: "/nonexistent/ca.pem"}, "reading tls_ca"},
		{"time below zero", ProxyModule{Hosts: []string{"a.test"}, ConnectTimeout: -1}, "connect_timeout"},
	} {
		err := provision(t, &tt.m)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.name, err, tt.want)
		}
		if err := tt.m.Cleanup(); err != nil {
			t.Errorf("%s: cleaning up: %v", tt.name, err)
		}
	}
}

func TestAProxyWithoutAListSaysThatItGoesAnywhere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a picture")) }))
	defer server.Close()
	for _, tt := range []struct {
		name     string
		m        ProxyModule
		anywhere bool
		denied   bool
	}{
		{"a list that the host is not on", ProxyModule{Hosts: []string{"images.example.com"}, AllowPrivate: true}, false, true},
		{"no list", ProxyModule{AllowPrivate: true}, true, false},
		{"no list, and an address of this machine", ProxyModule{}, true, true},
	} {
		if err := provision(t, &tt.m); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		defer tt.m.Cleanup()
		obj, err := tt.m.Open(t.Context(), origins.Request{Key: server.URL + "/a.jpg"})
		if err == nil {
			obj.Body.Close()
		}
		denied := err != nil && origins.KindOf(err) == origins.Denied
		if tt.m.Anywhere() != tt.anywhere || denied != tt.denied || err != nil && !denied {
			t.Errorf("%s: anywhere %t, got %v, want it denied: %t", tt.name, tt.m.Anywhere(), err, tt.denied)
		}
	}
}
