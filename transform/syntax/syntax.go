// Package syntax is the grammar of transformation strings, "w-300,h-200:rt-90": text to [Chain] and back. What the
// parameters mean to pixels is package plan's business.
package syntax

import "fmt"

// Color is an RGB colour with opacity A, 0 (transparent) to 255.
type Color struct{ R, G, B, A uint8 }

// String returns RRGGBB, with AA appended as opacity in hundredths (decimal) where the colour is not opaque.
func (c Color) String() string {
	const digits = "0123456789ABCDEF"
	text := make([]byte, 0, len("RRGGBBAA"))
	for _, channel := range [...]uint8{c.R, c.G, c.B} {
		text = append(text, digits[channel>>4], digits[channel&15])
	}
	if c.A != 255 {
		opacity := min(99, (int(c.A)*100+127)/255)
		text = append(text, digits[opacity/10], digits[opacity%10])
	}
	return string(text)
}

// Error says what is wrong with a transformation, and where.
type Error struct {
	Pos   int    // offset of the offending text in bytes from the start of the string; -1 if it has no place
	Param string // the parameter's short name; "" where none can be named
	Msg   string // what is wrong and what is accepted
	Limit bool   // a number or the text is over a limit: ELIMIT, else EINVAL
}

// Error returns one sentence for the person who wrote the URL.
func (e *Error) Error() string {
	text := e.Msg
	if e.Param != "" {
		text = e.Param + ": " + text
	}
	if e.Pos >= 0 {
		text += fmt.Sprintf(" (column %d)", e.Pos+1)
	}
	return text
}
