package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// The codec writes plain data, field by field and without names: both sides are the same binary. Every value has one
// encoding, so what is decoded is encoded to the same bytes again. Numbers take eight bytes, those of one byte one, and
// lists and texts have their length before them.

// ops are all that a plan can hold. The place in the list stands for the type.
var ops = []reflect.Type{
	reflect.TypeFor[plan.Arc](),
	reflect.TypeFor[plan.Backdrop](),
	reflect.TypeFor[plan.Blur](),
	reflect.TypeFor[plan.Colour](),
	reflect.TypeFor[plan.Contrast](),
	reflect.TypeFor[plan.Crop](),
	reflect.TypeFor[plan.Embed](),
	reflect.TypeFor[plan.Flatten](),
	reflect.TypeFor[plan.Flip](),
	reflect.TypeFor[plan.Gradient](),
	reflect.TypeFor[plan.Grey](),
	reflect.TypeFor[plan.Opacity](),
	reflect.TypeFor[plan.Orient](),
	reflect.TypeFor[plan.Perspective](),
	reflect.TypeFor[plan.Replace](),
	reflect.TypeFor[plan.Resize](),
	reflect.TypeFor[plan.Rotate](),
	reflect.TypeFor[plan.Round](),
	reflect.TypeFor[plan.Shadow](),
	reflect.TypeFor[plan.SmartCrop](),
	reflect.TypeFor[plan.Tint](),
	reflect.TypeFor[plan.Unsharp](),
}

var opNumbers = func() map[reflect.Type]byte {
	numbers := make(map[reflect.Type]byte, len(ops))
	for i, t := range ops {
		numbers[t] = byte(i)
	}
	return numbers
}()

var (
	opType     = reflect.TypeFor[plan.Op]()
	formatType = reflect.TypeFor[plan.Format]()
	setType    = reflect.TypeFor[plan.Set]()
	kindType   = reflect.TypeFor[transform.Kind]()
)

// maxList bounds the elements of one list, far above what a chain can lead to.
const maxList = 1 << 16

var errMalformed = errors.New("malformed message")

// encode appends what v points to.
func encode(b []byte, v any) ([]byte, error) {
	return appendValue(b, reflect.ValueOf(v).Elem())
}

// decode reads what v points to, and must come to the end of b with it.
func decode(b []byte, v any) error {
	b, err := readValue(b, reflect.ValueOf(v).Elem())
	if err == nil && len(b) > 0 {
		err = fmt.Errorf("%w: %d bytes too many", errMalformed, len(b))
	}
	return err
}

func appendValue(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Struct:
		return appendEach(b, v, v.NumField(), v.Field)
	case reflect.Array:
		return appendEach(b, v, v.Len(), v.Index)
	case reflect.Slice:
		if v.Len() > maxList {
			return b, fmt.Errorf("a list of %d is too long to be sent to a worker; at most %d are possible", v.Len(), maxList)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Len()))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return append(b, v.Bytes()...), nil
		}
		return appendEach(b, v, v.Len(), v.Index)
	case reflect.Interface:
		return appendOp(b, v)
	case reflect.String:
		if v.Len() > maxList {
			return b, fmt.Errorf("a text of %d bytes is too long to be sent to a worker; at most %d are possible", v.Len(), maxList)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Len()))
		return append(b, v.String()...), nil
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case reflect.Uint8:
		return append(b, byte(v.Uint())), nil
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.LittleEndian.AppendUint64(b, v.Uint()), nil
	case reflect.Int, reflect.Int64:
		return binary.LittleEndian.AppendUint64(b, uint64(v.Int())), nil
	case reflect.Float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float())), nil
	}
	return b, fmt.Errorf("a %s can't be sent to a worker", v.Type())
}

// appendEach writes fields or elements. What is not exported is of no concern to an engine.
func appendEach(b []byte, v reflect.Value, n int, part func(int) reflect.Value) (_ []byte, err error) {
	for i := range n {
		if v.Kind() == reflect.Struct && !v.Type().Field(i).IsExported() {
			continue
		}
		if b, err = appendValue(b, part(i)); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendOp(b []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return b, errors.New("a plan without an op where one should be")
	}
	number, known := opNumbers[v.Elem().Type()]
	if !known {
		return b, fmt.Errorf("workers don't know the op %s", v.Elem().Type())
	}
	return appendValue(append(b, number), v.Elem())
}

func readValue(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Struct:
		return readEach(b, v, v.NumField(), v.Field)
	case reflect.Array:
		return readEach(b, v, v.Len(), v.Index)
	case reflect.Slice:
		return readList(b, v)
	case reflect.Interface:
		return readOp(b, v)
	case reflect.String:
		n, b, err := readLength(b)
		if err != nil {
			return b, err
		}
		v.SetString(string(b[:n]))
		return b[n:], nil
	case reflect.Bool, reflect.Uint8:
		if len(b) == 0 {
			return b, errMalformed
		}
		return b[1:], setByte(v, b[0])
	}
	if len(b) < 8 {
		return b, errMalformed
	}
	return b[8:], setNumber(v, binary.LittleEndian.Uint64(b))
}

func readEach(b []byte, v reflect.Value, n int, part func(int) reflect.Value) (_ []byte, err error) {
	for i := range n {
		if v.Kind() == reflect.Struct && !v.Type().Field(i).IsExported() {
			continue
		}
		if b, err = readValue(b, part(i)); err != nil {
			return b, err
		}
	}
	return b, nil
}

// readLength reads that of a list or a text. An element takes a byte or more, so no length leads to more memory than a
// small multiple of the message.
func readLength(b []byte) (n int, rest []byte, err error) {
	if len(b) < 4 {
		return 0, b, errMalformed
	}
	length := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if length > maxList || int(length) > len(b) {
		return 0, b, errMalformed
	}
	return int(length), b, nil
}

func readList(b []byte, v reflect.Value) ([]byte, error) {
	n, b, err := readLength(b)
	if err != nil || n == 0 {
		return b, err
	}
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(append([]byte(nil), b[:n]...))
		return b[n:], nil
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	return readEach(b, v, n, v.Index)
}

func readOp(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type() != opType || len(b) == 0 || int(b[0]) >= len(ops) {
		return b, errMalformed
	}
	op := reflect.New(ops[b[0]]).Elem()
	b, err := readValue(b[1:], op)
	if err != nil {
		return b, err
	}
	v.Set(op)
	return b, nil
}

// setByte sets a truth value or a number of one byte. Enumerations must be of those that there are: their names are read
// from tables.
func setByte(v reflect.Value, c byte) error {
	switch {
	case v.Kind() == reflect.Bool:
		if c > 1 {
			return errMalformed
		}
		v.SetBool(c == 1)
		return nil
	case v.Type() == formatType && c != 0 && !plan.AllFormats.Has(plan.Format(c)),
		v.Type() == kindType && c > byte(transform.Canceled):
		return errMalformed
	}
	v.SetUint(uint64(c))
	return nil
}

func setNumber(v reflect.Value, n uint64) error {
	switch v.Kind() {
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.OverflowUint(n) || v.Type() == setType && n&^uint64(plan.AllFormats) != 0 {
			return errMalformed
		}
		v.SetUint(n)
	case reflect.Int, reflect.Int64:
		if v.OverflowInt(int64(n)) {
			return errMalformed
		}
		v.SetInt(int64(n))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(n))
	default:
		return fmt.Errorf("%w: nothing reads a %s", errMalformed, v.Type())
	}
	return nil
}
