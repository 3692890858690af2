package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the least", "azure {\n account mystore\n container pictures\n}", `{"account":"mystore","container":"pictures"}`},
		{"in any order", "azure {\n anonymous\n container pictures\n account mystore\n}", `{"account":"mystore","container":"pictures","anonymous":true}`},
		{
			"an emulator", "azure {\n container pictures\n endpoint http://127.0.0.1:10000/imgacct\n account_key " + goodKey + "\n account imgacct\n}",
			`{"account":"imgacct","container":"pictures","account_key":"` + goodKey + `","endpoint":"http://127.0.0.1:10000/imgacct"}`,
		},
		{
			"everything that goes together", `azure {
				account mystore
				container pictures
				prefix large/2026
				sas_token "?` + goodSAS + `"
				endpoint https://mystore.blob.core.usgovcloudapi.net
				connect_timeout 2s
				tls_ca /etc/ca.pem
				tls_server_name example.org
			}`,
			`{"account":"mystore","container":"pictures","prefix":"large/2026","sas_token":"?` + strings.ReplaceAll(goodSAS, "&", `\u0026`) + `",` +
				`"endpoint":"https://mystore.blob.core.usgovcloudapi.net","connect_timeout":2000000000,"tls_ca":"/etc/ca.pem","tls_server_name":"example.org"}`,
		},
		{
			"placeholders, which are not judged", `azure {
				account {env.ACCOUNT}
				container {env.CONTAINER}
				prefix {env.PREFIX}
				account_key {file./run/secrets/azure}
				endpoint {env.ENDPOINT}
			}`,
			`{"account":"{env.ACCOUNT}","container":"{env.CONTAINER}","prefix":"{env.PREFIX}","account_key":"{file./run/secrets/azure}","endpoint":"{env.ENDPOINT}"}`,
		},
		{"a secret as a placeholder", "azure {\n account mystore\n container pictures\n sas_token {env.SAS}\n}", `{"account":"mystore","container":"pictures","sas_token":"{env.SAS}"}`},
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
	for _, tt := range []struct{ name, text, want string }{
		{"arguments", "azure hunter2 {\n account mystore\n}", "azure takes no arguments"},
		{"no block", "azure", "account is empty; set the name of the storage account, or endpoint, at Testfile:1"},
		{"no container", "azure {\n account mystore\n}", "container is empty; set the name of the container, at Testfile:1"},
		{"unknown word", "azure {\n acount mystore\n}", `unknown option "acount"; expected account, container, prefix, sas_token, account_key, anonymous, endpoint,`},
		{"twice", "azure {\n account mystore\n account mystore\n}", "account is already set at Testfile:2, at Testfile:3"},
		{"wrong name", "azure {\n account mystore\n container My_Pictures\n}", "lower-case letters, digits and single hyphens between them; a folder in the container belongs into prefix, at Testfile:3"},
		{"two credentials", "azure {\n account mystore\n container pictures\n sas_token {env.SAS}\n anonymous\n}", "sas_token and anonymous exclude each other; keep one of them, at Testfile:5"},
		{"a SAS without a reason", "azure {\n sas_token hunter2\n}", "sas_token: the SAS is cut off or not a SAS"},
		{"a key that isn't one", "azure {\n account_key hunter2!\n}", "account_key: the key is not in Base64"},
		{"a SAS in two words", "azure {\n sas_token ?sv=1 hunter2\n}", "wrong number of arguments; write sas_token <token>"},
		{"a token over http", "azure {\n container pictures\n endpoint http://127.0.0.1:10000/imgacct\n}", "use https, or set sas_token, account_key or anonymous, at Testfile:1"},
		{"a prefix that leads out", "azure {\n prefix ../other\n}", "prefix has an empty segment, a dot segment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			keepsQuiet(t, err)
		})
	}
}

// provisioned returns the module of a configuration, and cleans it up at the end.
func provisioned(t *testing.T, m *Module) *Module {
	t.Helper()
	if err := m.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Cleanup(); err != nil {
			t.Errorf("Cleanup: %v", err)
		}
	})
	return m
}

