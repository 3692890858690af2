package caddymodule_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestParamsListsTheWholeTable(t *testing.T) {
	out, err := caddymodule.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	var objects []struct{ Name, SDK, Value, Default, Section, Summary, Refused, Example string }
	raw, err := caddymodule.Params(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(raw), &objects); err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	all := syntax.Parameters()
	if len(objects) != len(all) {
		t.Fatalf("the JSON has %d parameters, want %d", len(objects), len(all))
	}
	for i, p := range all {
		last, fields := p.Grammar, []string{p.Section, p.Default, p.Grammar}
		if p.Missing != "" {
			last, fields = p.Missing, []string{p.Section, p.Missing}
		}
		row := `(?m)^` + regexp.QuoteMeta(p.Name) + `  +\S+`
		for _, field := range fields {
			row += `  +` + regexp.QuoteMeta(field)
		}
		if !regexp.MustCompile(row + `$`).MatchString(out) {
			t.Errorf("the table lacks %s (%s):\n%s", p.Name, last, out)
		}
		o := objects[i]
		if o.Name != p.Name || o.Value != p.Grammar || o.Default != p.Default || o.Section != p.Section || o.Summary != p.Summary || o.Refused != p.Missing || o.Example != p.Example {
			t.Errorf("JSON: got %+v, want %+v", o, p)
		}
	}
}

func TestParamsTellsAllOfOneParameter(t *testing.T) {
	const quality = `name      q
sdk       quality
what      Quality of JPEG, WebP, AVIF and JPEG XL; below 100, PNG is reduced to a palette.
value     a whole number from 1 to 100
default   the endpoint's, or 80
example   w-240,q-5
section   2.4
`
	for _, name := range []string{"q", "quality", "QUALITY", "q-50"} {
		if out, err := caddymodule.Params(false, name); err != nil || out != quality {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, err, out, quality)
		}
	}
	for _, name := range []string{"e-usm", "e-usm-0-3-2-0", "unsharpMask"} {
		if out, err := caddymodule.Params(false, name); err != nil || !strings.HasPrefix(out, "name      e-usm\n") {
			t.Errorf("%s: got %v\n%s\nwant e-usm", name, err, out)
		}
	}
	out, err := caddymodule.Params(false, "lx")
	if want := "refused   belongs in a layer"; err != nil || !strings.Contains(out, want) {
		t.Errorf("lx: got %v\n%s\nwant %s", err, out, want)
	}
	out, err = caddymodule.Params(true, "q")
	if want := `"value": "a whole number from 1 to 100"`; err != nil || !strings.HasPrefix(out, "{") || !strings.Contains(out, want) {
		t.Errorf("q in JSON: got %v\n%s\nwant an object with %s", err, out, want)
	}
}

func TestParamsSuggestsWhatIsNear(t *testing.T) {
	for name, want := range map[string]string{
		"e-foo":   "e-foo: unknown effect; there are e-distort",
		"hh":      "hh: unknown parameter; did you mean h?",
		"w300":    "w300: unknown parameter; did you mean w?",
		"widht":   "widht: unknown parameter; did you mean w?",
		"":        `unknown parameter ""; there are w, h`,
		"nothing": "nothing: unknown parameter; there are w, h",
	} {
		if _, err := caddymodule.Params(false, name); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "column") {
			t.Errorf("%q: got %v, want %s", name, err, want)
		}
	}
}
