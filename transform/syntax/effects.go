package syntax

import (
	"fmt"
	"strings"
)

// effectPrefix begins the names of effects, which are written as values of one parameter but may stand beside each other.
const effectPrefix = "e"

type (
	// Bare is the value of an effect that is written without one.
	Bare struct{}
	// Unsharp is what an unsharp mask does: to each colour channel it adds Amount times the difference from a Gaussian
	// blur of that Sigma, in pixels, cut off at Radius. Differences that count less than Threshold stay as they are.
	Unsharp struct{ Radius, Sigma, Amount, Threshold float64 }
)

func (Bare) value()    {}
func (Unsharp) value() {}

func (Bare) String() string { return "" }

// String writes the four numbers with hyphens between.
func (u Unsharp) String() string {
	return strings.Join([]string{decimal(u.Radius), decimal(u.Sigma), decimal(u.Amount), decimal(u.Threshold)}, "-")
}

const noValue = "no value"

// colourEffects are the rows of effects that change each pixel by itself.
var colourEffects = []Parameter{
	{
		Name: "e-grayscale", SDK: "grayscale", Section: "2.7", Paints: true, read: readNothing, bare: true,
		Grammar: noValue, Default: "none",
		Summary: "Takes the colours out.",
		Example: "w-240,e-grayscale",
	},
	{
		Name: "e-contrast", SDK: "contrastStretch", Section: "2.7", Paints: true, read: readNothing, bare: true,
		Grammar: noValue, Default: "none",
		Summary: "Stretches the contrast to the full range; the darkest and the lightest hundredth of the pixels are cut off.",
		Example: "w-240,e-contrast",
	},
}

// sharpening are the rows of effects that compare pixels with their neighbours.
var sharpening = []Parameter{
	{
		Name: "e-sharpen", SDK: "sharpen", Section: "2.7", Paints: true, read: readOptional(readInteger(1, 100)), bare: true,
		Grammar: "a whole number from 1 to 100, or no value, which is 20", Default: "none",
		Summary: "Sharpens: e-sharpen-n is e-usm-0-1-a-0.01, where a is n/20.",
		Example: "w-240,e-sharpen-40",
	},
	{
		Name: "e-usm", SDK: "unsharpMask", Section: "2.7", Paints: true, read: readOptional(readUnsharp), bare: true,
		Grammar: "radius-sigma-amount-threshold, as in 2-2-0.8-0.024: numbers up to 100, 100, 100 and 1, sigma above 0; " +
			"or no value, which is that",
		Default: "none",
		Summary: "Unsharp mask. A radius of 0 follows sigma; the threshold is a fraction of the full range. Not sent as AVIF unless asked.",
		Example: "w-240,e-usm-0-3-2-0",
	},
}

// readNothing reads the value of effects that have none.
func readNothing(text string) (Value, *Error) {
	if text != "" {
		return nil, &Error{}
	}
	return Bare{}, nil
}

// readOptional reads no value, or what read reads.
func readOptional(read reader) reader {
	return func(text string) (Value, *Error) {
		if text == "" {
			return Bare{}, nil
		}
		return read(text)
	}
}

// readUnsharp reads four numbers with hyphens between.
func readUnsharp(text string) (Value, *Error) {
	parts := strings.Split(text, "-")
	if len(parts) != 4 {
		return nil, &Error{}
	}
	var v [4]float64
	at := 0
	for i, most := range []float64{100, 100, 100, 1} {
		var err *Error
		v[i], err = number(parts[i])
		switch {
		case err != nil:
			return nil, &Error{Pos: at, Msg: err.Msg}
		case v[i] > most, i == 1 && v[i] == 0:
			return nil, &Error{Pos: at}
		}
		at += len(parts[i]) + 1
	}
	return Unsharp{v[0], v[1], v[2], v[3]}, nil
}

// cutName splits an item into name and value. The first word of an effect is part of its name: e-sharpen-10.
func cutName(text string) (name, value string, hyphen bool) {
	name, value, hyphen = strings.Cut(text, "-")
	if name == effectPrefix && hyphen {
		name, value, hyphen = strings.Cut(value, "-")
		name = effectPrefix + "-" + name
	}
	return name, value, hyphen
}

// isEffect reports whether name is that of an effect, known or not.
func isEffect(name string) bool {
	return name == effectPrefix || strings.HasPrefix(name, effectPrefix+"-")
}

// missingValue is the error for an item that ends with its name or the hyphen behind it.
func missingValue(param *Parameter, pos int) *Error {
	msg := fmt.Sprintf("the value is missing; write %s-, then %s", param.Name, param.Grammar)
	if param.bare {
		msg = fmt.Sprintf("nothing follows the hyphen; write %s alone", param.Name)
	}
	return &Error{Pos: pos, Param: param.Name, Msg: msg}
}
