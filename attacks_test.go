package imageorigin_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// attacks is how many cases there are; security-decoders.md has those from 21 to 27, security.md all others.
const attacks = 34

// defence is a row of the tables in docs/security*.md.
type defence struct {
	page  string
	cells []string      // the attack, what we do, what proves it
	tests []provingTest // that the last cell names
}

// provingTest is a test by which a row is proved.
type provingTest struct{ dir, name string }

func (p provingTest) String() string { return fmt.Sprintf("%s (%s)", p.name, p.dir) }

var (
	rowOfCase  = regexp.MustCompile(`^\| (\d+) \|(.*)\|$`)
	wordOfTest = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
	namedTest  = regexp.MustCompile("\\b((?:Test|Fuzz)[A-Z]\\w*)`? \\(`?([\\w./-]+)`?\\)")
	caseOfTest = regexp.MustCompile(`(?m)^attacks? (\d+(?:, \d+)*):`)
)

// readDefences adds the rows of a page. A case may have several, all on one page.
func readDefences(page, text string, into map[int]defence) error {
	var failures []error
	for line := range strings.Lines(text) {
		row := rowOfCase.FindStringSubmatch(strings.TrimSpace(line))
		if row == nil {
			continue
		}
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return err
		}
		d := defence{page: page, cells: strings.Split(row[2], "|")}
		if err := d.read(); err != nil {
			failures = append(failures, fmt.Errorf("%s: case %d: %w", page, n, err))
		}
		if before, taken := into[n]; taken {
			if before.page != page {
				failures = append(failures, fmt.Errorf("%s: case %d has a row in %s, too", page, n, before.page))
			}
			d.tests = append(before.tests, d.tests...)
		}
		into[n] = d
	}
	return errors.Join(failures...)
}

// read finds the tests that a row names, and says what is wrong with it.
func (d *defence) read() error {
	if len(d.cells) != 3 {
		return fmt.Errorf("the row has %d cells behind the number, want the attack, what we do, and tests", len(d.cells))
	}
	for i := range d.cells {
		if d.cells[i] = strings.TrimSpace(d.cells[i]); d.cells[i] == "" {
			return errors.New("a cell is empty")
		}
	}
	proof := d.cells[2]
	for _, m := range namedTest.FindAllStringSubmatch(proof, -1) {
		d.tests = append(d.tests, provingTest{path.Clean(m[2]), m[1]})
	}
	switch words := len(wordOfTest.FindAllString(proof, -1)); {
	case words != len(d.tests):
		return errors.New("a test has no package behind it, in parentheses")
	case words == 0 && !strings.HasPrefix(proof, "can't apply: "):
		return errors.New("no test is named; where none is needed write can't apply: and why")
	}
	return nil
}

// testsIn returns the tests of a folder, with the numbers of the attacks that the comments above them say.
func testsIn(dir string) (map[string][]int, error) {
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		return nil, err
	}
	found := map[string][]int{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && wordOfTest.MatchString(f.Name.Name) {
				found[f.Name.Name] = casesIn(f.Doc.Text())
			}
		}
	}
	return found, nil
}

