package imageorigin_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/imageorigin/imageorigin"
	"github.com/imageorigin/imageorigin/caddymodule"
)

// example is a block of a page, or a whole file.
type example struct {
	place string // "docs/caddyfile.md:7"
	text  string
}

// examples returns the fenced blocks of a language in README.md and the pages of docs.
func examples(t *testing.T, language string) []example {
	t.Helper()
	var found []example
	read := func(page string) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		start := -1
		lines := strings.Split(string(data), "\n")
		for i, line := range lines {
			switch {
			case start < 0 && line == "```"+language:
				start = i + 1
			case start >= 0 && strings.HasPrefix(line, "```"):
				found = append(found, example{fmt.Sprintf("%s:%d", page, start+1), strings.Join(lines[start:i], "\n") + "\n"})
				start = -1
			}
		}
		if start >= 0 {
			t.Errorf("%s:%d: the block has no end", page, start)
		}
	}
	if _, err := os.Stat("README.md"); err == nil {
		read("README.md")
	}
	err := filepath.WalkDir("docs", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".md" {
			read(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no page has a block of %s", language)
	}
	return found
}

func TestCaddyfilesOfThePagesAdapt(t *testing.T) {
	all := examples(t, "caddyfile")
	if data, err := os.ReadFile("Caddyfile.example"); err == nil {
		all = append(all, example{"Caddyfile.example", string(data)})
	}
	_, err := caddy.GetModule("imageorigin.engines.vips")
	hasEngine := err == nil
	for _, e := range all {
		t.Run(e.place, func(t *testing.T) {
			if !hasEngine && strings.Contains(e.text, "engine vips") {
				t.Skip("the example configures the engine, which this test binary lacks: it was built without cgo")
			}
			_, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(e.text), nil)
			if err != nil {
				t.Errorf("%v\n%s", err, e.text)
			}
			for _, w := range warnings {
				t.Errorf("line %d: %s\n%s", w.Line, w.Message, caddyfile.Format([]byte(e.text)))
			}
		})
	}
}

func TestJSONOfThePagesHasTheFieldsThatExist(t *testing.T) {
	for _, e := range examples(t, "json") {
		t.Run(e.place, func(t *testing.T) {
			var config caddy.Config
			if err := caddy.StrictUnmarshalJSON([]byte(e.text), &config); err != nil {
				t.Fatalf("%v\n%s", err, e.text)
			}
			raw := config.AppsRaw["imageorigin"]
			var app caddymodule.App
			if err := caddy.StrictUnmarshalJSON(raw, &app); err != nil {
				t.Errorf("%v\n%s", err, raw)
			}
			for name, origin := range app.Origins {
				checkSource(t, name, origin.Source)
			}
			for _, handler := range handlers(t, config.AppsRaw["http"]) {
				if err := caddy.StrictUnmarshalJSON(handler, new(caddymodule.Handler)); err != nil {
					t.Errorf("%v\n%s", err, handler)
				}
			}
		})
	}
}

// checkSource decodes the source of an origin as Caddy does: strictly, into the module that its type names.
func checkSource(t *testing.T, name string, raw json.RawMessage) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatalf("origin %s: %v", name, err)
	}
	kind, _ := fields["type"].(string)
	delete(fields, "type")
	module, err := caddy.GetModule("imageorigin.origins." + kind)
	if err != nil {
		t.Fatalf("origin %s: %v", name, err)
	}
	if err := caddy.StrictUnmarshalJSON(caddyconfig.JSON(fields, nil), module.New()); err != nil {
		t.Errorf("origin %s: %v\n%s", name, err, raw)
	}
}

// handlers returns our handlers in the http app, without the key that names their module.
func handlers(t *testing.T, http json.RawMessage) []json.RawMessage {
	t.Helper()
	var app struct {
		Servers map[string]struct {
			Routes []struct {
				Handle []map[string]any
			}
		}
	}
	if len(http) == 0 {
		return nil
	}
	if err := json.Unmarshal(http, &app); err != nil {
		t.Fatal(err)
	}
	var found []json.RawMessage
	for _, server := range app.Servers {
		for _, route := range server.Routes {
			for _, handler := range route.Handle {
				if handler["handler"] != "imageorigin" {
					continue
				}
				delete(handler, "handler")
				found = append(found, caddyconfig.JSON(handler, nil))
			}
		}
	}
	return found
}
