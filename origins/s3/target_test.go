package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestTargetsTellWhatIsRead(t *testing.T) {
	quiet(t)
	t.Setenv("IMAGEORIGIN_TEST_BUCKET", "photos")
	type guest interface {
		caddy.Provisioner
		caddy.CleanerUpper
		Target() string
		ReadsQuery() bool
		ForwardsHost() bool
	}
	const amazon, other = `s3 "photos" "" "eu-west-1"`, `s3_compatible "photos" "" "us-east-1" "https://s3.example.com:443" "host_style"`
	for _, tt := range []struct {
		name string
		m    guest
		want string
	}{
		{"a bucket", &Module{Bucket: "photos", Region: "eu-west-1"}, amazon},
		{"by a placeholder", &Module{Bucket: "{env.IMAGEORIGIN_TEST_BUCKET}", Region: "eu-west-1"}, amazon},
		{"with keys", &Module{Bucket: "photos", Region: "eu-west-1", AccessKey: "hunter2", SecretKey: "hunter2", SessionToken: "hunter2"}, amazon},
		{"as a role", &Module{Bucket: "photos", Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/hunter2", ExternalID: "hunter2"}, amazon},
		{"as nobody", &Module{Bucket: "photos", Region: "eu-west-1", Anonymous: true}, amazon},
		{"paying", &Module{Bucket: "photos", Region: "eu-west-1", RequesterPays: true}, amazon},
		{"in no hurry", &Module{Bucket: "photos", Region: "eu-west-1", Connection: remote.Connection{ConnectTimeout: caddy.Duration(time.Minute)}}, amazon},
		{"another bucket", &Module{Bucket: "pictures", Region: "eu-west-1"}, `s3 "pictures" "" "eu-west-1"`},
		{"another region", &Module{Bucket: "photos", Region: "cn-north-1"}, `s3 "photos" "" "cn-north-1"`},
		{"a folder", &Module{Bucket: "photos", Region: "eu-west-1", Prefix: "/large/"}, `s3 "photos" "large" "eu-west-1"`},
		{"another certificate", &Module{Bucket: "photos", Region: "eu-west-1", Connection: remote.Connection{TLSServerName: "S3.internal"}}, amazon + ` tls_server_name "s3.internal"`},

		{"another store", &Compatible{Endpoint: "https://s3.example.com", Module: Module{Bucket: "photos"}}, other},
		{"in other spelling", &Compatible{Endpoint: "https://S3.Example.com:443/", Module: Module{Bucket: "photos", Region: "us-east-1"}}, other},
		{"with keys", &Compatible{Endpoint: "https://s3.example.com", Module: Module{Bucket: "photos", AccessKey: "hunter2", SecretKey: "hunter2"}}, other},
		{"on another port", &Compatible{Endpoint: "https://s3.example.com:9000", Module: Module{Bucket: "photos"}}, strings.Replace(other, "443", "9000", 1)},
		{"in the clear", &Compatible{Endpoint: "http://s3.example.com", Module: Module{Bucket: "photos"}}, strings.Replace(other, "https://s3.example.com:443", "http://s3.example.com:80", 1)},
		{"the bucket in the path", &Compatible{Endpoint: "https://s3.example.com", PathStyle: true, Module: Module{Bucket: "photos"}}, strings.Replace(other, "host_style", "path_style", 1)},
		{"another region there", &Compatible{Endpoint: "https://s3.example.com", Module: Module{Bucket: "photos", Region: "auto"}}, strings.Replace(other, "us-east-1", "auto", 1)},
	} {
		if err := provision(t, tt.m); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := tt.m.Target(); got != tt.want || tt.m.ReadsQuery() || tt.m.ForwardsHost() {
			t.Errorf("%s: got %s, query %v, host %v, want %s alone", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}
