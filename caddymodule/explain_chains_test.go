package caddymodule_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// housed is a config whose endpoints have transformations of their own.
const housed = `{"apps": {"imageorigin": {
	"origins": {"photos": {"source": {"type": "imaginary"}}},
	"endpoints": {
		"default": {"origins": ["photos"], "transforms": {"thumb": "tr:w-100", "window": "w-700,h-10,cm-extract"}},
		"shop": {"origins": ["photos"], "transforms": {"thumb": "w-90"}, "unnamed": "deny", "always": "q-55,w-800,c-at_max", "sizes": {"widths": [320]}},
		"open": {"origins": ["photos"], "always": "w-9000,h-10,cm-extract"}
	}
}}}`

func TestExplainTellsWhatNamesStandFor(t *testing.T) {
	for _, tt := range []struct{ name, target, want string }{
		{"expanded", "/tr:h-300,n-thumb/x.jpg", `
endpoint  default
key       x.jpg
chain     h-300:w-100
source    600x300 jpeg
plan      load jpeg shrink=4
          resize 100x50
          colour srgb
          save jpeg q=80
result    100x50 jpeg
vary      Accept
`},
		{"beside what is always done", "/shop/tr:n-thumb/x.jpg", `
endpoint  shop
key       x.jpg
chain     w-90,own_size
always    w-800,c-at_max,q-55,own_size
source    600x300 jpeg
plan      load jpeg shrink=4
          resize 90x45
          colour srgb
          save jpeg q=55
result    90x45 jpeg
vary      Accept
`},
		{"what is always done, alone", "/shop/x.jpg", `
endpoint  shop
key       x.jpg
always    w-800,c-at_max,q-55,own_size
source    600x300 jpeg
plan      load jpeg
          colour srgb
          save jpeg q=55 keep-smaller
result    600x300 jpeg, or the original's bytes where they are not more
vary      Accept
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Explain(housed, "--size", "600x300", tt.target)
			if want := strings.TrimPrefix(tt.want, "\n"); err != nil || withoutName(out) != want {
				t.Errorf("got %v\n%s\nwant\n%s", err, out, want)
			}
		})
	}
}

// nameLine is the line of the name under which a result is kept.
var nameLine = regexp.MustCompile(`(?m)^kept as   ([0-9a-f]{32})-<hash of the versions of original and engine>\n`)

func withoutName(out string) string { return nameLine.ReplaceAllString(out, "") }

func TestExplainTellsTheNameOfTheResult(t *testing.T) {
	name := func(target string) string {
		out, err := caddymodule.Explain(housed, "--size", "600x300", target)
		found := nameLine.FindStringSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("%s: got %v\n%s", target, err, out)
		}
		return found[1]
	}
	if a, b := name("/tr:w-300,h-200/x.jpg"), name("/x.jpg?tr=h-400_div_2,w-300"); a != b {
		t.Errorf("two ways to one picture are kept as %s and %s", a, b)
	}
	if a, b := name("/tr:w-300,h-200/x.jpg"), name("/tr:w-300,h-201/x.jpg"); a == b {
		t.Errorf("two pictures are kept as %s", a)
	}
	if out, _ := caddymodule.Explain(housed, "/tr:orig-true/x.jpg"); nameLine.MatchString(out) {
		t.Errorf("an original that is sent as it is has a name:\n%s", out)
	}
}

func TestExplainShowsWhereANameIsWrong(t *testing.T) {
	for _, tt := range []struct{ name, config, target, want string }{
		{"unknown, in the path", housed, "/tr:w-3,n-Thumb/x.jpg?tr=n-thumb", `
ik-error  EINVAL - n: no transformation is called "Thumb" here; names are case-sensitive, and declared by the endpoint's option transform (column 5)
          w-3,n-Thumb
              ^
`},
		{"unknown, in the query", housed, "/tr:n-thumb/x.jpg?tr=n-x", `
          n-x
          ^
`},
		{"without a config", "", "/tr:n-thumb/x.jpg", `
status    400 Bad Request
ik-error  EINVAL - n: no transformation is called "thumb" here; names are case-sensitive, and declared by the endpoint's option transform (column 1)
          n-thumb
          ^
`},
		{"a step of the named chain", housed, "/tr:q-50:n-window/x.jpg?tr=h-3", `
ik-error  EINVAL - w: the window is 700 pixels wide, the picture only 600; use cm-pad_extract, or ask for less (column 6)
          q-50:n-window
               ^
`},
		{"not allowed", housed, "/shop/tr:w-300/x.jpg", `
endpoint  shop
status    403 Forbidden
ik-error  EACCES - this endpoint allows named transformations only: each step must be n-<name> alone
`},
		{"the original", strings.Replace(housed, "deny", "allow", 1), "/shop/tr:orig-true/x.jpg", `
endpoint  shop
status    403 Forbidden
ik-error  EACCES - this endpoint applies a transformation to every picture, so none is sent as it is: leave out orig-true
`},
		{"of the endpoint's own step", housed, "/open/tr:q-3/x.jpg", `
chain     q-3
always    w-9000,h-10,cm-extract
source    600x300 jpeg
status    400 Bad Request
ik-error  EINVAL - w: the window is 9000 pixels wide, the picture only 600; use cm-pad_extract, or ask for less (a step of the endpoint's always)
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Explain(tt.config, "--size", "600x300", tt.target)
			if err == nil || err.Error() != "the visitor gets an error" {
				t.Errorf("got error %v", err)
			}
			if !strings.HasSuffix("\n"+out, tt.want) {
				t.Errorf("got\n%s\nwant at the end\n%s", out, tt.want)
			}
		})
	}
}

func TestTransformKnowsNoNames(t *testing.T) {
	dir := t.TempDir()
	in := writePNG(t, dir, "red.png", 400, 300)
	_, stderr, err := caddymodule.Transform(in, "tr:w-200:n-thumb", filepath.Join(dir, "a.png"), false)
	if want := `n: no transformation is called "thumb" here; `; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if want := "w-200:n-thumb\n      ^\n"; stderr != want {
		t.Errorf("printed %q, want %q", stderr, want)
	}
}
