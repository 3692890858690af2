package gcs

import (
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins/remote"
)

func TestTargetsTellWhatIsRead(t *testing.T) {
	_, key := testKey(t)
	t.Setenv("IMAGEORIGIN_TEST_BUCKET", "photos")
	file := writeFile(t, "key.json", ServiceAccount{ClientEmail: testEmail, PrivateKey: key}.JSON())
	const google = `gcs "photos" "" "https://storage.googleapis.com:443/storage/v1"`
	for _, tt := range []struct {
		name string
		m    Module
		want string
	}{
		{"a bucket", Module{Bucket: "photos"}, google},
		{"by a placeholder", Module{Bucket: "{env.IMAGEORIGIN_TEST_BUCKET}"}, google},
		{"at the usual place", Module{Bucket: "photos", Endpoint: "https://STORAGE.googleapis.com:443/storage/v1"}, google},
		{"as nobody", Module{Bucket: "photos", Anonymous: true}, google},
		{"with a key", Module{Bucket: "photos", ClientEmail: testEmail, PrivateKey: key, PrivateKeyID: "hunter2"}, google},
		{"with a file", Module{Bucket: "photos", CredentialsFile: file}, google},
		{"paid by others", Module{Bucket: "photos", UserProject: "payer"}, google},
		{"another bucket", Module{Bucket: "pictures"}, strings.Replace(google, "photos", "pictures", 1)},
		{"a folder", Module{Bucket: "photos", Prefix: "/large"}, strings.Replace(google, `""`, `"large/"`, 1)},
		{"another place", Module{Bucket: "photos", Endpoint: "http://127.0.0.1:4443"}, `gcs "photos" "" "http://127.0.0.1:4443/storage/v1"`},
		{"another path", Module{Bucket: "photos", Endpoint: "http://127.0.0.1:4443/api/"}, `gcs "photos" "" "http://127.0.0.1:4443/api"`},
		{"another certificate", Module{Bucket: "photos", Connection: remote.Connection{TLSServerName: "gcs.internal"}}, google + ` tls_server_name "gcs.internal"`},
	} {
		if err := provision(t, &tt.m); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := tt.m.Target(); got != tt.want || tt.m.ReadsQuery() || tt.m.ForwardsHost() {
			t.Errorf("%s: got %s, query %v, host %v, want %s alone", tt.name, got, tt.m.ReadsQuery(), tt.m.ForwardsHost(), tt.want)
		}
	}
}
