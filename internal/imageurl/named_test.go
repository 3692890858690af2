package imageurl

import (
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestExpandKeepsPathAndQueryApart(t *testing.T) {
	thumb, err := syntax.Parse("w-100:q-5")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, query, want string
		texts                   []string // after an error
	}{
		{name: "nothing", path: "/b.jpg"},
		{name: "no names", path: "/tr:w-1/b.jpg", query: "tr=w-2", want: "w-1:w-2"},
		{name: "in the path", path: "/tr:h-3,n-thumb/b.jpg", want: "h-3:w-100:q-5"},
		{name: "in the query", path: "/b.jpg", query: "tr=n-thumb", want: "w-100:q-5"},
		{name: "in both", path: "/tr:n-thumb/b.jpg", query: "tr=w-3:n-thumb", want: "w-100:q-5:w-3:w-100:q-5"},
		{name: "unknown in the path", path: "/tr:n-x/b.jpg", query: "tr=n-thumb", texts: []string{"n-x"}},
		{name: "unknown in the query", path: "/tr:n-thumb/b.jpg", query: "tr=w-3,n-x", texts: []string{"n-thumb", "w-3,n-x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Parse(tt.path, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			err = a.Expand(map[string]syntax.Chain{"thumb": thumb})
			switch {
			case tt.texts == nil && (err != nil || a.Chain.String() != tt.want):
				t.Errorf("got %v, %v, want %s", a.Chain, err, tt.want)
			case tt.texts != nil && (!isSyntax(err) || !slices.Equal(a.Texts, tt.texts)):
				t.Errorf("got %v and the texts %q, want an error about the last of %q", err, a.Texts, tt.texts)
			case tt.texts != nil && !strings.Contains(err.Error(), `"x"`):
				t.Errorf("the error %v doesn't name what is unknown", err)
			}
		})
	}
}