// casesIn returns the numbers that a comment such as "attacks 7, 8: …" begins with.
func casesIn(comment string) []int {
	numbers := []int{}
	if m := caseOfTest.FindStringSubmatch(comment); m != nil {
		for text := range strings.SplitSeq(m[1], ", ") {
			n, _ := strconv.Atoi(text)
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestEveryAttackHasTestsOrAReason(t *testing.T) {
	defences := map[int]defence{}
	for _, page := range []string{"docs/security.md", "docs/security-decoders.md"} {
		text, err := os.ReadFile(page)
		if err == nil {
			err = readDefences(page, string(text), defences)
		}
		if err != nil {
			t.Error(err)
		}
	}
	folders := map[string]map[string][]int{}
	for n := 1; n <= attacks; n++ {
		t.Run(fmt.Sprintf("attack %d", n), func(t *testing.T) {
			d, ok := defences[n]
			if !ok {
				t.Fatal("there is no row for it")
			}
			for _, test := range d.tests {
				if folders[test.dir] == nil {
					tests, err := testsIn(test.dir)
					if err != nil {
						t.Fatal(err)
					}
					folders[test.dir] = tests
				}
				if folders[test.dir][test.name] == nil {
					t.Errorf("%s names %v, which doesn't exist", d.page, test)
				}
			}
		})
	}
	for n := range defences {
		if n < 1 || n > attacks {
			t.Errorf("%s has a row for %d, which is no case", defences[n].page, n)
		}
	}
	// What says that it proves something is in the table.
	for dir, tests := range folders {
		for name, cases := range tests {
			for _, n := range cases {
				if d := defences[n]; !slices.Contains(d.tests, provingTest{dir, name}) {
					t.Errorf("%v says that it is about attack %d, whose row in %s doesn't name it", provingTest{dir, name}, n, d.page)
				}
			}
		}
	}
}

func TestRowsThatProveNothingAreFound(t *testing.T) {
	const good = "| 7 | an attack | what we do | TestIt (a/b), `FuzzIt` (`.`) |\n"
	for _, tt := range []struct{ name, text, want string }{
		{"a good one", good, ""},
		{"a reason", "| 7 | an attack | nothing | can't apply: there is no such thing |\n", ""},
		{"other tables", "| 7 words | x |\n|---|---|\n", ""},
		{"two rows of a case", good + good, ""},
		{"a row on another page", strings.Replace(good, "7", "8", 1), "case 8 has a row in y.md, too"},
		{"a cell too few", "| 7 | an attack | TestIt (a/b) |\n", "has 2 cells"},
		{"an empty cell", "| 7 | an attack | | TestIt (a/b) |\n", "a cell is empty"},
		{"no test", "| 7 | an attack | what we do | we looked |\n", "no test is named"},
		{"no package", "| 7 | an attack | what we do | TestIt (a/b), TestThat |\n", "a test has no package"},
	} {
		err := readDefences("x.md", tt.text, map[int]defence{8: {page: "y.md"}})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if tests, err := testsIn("."); err != nil || tests["TestRowsThatProveNothingAreFound"] == nil || tests["TestThatIsNotThere"] != nil {
		t.Errorf("tests of this folder: got %v, %v", tests, err)
	}
	if got := fmt.Sprint(casesIn("attacks 7, 12: nothing"), casesIn("an attack 7: x")); got != "[7 12] []" {
		t.Errorf("got %s", got)
	}
}

// smallSets are the labels that metrics may have: names of the configuration, and words of the program.
var smallSets = []string{"cache", "code", "endpoint", "format", "kind", "lane", "origin", "reason", "result", "state"}

// attack 34: a label is of that list, so none has the path, the host or the key of a request as its value.
func TestLabelsOfMetricsAreOfSmallSets(t *testing.T) {
	for _, s := range readSources(t) {
		if s.test() {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), s.path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, label := range labelsIn(file) {
			if !slices.Contains(smallSets, label) {
				t.Errorf("%s: a metric has the label %q", s.path, label)
			}
		}
	}
	for code, want := range map[string]string{
		`prometheus.NewDesc("a", "b", []string{"reason", "path"}, nil)`:                     "reason path",
		`prometheus.NewDesc("a", "b", nil, prometheus.Labels{"host": h})`:                   "host",
		`prometheus.NewCounterVec(prometheus.CounterOpts{Name: "a"}, []string{"key"})`:      "key",
		`prometheus.NewGaugeFunc(o, func() float64 { return 1 })`:                           "",
		`promauto.With(r).NewHistogramVec(o, labels)`:                                       "labels",
		`prometheus.NewDesc("a", "b", names(), nil)`:                                        "names()",
		`prometheus.NewGauge(prometheus.GaugeOpts{ConstLabels: map[string]string{"x": y}})`: "x",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nvar v = "+code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(labelsIn(file), " "); got != want {
			t.Errorf("%s: got the labels %q, want %q", code, got, want)
		}
	}
}

var makesMetrics = regexp.MustCompile(`^New(?:Desc|(?:Counter|Gauge|Histogram|Summary|Untyped)(?:Vec|Func)?)$`)

// labelsIn returns the labels that a file gives to metrics; what is no text stands for itself.
func labelsIn(file *ast.File) []string {
	var labels []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !makesMetrics.MatchString(selector.Sel.Name) {
			return true
		}
		before := len(call.Args) // what is no label
		switch name := selector.Sel.Name; {
		case name == "NewDesc":
			before = 2 // name and help
		case strings.HasSuffix(name, "Vec"):
			before = 1 // the options
		}
		for _, argument := range call.Args[min(before, len(call.Args)):] {
			labels = append(labels, labelsOf(argument)...)
		}
		ast.Inspect(call, func(n ast.Node) bool {
			if field, ok := n.(*ast.KeyValueExpr); ok {
				if name, ok := field.Key.(*ast.Ident); ok && name.Name == "ConstLabels" {
					labels = append(labels, labelsOf(field.Value)...)
				}
			}
			return true
		})
		return true
	})
	return labels
}

// labelsOf returns the labels of a list or a map.
func labelsOf(e ast.Expr) []string {
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		if name, ok := e.(*ast.Ident); ok {
			if name.Name == "nil" {
				return nil
			}
			return []string{name.Name}
		}
		return []string{exprText(e)}
	}
	var labels []string
	for _, element := range list.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			element = pair.Key
		}
		labels = append(labels, exprText(element))
	}
	return labels
}

// exprText returns a text as what it says, and anything else as it is named.
func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.Ident:
		return e.Name
	case *ast.CallExpr:
		return exprText(e.Fun) + "()"
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	}
	return fmt.Sprintf("%T", e)
}
