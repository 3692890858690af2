package block

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// settings are what the options of these tests set.
type settings struct {
	name  string
	hosts []string
	count int
	size  int64
	wait  caddy.Duration
	loud  bool
}

var options = []Option[*settings]{
	{Usage: "name <text>", Args: One(func(s *settings) *string { return &s.name }), Check: func(s *settings) error {
		if s.name == "wrong" {
			return errors.New("name is wrong")
		}
		return nil
	}},
	{Usage: "host <host...>", Many: true, Args: Some(func(s *settings) *[]string { return &s.hosts })},
	{Usage: "count <number>", Args: Number(func(s *settings) *int { return &s.count })},
	{Usage: "size <size>", Args: Size(func(s *settings) *int64 { return &s.size })},
	{Usage: "wait <duration>", Args: Duration(func(s *settings) *caddy.Duration { return &s.wait })},
	{Usage: "loud", Args: Flag(func(s *settings) *bool { return &s.loud })},
	{Usage: "colour", Elsewhere: "belongs to a painter"},
}

// read reads the block that text opens on its first line.
func read(text string) (*settings, map[string]Place, error) {
	d := caddyfile.NewTestDispenser(text)
	d.Next()
	s := new(settings)
	set, err := Read(d, s, options, "soon")
	return s, set, err
}

func TestOptionsAreReadWhereverTheyStand(t *testing.T) {
	s, set, err := read("thing {\n wait 1m\n host a b\n name x\n count 3\n size 2KiB\n loud\n}")
	if err != nil {
		t.Fatal(err)
	}
	if s.name != "x" || !slices.Equal(s.hosts, []string{"a", "b"}) || s.count != 3 || s.size != 2048 || time.Duration(s.wait) != time.Minute || !s.loud {
		t.Errorf("got %+v", s)
	}
	if got := set["count"]; got.Line() != 5 || got.Text() != "count" || got.String() != "Testfile:5" {
		t.Errorf("count stands at %v, line %d", got, got.Line())
	}
}

func TestMistakesAreToldWithTheirLineAndNoValue(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown", "thing {\n nmae x\n}", `unknown option "nmae"; expected name, host, count, size, wait or loud, at Testfile:2`},
		{"of a later version", "thing {\n soon x\n}", `option "soon" is not supported in this version, which has name, host, count, size, wait and loud, at Testfile:2`},
		{"of another place", "thing {\n colour red\n}", "option colour belongs to a painter, at Testfile:2"},
		{"twice", "thing {\n name x\n\n name y\n}", "name is already set at Testfile:2, at Testfile:4"},
		{"nothing behind it", "thing {\n name\n}", "wrong number of arguments; write name <text>, at Testfile:2"},
		{"too much behind it", "thing {\n name hunter2 hunter2\n}", "wrong number of arguments; write name <text>, at Testfile:2"},
		{"an empty text", "thing {\n name \"\"\n}", "name: the value is empty, at Testfile:2"},
		{"a value that is wrong", "thing {\n name wrong\n}", "name is wrong, at Testfile:2"},
		{"no number", "thing {\n count 0\n}", `count: "0" is not a whole number above 0, at Testfile:2`},
		{"no size", "thing {\n size -1\n}", `size: "-1" is not a size above 0; write it as 500KB or 2GiB, at Testfile:2`},
		{"no time", "thing {\n wait long\n}", `wait: "long" is not a time above 0; write it as 500ms, 30s, 5m or 1d, at Testfile:2`},
		{"a word that stands alone", "thing {\n loud yes\n}", "wrong number of arguments; write loud, at Testfile:2"},
		{"a block", "thing {\n name x {\n  y\n }\n}", "name takes no block; write name <text>, at Testfile:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := read(tt.text)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds a value: %v", err)
			}
		})
	}
}

func TestLiftedOptionsSetThePart(t *testing.T) {
	type whole struct{ part settings }
	w := new(whole)
	d := caddyfile.NewTestDispenser("thing {\n name x\n host a\n}")
	d.Next()
	lifted := Lift(options, func(w *whole) *settings { return &w.part })
	if _, err := Read(d, w, lifted); err != nil || w.part.name != "x" || !slices.Equal(w.part.hosts, []string{"a"}) {
		t.Errorf("got %+v, %v", w, err)
	}
}

func TestArgumentsCountAsSet(t *testing.T) {
	d := caddyfile.NewTestDispenser("thing x {\n name y\n}")
	d.Next()
	set := map[string]Place{"name": Here(d)}
	d.RemainingArgs()
	if err := ReadMore(d, new(settings), options, set); err == nil || err.Error() != "name is already set at Testfile:1, at Testfile:2" {
		t.Errorf("got %v", err)
	}
}
