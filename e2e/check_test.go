package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"github.com/imageorigin/imageorigin/e2e/faults"
	"github.com/imageorigin/imageorigin/e2e/stores"
)

// TestCheckNamesCauseAndRemedy runs `caddy imageorigin check` on origins that are right, and on origins with each of
// the mistakes that people make.
func TestCheckNamesCauseAndRemedy(t *testing.T) {
	s3, gcs, azure := stores.S3(t), stores.GCS(t), stores.Azure(t)
	for _, store := range []putter{s3, gcs, azure} {
		store.Put("shoes/red.png", pngOf(t, 40, 40), "image/png", "")
	}
	retired := stores.GCS(t)
	retired.Disable(true)
	secure := faults.Start(t, s3.Addr) // speaks TLS, too, with a certificate that the system doesn't trust
	silent := faults.Start(t, s3.Addr)
	silent.Set(faults.Hang())
	refusing := faults.Start(t, s3.Addr)
	refusing.Set(faults.Refuse())

	bucket := func(bucket, endpoint, region, access, secret string) string {
		return fmt.Sprintf("bucket %s\nendpoint %s\nregion %s\npath_style\naccess_key %s\nsecret_key %s", bucket, endpoint, region, access, secret)
	}
	plain := "http://" + s3.Addr
	reader, stranger := s3.Reader, s3.Stranger
	container := func(name, credentials string) string {
		return fmt.Sprintf("account %s\ncontainer %s\nendpoint %s\n%s", azure.Account, name, azure.Endpoint(azure.URL), credentials)
	}
	read := azure.SAS(time.Now().Add(time.Hour), sas.ContainerPermissions{Read: true})
	for _, tt := range []struct {
		name, kind, options string
		ok                  bool
		want                string // what the line matches, behind name and type
	}{
		{"s3", "s3_compatible", bucket(s3.Bucket, plain, s3.Region, reader.Access, reader.Secret), true, `has "shoes/red.png": .* image/png in .*connect.*answer`},
		{"s3-secret", "s3_compatible", bucket(s3.Bucket, plain, s3.Region, reader.Access, "an-invented-wrong-secret"), false, `denied .*SignatureDoesNotMatch.*remedy: .*secret_key`},
		{"s3-id", "s3_compatible", bucket(s3.Bucket, plain, s3.Region, "AKIAINVENTEDNOBODY", "x"), false, `denied .*InvalidAccessKeyId.*remedy: .*access_key`},
		{"s3-rights", "s3_compatible", bucket(s3.Bucket, plain, s3.Region, stranger.Access, stranger.Secret), false, `denied .*AccessDenied.*remedy: .*s3:GetObject`},
		{"s3-region", "s3_compatible", bucket(s3.Bucket, plain, "us-west-9", reader.Access, reader.Secret), false, `unknown .*AuthorizationHeaderMalformed.*remedy: .*region ` + s3.Region},
		{"s3-bucket", "s3_compatible", bucket("no-such-bucket", plain, s3.Region, reader.Access, reader.Secret), false, `unknown .*NoSuchBucket.*remedy: .*bucket`},
		{"s3-style", "s3_compatible", strings.Replace(bucket(s3.Bucket, "http://s3.invalid", s3.Region, reader.Access, reader.Secret), "path_style\n", "", 1), false, `unreachable .*remedy: .*(host name|path_style)`},
		{"s3-tls", "s3_compatible", bucket(s3.Bucket, secure.SecureURL(), s3.Region, reader.Access, reader.Secret), false, `unreachable .*certificate.*remedy: .*tls_ca`},
		{"s3-http", "s3_compatible", bucket(s3.Bucket, "https://"+s3.Addr, s3.Region, reader.Access, reader.Secret), false, `unreachable .*remedy: .*http://`},
		{"s3-down", "s3_compatible", bucket(s3.Bucket, refusing.URL(), s3.Region, reader.Access, reader.Secret), false, `unreachable .*refused.*remedy: `},
		{"s3-silent", "s3_compatible", bucket(s3.Bucket, silent.URL(), s3.Region, reader.Access, reader.Secret), false, `timeout in `},
		{"gcs", "gcs", fmt.Sprintf("bucket %s\nendpoint %s\ncredentials_file %s", gcs.Bucket, "http://"+gcs.Addr, gcs.KeyFile), true, `has "shoes/red.png"`},
		{"gcs-rights", "gcs", fmt.Sprintf("bucket %s\nendpoint %s\ncredentials_file %s", gcs.Bucket, "http://"+gcs.Addr, gcs.Stranger()), false, `denied .*403.*remedy: .*objectViewer`},
		{"gcs-key", "gcs", fmt.Sprintf("bucket %s\nendpoint %s\ncredentials_file %s", retired.Bucket, "http://"+gcs.Addr, retired.KeyFile), false, `denied .*remedy: .*(key|clock)`},
		{"azure", "azure", container(azure.Container, fmt.Sprintf("account_key %q", azure.Key)), true, `has "shoes/red.png"`},
		{"azure-key", "azure", container(azure.Container, "account_key aW52ZW50ZWQgYWNjb3VudCBrZXkgb2YgMzIgYnl0ZXM="), false, `denied .*403 AuthorizationFailure; remedy: .*wrong key`},
		{"azure-sas", "azure", container(azure.Container, fmt.Sprintf("sas_token %q", read)), true, `has "shoes/red.png"`},
		{"azure-expired", "azure", container(azure.Container, fmt.Sprintf("sas_token %q", azure.SAS(time.Now().Add(-time.Hour), sas.ContainerPermissions{Read: true}))), false, `denied .*remedy: .*expired`},
		{"azure-container", "azure", container("no-such-container", fmt.Sprintf("account_key %q", azure.Key)), false, `unknown .*ContainerNotFound.*remedy: .*container`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Caddyfile")
			config := fmt.Sprintf("{\n\timageorigin {\n\t\torigin %s %s {\n%s\n\t\t}\n\t}\n}\nhttp://localhost {\n\timageorigin\n}\n", tt.name, tt.kind, tt.options)
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			check := exec.Command(caddyBinary, "imageorigin", "check", "--config", file, "--key", tt.name+"=shoes/red.png", "--timeout", "3s")
			check.Dir = filepath.Dir(file)
			out, err := check.Output()
			if (err == nil) != tt.ok {
				t.Errorf("the exit is %v", err)
			}
			mark := map[bool]string{true: "ok  ", false: "FAIL"}[tt.ok]
			line := strings.TrimSuffix(string(out), "\n")
			if !regexp.MustCompile(`^` + mark + `  ` + tt.name + ` +` + tt.kind + ` +` + tt.want).MatchString(line) {
				t.Errorf("got  %s\nwant %s … %s", line, mark, tt.want)
			}
			t.Log(line)
		})
	}
}
