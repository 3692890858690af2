package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

// TestCorrectedKeyWorksAtTheNextRequest corrects credentials in the three ways that there are.
func TestCorrectedKeyWorksAtTheNextRequest(t *testing.T) {
	s3, gcs := stores.S3(t), stores.GCS(t)
	for _, store := range []putter{s3, gcs} {
		store.Put("a.png", pngOf(t, 80, 40), "image/png", "")
	}
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	read := func(file string) string {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	options := func(secret string) string {
		return fmt.Sprintf(`
			origin literal s3_compatible {
				bucket %[1]s
				endpoint http://%[2]s
				region %[3]s
				path_style
				access_key %[4]s
				secret_key %[5]s
			}
			origin rotated s3_compatible {
				bucket %[1]s
				endpoint http://%[2]s
				region %[3]s
				path_style
				access_key %[4]s
				secret_key {file.%[6]s}
			}
			origin google gcs {
				bucket %[7]s
				endpoint %[8]s
				credentials_file %[9]s
			}
			endpoint literal {
				origins literal
			}
			endpoint rotated {
				origins rotated
			}
			endpoint google {
				origins google
			}`,
			s3.Bucket, s3.Addr, s3.Region, s3.Reader.Access, secret, filepath.Join(dir, "secret"),
			gcs.Bucket, "http://"+gcs.Addr, filepath.Join(dir, "key.json"))
	}
	write("secret", "an-invented-wrong-secret")
	write("key.json", read(gcs.Stranger()))
	s := startSite(t, options("an-invented-wrong-secret"))
	refused := func(endpoint string) {
		t.Helper()
		// More often than a breaker would bear, if it took a refusal for a failure.
		for range 8 {
			if r := s.get("/" + endpoint + "/tr:w-20/a.png"); r.status != http.StatusNotFound {
				t.Fatalf("%s: got %d with a wrong key", endpoint, r.status)
			}
		}
	}
	works := func(endpoint string) {
		t.Helper()
		if width, height := s.picture("/" + endpoint + "/tr:w-20/a.png"); width != 20 || height != 10 {
			t.Errorf("%s: got %dx%d", endpoint, width, height)
		}
	}
	for _, endpoint := range []string{"literal", "rotated", "google"} {
		refused(endpoint)
	}
	write("secret", s3.Reader.Secret)
	works("rotated")
	write("key.json", read(gcs.KeyFile))
	works("google")
	gcs.Revoke()
	works("google")

	refused("literal")
	s.write(options(s3.Reader.Secret))
	s.reload()
	works("literal")
}
