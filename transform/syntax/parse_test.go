package syntax_test

import (
	"errors"
	"flag"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

var update = flag.Bool("update", false, "record testdata/*.vec and the table in the documentation anew")

// TestVectorsParse compares canonical texts, and errors where there is one, with the recorded ones.
func TestVectorsParse(t *testing.T) {
	blocks := vectest.Read(t)
	for i, b := range blocks {
		t.Run(b.Name(), func(t *testing.T) {
			text := b.Header["chain"]
			c, err := syntax.Parse(text)
			got := c.String()
			if err != nil {
				got = "error: " + err.Error()
			}
			refused := strings.HasSuffix(b.File, "refused.vec")
			if refused != (err != nil) {
				t.Fatalf("Parse(%q): got error %v, want one: %v", text, err, refused)
			}
			if *update {
				blocks[i].Want = got
			} else if got != b.Want {
				t.Errorf("Parse(%q)\n got %s\nwant %s", text, got, b.Want)
			}
			checkInvariants(t, text)
		})
	}
	if *update {
		vectest.Rewrite(t, blocks)
	}
}

// checkInvariants holds Parse to what it promises for every text: a canonical text that parses to the same, or an
// *Error with a place inside the text and a message that can stand in a header.
func checkInvariants(t *testing.T, text string) {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		e, ours := errors.AsType[*syntax.Error](err)
		if !ours || c != nil {
			t.Fatalf("Parse(%q): got %v and an error of type %T", text, c, err)
		}
		if e.Pos < 0 || e.Pos > len(text) {
			t.Errorf("Parse(%q): %q is at %d, outside of the text", text, e.Msg, e.Pos)
		}
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("Parse(%q): the message %q can't stand in a header", text, err)
		}
		return
	}
	again, err := syntax.Parse(c.String())
	if err != nil {
		t.Fatalf("Parse(%q): its canonical text %q gives %v", text, c, err)
	}
	if again.String() != c.String() || !equal(again, c) {
		t.Errorf("Parse(%q) = %q, but that parses to %q", text, c, again)
	}
	checkPlaces(t, text, c)
}

// checkPlaces fails where an item or a condition is not where it says it is.
func checkPlaces(t *testing.T, text string, c syntax.Chain) {
	t.Helper()
	for _, s := range c {
		for _, it := range s.Items {
			if !strings.HasPrefix(text[it.Pos:], it.Name) {
				t.Errorf("Parse(%q): %s is not at %d", text, it.Name, it.Pos)
			}
		}
		if s.If != nil {
			if !strings.HasPrefix(text[s.If.Pos:], "if-") {
				t.Errorf("Parse(%q): %v is not at %d", text, s.If, s.If.Pos)
			}
			checkPlaces(t, text, s.If.Then)
			checkPlaces(t, text, s.If.Else)
		}
	}
}

// equal compares chains without the places of their items. A step has items or a condition, and never both.
func equal(a, b syntax.Chain) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if (a[i].If == nil) != (b[i].If == nil) || (a[i].If == nil) != (len(a[i].Items) > 0) || len(a[i].Items) != len(b[i].Items) {
			return false
		}
		if x, y := a[i].If, b[i].If; x != nil {
			if !reflect.DeepEqual(x.Condition, y.Condition) || !equal(x.Then, y.Then) || !equal(x.Else, y.Else) ||
				len(x.Then) == 0 || (x.Else == nil) != (y.Else == nil) {
				return false
			}
		}
		for j, it := range a[i].Items {
			if other := b[i].Items[j]; it.Name != other.Name || it.Value != other.Value {
				return false
			}
		}
	}
	return true
}

func TestTextBeyondTheBoundIsOverALimit(t *testing.T) {
	long := strings.Repeat("w-1:", 1023) + "w-10" // 4096 bytes
	if _, err := syntax.Parse(long); err != nil {
		t.Errorf("a text of %d bytes: got %v", len(long), err)
	}
	_, err := syntax.Parse(long + "0")
	if e, ours := errors.AsType[*syntax.Error](err); !ours || !e.Limit {
		t.Errorf("a text of %d bytes: got %v, want an error with Limit", len(long)+1, err)
	}
}

func TestLimitMarksSidesThatAreTooLong(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit bool
	}{
		{"w-65536", true}, {"h-100000.5", true}, {"x-N70000", true}, {"ar-70000-1", true}, {"w-70000x", false}, {"q-70000", false},
	} {
		_, err := syntax.Parse(tt.text)
		e, ours := errors.AsType[*syntax.Error](err)
		if !ours || e.Limit != tt.limit {
			t.Errorf("Parse(%q): got %v, want an error with Limit %v", tt.text, err, tt.limit)
		}
	}
}

