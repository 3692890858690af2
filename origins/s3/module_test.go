package s3

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestCaddyfileBecomesJSON(t *testing.T) {
	for _, tt := range []struct {
		name   string
		module caddyfile.Unmarshaler
		text   string
		want   string
	}{
		{"the least", new(Module), "s3 {\n bucket pictures\n}", `{"bucket":"pictures"}`},
		{
			"everything", new(Module), `s3 {
				bucket pictures
				region eu-west-1
				prefix shop/
				access_key {env.ID}
				secret_key {file./run/secrets/s3}
				session_token {env.TOKEN}
				role_arn arn:aws:iam::123456789012:role/pictures
				external_id partner
				requester_pays
				connect_timeout 2s
				tls_ca /etc/ca.pem
				tls_server_name s3.example.org
			}`,
			`{"bucket":"pictures","region":"eu-west-1","prefix":"shop/","access_key":"{env.ID}","secret_key":"{file./run/secrets/s3}",` +
				`"session_token":"{env.TOKEN}","role_arn":"arn:aws:iam::123456789012:role/pictures","external_id":"partner","requester_pays":true,` +
				`"connect_timeout":2000000000,"tls_ca":"/etc/ca.pem","tls_server_name":"s3.example.org"}`,
		},
		{
			"placeholders, which are not judged", new(Module), "s3 {\n bucket {env.B}/x\n region {env.R}\n prefix ../{env.P}\n role_arn {env.A}\n external_id {env.E}\n}",
			`{"bucket":"{env.B}/x","region":"{env.R}","prefix":"../{env.P}","role_arn":"{env.A}","external_id":"{env.E}"}`,
		},
		{"a public bucket", new(Module), "s3 {\n bucket pictures\n anonymous\n}", `{"bucket":"pictures","anonymous":true}`},
		{
			"another store", new(Compatible), "s3_compatible {\n endpoint https://s3.example.com\n path_style\n bucket Old_Pictures\n access_key {env.A}\n secret_key {env.B}\n}",
			`{"endpoint":"https://s3.example.com","path_style":true,"bucket":"Old_Pictures","access_key":"{env.A}","secret_key":"{env.B}"}`,
		},
		{
			"another store, in another order", new(Compatible), "s3_compatible {\n bucket minio\n region auto\n connect_timeout 1s\n endpoint {env.SCHEME}://minio.example.com\n}",
			`{"endpoint":"{env.SCHEME}://minio.example.com","bucket":"minio","region":"auto","connect_timeout":1000000000}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.module.UnmarshalCaddyfile(caddyfile.NewTestDispenser(tt.text)); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(tt.module)
			if string(got) != tt.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestCaddyfileMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, options, want string }{
		{"unknown word", "buckets x", `unknown option "buckets"; expected bucket, region, prefix, access_key,`},
		{"another store's word", "endpoint https://s3.example.com", `write the type s3_compatible`},
		{"twice", "secret_key hunter2\nsecret_key hunter3", "secret_key is already set at Testfile:2, at Testfile:3"},
		{"too much", "secret_key hunter2 hunter3", "wrong number of arguments; write secret_key <key>, at Testfile:2"},
		{"nothing", "access_key", "wrong number of arguments; write access_key <key>, at Testfile:2"},
		{"a switch with a value", "anonymous yes", "write anonymous, at Testfile:2"},
		{"no bucket", "region eu-west-1", "bucket is empty; write the name of the bucket, as in: bucket product-images, at Testfile:1"},
		{"a folder in the bucket", "region eu-west-1\nbucket pictures/shop", `bucket "pictures/shop" has a slash; write the name of the bucket only, and put the folder into prefix, at Testfile:3`},
		{"a URL as bucket", "bucket https://hunter2.s3.amazonaws.com", "bucket is a URL; write the name of the bucket only"},
		{"an ARN as bucket", "bucket arn:aws:s3:::pictures", "is an ARN; write the name of the bucket"},
		{"capitals in the bucket", "bucket Pictures", "has capital letters; write it in small ones, or"},
		{"an underline in the bucket", "bucket my_pictures", "is not a name that a bucket can have: 3 to 63 small letters, digits, dots and hyphens"},
		{"a short bucket", "bucket ab", "is not a name"},
		{"a long bucket", "bucket " + strings.Repeat("a", 64), "is not a name"},
		{"an address as bucket", "bucket 192.168.5.4", "is not a name"},
		{"two dots in the bucket", "bucket a..b", "is not a name"},
		{"a hyphen before the bucket", "bucket -pictures", "is not a name"},
		{"a directory bucket", "bucket pictures--usw2-az1--x-s3", "is a directory bucket"},
		{"no region", "bucket pictures\nregion Europe/Paris", `region "Europe/Paris" is not a name that a region can have; write it like eu-west-1, at Testfile:3`},
		{"a zone", "bucket pictures\nregion us-gov-east-1b", `region "us-gov-east-1b" is an availability zone; write region us-gov-east-1, at Testfile:3`},
		{"a prefix that leads out", "prefix shop/../..", `prefix "shop/../.." leads elsewhere`},
		{"a prefix with a gap", "prefix shop//x", "without double slashes"},
		{"a prefix that fills the name", "prefix " + strings.Repeat("x", 1023), "prefix is 1023 bytes long"},
		{"half of the keys", "bucket pictures\naccess_key {env.A}", "access_key has no secret_key beside it; set both, or neither"},
		{"the other half", "bucket pictures\nsecret_key hunter2", "secret_key has no access_key beside it"},
		{"a token alone", "bucket pictures\nsession_token hunter2", "session_token belongs to access_key and secret_key"},
		{"keys of nobody", "anonymous\naccess_key hunter2", "anonymous and access_key contradict each other; remove one of them, at Testfile:3"},
		{"nobody's keys", "secret_key {env.A}\nanonymous", "anonymous and access_key contradict each other; remove one of them, at Testfile:3"},
		{"a role of nobody", "anonymous\nrole_arn {env.A}", "anonymous and role_arn contradict each other"},
		{"nobody pays", "anonymous\nrequester_pays", "somebody must pay"},
		{"no role", "role_arn pictures", "role_arn is not the ARN of a role; write it like arn:aws:iam::123456789012:role/pictures, at Testfile:2"},
		{"no role but a user", "role_arn arn:aws:iam::123456789012:user/x", "role_arn is not the ARN of a role"},
		{"an ID without a role", "bucket pictures\nexternal_id x", "external_id belongs to a role; set role_arn, or remove it, at Testfile:1"},
		{"no time", "connect_timeout soon", `"soon" is not a time above 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mistake(t, new(Module), "s3 {\n"+tt.options+"\n}", tt.want)
		})
	}
	mistake(t, new(Module), "s3 hunter2 {\n bucket pictures\n}", "s3 takes no arguments; write what it needs into its block, as in: bucket product-images, at Testfile:1")
}

