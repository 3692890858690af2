package block

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// names are what the options of these tests set.
type names map[string]string

var each = []Option[names]{
	{Usage: "call <name> <text>", Each: true, Args: func(n names, args []string) error {
		if len(args) != 2 {
			return ErrCount
		}
		n[args[0]] = args[1]
		return nil
	}},
	{Usage: "host <host...>", Many: true, Args: func(n names, args []string) error {
		n["hosts"] += args[0]
		return nil
	}},
}

func readEach(text string, options []Option[names]) (names, map[string]Place, error) {
	d := caddyfile.NewTestDispenser(text)
	d.Next()
	n := names{}
	set, err := Read(d, n, options)
	return n, set, err
}

func TestOptionsWithNamesStandOnceForEach(t *testing.T) {
	n, set, err := readEach("thing {\n call a x\n host h\n call A y\n host i\n}", each)
	if err != nil || n["a"] != "x" || n["A"] != "y" || n["hosts"] != "hi" {
		t.Fatalf("got %v, %v", n, err)
	}
	for key, line := range map[string]int{"call": 2, "call a": 2, "call A": 4, "host": 5} {
		if at, ok := set[key]; !ok || at.Line() != line {
			t.Errorf("%s stands at %v, want line %d", key, at, line)
		}
	}
	if len(set) != 4 {
		t.Errorf("got the places %v", set)
	}
}

func TestNamesThatStandTwiceAreRefused(t *testing.T) {
	lifted := Lift(each, func(n names) names { return n })
	for _, options := range [][]Option[names]{each, lifted} {
		for text, want := range map[string]string{
			"thing {\n call a x\n call b x\n call a y\n}": "call a is already set at Testfile:2, at Testfile:4",
			"thing {\n call a x\n call\n}":                "wrong number of arguments; write call <name> <text>, at Testfile:3",
			"thing {\n call\n call\n}":                    "wrong number of arguments; write call <name> <text>, at Testfile:2",
			"thing {\n call a x y\n}":                     "wrong number of arguments; write call <name> <text>, at Testfile:2",
			"thing {\n call a\n x\n}":                     "wrong number of arguments; write call <name> <text>, at Testfile:2",
		} {
			if _, _, err := readEach(text, options); err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%q: got %v, want %s", text, err, want)
			}
		}
	}
}
