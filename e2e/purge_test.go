package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

const purgeKey = "private_not_for_others"

// purgeScript purges by ImageKit's SDK, waits until that is done, and prints what it was answered.
const purgeScript = `
import { createRequire } from 'node:module';
const ImageKit = createRequire(process.argv[2] + '/')('@imagekit/nodejs');
const client = new ImageKit({ baseURL: process.argv[3], privateKey: process.argv[4], maxRetries: 0 });
try {
  const { requestId } = await client.cache.invalidation.create({ url: process.argv[5] });
  let status;
  do {
    ({ status } = await client.cache.invalidation.get(requestId));
  } while (status === 'Pending');
  console.log(status);
} catch (e) {
  console.log(e.status, e.message);
}
`

// purging is a site whose pictures are those of a web server, with the API below /api, and a webhook.
type purging struct {
	*site
	nginx *stores.NginxServer
	told  chan map[string]any // by the webhook
}

func newPurging(t *testing.T) *purging {
	t.Helper()
	p := &purging{nginx: stores.Nginx(t, t.TempDir()), told: make(chan map[string]any, 100)}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var notice map[string]any
		if body, _ := io.ReadAll(r.Body); json.Unmarshal(body, &notice) != nil || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("the webhook got %s %v", body, r.Header)
		}
		p.told <- notice
	}))
	t.Cleanup(hook.Close)
	p.site = startSite(t, "origin old web "+p.nginx.URL)
	config := fmt.Sprintf(`{
	admin %s
	debug
	imageorigin {
		account demo
		origin old web %s
		purge_webhook %s {
			header Authorization "Bearer secret"
		}
	}
}
%s {
	imageorigin_api /api/* {
		key %s
	}
	imageorigin
}
`, strings.TrimPrefix(p.admin, "http://"), p.nginx.URL, hook.URL, p.url, purgeKey)
	if err := os.WriteFile(p.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.reload()
	return p
}

// sdk purges by ImageKit's SDK and returns what it printed.
func (p *purging) sdk(key, url string) string {
	p.t.Helper()
	node, dir := stores.ImageKitSDK(p.t)
	script := filepath.Join(p.t.TempDir(), "purge.mjs")
	if err := os.WriteFile(script, []byte(purgeScript), 0o600); err != nil {
		p.t.Fatal(err)
	}
	out, err := exec.Command(node, script, dir, p.url+"/api", key, url).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// command purges by the command.
func (p *purging) command(args ...string) {
	p.t.Helper()
	args = append([]string{"imageorigin", "purge", "--address", strings.TrimPrefix(p.admin, "http://")}, args...)
	if out, err := exec.Command(caddyBinary, args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
}

// TestPurgedPicturesAreMadeAnew changes a picture at its origin, of which nothing is seen until it is purged, in each way.
func TestPurgedPicturesAreMadeAnew(t *testing.T) {
	p := newPurging(t)
	wide, high := pngOf(t, 80, 40), pngOf(t, 40, 80)
	for i, tt := range []struct {
		name  string
		purge func(key string)
		urls  func(key string) string // what the webhook is told; nil: no URL
	}{
		{"the SDK", func(key string) {
			if got := p.sdk(purgeKey, p.url+"/demo/"+key); got != "Completed" {
				t.Errorf("the SDK says %s", got)
			}
		}, func(key string) string { return p.url + "/demo/" + key }},
		{"the SDK, by a prefix", func(key string) {
			if got := p.sdk(purgeKey, p.url+"/"+filepath.Dir(key)+"/*"); got != "Completed" {
				t.Errorf("the SDK says %s", got)
			}
		}, nil},
		{"the command", func(key string) { p.command(p.url + "/" + key) }, func(key string) string { return p.url + "/" + key }},
		{"the command, by an endpoint", func(string) { p.command("--endpoint", "default") }, nil},
		{"the command, everything", func(string) { p.command("--everything") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key := fmt.Sprintf("purge-%d/a.png", i)
			small, original := "/tr:w-20,f-png/"+key, "/"+key+"?tr=f-png"
			p.nginx.Put(key, wide, "", "")
			shapes := func(when string, want [2]int) {
				t.Helper()
				if width, height := p.picture(small); [2]int{width, height} != [2]int{20, 20 * want[1] / want[0]} {
					t.Errorf("%s: %s is %dx%d", when, small, width, height)
				}
				if width, height := p.picture(original); [2]int{width, height} != want {
					t.Errorf("%s: %s is %dx%d", when, original, width, height)
				}
			}
			shapes("before", [2]int{80, 40})
			p.nginx.Put(key, high, "", "")
			shapes("changed, not purged", [2]int{80, 40})
			tt.purge(key)
			shapes("purged", [2]int{40, 80})
			select {
			case notice := <-p.told:
				urls, _ := notice["urls"].([]any)
				if tt.urls != nil && (len(urls) != 1 || urls[0] != tt.urls(key)) || tt.urls == nil && len(urls) != 0 {
					t.Errorf("the webhook was told %v", notice)
				}
			case <-time.After(10 * time.Second):
				t.Error("the webhook was not told")
			}
		})
	}
}

func TestImageKitsSDKIsToldItsMistakes(t *testing.T) {
	p := newPurging(t)
	if got, want := p.sdk(purgeKey, "a.png"), "400 400 The URL is not valid for cache purging."; got != want {
		t.Errorf("no URL: got %s, want %s", got, want)
	}
	if got, want := p.sdk("private_of_others", p.url+"/a.png"), "401 401 The key of your request is wrong."; got != want {
		t.Errorf("another key: got %s, want %s", got, want)
	}
	if r := p.get("/api/health"); r.status != http.StatusOK || !strings.Contains(string(r.body), `"ok"`) {
		t.Errorf("health: %d %s", r.status, r.body)
	}
}