func TestMistakesAboutOtherStoresAreNamed(t *testing.T) {
	for _, tt := range []struct{ name, options, want string }{
		{"unknown word", "force_path_style", `unknown option "force_path_style"; expected endpoint, path_style, bucket, region,`},
		{"no endpoint", "bucket pictures", "endpoint is empty; write the URL of the store, as in: endpoint https://s3.example.com, at Testfile:1"},
		{"no bucket", "endpoint https://s3.example.com", "bucket is empty"},
		{"no scheme", "endpoint s3.example.com", "endpoint has no scheme; write http:// or https:// before it, at Testfile:2"},
		{"a port and no scheme", "endpoint localhost:9000", "endpoint has no scheme"},
		{"another scheme", "endpoint s3://pictures", `endpoint has the scheme "s3"; use http or https`},
		{"no host", "endpoint https://", "endpoint has no host"},
		{"no URL", "endpoint https://a%zz", "endpoint is not a URL"},
		{"a user", "endpoint https://user:hunter2@s3.example.com", "endpoint has a user name or password; use access_key and secret_key"},
		{"a query", "endpoint https://s3.example.com/?hunter2", "endpoint has a query or a fragment"},
		{"a path", "endpoint https://s3.example.com/pictures", "endpoint has a path; write scheme and host only, the bucket as bucket"},
		{"the bucket in the host", "endpoint https://pictures.s3.eu-central-1.wasabisys.com\nbucket pictures", "endpoint has the bucket in its host already; write endpoint https://s3.eu-central-1.wasabisys.com, at Testfile:3"},
		{"the bucket in a Space's host", "bucket pictures\nendpoint https://pictures.fra1.digitaloceanspaces.com", "write endpoint https://fra1.digitaloceanspaces.com, at Testfile:3"},
		{"keys of nobody", "anonymous\naccess_key hunter2", "anonymous and access_key contradict each other; remove one of them, at Testfile:3"},
		{"half of the keys", "endpoint https://s3.example.com\nbucket pictures\naccess_key {env.A}", "access_key has no secret_key beside it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mistake(t, new(Compatible), "s3_compatible {\n"+tt.options+"\n}", tt.want)
		})
	}
}

