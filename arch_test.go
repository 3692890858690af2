package imageorigin_test

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/imageorigin/imageorigin"

// source is what the rules look at in a Go file.
type source struct {
	path     string   // in the module, slash separated
	imports  []string // full paths
	cgo      bool     // built only with cgo
	statuses []string // net/http's Status constants that it names
}

func (s source) dir() string { return path.Dir(s.path) }

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// in reports whether the file is in one of the folders or below it.
func (s source) in(dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return below(s.dir(), dir) })
}

func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// ours returns the path in the module of an import of ours.
func ours(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && imported != "C"
}

// guest reports whether the file is of a package that a config loads by its type.
func (s source) guest() bool {
	parent := path.Dir(s.dir())
	return parent == "origins" || parent == "caches" || s.in("transform/vipsexec", "transform/worker")
}

// rules keep the picture of the packages true. Each returns the import, or the name, that breaks it; "" is none.
var rules = []struct {
	name   string
	breach func(s source) string
	broken source // a file that breaks it
}{
	{
		name: "caddymodule imports contracts, never a concrete origin, cache or engine",
		breach: func(s source) string {
			return s.imported(func(imported string) bool {
				p, _ := ours(imported)
				parent := path.Dir(p)
				return s.in("caddymodule") && !s.test() && (parent == "origins" || parent == "caches" || below(p, "transform/vipsexec") || below(p, "transform/worker"))
			})
		},
		broken: source{path: "caddymodule/app.go", imports: []string{module + "/origins", module + "/origins/folder"}},
	},
	{
		name: "Caddy is imported by caddymodule, by module.go and caddyfile.go of guests, by internal/block and internal/cmd",
		breach: func(s source) string {
			glue := s.guest() && (s.test() || slices.Contains([]string{"module.go", "caddyfile.go"}, path.Base(s.path)))
			if s.in("caddymodule", "internal/block", "internal/cmd", "docs") || glue || s.dir() == "." && s.test() {
				return ""
			}
			return s.imported(func(imported string) bool { return strings.HasPrefix(imported, "github.com/caddyserver/") })
		},
		broken: source{path: "origins/web/web.go", imports: []string{"github.com/caddyserver/caddy/v2"}},
	},
	{
		name: "cgo is imported by transform/vipsexec and the generator of the examples",
		breach: func(s source) string {
			if s.in("transform/vipsexec", "internal/cmd/examples") {
				return ""
			}
			return s.imported(func(imported string) bool {
				return imported == "C" || strings.HasPrefix(imported, "github.com/davidbyttow/govips")
			})
		},
		broken: source{path: "transform/gate.go", imports: []string{"C"}},
	},
	{
		name: "transform/vipsexec is imported only by files that are built with cgo",
		breach: func(s source) string {
			if s.cgo || s.in("transform/vipsexec", "internal/cmd/examples") {
				return ""
			}
			return s.imported(func(imported string) bool { return imported == module+"/transform/vipsexec" })
		},
		broken: source{path: "imageorigin.go", imports: []string{module + "/transform/vipsexec"}},
	},
	{
		name: "transform/syntax imports std",
		breach: func(s source) string {
			return s.imported(func(imported string) bool {
				return s.dir() == "transform/syntax" && !s.test() && !standard(imported)
			})
		},
		broken: source{path: "transform/syntax/parse.go", imports: []string{"strings", "golang.org/x/text/unicode/norm"}},
	},
	{
		name: "transform/plan imports transform/syntax and std",
		breach: func(s source) string {
			return s.imported(func(imported string) bool {
				return s.dir() == "transform/plan" && !s.test() && !standard(imported) && imported != module+"/transform/syntax"
			})
		},
		broken: source{path: "transform/plan/plan.go", imports: []string{"fmt", module + "/transform/syntax", module + "/transform"}},
	},
	{
		name: "the statuses of errors that we answer with live in caddymodule/errors.go",
		breach: func(s source) string {
			if !s.in("caddymodule", "internal/delivery", "internal/imageurl") || s.test() || s.path == "caddymodule/errors.go" {
				return ""
			}
			for _, name := range s.statuses {
				if name != "StatusOK" && name != "StatusText" {
					return "http." + name
				}
			}
			return ""
		},
		broken: source{path: "caddymodule/handler.go", statuses: []string{"StatusOK", "StatusNotFound"}},
	},
	{
		name: "packages for tests are imported by tests only",
		breach: func(s source) string {
			if s.test() || strings.HasSuffix(s.dir(), "test") {
				return ""
			}
			return s.imported(func(imported string) bool {
				p, ok := ours(imported)
				return ok && strings.HasSuffix(p, "test")
			})
		},
		broken: source{path: "origins/web/web.go", imports: []string{module + "/origins/originstest"}},
	},
}

// imported returns the first import that match finds.
func (s source) imported(match func(string) bool) string {
	if i := slices.IndexFunc(s.imports, match); i >= 0 {
		return s.imports[i]
	}
	return ""
}

func TestImportsPointTheRightWay(t *testing.T) {
	sources := readSources(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, s := range sources {
				if what := rule.breach(s); what != "" {
					t.Errorf("%s has %s", s.path, what)
				}
			}
		})
	}
}

func TestRulesFindWhatBreaksThem(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			if rule.breach(rule.broken) == "" {
				t.Errorf("nothing is wrong with %+v", rule.broken)
			}
		})
	}
}

// readSources reads the Go files of this module; folders with a go.mod of their own are others.
func readSources(t *testing.T) []source {
	t.Helper()
	var sources []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			_, other := os.Stat(filepath.Join(name, "go.mod"))
			if name != "." && (other == nil || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			sources = append(sources, readSource(t, name))
		}
		return nil
	})
	if err != nil || len(sources) < 10 {
		t.Fatalf("reading the module: %d files, %v", len(sources), err)
	}
	return sources
}

func readSource(t *testing.T, name string) source {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s := source{path: filepath.ToSlash(name), cgo: needsCgo(file)}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		s.imports = append(s.imports, imported)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := selector.X.(*ast.Ident); ok && of.Name == "http" && strings.HasPrefix(selector.Sel.Name, "Status") {
				s.statuses = append(s.statuses, selector.Sel.Name)
			}
		}
		return true
	})
	return s
}

// needsCgo reports whether the file's build constraint rules it out where cgo is off.
func needsCgo(file *ast.File) bool {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if group.Pos() > file.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			expr, err := constraint.Parse(comment.Text)
			return err == nil && !expr.Eval(func(tag string) bool { return tag != "cgo" })
		}
	}
	return false
}
