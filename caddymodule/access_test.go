package caddymodule_test

import (
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// recipe returns the Caddyfile below a heading of a page.
func recipe(t *testing.T, page, heading string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut("\n"+string(data), "\n"+heading+"\n")
	section, _, _ := strings.Cut(rest, "\n#")
	_, rest, _ = strings.Cut(section, "```caddyfile\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("%s has no Caddyfile below %q", page, heading)
	}
	return text
}

// runPlainly loads a Caddyfile on loopback, without TLS, and returns a client whose every connection goes there. Pictures
// of /srv are those of dir.
func runPlainly(t *testing.T, caddyfile, dir string) *http.Client {
	t.Helper()
	dataHome(t)
	raw, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(strings.ReplaceAll(caddyfile, "/srv/", dir+"/")), nil)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	var config map[string]any
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	config["admin"] = map[string]any{"disabled": true, "config": map[string]any{"persist": false}}
	config["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{"level": "ERROR"}}}
	for _, server := range config["apps"].(map[string]any)["http"].(map[string]any)["servers"].(map[string]any) {
		s := server.(map[string]any)
		s["listen"], s["automatic_https"] = []string{address}, map[string]any{"disable": true}
		delete(s, "tls_connection_policies")
	}
	delete(config["apps"].(map[string]any), "tls")
	if err := caddy.Load(caddyconfig.JSON(config, nil), true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// srv returns a folder of pictures: photos/red.png and goods/red.png, which is also in goods/shop.
func srv(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"photos/red.png", "goods/red.png", "goods/shop/red.png"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 20+len(name), 10))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRecipesForAccessDoWhatTheySay(t *testing.T) {
	t.Setenv("ORIGIN_TOKEN", "hiccup")
	const site, red = "http://images.example.com", "http://images.example.com/red.png"
	asked := func(url string, headers ...string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	login := func(password string) *http.Request {
		r := asked(red)
		r.SetBasicAuth("editor", password)
		return r
	}
	const private = "private, max-age=3600"
	type visit struct {
		name    string
		request *http.Request
		status  int
		header  string // a header, and what it is
		value   string
	}
	for _, tt := range []struct {
		heading string
		change  [2]string // of the recipe, for visits from another place
		visits  []visit
	}{
		{heading: "### By address", visits: []visit{{"from inside", asked(red), 200, "Cache-Control", private}}},
		{heading: "### By address", change: [2]string{"127.0.0.1 ", ""}, visits: []visit{{"from outside", asked(red), 403, "", ""}}},
		{heading: "### By password", visits: []visit{
			{"without", asked(red), 401, "Www-Authenticate", `Basic realm="restricted"`},
			{"wrong", login("cough"), 401, "", ""},
			{"right", login("hiccup"), 200, "Cache-Control", private},
		}},
		{heading: "### By a secret in a header", visits: []visit{
			{"without", asked(red), 403, "", ""},
			{"wrong", asked(red, "X-Origin-Token", "hiccupp"), 403, "", ""},
			{"right", asked(red, "X-Origin-Token", "hiccup"), 200, "", ""},
		}},
		{heading: "### By the page that shows it", visits: []visit{
			{"no page", asked(red), 200, "Cache-Control", private},
			{"a page of ours", asked(red, "Referer", "https://www.example.com/a/b"), 200, "", ""},
			{"our host alone", asked(red, "Referer", "https://www.example.com"), 200, "", ""},
			{"a page of others", asked(red, "Referer", "https://evil.example/"), 403, "", ""},
			{"a host that begins as ours", asked(red, "Referer", "https://www.example.com.evil.example/"), 403, "", ""},
		}},
		{heading: "### Originals for some, variants for all", visits: []visit{
			{"an original", asked(red), 403, "", ""},
			{"a variant", asked(site + "/tr:n-card/red.png"), 200, "", ""},
			{"a variant by query", asked(red + "?tr=n-card"), 200, "", ""},
			{"another variant", asked(site + "/tr:w-9999/red.png"), 403, "", ""},
			{"the original by transformation", asked(red + "?tr=orig-true"), 403, "", ""},
		}},
		{heading: "### Originals for some, variants for all", change: [2]string{"192.0.2.0/24", "127.0.0.1"}, visits: []visit{
			{"an original, from inside", asked(red), 200, "", ""},
		}},
		{heading: "## Canonical host, HSTS, redirects", visits: []visit{
			{"the old host", asked("http://pictures.example.org/tr:w-3/red.png?v=1"), 301, "Location", "https://images.example.com/tr:w-3/red.png?v=1"},
			{"the new host", asked(red), 200, "Strict-Transport-Security", "max-age=31536000"},
		}},
		{heading: "## The matcher", visits: []visit{
			{"what it is for", asked(site + "/shop/red.png"), 200, "X-Robots-Tag", "noindex"},
			{"what it is not for", asked(red), 200, "X-Robots-Tag", ""},
		}},
	} {
		t.Run(strings.Trim(tt.heading+" "+tt.change[1], "# "), func(t *testing.T) {
			text := strings.ReplaceAll(recipe(t, "../docs/domains.md", tt.heading), tt.change[0], tt.change[1])
			if tt.change[0] == "" {
				text = recipe(t, "../docs/domains.md", tt.heading)
			}
			client := runPlainly(t, text, srv(t))
			for _, v := range tt.visits {
				resp, err := client.Do(v.request)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != v.status {
					t.Errorf("%s: got %s %q, want %d", v.name, resp.Status, body, v.status)
				}
				if got := resp.Header.Get(v.header); v.header != "" && got != v.value {
					t.Errorf("%s: got %s %q, want %q", v.name, v.header, got, v.value)
				}
			}
		})
	}
}

func TestHostsReachTheEndpointsThatThePageSays(t *testing.T) {
	client := runPlainly(t, recipe(t, "../docs/domains.md", "## Several endpoints"), srv(t))
	for _, tt := range []struct{ url, file string }{
		{"http://images.example.com/red.png", "photos/red.png"},
		{"http://pictures.example.org/red.png", "photos/red.png"},
		{"http://images.example.com/shop/red.png", "goods/red.png"},
		{"http://shop-images.example.com/red.png", "goods/red.png"},
		{"http://shop-images.example.com/shop/red.png", "goods/shop/red.png"},
	} {
		resp, err := client.Get(tt.url + "?tr=orig-true")
		if err != nil {
			t.Fatal(err)
		}
		header, err := png.DecodeConfig(resp.Body)
		resp.Body.Close()
		if err != nil || header.Width != 20+len(tt.file) {
			t.Errorf("%s: got %s, a picture %d pixels wide, %v; want that of %s", tt.url, resp.Status, header.Width, err, tt.file)
		}
	}
}
