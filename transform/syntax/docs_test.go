package syntax_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// page is the documentation that shows the table, between the two marks of a section.
var page = filepath.Join("..", "..", "docs", "transformations.md")

// TestDocumentationShowsTheTable fails when the page is behind the table; go test ./transform/syntax -update mends it.
func TestDocumentationShowsTheTable(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, rows := range map[string]string{"parameters": parameterRows(), "refused": refusedRows()} {
		if want, err = replaceSection(want, name, rows); err != nil {
			t.Fatal(err)
		}
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s does not show the parameters as they are; run go test ./transform/syntax -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replaceSection(text, name, rows string) (string, error) {
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s has no section %s", page, name)
	}
	return before + begin + rows + end + after, nil
}

func parameterRows() string {
	var b strings.Builder
	b.WriteString("| | SDK name | value | without it | | example |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, p := range syntax.Parameters() {
		if p.Missing == "" {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", p.Name, p.SDK, p.Grammar, p.Default, p.Summary, exampleCell(p))
		}
	}
	return b.String()
}

func refusedRows() string {
	var reasons []string
	names := map[string][]string{}
	for _, p := range syntax.Parameters() {
		if p.Missing == "" {
			continue
		}
		if !slices.Contains(reasons, p.Missing) {
			reasons = append(reasons, p.Missing)
		}
		names[p.Missing] = append(names[p.Missing], "`"+p.Name+"`")
	}
	var b strings.Builder
	b.WriteString("| parameters | why |\n| --- | --- |\n")
	for _, reason := range reasons {
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(names[reason], " "), reason)
	}
	return b.String()
}
