package caddymodule_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
)

func TestCheckTellsOfEveryOrigin(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "red.jpg"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/secret.jpg":
			w.WriteHeader(http.StatusForbidden)
			return
		case "/evil.jpg":
			w.Header().Set("Content-Type", "image/png\u009b2K\u202e\x9b1A")
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	config := fmt.Sprintf(`{"apps": {
		"imageorigin": {"origins": {
			"photos": {"source": {"type": "folder", "root": %q}},
			"legacy": {"source": {"type": "web", "base_url": %q}},
			"dead": {"source": {"type": "web", "base_url": %q}},
			"unset": {"source": {"type": "web", "base_url": "https://example.com", "auth": {"scheme": "bearer", "token": "{env.IMAGEORIGIN_UNSET}"}}}
		}},
		"http": {"servers": {"srv0": {"routes": [{"handle": [{"handler": "subroute", "routes": [{"handle": [
			{"handler": "imageorigin", "inline": {}, "inline_origins": [{"name": "inline#1", "source": {"type": "folder", "root": %[1]q}}]}
		]}]}]}]}}}
	}}`, dir, server.URL, dead.URL)
	for _, tt := range []struct {
		name        string
		names, keys []string
		fails       bool
		want        []string // what the lines match, in their order
	}{
		{
			name: "all, for a file that nobody has", fails: true, want: []string{
				`^FAIL  dead      web            unreachable in \S+( \(.*\))?: dial tcp .*connection refused; remedy: nothing listens`,
				`^ok    legacy    web            answers: it does not have "imageorigin-check-[0-9a-z]+\.jpg", in \S+ \(.*answer \S+\)$`,
				`^ok    photos    folder         answers: it does not have "imageorigin-check-[0-9a-z]+\.jpg", in \S+$`,
				`^FAIL  unset     web            .*IMAGEORIGIN_UNSET`,
				`^ok    inline#1  folder         answers: it does not have `,
			},
		},
		{name: "one", names: []string{"legacy"}, want: []string{`^ok    legacy  web`}},
		{
			name: "a file that one of them has", names: []string{"photos", "legacy"}, keys: []string{"/red.jpg"}, want: []string{
				`^ok    legacy  web            answers: it does not have "red.jpg", in`,
				`^ok    photos  folder         has "red.jpg": 5 B image/jpeg in \S+$`,
			},
		},
		{
			name: "a file that none of them has", names: []string{"photos", "legacy"}, keys: []string{"blue.jpg"}, fails: true, want: []string{
				`^ok    legacy`, `^ok    photos`, `^FAIL  none of them has "blue.jpg"$`,
			},
		},
		{
			name: "files by origin", names: []string{"photos", "legacy"}, keys: []string{"photos=red.jpg", "legacy=red.jpg"}, fails: true, want: []string{
				`^FAIL  legacy  web            does not have "red.jpg", in`, `^ok    photos  folder         has "red.jpg"`,
			},
		},
		{
			name: "a file that is denied", names: []string{"legacy"}, keys: []string{"legacy=secret.jpg"}, fails: true, want: []string{
				`^FAIL  legacy  web            denied in \S+ \(.*\): the server answers 403; remedy: `,
			},
		},
		{
			name: "a server that writes to the terminal", names: []string{"legacy"}, keys: []string{"evil.jpg"}, want: []string{
				`^ok    legacy  web            has "evil.jpg": 0 B image/png\?2K\?\?1A in `,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Check([]byte(config), tt.names, tt.keys)
			if (err != nil) != tt.fails {
				t.Errorf("got error %v", err)
			}
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(tt.want), out)
			}
			for i, want := range tt.want {
				if !regexp.MustCompile(want).MatchString(lines[i]) {
					t.Errorf("line %d: got %q, want %s", i+1, lines[i], want)
				}
			}
		})
	}
}

func TestCheckRefusesWhatItCannotAsk(t *testing.T) {
	const config = `{"apps": {"imageorigin": {"origins": {"photos": {"source": {"type": "folder", "root": "."}}}}}}`
	for _, tt := range []struct {
		name, config string
		names, keys  []string
		want         string
	}{
		{"no origins", `{"apps": {"http": {}}}`, nil, nil, "the config has no origins"},
		{"an unknown origin", config, []string{"potos"}, nil, `no origin "potos"; it has photos`},
		{"two keys for all", config, nil, []string{"a", "b"}, "--key stands twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := caddymodule.Check([]byte(tt.config), tt.names, tt.keys)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
