package syntax

import (
	"slices"
	"strings"
)

// DefaultTrim is the threshold of t-true.
const DefaultTrim = 10

// MinDensity and MaxDensity are the ends of what dn may be, in dots per inch.
const (
	MinDensity = 1
	MaxDensity = 1200
)

// inputDensity is the variable for the density of the input. It means something in dn alone, and nothing else does there.
const inputDensity = "idn"

const (
	pageOutside = "takes one whole number from 1 on; lists, ranges and names of layers belong to PSD, which is not read"
	pageAlone   = "chooses what is read before any condition can be looked at; write it in a step outside of the if"
)

// trimming is the row of what is cut off before the size is changed.
var trimming = []Parameter{{
	Name: "t", SDK: "trim", Section: "2.5", Paints: true, read: readTrim,
	Grammar: "true, false, or a whole number from 1 to 99", Default: "false",
	Summary: "Cuts off a border that looks like the top left pixel, before all else in the step. The number is by how much, of 255, " +
		"a channel must differ; true is 10.",
	Example: "w-400,h-300,cm-pad_resize,bg-F4F4F4:t-true",
}}

// reading are the rows of what is read from the file, and how finely.
var reading = []Parameter{
	{
		Name: "pg", SDK: "page", Section: "2.4", read: readPage, outside: pageAlone,
		Grammar: "a whole number from 1 to 65535", Default: "1",
		Summary: "Page of a TIFF or PDF or frame of an animation, for the still picture of /ik-thumbnail.jpg behind the file's path. " +
			"The last step that has one counts.",
		Example: "pg-2,w-200",
	},
	{
		Name: "dn", SDK: "density", Section: "2.4", read: readDensity,
		Grammar: "a whole number from 1 to 1200, or arithmetic with " + inputDensity + " such as idn_mul_2", Default: "what the encoder writes",
		Summary: "Dots per inch, written into JPEG and PNG. An SVG, or a page of a PDF, is drawn that finely: dn-144 makes it twice as large.",
		Example: "dn-144,w-240,f-png",
	},
}

// readTrim reads a threshold, which true stands for as well.
func readTrim(text string) (Value, *Error) {
	switch text {
	case "true":
		return Integer(DefaultTrim), nil
	case "false":
		return Bool(false), nil
	}
	return readInteger(1, 99)(text)
}

// readPage reads one page. What chooses the layers of a PSD is known, and told so.
func readPage(text string) (Value, *Error) {
	v, err := readInteger(1, MaxSide)(text)
	if err == nil || err.Msg != "" {
		return v, err
	}
	if strings.HasPrefix(text, "name-") || isPages(text) {
		return nil, &Error{Msg: pageOutside}
	}
	return nil, err
}

// isPages reports whether text is several pages: 1_3, 2-4, 4- or a mixture.
func isPages(text string) bool {
	if !strings.ContainsAny(text, "_-") {
		return false
	}
	for part := range strings.SplitSeq(text, "_") {
		from, to, open := strings.Cut(part, "-")
		if !allDigits(from) || open && to != "" && !allDigits(to) {
			return false
		}
	}
	return true
}

// readDensity reads dots per inch, or arithmetic on those of the input.
func readDensity(text string) (Value, *Error) {
	words := strings.Split(text, "_")
	arithmetic := slices.ContainsFunc(words, func(w string) bool { return w == inputDensity || slices.Contains(operators, w) })
	if arithmetic {
		return readExpressionOf(text, []string{inputDensity})
	}
	return readInteger(MinDensity, MaxDensity)(text)
}
