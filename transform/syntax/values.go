package syntax

import (
	"fmt"
	"strconv"
	"strings"
)

// Value is what a parameter is set to. Its String is the canonical text.
type Value interface {
	fmt.Stringer
	value()
}

// The kinds of value.
type (
	// Length is a side of the picture: pixels from 1 on, below 1 a fraction of the side of the step's input.
	Length float64
	// Offset is a whole number of pixels, which may be negative.
	Offset int
	// Number is a positive decimal number.
	Number float64
	// Integer is a whole number.
	Integer int
	// Ratio is width to height.
	Ratio struct{ Width, Height float64 }
	// Word is one of the words that the parameter knows.
	Word string
	// Bool is true or false.
	Bool bool
	// Path is the path of a file: slash separated, no leading slash, no empty segment and none of dots.
	Path string
)

func (Length) value()  {}
func (Offset) value()  {}
func (Number) value()  {}
func (Integer) value() {}
func (Ratio) value()   {}
func (Word) value()    {}
func (Bool) value()    {}
func (Path) value()    {}
func (Color) value()   {}

func (l Length) String() string  { return decimal(float64(l)) }
func (n Number) String() string  { return decimal(float64(n)) }
func (n Integer) String() string { return strconv.Itoa(int(n)) }
func (w Word) String() string    { return string(w) }
func (b Bool) String() string    { return strconv.FormatBool(bool(b)) }

// String writes @@ for each slash.
func (p Path) String() string { return strings.ReplaceAll(string(p), "/", "@@") }

// String writes negative numbers as the language does: N10 is -10.
func (o Offset) String() string {
	if o < 0 {
		return "N" + strconv.Itoa(int(-o))
	}
	return strconv.Itoa(int(o))
}

// String writes the ratio with a hyphen: 4-3.
func (r Ratio) String() string { return decimal(r.Width) + "-" + decimal(r.Height) }

// decimal is the shortest decimal text of v, never with an exponent.
func decimal(v float64) string { return string(appendDecimal(nil, v)) }

func appendDecimal(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }

// appendValue writes the canonical text of a value, that of the most usual ones without a string between.
func appendValue(b []byte, v Value) []byte {
	switch v := v.(type) {
	case Length:
		return appendDecimal(b, float64(v))
	case Number:
		return appendDecimal(b, float64(v))
	case Integer:
		return strconv.AppendInt(b, int64(v), 10)
	}
	return append(b, v.String()...)
}
