package gcs

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestCaddyfileIsReadWhole(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a bucket alone", "gcs photos", `{"bucket":"photos"}`},
		{"a bucket in the block", "gcs {\n bucket {env.BUCKET}\n anonymous\n}", `{"bucket":"{env.BUCKET}","anonymous":true}`},
		{
			"a file",
			"gcs photos {\n prefix {env.FOLDER}\n credentials_file {env.KEY}\n endpoint {env.STORE}\n user_project payer\n connect_timeout 2s\n tls_ca /ca.pem\n tls_server_name x\n}",
			`{"bucket":"photos","prefix":"{env.FOLDER}","credentials_file":"{env.KEY}","endpoint":"{env.STORE}","user_project":"payer","connect_timeout":2000000000,"tls_ca":"/ca.pem","tls_server_name":"x"}`,
		},
		{
			"parts, in any order",
			"gcs photos {\n private_key {file./run/secrets/gcs.pem}\n private_key_id {env.ID}\n token_uri {env.URI}\n client_email {env.MAIL}\n}",
			`{"bucket":"photos","client_email":"{env.MAIL}","private_key":"{file./run/secrets/gcs.pem}","private_key_id":"{env.ID}","token_uri":"{env.URI}"}`,
		},
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
		{"no bucket", "gcs", "bucket is empty"},
		{"two buckets", "gcs photos videos", "a bucket is one argument, not 2"},
		{"a URL", "gcs gs://photos", "write the bucket's name alone, at Testfile:1"},
		{"the bucket twice", "gcs photos {\n bucket videos\n}", "bucket is already set at Testfile:1, at Testfile:2"},
		{"an unknown word", "gcs photos {\n key hunter2\n}", `unknown option "key"; expected bucket, prefix, credentials_file, client_email, private_key,`},
		{"a key in pieces", "gcs photos {\n private_key hunter2 hunter2\n}", "wrong number of arguments; write private_key <pem>, at Testfile:2"},
		{"a prefix that leads up", "gcs photos {\n\n prefix ../x\n}", "is no folder of a bucket; write it like images/products, at Testfile:3"},
		{"an endpoint without scheme", "gcs photos {\n endpoint hunter2:4443\n}", "endpoint is no URL; write it like https://storage.googleapis.com, at Testfile:2"},
		{"two logins", "gcs photos {\n credentials_file {env.KEY}\n client_email a@b\n}", "remove it, or remove them, at Testfile:3"},
		{"a login for nobody", "gcs photos {\n private_key {env.KEY}\n anonymous\n}", "anonymous sends no credentials; remove it, or remove them, at Testfile:3"},
		{"nobody pays", "gcs photos {\n user_project {env.X}\n anonymous\n}", "remove anonymous, and set credentials, at Testfile:3"},
		{"an address without a key", "gcs photos {\n client_email a@b\n}", "private_key is missing; write the key of client_email, or use credentials_file instead, at Testfile:1"},
		{"a key without an address", "gcs photos {\n private_key {env.KEY}\n}", "client_email is missing"},
		{"no key at all", "gcs photos {\n client_email a@b\n private_key hunter2\n}", "private_key is not in PEM form"},
		{"no address at all", "gcs photos {\n client_email hunter2\n private_key {env.KEY}\n}", "client_email is no address"},
		{"no URL for tokens", "gcs photos {\n client_email a@b\n private_key {env.KEY}\n token_uri hunter2\n}", "token_uri is no URL"},
		{"anonymous with a value", "gcs photos {\n anonymous yes\n}", "wrong number of arguments; write anonymous, at Testfile:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := new(Module).UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
}

// provision provisions m outside of a configuration, and cleans up at the end of the test.
func provision(t *testing.T, m *Module) error {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if err := m.Cleanup(); err != nil {
			t.Errorf("Cleanup: %v", err)
		}
	})
	return m.Provision(ctx)
}

func TestProvisionNamesMistakes(t *testing.T) {
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	other := writeFile(t, "user.json", []byte(`{"type":"authorized_user","refresh_token":"hunter2"}`))
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"no bucket", Module{}, "bucket is empty"},
		{"a missing variable for the bucket", Module{Bucket: "{env.IMAGEORIGIN_TEST_UNSET}"}, "bucket:"},
		{"a missing variable for the folder", Module{Bucket: "photos", Prefix: "{env.IMAGEORIGIN_TEST_UNSET}"}, "prefix:"},
		{"a missing variable for the endpoint", Module{Bucket: "photos", Endpoint: "{env.IMAGEORIGIN_TEST_UNSET}"}, "endpoint:"},
		{"a missing variable for who pays", Module{Bucket: "photos", UserProject: "{env.IMAGEORIGIN_TEST_UNSET}"}, "user_project:"},
		{"a missing variable for the file", Module{Bucket: "photos", CredentialsFile: "{env.IMAGEORIGIN_TEST_UNSET}"}, "credentials_file:"},
		{"a file that isn't there", Module{Bucket: "photos", CredentialsFile: other + "x"}, "reading credentials_file"},
		{"a file of another type", Module{Bucket: "photos", CredentialsFile: other}, "leave credentials_file out"},
		{"a missing variable for the key", Module{Bucket: "photos", ClientEmail: "a@b", PrivateKey: "{env.IMAGEORIGIN_TEST_UNSET}"}, "private_key:"},
		{"a placeholder of a request", Module{Bucket: "photos", ClientEmail: "{http.request.host}", PrivateKey: "x"}, "client_email:"},
		{"no key at all", Module{Bucket: "photos", ClientEmail: "a@b", PrivateKey: "hunter2"}, "PEM form"},
		{"an address without a key", Module{Bucket: "photos", ClientEmail: "a@b"}, "private_key is missing"},
		{"a token endpoint without an address", Module{Bucket: "photos", TokenURI: "https://example.com"}, "client_email is missing"},
		{"two logins", Module{Bucket: "photos", CredentialsFile: other, PrivateKeyID: "x"}, "remove it, or remove them"},
		{"a login for nobody", Module{Bucket: "photos", CredentialsFile: other, Anonymous: true}, "anonymous sends no credentials"},
		{"no URL", Module{Bucket: "photos", Endpoint: "hunter2:80"}, "endpoint is no URL"},
		{"no authority", Module{Bucket: "photos", Connection: remote.Connection{TLSCA: other}}, "PEM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := provision(t, &tt.m)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
}

