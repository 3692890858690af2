package web

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the least", "web https://example.com/media", `{"base_url":"https://example.com/media"}`},
		{
			"everything", `web https://example.com {
				forward_host
				header x-token {env.TOKEN}
				header X-Greeting "good day"
				auth basic user {file./run/secrets/web}
				follow_redirects cdn.example.com other.test:8080
				allow_private
				connect_timeout 2s
				tls_ca /etc/ca.pem
				tls_server_name example.org
			}`,
			`{"base_url":"https://example.com","forward_host":true,"header":{"X-Greeting":"good day","X-Token":"{env.TOKEN}"},` +
				`"auth":{"scheme":"basic","user":"user","password":"{file./run/secrets/web}"},` +
				`"follow_redirects":["cdn.example.com","other.test:8080"],"allow_private":true,"connect_timeout":2000000000,"tls_ca":"/etc/ca.pem","tls_server_name":"example.org"}`,
		},
		{
			"placeholders, which are not judged", `web {env.SCHEME}://{env.HOST}?{env.QUERY} {
				header Host {env.HOST}
				header X-Token "{file./run/secrets/token}"
				auth bearer {env.TOKEN}
				follow_redirects {env.CDN} {env.SECOND_CDN}
				tls_server_name {env.HOST}
			}`,
			`{"base_url":"{env.SCHEME}://{env.HOST}?{env.QUERY}","header":{"Host":"{env.HOST}","X-Token":"{file./run/secrets/token}"},` +
				`"auth":{"scheme":"bearer","token":"{env.TOKEN}"},"follow_redirects":["{env.CDN}","{env.SECOND_CDN}"],"tls_server_name":"{env.HOST}"}`,
		},
		{"bearer", "web https://example.com {\n auth bearer {env.TOKEN}\n follow_redirects any\n}", `{"base_url":"https://example.com","auth":{"scheme":"bearer","token":"{env.TOKEN}"},"follow_redirects":["any"]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Module
			if err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text)); err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(&m); string(got) != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestCaddyfileMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, options, want string }{
		{"unknown word", "forward_hosts", `unknown option "forward_hosts"; expected forward_host, header, auth,`},
		{"twice", "forward_host\nforward_host", "forward_host is already set at Testfile:2, at Testfile:3"},
		{"auth twice", "auth bearer x\nauth bearer hunter2", "auth is already set at Testfile:2, at Testfile:3"},
		{"header twice", "header X-A 1\nheader x-b 2\nheader x-a hunter2", "header: X-A is already set at Testfile:2, at Testfile:4"},
		{"switch with a value", "forward_host yes", "wrong number of arguments; write "},
		{"header without a value", "header X-Token", "wrong number of arguments (put a value that has spaces in quotes); write header <name> <value>, at Testfile:2"},
		{"header with an unquoted value", "header Authorization Bearer hunter2", "put a value that has spaces in quotes"},
		{"auth without a scheme", "auth user hunter2", "the scheme is missing; write auth basic <user> <password>"},
		{"auth without a password", "auth basic hunter2", "write auth basic <user> <password>"},
		{"auth with too much", "auth bearer Bearer hunter2", "auth bearer <token>"},
		{"redirects to nowhere", "follow_redirects", "wrong number of arguments; write "},
		{"no duration", "connect_timeout soon", `connect_timeout: "soon" is not a time`},
		{"no time at all", "connect_timeout 0s", "is not a time above 0"},
		{"no file", "tls_ca", "wrong number of arguments; write "},
		{"no name", "tls_server_name", "wrong number of arguments; write "},
		{"time below zero", "connect_timeout -1s", "is not a time above 0"},
		{"a block behind a switch", "forward_host {\n x y\n}", "forward_host takes no block; write forward_host, at Testfile:2"},
		{"a block behind a header", "header X-A 1 {\n x y\n}", "header takes no block; write header <name> <value>, at Testfile:2"},
		{"a brace in quotes", "forward_host\n\"{\" x", `unknown option "{"`},
		{"a header of each request", "forward_host\nheader Range hunter2", "header Range is set as each request needs it; remove it, at Testfile:3"},
		{"a header of each request, from a placeholder", "header accept-encoding {env.X}", "header Accept-Encoding is set as each request needs it; remove it, at Testfile:2"},
		{"a header's name", "header X:Y hunter2", `header "X:Y" is not a name that a header can have, at Testfile:2`},
		{"a header's value", "header X-Y \"hunter2\nZ: 1\"", "the value of header X-Y contains characters that no header can carry, at Testfile:2"},
		{"no host", "header Host https://hunter2", "header Host is not a host name; write it like www.example.com, at Testfile:2"},
		{"auth beside a header", "header Authorization hunter2\nforward_host\nauth bearer hunter2", "auth and header Authorization say the same thing; remove one of them, at Testfile:4"},
		{"a header beside auth", "auth bearer {env.X}\nheader Authorization {env.Y}", "auth and header Authorization say the same thing; remove one of them, at Testfile:3"},
		{"auth without a user", "auth basic \"\" hunter2", "auth basic takes a user and a password, at Testfile:2"},
		{"a host beside the client's", "forward_host\n\nheader Host a.example.com", "forward_host and header Host contradict each other; remove one of them, at Testfile:4"},
		{"the client's host beside one", "header Host {env.X}\nforward_host", "forward_host and header Host contradict each other; remove one of them, at Testfile:3"},
		{"redirects to a wildcard", "forward_host\nfollow_redirects {env.X} *.example.com\ntls_ca x", `follow_redirects: "*.example.com" is not a host; write host or host:port, one for each, or any, at Testfile:3`},
		{"private redirects to nowhere", "allow_private", "set follow_redirects too, or remove allow_private, which base_url doesn't need, at Testfile:1"},
		{"redirects to any and a host", "follow_redirects any {env.X}", "follow_redirects: any stands alone, or hosts do, at Testfile:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser("web https://example.com {\n" + tt.options + "\n}"))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ url, want string }{
		{"www.example.com", "base_url has no scheme; write http:// or https:// before it"},
		{"localhost:8081", "base_url has no scheme; write http:// or https:// before it"},
		{"ftp://example.com", `base_url has the scheme "ftp"; use http or https`},
		{"https://user:hunter2@example.com", "base_url has a user name or password; use auth basic <user> <password>"},
		{"https://example.com/?sig=hunter2", "base_url has a query, which can't stand before the key; remove it, or send what it says with header"},
		{"https://example.com/#hunter2", "base_url has a fragment (#…), which servers never see; remove it"},
	} {
		err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser("\nweb " + tt.url + " {\n forward_host\n}"))
		if want := tt.want + ", at Testfile:2"; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", tt.url, err, want)
		}
	}
	for _, text := range []string{"web", "web https://a.test https://b.test"} {
		if err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil || !strings.Contains(err.Error(), "takes one base URL") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// provision provisions m outside of a configuration. The caller cleans up.
func provision(t *testing.T, m caddy.Provisioner) error {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	return m.Provision(ctx)
}

func TestProvisionNamesMistakes(t *testing.T) {
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	const base = "https://example.com"
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"no URL", Module{}, "base_url is empty"},
		{"missing variable in the URL", Module{BaseURL: "https://{env.IMAGEORIGIN_TEST_UNSET}/"}, "base_url:"},
		{"missing secret in a header", Module{BaseURL: base, Header: map[string]string{"X-Token": "{env.IMAGEORIGIN_TEST_UNSET}"}}, "header X-Token:"},
		{"missing password", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "basic", User: "u", Password: "{file./nonexistent/secret}"}}, "auth: password:"},
		{"placeholder of a request", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "bearer", Token: "{http.request.header.x}"}}, "auth: token:"},
		{"unknown scheme", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "digest", User: "hunter2"}}, "use basic or bearer"},
		{"basic without a user", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "basic", Password: "hunter2"}}, "takes a user"},
		{"basic with a token", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "basic", User: "u", Token: "hunter2"}}, "takes a user"},
		{"bearer without a token", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "bearer"}}, "takes a token"},
		{"bearer with a password", Module{BaseURL: base, Auth: &AuthConfig{Scheme: "bearer", Token: "x", Password: "hunter2"}}, "takes a token"},
		{"time below zero", Module{BaseURL: base, Connection: remote.Connection{ConnectTimeout: -1}}, "connect_timeout -1ns is below zero"},
		{"missing variable in the name", Module{BaseURL: base, Connection: remote.Connection{TLSServerName: "{env.IMAGEORIGIN_TEST_UNSET}"}}, "tls_server_name:"},
		{"missing variable in redirects", Module{BaseURL: base, FollowRedirects: []string{"{env.IMAGEORIGIN_TEST_UNSET}"}}, "follow_redirects:"},
		{"redirects", Module{BaseURL: base, FollowRedirects: []string{"any", "x.test"}}, "stands alone"},
		{"authorities that aren't there", Module{BaseURL: base, Connection: remote.Connection{TLSCA: file + "x"}}, "reading tls_ca"},
		{"authorities that are none", Module{BaseURL: base, Connection: remote.Connection{TLSCA: file}}, "PEM"},
		{"authorities by a missing variable", Module{BaseURL: base, Connection: remote.Connection{TLSCA: "{env.IMAGEORIGIN_TEST_UNSET}"}}, "tls_ca:"},
		{"private redirects to nowhere", Module{BaseURL: base, AllowPrivate: true}, "set follow_redirects too"},
		{"a bad header", Module{BaseURL: base, Header: map[string]string{"Range": "hunter2"}}, "remove it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := provision(t, &tt.m)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
			if err := tt.m.Cleanup(); err != nil {
				t.Errorf("cleaning up after half a Provision: %v", err)
			}
		})
	}
}

func TestModuleFetchesWithSecretsFromPlaceholders(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprint(w, r.URL.Path, " ", user, " ", password, " ", r.Header.Get("X-Token"))
	}))
	defer server.Close()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	authority := write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	secret := write("secret", []byte("pass word\n"))
	t.Setenv("IMAGEORIGIN_TEST_URL", server.URL)
	t.Setenv("IMAGEORIGIN_TEST_TOKEN", "token")
	m := &Module{
		BaseURL: "{env.IMAGEORIGIN_TEST_URL}/media", Connection: remote.Connection{TLSCA: authority},
		Header: map[string]string{"X-Token": "{env.IMAGEORIGIN_TEST_TOKEN}"},
		Auth:   &AuthConfig{Scheme: "basic", User: "u", Password: "{file." + secret + "}"},
	}
	if err := provision(t, m); err != nil {
		t.Fatal(err)
	}
	defer m.Cleanup()
	if got, want := content(t, m, "a.jpg"), "/media/a.jpg u pass word token"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestModuleGoesWherePlaceholdersSay(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from the other") }))
	defer other.Close()
	server := httptest.NewTLSServer(http.RedirectHandler(other.URL+"/a.jpg", http.StatusFound))
	defer server.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("IMAGEORIGIN_TEST_NAME", "www.example.com") // the certificate of httptest is for it, too
	for _, hosts := range []string{strings.TrimPrefix(other.URL, "http://"), "any"} {
		t.Setenv("IMAGEORIGIN_TEST_HOST", hosts)
		m := &Module{
			BaseURL:         server.URL,
			FollowRedirects: []string{"{env.IMAGEORIGIN_TEST_HOST}"}, AllowPrivate: true,
			Connection: remote.Connection{TLSCA: authority, TLSServerName: "{env.IMAGEORIGIN_TEST_NAME}"},
		}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		defer m.Cleanup()
		if got := content(t, m, "a.jpg"); got != "from the other" {
			t.Errorf("redirects to %s: got %q", hosts, got)
		}
		if near := tlsName(m.origin.transport); near != "www.example.com" {
			t.Errorf("the certificate must be for %q", near)
		}
		if abroad := tlsName(m.origin.abroad); abroad != "" {
			t.Errorf("where redirects lead the certificate must be for %q, want the host there", abroad)
		}
	}
}

func tlsName(transport http.RoundTripper) string {
	return transport.(*http.Transport).TLSClientConfig.ServerName
}

func content(t *testing.T, o origins.Origin, key string) string {
	t.Helper()
	obj, err := o.Open(t.Context(), origins.Request{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Body.Close()
	content, err := io.ReadAll(obj.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestReloadKeepsConnectionsAndTakesNewSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr, " ", r.Header.Get("Authorization"))
	}))
	defer server.Close()
	load := func(token string) *Module {
		m := &Module{BaseURL: server.URL, Auth: &AuthConfig{Scheme: "bearer", Token: token}}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := load("wrong")
	first, _, _ := strings.Cut(content(t, before, "a"), " ")
	after := load("right")
	if err := before.Cleanup(); err != nil {
		t.Fatal(err)
	}
	second, auth, _ := strings.Cut(content(t, after, "a"), " ")
	if first != second || auth != "Bearer right" {
		t.Errorf("got %q over %s, want the new secret over the connection %s", auth, second, first)
	}
	for range 2 {
		if err := after.Cleanup(); err != nil {
			t.Errorf("Cleanup: %v", err)
		}
	}
}

func TestModulesOfOneServerShareConnections(t *testing.T) {
	for _, tt := range []struct {
		name   string
		m      Module
		shared bool // with that of https://example.com
	}{
		{"another path", Module{BaseURL: "https://example.com:443/x"}, true},
		{"another case", Module{BaseURL: "https://Example.COM/x"}, true},
		{"credentials", Module{BaseURL: "https://example.com", Auth: &AuthConfig{Scheme: "bearer", Token: "t"}}, true},
		{"a header", Module{BaseURL: "https://example.com", Header: map[string]string{"X-Token": "t"}}, true},
		{"redirects", Module{BaseURL: "https://example.com", FollowRedirects: []string{"any"}}, true},
		{"another host", Module{BaseURL: "https://www.example.com"}, false},
		{"another scheme", Module{BaseURL: "http://example.com"}, false},
		{"another port", Module{BaseURL: "https://example.com:8443"}, false},
		{"another name", Module{BaseURL: "https://example.com", Connection: remote.Connection{TLSServerName: "x"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := &Module{BaseURL: "https://example.com"}
			for _, m := range []*Module{first, &tt.m} {
				if err := provision(t, m); err != nil {
					t.Fatal(err)
				}
				defer m.Cleanup()
			}
			if shared := first.origin.transport == tt.m.origin.transport; shared != tt.shared {
				t.Errorf("shared: %v, want %v", shared, tt.shared)
			}
			if abroad := tt.m.origin.abroad; abroad == first.origin.transport {
				t.Error("redirects use the connections of the server itself")
			}
		})
	}
}

func TestHalfAProvisionKeepsNothing(t *testing.T) {
	load := func(header map[string]string) (*Module, error) {
		m := &Module{BaseURL: "https://half.example.com", Header: header}
		return m, provision(t, m)
	}
	first, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	half, err := load(map[string]string{"Range": "x"})
	if err == nil {
		t.Fatal("a header of each request was accepted")
	}
	for _, m := range []*Module{half, first} {
		if err := m.Cleanup(); err != nil {
			t.Fatal(err)
		}
	}
	second, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Cleanup()
	if second.origin.transport == first.origin.transport {
		t.Error("the transport is still there after everybody gave it back")
	}
}

func TestSecretsAreCredentialsAlone(t *testing.T) {
	m := Module{
		BaseURL: "https://example.com",
		Auth:    &AuthConfig{Scheme: "basic", User: "me", Password: "a password"},
		Header:  map[string]string{"x-api-key": "a key", "Accept-Language": "de"},
	}
	got := m.Secrets()
	if want := map[string]string{"auth": "a password", "header X-Api-Key": "a key"}; !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
