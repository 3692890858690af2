package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/faults"
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
				results off
			}
			endpoint rotated {
				origins rotated
				results off
			}
			endpoint google {
				origins google
				results off
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

// TestReloadKeepsConnections reloads between two requests: the second one comes over the connection of the first.
func TestReloadKeepsConnections(t *testing.T) {
	store := stores.S3(t)
	proxy := faults.Start(t, store.Addr)
	options := func(quality int) string {
		return fmt.Sprintf(`
			origin store s3_compatible {
				bucket %s
				endpoint %s
				region %s
				path_style
				access_key %s
				secret_key %s
			}
			endpoint default {
				origins store
				quality %d
			}`, store.Bucket, proxy.URL(), store.Region, store.Reader.Access, store.Reader.Secret, quality)
	}
	s := startSite(t, options(80))
	for i, key := range []string{"a.png", "b.png", "c.png"} {
		store.Put(key, pngOf(t, 80, 40), "image/png", "")
		if width, _ := s.picture("/tr:w-20/" + key); width != 20 {
			t.Errorf("%s: got %d pixels", key, width)
		}
		s.write(options(70 - i))
		s.reload()
	}
	if got := proxy.Counts(); got.Requests != 3 || got.Connections != 1 {
		t.Errorf("got %d requests over %d connections, want 3 over 1", got.Requests, got.Connections)
	}
}

// TestOriginsAreNotAskedTwiceForWhatIsKnown counts how often the first of two origins is asked for a file that only the
// second has.
func TestOriginsAreNotAskedTwiceForWhatIsKnown(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		asked         int
	}{
		{"a miss is believed for a while", "results off", 1},
		{"unless miss_ttl says otherwise", "results off\nmiss_ttl 0", 4},
		{"the last good origin is asked first", "results off\nmiss_ttl 0\nprefer_last_good", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store, web := stores.S3(t), stores.Nginx(t, t.TempDir())
			web.Put("a.png", pngOf(t, 80, 40), "", "")
			proxy := faults.Start(t, store.Addr)
			s := startSite(t, fmt.Sprintf(`
				origin store s3_compatible {
					bucket %s
					endpoint %s
					region %s
					path_style
					access_key %s
					secret_key %s
				}
				origin old web %s
				endpoint default {
					origins store old
					%s
				}`, store.Bucket, proxy.URL(), store.Region, store.Reader.Access, store.Reader.Secret, web.URL, tt.options))
			for _, size := range []string{"w-20", "w-30", "w-40", "w-50"} {
				s.picture("/tr:" + size + "/a.png")
			}
			if got := proxy.Counts().Requests; got != tt.asked {
				t.Errorf("the first origin was asked %d times, want %d", got, tt.asked)
			}
		})
	}
}