func TestProvisionConnectsToNothing(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
	f := newFake(t, "", nil)
	account := f.account(t)
	for _, m := range []*Module{
		{Bucket: testBucket, Endpoint: f.URL},
		{Bucket: testBucket, Endpoint: f.URL, CredentialsFile: writeFile(t, "key.json", account.JSON())},
		{Bucket: testBucket, Endpoint: f.URL, ClientEmail: account.ClientEmail, PrivateKey: account.PrivateKey, TokenURI: account.TokenURI},
	} {
		if err := provision(t, m); err != nil {
			t.Error(err)
		}
	}
	if f.mu.Lock(); len(f.requests) != 0 {
		t.Errorf("%d requests were made", len(f.requests))
	}
	f.mu.Unlock()
}

func TestModuleFetchesWithSecretsFromPlaceholders(t *testing.T) {
	f := newFake(t, "folder/", pictures)
	account := f.account(t)
	keyFile := writeFile(t, "key.json", account.JSON())
	pemFile := writeFile(t, "key.pem", []byte(account.PrivateKey))
	t.Setenv("IMAGEORIGIN_TEST_STORE", f.URL)
	t.Setenv("IMAGEORIGIN_TEST_BUCKET", testBucket)
	t.Setenv("IMAGEORIGIN_TEST_FILE", keyFile)
	t.Setenv("IMAGEORIGIN_TEST_EMAIL", account.ClientEmail)
	t.Setenv("IMAGEORIGIN_TEST_KEY", strings.ReplaceAll(account.PrivateKey, "\n", `\n`))
	for name, m := range map[string]*Module{
		"a file":            {CredentialsFile: "{env.IMAGEORIGIN_TEST_FILE}"},
		"a key in PEM":      {ClientEmail: "{env.IMAGEORIGIN_TEST_EMAIL}", PrivateKey: "{file." + pemFile + "}", TokenURI: account.TokenURI},
		"a key in one line": {ClientEmail: "{env.IMAGEORIGIN_TEST_EMAIL}", PrivateKey: "{env.IMAGEORIGIN_TEST_KEY}", TokenURI: account.TokenURI},
	} {
		m.Bucket, m.Endpoint, m.Prefix = "{env.IMAGEORIGIN_TEST_BUCKET}", "{env.IMAGEORIGIN_TEST_STORE}", "folder"
		if err := provision(t, m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, _ := fetch(t, m, origins.Request{Key: "a.jpg"}); got != "a picture" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestReplacedPrivateKeyWorksAtTheNextRequest(t *testing.T) {
	f := newFake(t, "", pictures)
	account := f.account(t)
	_, wrong := newRSA(t)
	name := writeFile(t, "key.pem", []byte(wrong))
	m := &Module{
		Bucket: testBucket, Endpoint: f.URL, ClientEmail: account.ClientEmail, PrivateKey: "{file." + name + "}", TokenURI: account.TokenURI,
	}
	if err := provision(t, m); err != nil {
		t.Fatal(err)
	}
	if e := refusal(t, m, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
		t.Fatalf("with the wrong key: %v", e)
	}
	if err := os.WriteFile(name, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := refusal(t, m, origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied || !strings.Contains(e.Error(), "PEM form") {
		t.Errorf("with half a key: %v", e)
	}
	if err := os.WriteFile(name, []byte(account.PrivateKey), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(t, m, origins.Request{Key: "a.jpg"})
}

func TestReloadKeepsConnectionsAndTakesANewKey(t *testing.T) {
	f := newFake(t, "", pictures)
	account := f.account(t)
	_, wrong := newRSA(t)
	load := func(key string) *Module {
		m := &Module{Bucket: testBucket, Endpoint: f.URL, ClientEmail: account.ClientEmail, PrivateKey: key, TokenURI: account.TokenURI}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := load(account.PrivateKey)
	fetch(t, before, origins.Request{Key: "a.jpg"})
	first := f.last().RemoteAddr
	after := load(account.PrivateKey)
	if err := before.Cleanup(); err != nil {
		t.Fatal(err)
	}
	fetch(t, after, origins.Request{Key: "a.jpg"})
	if second := f.last().RemoteAddr; first != second {
		t.Errorf("the reload opened another connection: %s, before %s", second, first)
	}
	if e := refusal(t, load(wrong), origins.Request{Key: "a.jpg"}); e.Kind != origins.Denied {
		t.Errorf("with a wrong key: got %v", e)
	}
}

func TestSecretsAreCredentialsAlone(t *testing.T) {
	m := Module{Bucket: "b", ClientEmail: "me", PrivateKey: "a key", PrivateKeyID: "an id", CredentialsFile: "a name"}
	if got := m.Secrets(); !maps.Equal(got, map[string]string{"private_key": "a key"}) {
		t.Errorf("got %q", got)
	}
}

func TestManualNamesEveryOption(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "origins", "gcs.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		if !strings.Contains(string(page), "`"+o.Usage+"`") {
			t.Errorf("docs/origins/gcs.md doesn't say what %s means", o.Usage)
		}
	}
}
