package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// everyOp holds one of each type; TestEveryOpIsKnownToTheTestOfRecipes says which is missing.
var everyOp = []Op{
	Resize{},
	Crop{},
	SmartCrop{},
	Orient{},
	Colour{},
	Embed{},
	Flatten{},
	Rotate{},
	Flip{},
	Round{},
	Opacity{},
	Grey{},
	Contrast{},
	Blur{},
	Unsharp{},
	Shadow{},
	Gradient{},
	Tint{},
	Replace{},
	Backdrop{},
	Perspective{},
	Arc{},
}

// TestEveryOpIsKnownToTheTestOfRecipes finds the ops by their method in the source.
func TestEveryOpIsKnownToTheTestOfRecipes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared, known []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "op" && f.Recv != nil {
				declared = append(declared, fmt.Sprint(f.Recv.List[0].Type))
			}
		}
	}
	for _, op := range everyOp {
		known = append(known, reflect.TypeOf(op).Name())
	}
	slices.Sort(declared)
	slices.Sort(known)
	if !slices.Equal(declared, known) {
		t.Errorf("the package has the ops %v, everyOp %v", declared, known)
	}
}

// TestEveryFieldOfAPlanIsInItsRecipe changes each field of everything that an engine reads, one at a time and down to the last
// bit: no two plans may have the same text.
func TestEveryFieldOfAPlanIsInItsRecipe(t *testing.T) {
	seen := map[string]Plan{}
	base := Plan{Load: Load{Format: PNG}, Output: Output{Format: PNG}}
	add := func(change func(p *Plan)) {
		p := base
		change(&p)
		recipe := p.Recipe()
		if other, found := seen[recipe]; found && !reflect.DeepEqual(p, other) {
			t.Errorf("%#v and %#v have the same recipe\n%s", p, other, recipe)
		}
		seen[recipe] = p
	}
	for _, op := range append(slices.Clone(everyOp), listed{}) {
		before := len(seen)
		for _, changed := range changes(t, reflect.TypeOf(op)) {
			add(func(p *Plan) { p.Ops = []Op{changed.Interface().(Op)} })
			add(func(p *Plan) { p.Ops = []Op{changed.Interface().(Op), Grey{}} })
		}
		if got, least := len(seen)-before, 2*len(leaves(t, reflect.New(reflect.TypeOf(op)).Elem(), "")); got < least {
			t.Errorf("%T has %d texts; with each field changed there are at least %d", op, got, least)
		}
	}
	for _, changed := range changes(t, reflect.TypeFor[Load]()) {
		add(func(p *Plan) { p.Load = changed.Interface().(Load) })
	}
	for _, changed := range changes(t, reflect.TypeFor[Output]()) {
		o := changed.Interface().(Output)
		add(func(p *Plan) { p.Output = o })
		add(func(p *Plan) { p.Alternatives = []Output{o} })
		add(func(p *Plan) { p.Alternatives = []Output{o, {Format: GIF}} })
	}
}

// changes returns values of a type: the zero one, one whose leaves all are something, and for each leaf of the type what
// these two are with another value there.
func changes(t *testing.T, of reflect.Type) []reflect.Value {
	t.Helper()
	zero := func() reflect.Value { return reflect.New(of).Elem() }
	full := func() reflect.Value {
		v := zero()
		fill(v)
		for i, leaf := range leaves(t, v, "") {
			set(leaf, i+2)
		}
		return v
	}
	all := []reflect.Value{zero(), full()}
	for _, made := range []func() reflect.Value{zero, full} {
		for i := range leaves(t, made(), "") {
			for _, change := range []func(reflect.Value){
				func(at reflect.Value) { set(at, 100) },
				func(at reflect.Value) { nudge(at, 1) },
				func(at reflect.Value) { nudge(at, -1) },
			} {
				changed := made()
				change(leaves(t, changed, "")[i])
				all = append(all, changed)
			}
		}
	}
	return all
}

// fill makes lists of two.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	}
}

