package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/imageorigin/imageorigin/caddymodule"
)

var update = flag.Bool("update", false, "write what the adapter says into testdata/adapt")

const separator = "----------\n"

// TestCaddyfilesAdaptAsRecorded adapts the first part of each file and compares it with the second: the JSON, or the
// error where it doesn't begin with a brace. A third part holds the warnings, one a line.
func TestCaddyfilesAdaptAsRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files to adapt: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(data), separator)
			if !ok && !*update {
				t.Fatalf("%s has no line %q", file, strings.TrimSpace(separator))
			}
			got := adapt(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("input:\n%s\ngot:\n%s\nwant:\n%s", input, got, want)
			}
		})
	}
}

// adapt returns what a file records of a Caddyfile.
func adapt(t *testing.T, input string) string {
	t.Helper()
	var said []caddyconfig.Warning
	t.Cleanup(caddymodule.CatchWarnings(&said))
	raw, formatting, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(input), nil)
	if err != nil {
		return err.Error() + "\n"
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "\t"); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if warnings := append(said, formatting...); len(warnings) > 0 {
		b.WriteString(separator)
		for _, w := range warnings {
			fmt.Fprintf(&b, "%s:%d: %s\n", w.File, w.Line, w.Message)
		}
	}
	return b.String()
}
