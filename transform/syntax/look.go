package syntax

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The kinds of value that only one parameter has.
type (
	// Angle is degrees clockwise: 0 or more, below 360.
	Angle float64
	// Radii are those of the corners in pixels, clockwise from the top left. [MaxSide] is as much as fits.
	Radii struct{ TopLeft, TopRight, BottomRight, BottomLeft int }
	// Border is a frame around the picture.
	Border struct {
		Width      int        // pixels; 0 beside Arithmetic
		Arithmetic Expression // that the width comes to; "" for a plain width
		Color      Color
	}
)

func (Angle) value()  {}
func (Radii) value()  {}
func (Border) value() {}

func (a Angle) String() string { return decimal(float64(a)) }

// String writes one value for four equal ones: 20, max.
func (r Radii) String() string {
	switch {
	case r != (Radii{r.TopLeft, r.TopLeft, r.TopLeft, r.TopLeft}):
		return fmt.Sprintf("%d_%d_%d_%d", r.TopLeft, r.TopRight, r.BottomRight, r.BottomLeft)
	case r.TopLeft == MaxSide:
		return "max"
	}
	return strconv.Itoa(r.TopLeft)
}

// String writes width and colour with an underscore between: 5_FF0000.
func (b Border) String() string {
	width := strconv.Itoa(b.Width)
	if b.Arithmetic != "" {
		width = b.Arithmetic.String()
	}
	return width + "_" + b.Color.String()
}

// looks returns the rows of the parameters that change how the picture looks but not how it is fitted, in the order in
// which a step applies them.
func looks() []Parameter {
	rows := []Parameter{
		{
			Name: "rt", SDK: "rotation", Section: "2.5", Paints: true, read: readAngle,
			Grammar: "degrees from 0 to 360, counter-clockwise with the prefix N, or auto", Default: "auto",
			Summary: "Turns clockwise; the canvas grows to hold the picture. auto is how the camera was held, which is applied anyway.",
			Example: "w-200,rt-N15",
		},
		{
			Name: "fl", SDK: "flip", Section: "2.5", Paints: true, read: readFlip,
			Grammar: "h, v, h_v or v_h", Default: "none",
			Summary: "Mirrors left to right (h), top to bottom (v), or both.",
			Example: "w-240,fl-h",
		},
	}
	rows = append(rows, distortion)
	rows = append(rows, colourEffects...)
	rows = append(rows, tints...)
	rows = append(rows, Parameter{
		Name: "bl", SDK: "blur", Section: "2.5", Paints: true, read: readInteger(1, 100),
		Grammar: "a whole number from 1 to 100", Default: "none",
		Summary: "Gaussian blur; sigma is half the number, in pixels of the result.",
		Example: "w-240,bl-8",
	})
	rows = append(rows, sharpening...)
	rows = append(rows, overlays...)
	return append(
		rows,
		Parameter{
			Name: "r", SDK: "radius", Section: "2.5", Paints: true, read: readRadii,
			Grammar: "a whole number of pixels, max, or four numbers as in 10_20_30_40 (clockwise from the top left)", Default: "0",
			Summary: "Rounds the corners. Radii that don't fit beside each other are scaled down together, as in CSS.",
			Example: "w-240,r-30",
		},
		Parameter{
			Name: "b", SDK: "border", Section: "2.5", Paints: true, read: readBorder,
			Grammar: "width_colour or width-colour, the width a whole number of pixels or " + expressionGrammar, Default: "none",
			Summary: "A frame around the picture: the canvas grows by the width on each side.",
			Example: "w-220,b-10_gold",
		},
		Parameter{
			Name: "o", SDK: "opacity", Section: "2.5", Paints: true, read: readInteger(0, 100),
			Grammar: "a whole number from 0 to 100", Default: "100",
			Summary: "Opacity in hundredths. Beside bg the result is opaque: blended onto that colour, whose own opacity is ignored.",
			Example: "w-240,o-40",
		},
	)
}

// anglesPerDegree is how finely angles are told apart: less moves no pixel, and 360 minus a decimal number has a noise of
// binary digits that would be written out.
const anglesPerDegree = 1e6

// readAngle reads degrees, or auto.
func readAngle(text string) (Value, *Error) {
	if text == "auto" {
		return Word(text), nil
	}
	digits, negative := strings.CutPrefix(text, "N")
	v, err := number(digits)
	switch {
	case err != nil:
		return nil, err
	case v > 360:
		return nil, &Error{}
	case negative:
		v = 360 - v
	}
	return Angle(math.Mod(math.Round(v*anglesPerDegree)/anglesPerDegree, 360)), nil
}

// readFlip reads the axes; their order has no meaning.
func readFlip(text string) (Value, *Error) {
	if text == "v_h" {
		text = "h_v"
	}
	return readWord([]string{"h", "v", "h_v"}, nil)(text)
}

// readRadii reads one radius for all corners, or four.
func readRadii(text string) (Value, *Error) {
	if text == "max" {
		return Radii{MaxSide, MaxSide, MaxSide, MaxSide}, nil
	}
	parts := strings.Split(text, "_")
	if len(parts) != 1 && len(parts) != 4 {
		return nil, &Error{}
	}
	var radii [4]int
	at := 0
	for i := range radii {
		part := parts[i%len(parts)]
		v, err := number(part)
		switch {
		case err != nil:
			return nil, &Error{Pos: at, Msg: err.Msg}
		case v > MaxSide:
			return nil, &Error{Pos: at, Limit: true, Msg: tooLong(part).Msg}
		case v != float64(int(v)):
			return nil, &Error{Pos: at}
		}
		radii[i] = int(v)
		if len(parts) > 1 {
			at += len(part) + 1
		}
	}
	return Radii{radii[0], radii[1], radii[2], radii[3]}, nil
}

// readBorder reads a width and, behind the last underscore or hyphen, a colour.
func readBorder(text string) (Value, *Error) {
	at := strings.LastIndexAny(text, "_-")
	if at < 0 {
		return nil, &Error{}
	}
	width, colour := text[:at], text[at+1:]
	b := Border{}
	if isExpression(width) {
		v, err := readExpression(width)
		if err != nil {
			return nil, err
		}
		b.Arithmetic, _ = v.(Expression)
	} else {
		v, err := number(width)
		switch {
		case err != nil:
			return nil, err
		case v > MaxSide:
			return nil, tooLong(width)
		case v != float64(int(v)):
			return nil, &Error{}
		}
		b.Width = int(v)
	}
	var ok bool
	if b.Color, ok = ParseColor(colour); !ok {
		return nil, &Error{Pos: at + 1, Msg: quote(colour) + " is no colour; write " + colourGrammar}
	}
	return b, nil
}
