package web

import (
	"os"
	"strings"
	"testing"
)

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
