package caddymodule_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/imageorigin/imageorigin/caddymodule"
)

const served = `{
	"admin":{"disabled":true,"config":{"persist":false}},
	"apps":{
		"http":{"servers":{"images":{
			"listen":["LISTEN"],"read_header_timeout":10000000000,"idle_timeout":30000000000,"max_header_bytes":10240,
			"routes":[{MATCH"handle":[{"handler":"imageorigin"}]}]LOGS
		}}},
		"imageorigin":APP
	}}`

func TestServeGeneratesTheConfigOfItsFlags(t *testing.T) {
	const folder = `{"origins":{"root":{"source":{"root":"/srv/photos","type":"folder"}}},"endpoints":{"default":{"origins":["root"]}}}`
	for _, tt := range []struct {
		name                            string
		root, listen, domain            string
		urls                            []string
		accessLog                       bool
		wantListen, wantMatch, wantLogs string
		wantApp                         string
	}{
		{name: "a folder", root: "/srv/photos", wantListen: ":8080", wantApp: folder},
		{name: "an address", root: "/srv/photos", listen: "127.0.0.1:9000", wantListen: "127.0.0.1:9000", wantApp: folder},
		{name: "a domain", root: "/srv/photos", domain: "img.example.com", wantListen: ":443", wantMatch: `"match":[{"host":["img.example.com"]}],`, wantApp: folder},
		{name: "an access log", root: "/srv/photos", accessLog: true, wantListen: ":8080", wantLogs: `,"logs":{}`, wantApp: folder},
		{name: "nothing", wantListen: ":8080", wantApp: strings.ReplaceAll(folder, "/srv/photos", ".")},
		{
			name: "a web server alone", urls: []string{"https://www.example.com/media"}, wantListen: ":8080",
			wantApp: `{"origins":{"origin-1":{"source":{"base_url":"https://www.example.com/media","type":"web"}}},"endpoints":{"default":{"origins":["origin-1"]}}}`,
		},
		{
			name: "a folder before web servers", root: "/srv/my photos", urls: []string{"https://a.example.com", "https://b.example.com"}, wantListen: ":8080",
			wantApp: `{"origins":{
				"origin-1":{"source":{"base_url":"https://a.example.com","type":"web"}},
				"origin-2":{"source":{"base_url":"https://b.example.com","type":"web"}},
				"root":{"source":{"root":"/srv/my photos","type":"folder"}}},
				"endpoints":{"default":{"origins":["root","origin-1","origin-2"]}}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, err := caddymodule.ServeConfig(tt.root, tt.urls, tt.listen, tt.domain, tt.accessLog)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("LISTEN", tt.wantListen, "MATCH", tt.wantMatch, "LOGS", tt.wantLogs, "APP", tt.wantApp).Replace(served)
			if got, want := canonical(t, config), canonical(t, json.RawMessage(want)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// canonical returns value as JSON in which equal values are equal texts.
func canonical(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if raw, err = json.MarshalIndent(plain, "", " "); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestServeConfigLoads(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	config, err := caddymodule.ServeConfig(t.TempDir(), []string{"http://127.0.0.1:9"}, "127.0.0.1:0", "", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(config); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesAnOriginThatIsNoURL(t *testing.T) {
	_, err := caddymodule.ServeConfig("", []string{"www.example.com"}, "", "", false)
	if want := "--origin www.example.com: that is no base URL"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCommandIsRegistered(t *testing.T) {
	command, ok := caddycmd.Commands()["imageorigin"]
	if !ok {
		t.Fatal("caddy has no command imageorigin")
	}
	if command.CobraFunc == nil {
		t.Error("the command has no subcommands")
	}
}