func TestRotatedFilesAreReadAgain(t *testing.T) {
	_, server := newStore(t, map[string][]byte{"large/a.jpg": []byte("a")})
	for _, tt := range []struct {
		name, wrong, right string
		set                func(m *Module, placeholder string)
	}{
		{"sas_token", "sig=wrong", "?" + goodSAS, func(m *Module, placeholder string) { m.SASToken = placeholder }},
		{"account_key", "d3Jvbmc=", goodKey, func(m *Module, placeholder string) { m.AccountKey = placeholder }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "secret")
			write := func(content string) {
				t.Helper()
				if err := os.WriteFile(file, []byte(content+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(tt.wrong)
			t.Setenv("IMAGEORIGIN_TEST_CONTAINER", holder)
			m := &Module{Account: account, Container: "{env.IMAGEORIGIN_TEST_CONTAINER}", Prefix: "large", Endpoint: server.URL + "/" + account}
			tt.set(m, "{file."+file+"}")
			provisioned(t, m)
			if e := fails(t, m, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
				t.Fatalf("with the wrong secret: got %v", e)
			}
			write(tt.right)
			content(t, m, origins.Request{Key: "a.jpg"})
			write("hunter2 is half a secret!")
			if e := fails(t, m, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || !strings.Contains(e.Remedy, tt.name) {
				t.Errorf("with half a secret: got %v, remedy %q", e, e.Remedy)
			}
		})
	}
}

func TestProvisionConnectsToNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var connections, tokens atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			conn.Close()
		}
	}()
	tokenService(t, false, func(*http.Request) (*http.Response, error) {
		tokens.Add(1)
		return nil, errors.New("no network here")
	})
	start := time.Now()
	for _, m := range []*Module{
		{Container: holder, Endpoint: "https://" + listener.Addr().String()},
		{Account: account, Container: holder, Endpoint: "http://" + listener.Addr().String(), AccountKey: goodKey},
		{Account: account, Container: holder, Endpoint: "http://" + listener.Addr().String(), SASToken: goodSAS},
		{Account: account, Container: holder, SASToken: "sp=r&se=2020-01-01&sig=hunter2"}, // expired, which is only warned of
	} {
		provisioned(t, m)
	}
	if took := time.Since(start); took > time.Second || connections.Load() != 0 || tokens.Load() != 0 {
		t.Errorf("%d connections and %d requests for tokens within %v", connections.Load(), tokens.Load(), took)
	}
}

func TestProvisionNamesMistakes(t *testing.T) {
	t.Setenv("IMAGEORIGIN_TEST_SECRET", "hunter2!")
	for _, tt := range []struct {
		name   string
		module *Module
		want   string
	}{
		{"an unknown placeholder", &Module{Account: "{env.IMAGEORIGIN_TEST_NOTHING}", Container: holder}, "account: "},
		{"an unset secret", &Module{Account: account, Container: holder, SASToken: "{env.IMAGEORIGIN_TEST_NOTHING}"}, "sas_token: "},
		{"half a key", &Module{Account: account, Container: holder, AccountKey: "{env.IMAGEORIGIN_TEST_SECRET}"}, "account_key: the key is not in Base64"},
		{"half a SAS", &Module{Account: account, Container: holder, SASToken: "{env.IMAGEORIGIN_TEST_SECRET}"}, "sas_token: the SAS is cut off"},
		{"no authorities", &Module{Account: account, Container: holder, Connection: remote.Connection{TLSCA: "/nonexistent/ca.pem"}}, "tls_ca"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.module.Provision(caddy.Context{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			keepsQuiet(t, err)
			if err := tt.module.Cleanup(); err != nil {
				t.Errorf("Cleanup after half a Provision: %v", err)
			}
		})
	}
}

func TestAReloadKeepsTheConnections(t *testing.T) {
	first := provisioned(t, &Module{Account: account, Container: holder, SASToken: goodSAS})
	second := provisioned(t, &Module{Account: account, Container: "other", AccountKey: goodKey})
	if a, b := inner(first), inner(second); a != b {
		t.Errorf("two origins at one account have the transports %s and %s", a, b)
	}
}

// inner returns what identifies the transport of a module.
func inner(m *Module) string { return fmt.Sprintf("%v", m.origin.transport.(storeTransport).Transport) }

func TestSecretsAreNamedToTheHost(t *testing.T) {
	m := &Module{SASToken: "a", AccountKey: "b"}
	if got := m.Secrets(); len(got) != 2 || got["sas_token"] != "a" || got["account_key"] != "b" {
		t.Errorf("got %q", got)
	}
}
