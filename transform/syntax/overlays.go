package syntax

import (
	"math"
	"slices"
)

type (
	// Shadow is the black shadow of what is not transparent.
	Shadow struct {
		Blur     int // 0…15
		Darkness int // hundredths, 0…100; the language says saturation
		X, Y     int // hundredths of the picture's width and height, -100…100
	}
	// Gradient runs from one colour to another.
	Gradient struct {
		Direction  float64 // where it runs to: degrees clockwise from the top, 0 or more and below 360
		From, To   Color
		Stop       float64    // where To is reached: up to 1 a fraction of the run, beyond it pixels; 0 beside Arithmetic
		Arithmetic Expression // that comes to the pixels; "" for a plain stop
	}
)

func (Shadow) value()   {}
func (Gradient) value() {}

// What holds for the parts that are not written. The rows tell the same.
var (
	defaultShadow   = Shadow{Blur: 10, Darkness: 30, X: 2, Y: 2}
	defaultGradient = Gradient{Direction: 180, From: Color{255, 255, 255, 255}, Stop: 1}
)

// String writes the parts that are not as by default, in the order of the rows: bl-15_st-40_x-10_y-N5.
func (s Shadow) String() string {
	d := defaultShadow
	return written(
		unlessDefault("bl", s.Blur, d.Blur, Offset(s.Blur).String()),
		unlessDefault("st", s.Darkness, d.Darkness, Offset(s.Darkness).String()),
		unlessDefault("x", s.X, d.X, Offset(s.X).String()),
		unlessDefault("y", s.Y, d.Y, Offset(s.Y).String()),
	)
}

// String writes the parts that are not as by default, in the order of the rows: ld-90_from-FF0000_to-0000FF_sp-0.5.
func (g Gradient) String() string {
	d := defaultGradient
	stop := unlessDefault("sp", g.Stop, d.Stop, decimal(g.Stop))
	if g.Arithmetic != "" {
		stop = "sp-" + g.Arithmetic.String()
	}
	return written(
		unlessDefault("ld", g.Direction, d.Direction, decimal(g.Direction)),
		unlessDefault("from", g.From, d.From, g.From.String()),
		unlessDefault("to", g.To, d.To, g.To.String()),
		stop,
	)
}

// directions are the words of a gradient's direction, 45 degrees apart.
var directions = []string{"top", "top_right", "right", "bottom_right", "bottom", "bottom_left", "left", "top_left"}

// overlays are the rows of effects that draw below or above the picture.
var overlays = []Parameter{
	{
		Name: "e-shadow", SDK: "shadow", Section: "2.7", Paints: true, read: readShadow, bare: true,
		Grammar: "bl-blur_st-darkness_x-offset_y-offset, as in bl-15_st-40_x-10_y-N5: whole numbers up to 15, 100, 100 and 100, " +
			"offsets in hundredths of width and height and negative with the prefix N; any of them in any order, or no value, " +
			"which is bl-10_st-30_x-2_y-2",
		Default: "none",
		Summary: "A soft black shadow of what is not transparent, on the same canvas of at most 2 megapixels. Beside bg it falls onto that colour.",
		Example: "w-220,r-40:w-260,h-190,cm-pad_extract,bg-transparent:e-shadow-bl-15_st-60_x-3_y-4,bg-F2EDE4",
	},
	{
		Name: "e-gradient", SDK: "gradient", Section: "2.7", Paints: true, read: readGradient, bare: true,
		Grammar: "ld-direction_from-colour_to-colour_sp-stop, as in ld-top_from-F2559A_to-F2785500_sp-0.5: a direction in degrees below " +
			"360 or as a word such as bottom_right, and a stop as a fraction, in pixels or as arithmetic; any of them in any order, or no " +
			"value, which is ld-bottom_from-FFFFFF_to-00000000_sp-1",
		Default: "none",
		Summary: "Draws a gradient of two colours over the picture.",
		Example: "w-300,e-gradient-ld-top_from-1B2A41_to-1B2A4100_sp-0.7",
	},
}

// readShadow reads the parts of a shadow.
func readShadow(text string) (Value, *Error) {
	s := defaultShadow
	const offset = "a whole number from N100 to 100"
	err := readParts(text, []part{
		{"bl", "a whole number from 0 to 15", wholeInto(&s.Blur, 0, 15)},
		{"st", "a whole number from 0 to 100", wholeInto(&s.Darkness, 0, 100)},
		{"x", offset, wholeInto(&s.X, -100, 100)},
		{"y", offset, wholeInto(&s.Y, -100, 100)},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// readGradient reads the parts of a gradient.
func readGradient(text string) (Value, *Error) {
	g := defaultGradient
	err := readParts(text, []part{
		{"ld", "degrees below 360, " + oneOf(directions), func(text string) *Error {
			v, err := number(text)
			if i := slices.Index(directions, text); i >= 0 {
				v, err = float64(i)*45, nil
			}
			if err == nil && v >= 360 {
				err = &Error{}
			}
			g.Direction = v
			return err
		}},
		{"from", colourGrammar, colourInto(&g.From, false)},
		{"to", colourGrammar, colourInto(&g.To, false)},
		{"sp", "a fraction up to 1, a whole number of pixels above it, or " + expressionGrammar, func(text string) (err *Error) {
			g.Stop, g.Arithmetic, err = readStop(text)
			return err
		}},
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// readStop reads a fraction, pixels or arithmetic.
func readStop(text string) (float64, Expression, *Error) {
	if isExpression(text) {
		v, err := readExpression(text)
		e, _ := v.(Expression)
		return 0, e, err
	}
	v, err := number(text)
	switch {
	case err != nil:
		return 0, "", err
	case v > MaxSide:
		return 0, "", tooLong(text)
	case v <= 0, v > 1 && v != math.Trunc(v):
		return 0, "", &Error{}
	}
	return v, "", nil
}
