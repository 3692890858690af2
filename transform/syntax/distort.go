package syntax

import "strings"

type (
	// Perspective is where the corners of a picture come to lie, clockwise from the top left, in pixels from where the top
	// left corner is before.
	Perspective [4]struct{ X, Y int }
	// Arc is degrees that a picture is bent over: 0 is not at all, above 0 its middle rises, below 0 it falls.
	Arc float64
)

func (Perspective) value() {}
func (Arc) value()         {}

// String writes p, then the eight numbers.
func (p Perspective) String() string {
	parts := make([]string, 0, 2*len(p))
	for _, corner := range p {
		parts = append(parts, Offset(corner.X).String(), Offset(corner.Y).String())
	}
	return "p-" + strings.Join(parts, "_")
}

// String writes negative angles as the language does: a-N45 is -45.
func (a Arc) String() string {
	if a < 0 {
		return "a-N" + decimal(float64(-a))
	}
	return "a-" + decimal(float64(a))
}

// distortion is the row of the effect that moves pixels elsewhere.
var distortion = Parameter{
	Name: "e-distort", SDK: "distort", Section: "2.7", Paints: true, read: readDistortion,
	Grammar: "p- and where the corners go, as in p-10_0_90_20_100_80_0_100 (x and y in whole pixels, clockwise from the top left), " +
		"or a- and degrees from N360 to 360, as in a-45; N is the prefix of negative numbers",
	Default: "none",
	Summary: "Perspective (p), or an arc whose middle rises (a), or falls where negative. The canvas becomes what just holds the result.",
	Example: "w-240,e-distort-p-30_0_240_30_210_140_0_170",
}

// readDistortion reads a perspective or an arc.
func readDistortion(text string) (Value, *Error) {
	kind, rest, hyphen := strings.Cut(text, "-")
	switch {
	case hyphen && kind == "p":
		return readPerspective(rest)
	case hyphen && kind == "a":
		return readArc(rest)
	}
	return nil, &Error{}
}

// distortionPrefix is the length of "p-" and "a-", which stand before the text of the next two readers.
const distortionPrefix = 2

// readPerspective reads eight whole numbers with underscores between.
func readPerspective(text string) (Value, *Error) {
	var p Perspective
	parts := strings.Split(text, "_")
	if len(parts) != 2*len(p) {
		return nil, &Error{Pos: distortionPrefix, Msg: "a perspective has eight numbers: x and y of each corner, clockwise from the top left"}
	}
	at := distortionPrefix
	for i, part := range parts {
		v, err := readOffset(part)
		if err != nil {
			if err.Msg == "" {
				err.Msg = quote(part) + " is no place of a corner; write a whole number of pixels up to 65535, negative with the prefix N"
			}
			err.Pos = at
			return nil, err
		}
		n, _ := v.(Offset)
		if i%2 == 0 {
			p[i/2].X = int(n)
		} else {
			p[i/2].Y = int(n)
		}
		at += len(part) + 1
	}
	return p, nil
}

// readArc reads degrees, negative with the prefix N.
func readArc(text string) (Value, *Error) {
	digits, negative := strings.CutPrefix(text, "N")
	v, err := number(digits)
	switch {
	case err != nil && err.Msg != "":
		return nil, &Error{Pos: distortionPrefix, Msg: err.Msg}
	case err != nil || v > 360:
		return nil, &Error{Pos: distortionPrefix, Msg: quote(text) + " is no angle of an arc; write degrees from N360 (-360) to 360"}
	case negative && v > 0:
		v = -v
	}
	return Arc(v), nil
}
