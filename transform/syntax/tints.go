package syntax

import (
	"strconv"
	"strings"
)

type (
	// Tint gives a picture the hue and the chroma of a colour.
	Tint struct {
		Color     Color // opaque
		Intensity int   // hundredths, 0…100
	}
	// Replacement puts a colour in the place of another and of what is near that.
	Replacement struct {
		To        Color // opaque
		Tolerance int   // how far from From a colour may be, as CIE ΔE (1976): 0…100
		From      Color // opaque; meaningless where Dominant
		Dominant  bool  // in place of From: the colour that the picture has most of
	}
)

func (Tint) value()        {}
func (Replacement) value() {}

// What holds for the parts that are not written. The rows tell the same.
var defaultTint = Tint{Color: Color{128, 128, 128, 255}, Intensity: 100}

const defaultTolerance = 35

// String writes the parts that are not as by default: co-FF0000_in-50.
func (t Tint) String() string {
	d := defaultTint
	return written(
		unlessDefault("co", t.Color, d.Color, t.Color.String()),
		unlessDefault("in", t.Intensity, d.Intensity, strconv.Itoa(t.Intensity)),
	)
}

// String writes no more than is needed: FF0000, FF0000_20 or FF0000_35_00FF00.
func (r Replacement) String() string {
	text := r.To.String()
	if r.Tolerance != defaultTolerance || !r.Dominant {
		text += "_" + strconv.Itoa(r.Tolerance)
	}
	if !r.Dominant {
		text += "_" + r.From.String()
	}
	return text
}

// tints are the rows of effects that give pixels other colours.
var tints = []Parameter{
	{
		Name: "e-colorize", SDK: "colorize", Section: "2.7", Paints: true, read: readTint, bare: true,
		Grammar: "co-colour_in-intensity, as in co-teal_in-60: an opaque colour and a whole number up to 100; any of them in any order, " +
			"or no value, which is co-gray_in-100",
		Default: "none",
		Summary: "Tints: each pixel keeps its lightness, and takes hue and chroma of the colour as far as the intensity says.",
		Example: "w-300,e-colorize-co-CC7722_in-80",
	},
	{
		Name: "cr", SDK: "colorReplace", Section: "2.7", Paints: true, read: readReplacement,
		Grammar: "to_tolerance_from, as in 00A36C_30_C0392B: two opaque colours and a whole number from 0 to 100 between them; to alone and " +
			"to_tolerance replace the picture's dominant colour",
		Default: "none",
		Summary: "Replaces one colour, and shifts those within the tolerance (35 unless written) as far as it is shifted itself.",
		Example: "w-300,cr-2E86C1_40",
	},
}

// readTint reads the parts of a tint.
func readTint(text string) (Value, *Error) {
	t := defaultTint
	err := readParts(text, []part{
		{"co", opaqueGrammar, colourInto(&t.Color, true)},
		{"in", "a whole number from 0 to 100", wholeInto(&t.Intensity, 0, 100)},
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// readReplacement reads one to three pieces with underscores between.
func readReplacement(text string) (Value, *Error) {
	r := Replacement{Tolerance: defaultTolerance, Dominant: true}
	pieces := strings.Split(text, "_")
	if strange, _ := strangeness(text); strange != "" || len(pieces) > 3 {
		return nil, &Error{}
	}
	at := 0
	for i, read := range []func(string) *Error{colourInto(&r.To, true), wholeInto(&r.Tolerance, 0, 100), colourInto(&r.From, true)}[:len(pieces)] {
		if err := read(pieces[i]); err != nil {
			err.Pos += at
			if err.Msg == "" && i != 1 {
				err.Msg = quote(pieces[i]) + " is no colour; write " + opaqueGrammar
			}
			return nil, err
		}
		at += len(pieces[i]) + 1
	}
	r.Dominant = len(pieces) < 3
	return r, nil
}
