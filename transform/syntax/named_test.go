package syntax_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/chaintest"
)

// book parses chains, written "name=chain".
func book(t *testing.T, entries ...string) map[string]syntax.Chain {
	t.Helper()
	named := map[string]syntax.Chain{}
	for _, entry := range entries {
		name, text, _ := strings.Cut(entry, "=")
		named[name] = parsed(t, text)
	}
	return named
}

func parsed(t *testing.T, text string) syntax.Chain {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return c
}

func TestExpandPutsTheStepsInThePlaceOfTheName(t *testing.T) {
	named := book(t, "thumb=w-100,h-100:q-50", "grey=e-grayscale", "Grey=bl-2", "tall=if-ar_gt_1,h-3,if-else,w-3,if-end")
	for _, tt := range []struct{ name, text, want string }{
		{"nothing named", "w-3:if-w_gt_3,q-2,if-end", "w-3:if-w_gt_3,q-2,if-end"},
		{"alone", "n-thumb", "w-100,h-100:q-50"},
		{"beside items, which come first", "n-thumb,w-300", "w-300:w-100,h-100:q-50"},
		{"between steps", "w-3:n-grey:h-3", "w-3:e-grayscale:h-3"},
		{"twice", "n-grey:n-grey", "e-grayscale:e-grayscale"},
		{"names are case-sensitive", "n-Grey", "bl-2"},
		{"in branches", "if-w_gt_3,n-grey:w-3,if-else,q-9,n-thumb,if-end", "if-w_gt_3,e-grayscale:w-3,if-else,q-9:w-100,h-100:q-50,if-end"},
		{"in one branch", "if-w_gt_3,n-grey,if-end", "if-w_gt_3,e-grayscale,if-end"},
		{"a condition outside of branches", "w-9,n-tall:q-2", "w-9:if-ar_gt_1,h-3,if-else,w-3,if-end:q-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := parsed(t, tt.text)
			got, err := syntax.Expand(c, named)
			if err != nil || got.String() != tt.want {
				t.Fatalf("%s: got %v, %v, want %s", tt.text, got, err, tt.want)
			}
			if !equal(got, parsed(t, tt.want)) {
				t.Errorf("%s: got %+v, which is not what is written", tt.text, got)
			}
			if before := parsed(t, tt.text); !equal(c, before) {
				t.Errorf("the chain itself was changed: it is %v, was %v", c, before)
			}
		})
	}
	for name, want := range book(t, "thumb=w-100,h-100:q-50", "tall=if-ar_gt_1,h-3,if-else,w-3,if-end") {
		if !equal(named[name], want) {
			t.Errorf("the chain %s was changed to %v", name, named[name])
		}
		checkPlaces(t, want.String(), named[name])
	}
}

func TestExpandedItemsAreWhereTheNameStands(t *testing.T) {
	const text = "w-9,n-a:n-b"
	got, err := syntax.Expand(parsed(t, text), book(t, "a=w-1,h-2:q-3", "b=if-w_gt_3,w-3,if-else,h-4:q-5,if-end"))
	if err != nil {
		t.Fatal(err)
	}
	var places func(c syntax.Chain) []int
	places = func(c syntax.Chain) (list []int) {
		for _, s := range c {
			for _, it := range s.Items {
				list = append(list, it.Pos)
			}
			if s.If != nil {
				list = append(append(append(list, s.If.Pos), places(s.If.Then)...), places(s.If.Else)...)
			}
		}
		return list
	}
	if want := []int{0, 4, 4, 4, 8, 8, 8, 8}; !slices.Equal(places(got), want) {
		t.Errorf("%v: the places are %v, want %v", got, places(got), want)
	}
}