// mistake reads text, which must fail with want in the error, and no secret.
func mistake(t *testing.T, m caddyfile.Unmarshaler, text, want string) {
	t.Helper()
	err := m.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v, want %q in it and no secret", err, want)
	}
}

// provision provisions m outside of a configuration, and cleans up at the end of the test.
func provision(t *testing.T, m interface {
	caddy.Provisioner
	caddy.CleanerUpper
},
) error {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if err := m.Cleanup(); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
	return m.Provision(ctx)
}

func TestProvisionNamesMistakes(t *testing.T) {
	quiet(t)
	const missing = "{env.IMAGEORIGIN_TEST_UNSET}"
	os.Unsetenv("IMAGEORIGIN_TEST_UNSET")
	t.Setenv("IMAGEORIGIN_TEST_VALUE", "a/hunter2/b")
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"no bucket", Module{Region: region}, "bucket is empty"},
		{"no region", Module{Bucket: "pictures"}, "region is empty; write the one that the bucket is in, as in: region eu-west-1, or set AWS_REGION in the environment"},
		{"a missing bucket", Module{Bucket: missing, Region: region}, "bucket:"},
		{"a missing region", Module{Bucket: "pictures", Region: missing}, "region:"},
		{"a missing prefix", Module{Bucket: "pictures", Region: region, Prefix: missing}, "prefix:"},
		{"a missing role", Module{Bucket: "pictures", Region: region, RoleARN: missing}, "role_arn:"},
		{"a missing key", Module{Bucket: "pictures", Region: region, AccessKey: missing, SecretKey: "hunter2"}, "access_key:"},
		{"a missing secret", Module{Bucket: "pictures", Region: region, AccessKey: "hunter2", SecretKey: "{file./nonexistent/secret}"}, "secret_key:"},
		{"a missing token", Module{Bucket: "pictures", Region: region, AccessKey: "hunter2", SecretKey: "hunter2", SessionToken: missing}, "session_token:"},
		{"half of the keys", Module{Bucket: "pictures", Region: region, AccessKey: "hunter2"}, "access_key has no secret_key"},
		{"keys of nobody", Module{Bucket: "pictures", Region: region, Anonymous: true, AccessKey: "hunter2", SecretKey: "hunter2"}, "contradict"},
		{"an ID without a role", Module{Bucket: "pictures", Region: region, ExternalID: "x"}, "external_id belongs to a role"},
		{"a role that is none", Module{Bucket: "pictures", Region: region, RoleARN: "{env.IMAGEORIGIN_TEST_VALUE}"}, "role_arn is not the ARN of a role"},
		{"authorities that aren't there", Module{Bucket: "pictures", Region: region, Connection: remote.Connection{TLSCA: "/nonexistent/ca.pem"}}, "reading tls_ca"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provision(t, &tt.m); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got %v, want %q in it and no secret", err, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name string
		m    Compatible
		want string
	}{
		{"no endpoint", Compatible{Module: Module{Bucket: "pictures"}}, "endpoint is empty"},
		{"a missing endpoint", Compatible{Endpoint: missing, Module: Module{Bucket: "pictures"}}, "endpoint:"},
		{"no bucket", Compatible{Endpoint: "https://s3.example.com"}, "bucket is empty"},
		{"a path", Compatible{Endpoint: "https://s3.example.com/x", Module: Module{Bucket: "pictures"}}, "endpoint has a path"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := provision(t, &tt.m); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestRegionsHaveDefaults(t *testing.T) {
	for _, tt := range []struct{ written, first, second, want string }{
		{"", "ap-south-1", "ap-south-2", "ap-south-1"},
		{"", "", "ap-south-2", "ap-south-2"},
		{"eu-west-3", "ap-south-1", "", "eu-west-3"},
	} {
		quiet(t)
		t.Setenv("AWS_REGION", tt.first)
		t.Setenv("AWS_DEFAULT_REGION", tt.second)
		m := &Module{Bucket: "pictures", Region: tt.written}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		if got := m.origin.config.Region; got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
		c := &Compatible{Endpoint: "https://s3.example.com/", Module: Module{Bucket: "pictures", Region: tt.written}}
		if err := provision(t, c); err != nil {
			t.Fatal(err)
		}
		if got, want := c.origin.config.Region, map[string]string{"": "us-east-1", "eu-west-3": "eu-west-3"}[tt.written]; got != want {
			t.Errorf("another store's region is %s, want %s", got, want)
		}
	}
}

func TestProvisionAsksNobody(t *testing.T) {
	quiet(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1") // which never answers
	t.Setenv("AWS_DEFAULTS_MODE", "auto")                             // which asks where we are
	t.Setenv("AWS_CONFIG_FILE", t.TempDir())                          // which is no file
	start := time.Now()
	for _, m := range []interface {
		caddy.Provisioner
		caddy.CleanerUpper
	}{
		&Module{Bucket: "pictures", Region: region, RoleARN: role},
		&Compatible{Endpoint: "https://192.0.2.1", Module: Module{Bucket: "pictures"}},
	} {
		if err := provision(t, m); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestModuleReadsKeysAgainWhenTheirFilesChange(t *testing.T) {
	f := newFake(t, map[string][]byte{"shop/a.jpg": []byte("a")}, false)
	dir := t.TempDir()
	write := func(name, content string, modified time.Time) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
		return name
	}
	then := time.Now().Add(-time.Hour)
	id, secret, token := write("id", otherKeys.AccessKey, then), write("secret", otherKeys.SecretKey, then), write("token", "stale", then)
	t.Setenv("IMAGEORIGIN_TEST_ENDPOINT", f.URL)
	m := &Compatible{Endpoint: "{env.IMAGEORIGIN_TEST_ENDPOINT}", PathStyle: true, Module: Module{
		Bucket: f.bucket, Prefix: "shop", AccessKey: "{file." + id + "}", SecretKey: "{file." + secret + "}", SessionToken: "{file." + token + "}",
	}}
	if err := provision(t, m); err != nil {
		t.Fatal(err)
	}
	if e := refusedAs(t, m, origins.Request{Key: "a.jpg"}); !strings.Contains(e.Error(), "InvalidAccessKeyId") {
		t.Errorf("got %v", e)
	}
	write("id", roleKeys.AccessKey, time.Now())
	write("secret", roleKeys.SecretKey, time.Now())
	write("token", roleKeys.SessionToken, time.Now())
	if got := fetch(t, m, origins.Request{Key: "a.jpg"}); got != "a" {
		t.Errorf("got %q", got)
	}
	holdsNoSecret(t, fmt.Sprintf("%v %+v", m, m))
}

func TestReloadKeepsConnectionsAndTakesNewKeys(t *testing.T) {
	f := newFake(t, map[string][]byte{"a.jpg": []byte("a")}, false)
	load := func(k Keys) *Compatible {
		m := &Compatible{Endpoint: f.URL, Module: Module{Bucket: f.bucket, AccessKey: k.AccessKey, SecretKey: k.SecretKey}}
		if err := provision(t, m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := load(otherKeys)
	refusedAs(t, before, origins.Request{Key: "a.jpg"})
	first := f.last(t).RemoteAddr
	after := load(rightKeys)
	if err := before.Cleanup(); err != nil {
		t.Fatal(err)
	}
	fetch(t, after, origins.Request{Key: "a.jpg"})
	if second := f.last(t).RemoteAddr; second != first {
		t.Errorf("the new configuration connects from %s, want %s", second, first)
	}
}

func TestSecretsAreNamedToTheHost(t *testing.T) {
	m := &Compatible{Module: Module{AccessKey: "id", SecretKey: "secret", SessionToken: "token"}}
	if got, want := m.Secrets(), map[string]string{"secret_key": "secret", "session_token": "token"}; !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManualNamesEveryOption(t *testing.T) {
	text, err := os.ReadFile("../../docs/origins/s3.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range compatibleOptions {
		if !strings.Contains(string(text), "| `"+o.Usage+"`") {
			t.Errorf("the table lacks %s", o.Usage)
		}
	}
}
