package syntax_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// pictures is the folder with what the examples make of the sample, by the parameters' names. A test of the module's
// root paints them, as that takes an engine.
var pictures = filepath.Join(filepath.Dir(page), "pictures")

// exampleCell is the example of a parameter, and what it makes.
func exampleCell(p syntax.Parameter) string {
	cell := "`" + p.Example + "`"
	if _, err := os.Stat(filepath.Join(pictures, p.Name+".webp")); err == nil {
		return cell + fmt.Sprintf("<br>![%s](pictures/%s.webp)", p.Example, p.Name)
	}
	return cell + "<br>the sample itself"
}

// TestEveryParameterHasAnExampleOfItself holds for all that works: readers of the table can paste something.
func TestEveryParameterHasAnExampleOfItself(t *testing.T) {
	for _, p := range syntax.Parameters() {
		if p.Missing != "" {
			continue
		}
		c, err := syntax.Parse(p.Example)
		if err != nil {
			t.Errorf("%s: the example %q: %v", p.Name, p.Example, err)
			continue
		}
		if !holds(c, p.Name) {
			t.Errorf("%s: the example %s shows another parameter", p.Name, p.Example)
		}
		if strings.Contains(p.Example, "|") {
			t.Errorf("%s: the example %s breaks the columns of the table", p.Name, p.Example)
		}
	}
}

// holds reports whether some step of the chain has the parameter.
func holds(c syntax.Chain, name string) bool {
	for _, s := range c {
		if _, found := s.Item(name); found || s.If != nil && (name == "if" || holds(s.If.Then, name) || holds(s.If.Else, name)) {
			return true
		}
	}
	return false
}

// TestThePageShowsEveryPicture and no other one: a file that is left over, or one that is missing, is told.
func TestThePageShowsEveryPicture(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for i, rest := range strings.Split(string(text), "](pictures/") {
		if name, _, closed := strings.Cut(rest, ")"); i > 0 && closed {
			shown[name] = true
		}
	}
	files, err := os.ReadDir(pictures)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !shown[file.Name()] {
			t.Errorf("%s shows no %s", page, file.Name())
		}
		delete(shown, file.Name())
	}
	for name := range shown {
		t.Errorf("%s shows %s, which isn't there", page, name)
	}
}
