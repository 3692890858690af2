package caddymodule_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// listed is a config whose domains file has the lines.
func listed(t *testing.T, lines string) (path, config string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "domains")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, fmt.Sprintf(`{"apps": {"imageorigin": {
		"domains_file": %q,
		"origins": {"photos": {"source": {"type": "imaginary"}}},
		"endpoints": {"default": {"origins": ["photos"]}, "shop": {"origins": ["photos"], "domains": ["img.example.com"], "quality": 60}}
	}}}`, path)
}

func TestExplainKnowsTheDomainsOfTheFile(t *testing.T) {
	_, config := listed(t, "a.example.net shop\n")
	for host, want := range map[string]string{"a.example.net": "shop", "img.example.com": "shop", "b.example.net": "default"} {
		out, err := caddymodule.Explain(config, "--size", "10x10", "https://"+host+"/tr:w-5/a.png")
		if first, _, _ := strings.Cut(out, "\n"); err != nil || !strings.HasPrefix(first, "endpoint") || !strings.HasSuffix(first, " "+want) {
			t.Errorf("%s: got %q, %v; want the endpoint %s", host, first, err, want)
		}
	}
	path, config := listed(t, "a.example.net shpo\n")
	_, err := caddymodule.Explain(config, "--size", "10x10", "https://a.example.net/tr:w-5/a.png")
	if want := "domains_file " + path + `: line 1: endpoint "shpo" is not declared`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStatusSaysHowManyDomainsAreInForce(t *testing.T) {
	for _, tt := range []struct {
		name string
		file *caddymodule.DomainsFileStatus
		want string
	}{
		{"none", nil, `{"caches":null,"endpoints":null}`},
		{"in order", &caddymodule.DomainsFileStatus{Path: "/d", Domains: 3}, `{"caches":null,"endpoints":null,"domains_file":{"path":"/d","domains":3}}`},
		{"wrong", &caddymodule.DomainsFileStatus{Path: "/d", Error: "line 1"}, `{"caches":null,"endpoints":null,"domains_file":{"path":"/d","domains":0,"error":"line 1"}}`},
	} {
		got, err := json.Marshal(caddymodule.Status{DomainsFile: tt.file})
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}
