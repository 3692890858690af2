package plan

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
)

// Recipe returns the text that decides the bytes of the result, together with the bytes of the original and the version of
// the engine: Load, Ops, Output and Alternatives to the last digit, and nothing else. Plans that an engine may execute
// differently have different texts; what the client reads or was asked for beside the picture (Vary, Warnings, what hints
// did) is no part of it, and the size of the result follows from it. It names results in caches. For people there is
// [Plan.String], which rounds.
//
// A line is a type with its fields: "Crop{X:10 Width:300 Height:200}". Fields that are zero are left out, so that results of
// an older version, which doesn't have some field yet, are found by a newer one.
func (p Plan) Recipe() string {
	if p.Original {
		return "original\n"
	}
	const usual = 512
	b := make([]byte, 0, usual)
	b = append(appendNamed(b, reflect.ValueOf(p.Load)), '\n')
	for _, op := range p.Ops {
		b = append(appendNamed(b, reflect.ValueOf(op)), '\n')
	}
	b = append(appendNamed(b, reflect.ValueOf(p.Output)), '\n')
	for _, o := range p.Alternatives {
		b = append(appendNamed(b, reflect.ValueOf(o)), '\n')
	}
	return string(b)
}

// appendNamed writes a value behind the name of its type.
func appendNamed(b []byte, v reflect.Value) []byte {
	return appendValue(append(b, v.Type().Name()...), v)
}

// appendValue writes plain data so that no two values of a type read alike. It reads the fields itself and not by their
// String methods: those may round, and a new op can't forget anything here.
func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Struct:
		return appendFields(b, v)
	case reflect.Array, reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendValue(b, v.Index(i))
		}
		return append(b, ']')
	case reflect.Interface: // ops in ops
		if v.IsNil() {
			return append(b, "nil"...)
		}
		return appendNamed(b, v.Elem())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.String:
		return strconv.AppendQuote(b, v.String())
	case reflect.Float64:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64) // the shortest text that no other number has
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Type() == formatType {
			return append(b, Format(v.Uint()).String()...) // the numbers change when there are more formats
		}
		return strconv.AppendUint(b, v.Uint(), 10)
	}
	panic(fmt.Sprintf("plan: a recipe can't hold a %s: ops are plain data", v.Type()))
}

// appendFields writes the fields of a struct that are not zero.
func appendFields(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	for i, name := range fieldNames(v.Type()) {
		field := v.Field(i)
		if field.IsZero() {
			continue
		}
		if !first {
			b = append(b, ' ')
		}
		first = false
		b = append(append(b, name...), ':')
		b = appendValue(b, field)
	}
	return append(b, '}')
}

var formatType = reflect.TypeFor[Format]()

var namesOfFields sync.Map // reflect.Type to []string

// fieldNames returns the names of a struct's fields, in their order.
func fieldNames(t reflect.Type) []string {
	if names, known := namesOfFields.Load(t); known {
		return names.([]string)
	}
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Name
	}
	namesOfFields.Store(t, names)
	return names
}