func TestExpandRefusesWithTheColumnOfTheName(t *testing.T) {
	const unknown = `n: no transformation is called "%s" here; names are case-sensitive, and declared by the endpoint's option transform (column %d)`
	named := book(t, "tall=w-1:if-ar_gt_1,h-3,if-end", "Thumb=w-3", "long="+strings.Repeat("w-1:", 511)+"w-1")
	for _, tt := range []struct {
		text, want string
		limit      bool
	}{
		{text: "w-3,n-thumb", want: fmt.Sprintf(unknown, "thumb", 5)},
		{text: "n-Thumb:n-tal", want: fmt.Sprintf(unknown, "tal", 9)},
		{text: "if-w_gt_3,w-3,if-else,n-x,if-end", want: fmt.Sprintf(unknown, "x", 23)},
		{
			text: "if-w_gt_3,q-1,n-tall,if-end",
			want: `n: "tall" holds a condition, and stands in a branch of another; a branch holds no condition: write the name behind if-end and a colon (column 15)`,
		},
		{text: "n-long:n-long", want: "n: with what the names stand for there are more than 1024 steps (column 8)", limit: true},
		{text: "if-w_gt_3,n-long,if-else,n-long,if-end", want: "n: with what the names stand for there are more than 1024 steps (column 26)", limit: true},
	} {
		got, err := syntax.Expand(parsed(t, tt.text), named)
		e, ours := errors.AsType[*syntax.Error](err)
		if !ours || got != nil || err.Error() != tt.want || e.Limit != tt.limit {
			t.Errorf("%s: got %v and %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

// TestExpandedChainsAreWhatTheyWouldBeWrittenOut puts names into random chains, and the texts they stand for.
func TestExpandedChainsAreWhatTheyWouldBeWrittenOut(t *testing.T) {
	w := chaintest.New(9, 2000)
	alone := regexp.MustCompile(`(^|[,:])(n|pg)-`) // other names, and what may not stand in a branch
	write := func(chain func() string) string {
		for {
			if text := chain(); !alone.MatchString(text) {
				return text
			}
		}
	}
	for range 2000 {
		a, b := write(w.Step), write(func() string { return w.Step() + ":" + w.Step() })
		text := strings.Join([]string{"n-b", write(w.Chain), "if-w_gt_3,n-a:w-3,if-else,n-b,if-end", "r-3,n-a"}, ":")
		got, err := syntax.Expand(parsed(t, text), map[string]syntax.Chain{"a": parsed(t, a), "b": parsed(t, b)})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := parsed(t, strings.NewReplacer("r-3,n-a", "r-3:"+a, "n-a", a, "n-b", b).Replace(text))
		if got.String() != want.String() || !equal(got, want) {
			t.Fatalf("%s with a=%s b=%s\n got %v\nwant %v", text, a, b, got, want)
		}
	}
}

func TestExpandAllExpandsNamesInNames(t *testing.T) {
	given := book(t, "a=w-9,n-b", "b=n-c:q-1", "c=h-3", "d=n-c:n-b")
	got, err := syntax.ExpandAll(given)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, c := range got {
		texts[name] = c.String()
	}
	if want := map[string]string{"a": "w-9:h-3:q-1", "b": "h-3:q-1", "c": "h-3", "d": "h-3:h-3:q-1"}; !maps.Equal(texts, want) {
		t.Errorf("got %v, want %v", texts, want)
	}
	if none, err := syntax.ExpandAll(nil); err != nil || len(none) != 0 {
		t.Errorf("no names: got %v, %v", none, err)
	}
}

func TestExpandAllTellsWhichNameIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given []string
		want  string
	}{
		{"itself", []string{"a=w-1:n-a"}, `"a": n: the names lead in a circle, a -> a; one of them must do without the next (column 5)`},
		{
			"a circle behind others",
			[]string{"a=n-b", "b=q-1,n-c", "c=w-1:n-d", "d=n-b"},
			`"d": n: the names lead in a circle, b -> c -> d -> b; one of them must do without the next (column 1)`,
		},
		{
			"a circle through a branch",
			[]string{"a=if-w_gt_3,n-b,if-end", "b=n-a"},
			`"b": n: the names lead in a circle, a -> b -> a; one of them must do without the next (column 1)`,
		},
		{
			"unknown, asked for by another",
			[]string{"a=n-z", "z=w-3,n-y"},
			`"z": n: no transformation is called "y" here; names are case-sensitive, and declared by the endpoint's option transform (column 5)`,
		},
		{
			"a condition gets into a branch",
			[]string{"a=if-w_gt_3,n-b,if-end", "b=n-c", "c=if-w_gt_3,w-3,if-end"},
			`"a": n: "b" holds a condition, and stands in a branch of another; a branch holds no condition: write the name behind if-end and a colon (column 11)`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := syntax.ExpandAll(book(t, tt.given...))
			e, ours := errors.AsType[*syntax.NamedError](err)
			if !ours || err.Error() != tt.want {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if _, placed := errors.AsType[*syntax.Error](err); !placed || !strings.HasPrefix(tt.want, `"`+e.Name+`"`) {
				t.Errorf("the error %v has no place, or is about %s", err, e.Name)
			}
		})
	}
}

// TestNamesCannotGrowWithoutBound has each name stand for the next one twice: 2^60 steps, if someone wrote them out.
func TestNamesCannotGrowWithoutBound(t *testing.T) {
	given := map[string]syntax.Chain{"x60": parsed(t, "w-1")}
	for i := range 60 {
		next := fmt.Sprintf("n-x%02d", i+1)
		given[fmt.Sprintf("x%02d", i)] = parsed(t, next+":"+next)
	}
	_, err := syntax.ExpandAll(given)
	if e, ours := errors.AsType[*syntax.Error](err); !ours || !e.Limit {
		t.Errorf("got %v, want an error with Limit", err)
	}
}

func TestOwnSizesShowInTheTextAndCannotBeAskedFor(t *testing.T) {
	own := parsed(t, "w-3,q-2:q-5:if-w_gt_3,h-3:bl-2,if-else,ar-1-1,w-2,if-end").WithOwnSizes()
	const want = "w-3,q-2,own_size:q-5:if-w_gt_3,h-3,own_size:bl-2,if-else,w-2,ar-1-1,own_size,if-end"
	if got := own.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expanded, err := syntax.Expand(parsed(t, "w-3,n-a"), map[string]syntax.Chain{"a": own})
	if got := expanded.String(); err != nil || got != "w-3:"+want {
		t.Errorf("expanded: got %s, %v, want w-3:%s", got, err, want)
	}
	if _, err := syntax.Parse(want); err == nil {
		t.Error("the mark is accepted in a text")
	}
}
