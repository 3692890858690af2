package syntax

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxSide is the longest side that the language knows, in pixels.
const MaxSide = 65535

// MinDPR and MaxDPR are the ends of what dpr may be.
const (
	MinDPR = 0.1
	MaxDPR = 5
)

// maxNumber bounds the text of a number, in bytes.
const maxNumber = 24

// A reader turns the text of a value into a Value. Its error's Pos counts from the start of that text; an empty Msg
// leaves the words to the parameter's Grammar.
type reader func(text string) (Value, *Error)

// readLength reads a side: whole pixels, or a fraction between 0 and 1.
func readLength(text string) (Value, *Error) {
	v, err := number(text)
	if err != nil {
		return nil, err
	}
	fraction := strings.HasPrefix(strings.TrimLeft(text, "0")+".", ".")
	switch {
	case v > MaxSide:
		return nil, tooLong(text)
	case v <= 0, fraction && v >= 1, !fraction && v != float64(int(v)):
		return nil, &Error{}
	}
	return Length(v), nil
}

// Auto is the value of w and dpr that leaves them to the client.
const Auto Word = "auto"

// readAutoOr reads auto, or what read reads.
func readAutoOr(read reader) reader {
	return func(text string) (Value, *Error) {
		if text == string(Auto) {
			return Auto, nil
		}
		return read(text)
	}
}

// readOffset reads whole pixels, negative with the prefix N.
func readOffset(text string) (Value, *Error) {
	digits, negative := strings.CutPrefix(text, "N")
	v, err := number(digits)
	switch {
	case err != nil:
		return nil, err
	case v > MaxSide:
		return nil, tooLong(text)
	case v != float64(int(v)):
		return nil, &Error{}
	case negative:
		v = -v
	}
	return Offset(v), nil
}

// readNumber reads a decimal number from low to high.
func readNumber(low, high float64) reader {
	return func(text string) (Value, *Error) {
		v, err := number(text)
		if err != nil {
			return nil, err
		}
		if v < low || v > high {
			return nil, &Error{}
		}
		return Number(v), nil
	}
}

// readInteger reads a whole number from low to high.
func readInteger(low, high float64) reader {
	return func(text string) (Value, *Error) {
		v, err := number(text)
		if err != nil {
			return nil, err
		}
		if v < low || v > high || v != float64(int(v)) {
			return nil, &Error{}
		}
		return Integer(v), nil
	}
}

// readRatio reads width to height, two positive numbers with a hyphen, an underscore or a colon between.
func readRatio(text string) (Value, *Error) {
	i := strings.IndexAny(text, "-_:")
	if i < 0 {
		return nil, &Error{}
	}
	w, errW := number(text[:i])
	h, errH := number(text[i+1:])
	if errW != nil || errH != nil || w <= 0 || h <= 0 {
		return nil, &Error{}
	}
	if max(w, h) > MaxSide {
		return nil, tooLong(text)
	}
	return Ratio{w, h}, nil
}

// readWord reads one of words. What later names the words that the language has but this version has not.
func readWord(words []string, later func(word string) bool) reader {
	return func(text string) (Value, *Error) {
		switch {
		case slices.Contains(words, text):
			return Word(text), nil
		case later != nil && later(text):
			return nil, unsupported(text)
		}
		return nil, &Error{}
	}
}

// readFormat reads a word of f; jpeg is another spelling of jpg.
func readFormat(text string) (Value, *Error) {
	if text == "jpeg" {
		return Word("jpg"), nil
	}
	return readWord(formatWords, func(w string) bool { return w == "mp4" || w == "webm" })(text)
}

// readBool reads true or false.
func readBool(text string) (Value, *Error) {
	if text != "true" && text != "false" {
		return nil, &Error{}
	}
	return Bool(text == "true"), nil
}

// readPath reads the path of a file, in which @@ stands for a slash. As the SDKs do, it takes slashes around it for
// nothing.
func readPath(text string) (Value, *Error) {
	path := strings.Trim(strings.ReplaceAll(text, "@@", "/"), "/")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return nil, &Error{Msg: "the path is empty, or has an empty part or one of dots; write it like di-folder@@picture.jpg"}
		}
	}
	if strings.Contains(path, "@/") || strings.ContainsRune(path, 0) || !utf8.ValidString(path) {
		return nil, &Error{Msg: "the path has a character that it can't have here: NUL, bytes that aren't UTF-8, an @ before a slash"}
	}
	return Path(path), nil
}

// number reads digits with an optional fraction. Signs, exponents, a bare dot and words such as "Inf" are refused.
func number(text string) (float64, *Error) {
	whole, fraction, dot := strings.Cut(text, ".")
	if !allDigits(whole) || dot && !allDigits(fraction) {
		return 0, &Error{}
	}
	if len(text) > maxNumber {
		return 0, &Error{Msg: fmt.Sprintf("the number has more than %d characters", maxNumber)}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, &Error{}
	}
	return v, nil
}

func unsupported(value string) *Error {
	return &Error{Msg: fmt.Sprintf("the value %s is not supported in this version", quote(value))}
}

func tooLong(text string) *Error {
	return &Error{Limit: true, Msg: fmt.Sprintf("%s is more than %d, the longest side there is", quote(text), MaxSide)}
}

func allDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
