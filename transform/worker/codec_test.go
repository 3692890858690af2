package worker

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

func TestEveryOpOfThePlanCanBeSent(t *testing.T) {
	var known []string
	for _, op := range ops {
		known = append(known, op.Name())
	}
	files, err := filepath.Glob("../plan/*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("plan has %d files, %v", len(files), err)
	}
	var there []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "op" && f.Recv != nil {
				if of, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
					there = append(there, of.Name)
				} else {
					t.Errorf("%s: op of %v, which the test can't read", name, f.Recv.List[0].Type)
				}
			}
		}
	}
	slices.Sort(there)
	slices.Sort(known)
	if !slices.Equal(there, known) {
		t.Errorf("plan has the ops %v, workers know %v", there, known)
	}
}

func TestEveryFieldArrivesAsItWas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		for _, v := range []any{new(plan.Plan), new(plan.Look), new(plan.Source), new(plan.Window), new(opening), new(hello), new(failure), new(picture)} {
			fill(r, reflect.ValueOf(v).Elem())
			b, err := encode(nil, v)
			if err != nil {
				t.Fatalf("%T: %v", v, err)
			}
			got := reflect.New(reflect.TypeOf(v).Elem()).Interface()
			if err := decode(b, got); err != nil {
				t.Fatalf("%+v: %v", v, err)
			}
			if !reflect.DeepEqual(got, v) {
				t.Fatalf("got %+v, want %+v", got, v)
			}
		}
	}
}

// What is not exported doesn't travel, which is for plan.Source alone: an engine sets nothing there.
func TestOpsHaveNoHiddenFields(t *testing.T) {
	var check func(reflect.Type)
	check = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Struct:
			for f := range of.NumField() {
				if !of.Field(f).IsExported() {
					t.Errorf("%s has the field %s, which a worker doesn't get", of, of.Field(f).Name)
				}
				check(of.Field(f).Type)
			}
		case reflect.Slice, reflect.Array:
			check(of.Elem())
		}
	}
	for _, of := range append(slices.Clone(ops), reflect.TypeFor[plan.Plan](), reflect.TypeFor[plan.Look](), reflect.TypeFor[plan.Window]()) {
		check(of)
	}
}

// fill makes values of all kinds, none of them zero.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(r, v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(len(ops)), 50))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Interface:
		op := reflect.New(ops[r.IntN(len(ops))]).Elem()
		fill(r, op)
		v.Set(op)
	case reflect.String:
		v.SetString(strings.Repeat("é", 1+r.IntN(9)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.Uint64()))
	default:
		switch v.Type() {
		case formatType:
			v.SetUint(uint64(1 + r.IntN(len(plan.AllFormats.Formats()))))
		case setType:
			v.SetUint(r.Uint64() & uint64(plan.AllFormats))
		case kindType:
			v.SetUint(1 + uint64(r.IntN(int(transform.Canceled))))
		default:
			v.SetUint(1 + r.Uint64()&0x7f)
		}
	}
}

func TestMalformedMessagesAreRefused(t *testing.T) {
	whole, err := (&request{Task: render, ID: 7, Place: area, Size: 9, plan: still()}).encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeRequest(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := decodeRequest(whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are taken for a request", n, len(whole))
		}
	}
	if _, err := decodeRequest(append(slices.Clone(whole), 0)); err == nil {
		t.Error("a byte behind the end is accepted")
	}
	if err := decode([]byte{0xff, 0xff, 0xff, 0xff, 1, 2}, new([]plan.Op)); err == nil {
		t.Error("a list longer than the message is accepted")
	}
	if err := decode([]byte{99}, new(plan.Format)); err == nil {
		t.Error("a format that there isn't is accepted")
	}
}

func FuzzRequest(f *testing.F) {
	for _, r := range []*request{
		{Task: probe, ID: 1, Place: sent, Size: 100, Page: 2},
		{Task: look, ID: 2, Place: area, Size: 3, look: plan.Look{Ops: []plan.Op{plan.Colour{}, plan.Rotate{Degrees: 3}}, Width: 3, Height: 4, Frames: 1, Threshold: 9}},
		{Task: render, ID: 3, plan: still()},
		{Task: cancel, ID: 3},
	} {
		b, err := r.encode(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRequest(b)
		if err != nil {
			return
		}
		again, err := r.encode(nil)
		if err != nil && len(b) <= maxRequest {
			t.Fatalf("%+v can't be encoded: %v", r, err)
		}
		if err == nil && !bytes.Equal(again, b) {
			t.Fatalf("%+v came as %x and goes as %x", r, b, again)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	r := &request{Task: render, ID: 3, plan: still()}
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = r.encode(buf[:0]); err != nil {
			b.Fatal(err)
		}
		if _, err := decodeRequest(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// still is a plan of a render.
func still() plan.Plan {
	return plan.Plan{
		Load: plan.Load{Format: plan.PNG, Shrink: 1, Scale: 1, Frames: 1}, Ops: []plan.Op{plan.Resize{Width: 30, Height: 20}, plan.Colour{}},
		Output: plan.Output{Format: plan.PNG}, Width: 30, Height: 20, Frames: 1,
	}
}