func TestErrorNamesParameterAndPlace(t *testing.T) {
	for _, tt := range []struct {
		text, param string
		pos         int
	}{
		{"w-300,h-x", "h", 8},
		{"w-300:z-900", "z", 8},
		{"w-300,foo-1", "foo", 6},
		{"w-300,%41-1", "", 6},
		{"w-300,w-200", "w", 6},
		{"w-300,bg-a\xffb", "bg", 10},
		{"w-300,", "", 6},
	} {
		_, err := syntax.Parse(tt.text)
		e, ours := errors.AsType[*syntax.Error](err)
		if !ours || e.Param != tt.param || e.Pos != tt.pos {
			t.Errorf("Parse(%q): got %+v, want parameter %q at %d", tt.text, e, tt.param, tt.pos)
		}
	}
}

func TestEqualChainsHaveOneCanonicalText(t *testing.T) {
	for _, same := range [][]string{
		{"w-300,h-200,f-jpg", "h-200,f-jpeg,w-0300", "f-jpg,w-300.0,h-200.00"},
		{"w-1,ar-4-3", "ar-4_3,w-1", "ar-4:3,w-1", "ar-4.0:03,w-1"},
		{"bg-red", "bg-FF0000", "bg-f00", "bg-ff0000"},
	} {
		want, err := syntax.Parse(same[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range same[1:] {
			got, err := syntax.Parse(text)
			if err != nil || got.String() != want.String() {
				t.Errorf("Parse(%q) = %q, %v; want %q as for %q", text, got, err, want, same[0])
			}
		}
	}
}

func TestOpacityInHundredthsSurvivesTheRoundTrip(t *testing.T) {
	for a := range 256 {
		c := syntax.Color{R: 1, G: 2, B: 3, A: uint8(a)}
		got, ok := syntax.ParseColor(c.String())
		if diff := int(got.A) - a; !ok || diff < -2 || diff > 2 || got.String() != c.String() {
			t.Errorf("%+v is written %s and read as %+v", c, c, got)
		}
	}
}

func TestOpacityIsReadInHundredths(t *testing.T) {
	for text, want := range map[string]uint8{"00": 0, "01": 3, "30": 77, "50": 128, "99": 252} {
		if c, ok := syntax.ParseColor("FF0000" + text); !ok || c.A != want {
			t.Errorf("opacity %s: got %d, %v, want %d", text, c.A, ok, want)
		}
	}
}

func TestColourNamesAreThoseOfCSS(t *testing.T) {
	for name, want := range map[string]string{
		"aliceblue": "F0F8FF", "black": "000000", "cornflowerblue": "6495ED", "darkslategrey": "2F4F4F", "green": "008000",
		"lightgoldenrodyellow": "FAFAD2", "orange": "FFA500", "rebeccapurple": "663399", "tan": "D2B48C", "white": "FFFFFF",
		"yellowgreen": "9ACD32", "transparent": "00000000",
	} {
		if c, ok := syntax.ParseColor(name); !ok || c.String() != want {
			t.Errorf("%s: got %s, %v, want %s", name, c, ok, want)
		}
	}
}

// placed matches a refusal that names a parameter and its column.
var placed = regexp.MustCompile(`^error: ([a-z-]+): .* \(column \d+\)$`)

func TestEveryParameterHasVectors(t *testing.T) {
	accepted, refused := map[string]bool{}, map[string]bool{}
	for _, b := range vectest.Read(t) {
		if strings.HasSuffix(b.File, "refused.vec") {
			if parts := placed.FindStringSubmatch(b.Want); parts != nil {
				refused[parts[1]] = true
			}
			continue
		}
		for _, item := range strings.FieldsFunc(b.Header["chain"], func(r rune) bool { return r == ',' || r == ':' }) {
			parts := strings.SplitN(item, "-", 3)
			accepted[parts[0]] = true
			accepted[strings.Join(parts[:min(2, len(parts))], "-")] = true // an effect's name has a hyphen
		}
	}
	for _, p := range syntax.Parameters() {
		if p.Missing != "" {
			if _, err := syntax.Parse(p.Name + "-1"); err == nil || !strings.HasPrefix(err.Error(), p.Name+": the ") {
				t.Errorf("%s: got %v, want a refusal that says why", p.Name, err)
			}
			continue
		}
		if !accepted[p.Name] || !refused[p.Name] {
			t.Errorf("%s has no vector that is accepted, or none whose error names it and its column", p.Name)
		}
	}
}

func TestTableHasNoNameTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range syntax.Parameters() {
		if seen[p.Name] {
			t.Errorf("%s stands twice in the table", p.Name)
		}
		seen[p.Name] = true
		if p.Missing == "" && (p.SDK == "" || p.Grammar == "" || p.Default == "" || p.Summary == "" || p.Section == "") {
			t.Errorf("the row of %s is incomplete: %+v", p.Name, p)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := syntax.Parse("w-300,h-200,cm-pad_resize,bg-F3F3F3,f-auto,q-80:w-0.5"); err != nil {
			b.Fatal(err)
		}
	}
}