// leaves returns what a value holds that can be changed: numbers and the like, and the length of lists.
func leaves(t *testing.T, v reflect.Value, path string) (list []reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			list = append(list, leaves(t, v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			list = append(list, leaves(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
		if v.Kind() == reflect.Slice {
			list = append(list, v)
		}
	case reflect.Bool, reflect.String, reflect.Int, reflect.Uint8, reflect.Float64:
		list = append(list, v)
	default:
		t.Fatalf("%s is a %s, which this test can't change", path, v.Type())
	}
	return list
}

// set puts a value there that depends on n.
func set(at reflect.Value, n int) {
	switch at.Kind() {
	case reflect.Bool:
		at.SetBool(!at.Bool())
	case reflect.String:
		at.SetString(fmt.Sprint(n))
	case reflect.Int:
		at.SetInt(int64(-1000 * n))
	case reflect.Uint8:
		if at.Type() == formatType {
			n %= int(formats)
		}
		at.SetUint(uint64(n))
	case reflect.Float64:
		at.SetFloat(float64(n) + 1.0/3)
	case reflect.Slice:
		at.Set(reflect.Append(at, reflect.Zero(at.Type().Elem())))
	}
}

// nudge changes a value by the least that there is, if it is of a kind that has a next one.
func nudge(at reflect.Value, by int) {
	switch at.Kind() {
	case reflect.String:
		at.SetString(at.String() + " ")
	case reflect.Int:
		at.SetInt(at.Int() + int64(by))
	case reflect.Uint8:
		if n := int64(at.Uint()) + int64(by); at.Type() != formatType && n >= 0 {
			at.SetUint(uint64(n))
		}
	case reflect.Float64:
		at.SetFloat(math.Nextafter(at.Float(), math.Inf(by)))
	case reflect.Slice:
		if by < 0 && at.Len() > 0 {
			at.SetLen(at.Len() - 1)
		}
	}
}

// listed is an op such as there may be: with lists in lists.
type listed struct {
	Places []Corner
	Texts  [][]string
}

func (listed) op()            {}
func (listed) String() string { return "listed" }

// nested is an op such as there may be: with text, lists and ops in it.
type nested struct {
	Text  string
	Ops   []Op
	Sizes []int
	Texts []string
}

func (nested) op()            {}
func (nested) String() string { return "nested" }

// TestSeparatorsOfRecipesAreNotForged has text and lists that hold what stands between fields, ops and lines.
func TestSeparatorsOfRecipesAreNotForged(t *testing.T) {
	seen := map[string]int{}
	for i, ops := range [][]Op{
		{},
		{nested{}},
		{nested{}, nested{}},
		{nested{Ops: []Op{nested{}}}},
		{nested{Ops: []Op{nil}}},
		{nested{Ops: []Op{nil, nil}}},
		{nested{Ops: []Op{Grey{}, Contrast{}}}},
		{nested{Ops: []Op{Grey{}}}, Contrast{}},
		{nested{Ops: []Op{Resize{1, 2}}}},
		{nested{Ops: []Op{SmartCrop{1, 2}}}},
		{nested{Text: "a"}},
		{nested{Text: "nil"}},
		{nested{Text: "a}\nnested{"}},
		{nested{Text: "a"}, nested{}},
		{nested{Text: `a"}` + "\n" + `nested{Text:"a`}},
		{nested{Text: "a"}, nested{Text: "a"}},
		{nested{Text: "a Sizes:[1]"}},
		{nested{Text: `a" Sizes:[1]`}},
		{nested{Text: "a", Sizes: []int{1}}},
		{nested{Sizes: []int{1, 2}}},
		{nested{Sizes: []int{12}}},
		{nested{Sizes: []int{1, 2, 0}}},
		{nested{Texts: []string{"1", "2"}}},
		{nested{Texts: []string{"1 2"}}},
		{nested{Texts: []string{`1" "2`}}},
		{nested{Texts: []string{"1", "2", ""}}},
		{nested{Texts: []string{"\xff"}}},
		{nested{Texts: []string{"\ufffd"}}},
		{nested{Texts: []string{`\xff`}}},
	} {
		p := Plan{Ops: ops}
		if other, found := seen[p.Recipe()]; found {
			t.Errorf("the ops of rows %d and %d have the same recipe\n%s", other, i, p.Recipe())
		}
		seen[p.Recipe()] = i
	}
}

// TestRecipesTellApartWhatReadsAlike has chains whose plans differ in digits that their texts for people don't show.
func TestRecipesTellApartWhatReadsAlike(t *testing.T) {
	for _, pair := range [][2]string{
		{"r-60000_60001_0_0", "r-60000_60003_0_0"},
		{"b-5_FF000090,bg-FF000095", "b-5_FF000090,bg-FF000092"},
	} {
		var plans [2]Plan
		for i, text := range pair {
			plans[i] = planOf(t, text+",f-png", Source{Format: PNG, Width: 300, Height: 200})
		}
		if plans[0].String() != plans[1].String() || reflect.DeepEqual(plans[0], plans[1]) {
			t.Errorf("%s and %s don't read alike, or are:\n%s%s", pair[0], pair[1], plans[0], plans[1])
		}
		if plans[0].Recipe() == plans[1].Recipe() {
			t.Errorf("%s and %s have one recipe:\n%s", pair[0], pair[1], plans[0].Recipe())
		}
	}
}

// TestWhatChangesNoBytesIsInNoRecipe has all that a plan says beside what an engine reads.
func TestWhatChangesNoBytesIsInNoRecipe(t *testing.T) {
	p := Plan{Load: Load{Format: PNG}, Ops: []Op{Resize{3, 4}}, Output: Output{Format: PNG}, Width: 3, Height: 4, Frames: 1}
	want := "Load{Format:png}\nResize{Width:3 Height:4}\nOutput{Format:png}\n"
	if got := p.Recipe(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p.Vary, p.Warnings, p.HintedWidth, p.HintedDPR = VaryAccept|VaryDPR, []string{"q has no effect"}, true, 2
	p.Memory, p.Work = 12345, 6789
	if got := p.Recipe(); got != want {
		t.Errorf("with more to tell: got\n%s\nwant\n%s", got, want)
	}
	if got := (Plan{Original: true, Width: 3, Height: 4, Warnings: p.Warnings}).Recipe(); got != "original\n" {
		t.Errorf("the original: got %q", got)
	}
}

// planOf resolves a chain for a still picture.
func planOf(t *testing.T, text string, s Source) Plan {
	t.Helper()
	c, err := syntax.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Resolve(c, Sources{Base: s}, Hints{Writable: SetOf(PNG, JPEG, WebP)}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
