package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/e2e/stores"
)

const (
	signingKey     = "private_key_of_the_site"
	signingShopKey = "private_key_of_the_shop"
)

// signScript builds signed URLs by ImageKit's SDK: it reads what buildSrc is given, and prints the URLs.
const signScript = `
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const ImageKit = createRequire(process.argv[2] + '/')('@imagekit/nodejs');
const urls = JSON.parse(readFileSync(0, 'utf8')).map(({ privateKey, ...options }) =>
  new ImageKit({ privateKey }).helper.buildSrc({ signed: true, ...options }));
console.log(JSON.stringify(urls));
`

// signedSource is what the SDK builds a URL from.
type signedSource struct {
	PrivateKey             string           `json:"privateKey"`
	URLEndpoint            string           `json:"urlEndpoint"`
	Src                    string           `json:"src"`
	Transformation         []map[string]any `json:"transformation,omitempty"`
	TransformationPosition string           `json:"transformationPosition,omitempty"`
	QueryParameters        map[string]any   `json:"queryParameters,omitempty"`
	ExpiresIn              int              `json:"expiresIn,omitempty"`
}

// signBySDK returns the URLs that the SDK builds.
func signBySDK(t *testing.T, sources []signedSource) []string {
	t.Helper()
	node, dir := stores.ImageKitSDK(t)
	script := filepath.Join(t.TempDir(), "sign.mjs")
	if err := os.WriteFile(script, []byte(signScript), 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, script, dir)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var urls []string
	if err := json.Unmarshal(out, &urls); err != nil || len(urls) != len(sources) {
		t.Fatalf("the SDK built %s of %d sources: %v", out, len(sources), err)
	}
	return urls
}

// signingSite is a site of the examples that answers signed URLs only.
func signingSite(t *testing.T) *site {
	t.Helper()
	library, err := filepath.Abs("../examples/library")
	if err != nil {
		t.Fatal(err)
	}
	s := startSite(t, "origin library folder "+library)
	config := fmt.Sprintf(`{
	admin %s
	imageorigin {
		account demo
		origin library folder %s
		endpoint default {
			origins library
			sign %s
			signed_only
		}
		endpoint shop {
			origins library
			sign %s
			signed_only
		}
		endpoint hidden {
			origins library
			sign private_key_of_the_hidden
			signed_only
			url_endpoint %s/public
		}
	}
}
%s {
	handle_path /img/* {
		imageorigin
	}
	handle_path /public/* {
		imageorigin hidden
	}
	imageorigin
}
`, strings.TrimPrefix(s.admin, "http://"), library, signingKey, signingShopKey, s.url, s.url)
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload()
	return s
}

// TestURLsThatTheSDKSignsAreOpen signs names with special characters for each form of the endpoint's prefix, in path and
// query. A percent sign of a name the SDK leaves as it is, which no server in Go accepts: it is written %25 here.
func TestURLsThatTheSDKSignsAreOpen(t *testing.T) {
	s := signingSite(t)
	var sources []signedSource
	for _, prefix := range []struct{ key, path string }{
		{signingKey, ""},
		{signingKey, "/"},
		{signingKey, "/demo"},
		{signingKey, "/img"},
		{signingKey, "/img/demo/"},
		{signingShopKey, "/shop"},
		{signingShopKey, "/demo/shop"},
		{signingShopKey, "/img/shop/"},
		{"private_key_of_the_hidden", "/public"},
	} {
		for _, name := range []string{"100%25.jpg", "café.jpg", "one+one.jpg", "summer night.jpg", "山.jpg"} {
			for _, position := range []string{"path", "query"} {
				for _, expires := range []int{0, 300} {
					sources = append(sources, signedSource{
						PrivateKey: prefix.key, URLEndpoint: s.url + prefix.path, Src: "/names/" + name,
						Transformation:         []map[string]any{{"width": 40, "height": 30, "format": "png"}, {"rotation": 90}},
						TransformationPosition: position, ExpiresIn: expires,
						QueryParameters: map[string]any{"v": "1 2", "x": "a,b:c/é"},
					})
				}
			}
		}
	}
	sources = append(
		sources,
		signedSource{PrivateKey: signingKey, URLEndpoint: s.url, Src: "landscape.jpg"},
		signedSource{PrivateKey: signingKey, URLEndpoint: s.url, Src: s.url + "/landscape.jpg", Transformation: []map[string]any{{"width": 9}}},
		signedSource{PrivateKey: signingShopKey, URLEndpoint: s.url, Src: "/shop/landscape.jpg", Transformation: []map[string]any{{"width": 9}}},
	)
	for _, url := range signBySDK(t, sources) {
		path, ok := strings.CutPrefix(url, s.url)
		if !ok {
			t.Fatalf("the SDK built %s", url)
		}
		if r := s.get(path); r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "image/") {
			t.Errorf("%s: %d %s", url, r.status, r.header.Get("ik-error"))
		}
		unsigned := path[:strings.Index(path, "ik-")-1]
		if r := s.get(unsigned); r.status != http.StatusUnauthorized {
			t.Errorf("%s, unsigned: %d", unsigned, r.status)
		}
		signature := strings.LastIndex(path, "ik-s=") + len("ik-s=")
		other := path[:signature] + strings.Repeat("0", 40)
		if r := s.get(other); r.status != http.StatusUnauthorized || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", other, r.status, r.header)
		}
	}
}

// TestTheCommandSignsAsTheSDKDoes compares both, on a running site's config.
func TestTheCommandSignsAsTheSDKDoes(t *testing.T) {
	s := signingSite(t)
	want := signBySDK(t, []signedSource{{
		PrivateKey: signingShopKey, URLEndpoint: s.url + "/shop", Src: "/names/summer night.jpg", Transformation: []map[string]any{{"width": 40, "height": 30}},
	}})[0]
	unsigned, _, _ := strings.Cut(want, "&ik-s=")
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(caddyBinary, append([]string{"imageorigin"}, args...)...).Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if got := strings.TrimSpace(run("sign", "--config", s.file, unsigned)); got != want {
		t.Errorf("got %s, the SDK signs %s", got, want)
	}
	if got := run("verify", "--config", s.file, want); !strings.Contains(got, "key 1     fits") || strings.Contains(got, "private_key") {
		t.Errorf("verify says\n%s", got)
	}
	ours := strings.TrimSpace(run("sign", "--config", s.file, "--sha256", "--expires", "5m", unsigned))
	if r := s.get(strings.TrimPrefix(ours, s.url)); r.status != http.StatusOK {
		t.Errorf("%s: %d %s", ours, r.status, r.header.Get("ik-error"))
	}
}
