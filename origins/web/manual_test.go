package web

import (
	"os"
	"strings"
	"testing"
)

func TestManualsNameEveryOption(t *testing.T) {
	for page, options := range map[string][]string{
		"web": {
			"forward_host", "header", "auth basic", "auth bearer", "follow_redirects", "allow_private", "connect_timeout", "tls_ca",
			"tls_server_name",
		},
		"web_proxy": {"hosts", "allow_private", "connect_timeout", "tls_ca"},
	} {
		text, err := os.ReadFile("../../docs/origins/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for _, option := range options {
			if !strings.Contains(string(text), "`"+option) {
				t.Errorf("%s: the table lacks %s", page, option)
			}
		}
	}
}
