package web

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// examples returns the examples in one language on a page of the manual.
func examples(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, rest := range strings.Split(string(text), "\n```"+language+"\n")[1:] {
		example, _, _ := strings.Cut(rest, "\n```")
		found = append(found, example)
	}
	if len(found) == 0 {
		t.Fatalf("%s has no example in %s", page, language)
	}
	return found
}

func TestJSONOfTheManualHasTheFieldsThatExist(t *testing.T) {
	for _, example := range examples(t, "../../docs/origins/web.md", "json") {
		var config struct {
			Apps struct {
				ImageOrigin struct {
					Origins map[string]struct{ Source json.RawMessage }
				}
			}
		}
		if err := json.Unmarshal([]byte(example), &config); err != nil || len(config.Apps.ImageOrigin.Origins) == 0 {
			t.Fatalf("%v in\n%s", err, example)
		}
		for name, origin := range config.Apps.ImageOrigin.Origins {
			decoder := json.NewDecoder(bytes.NewReader(origin.Source))
			decoder.DisallowUnknownFields()
			var m struct {
				Type string `json:"type"`
				Module
			}
			if err := decoder.Decode(&m); err != nil || m.Type != "web" {
				t.Errorf("%s: %v in\n%s", name, err, origin.Source)
			}
		}
	}
}

func TestManualNamesEveryOption(t *testing.T) {
	text, err := os.ReadFile("../../docs/origins/web.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []string{"forward_host", "header", "auth basic", "auth bearer", "follow_redirects", "connect_timeout", "tls_ca", "tls_server_name"} {
		if !strings.Contains(string(text), "`"+option) {
			t.Errorf("the table lacks %s", option)
		}
	}
}
