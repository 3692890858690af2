package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// A part is one of the named pieces of an effect's value: bl-15 of bl-15_st-40.
type part struct {
	name    string
	grammar string // what is accepted, as the end of a sentence
	read    func(text string) *Error
}

// readParts reads named parts with underscores between, in any order and each at most once. No text at all is accepted:
// parts have defaults.
func readParts(text string, parts []part) *Error {
	if text == "" {
		return nil
	}
	if strange, pos := strangeness(text); strange != "" {
		return &Error{Pos: pos, Msg: strange}
	}
	var seen []string
	for at := 0; at < len(text); {
		piece := text[at : at+pieceEnd(text[at:], parts)]
		name, value, hyphen := strings.Cut(piece, "-")
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		switch {
		case i < 0 || !hyphen:
			return &Error{Pos: at, Msg: fmt.Sprintf("%s is none of its parts; they are %s", quote(piece), partNames(parts))}
		case slices.Contains(seen, name):
			return &Error{Pos: at, Msg: name + " stands twice"}
		}
		seen = append(seen, name)
		if err := parts[i].read(value); err != nil {
			err.Pos += at + len(name) + 1
			if err.Msg == "" {
				err.Msg = fmt.Sprintf("%s is not accepted for %s; write %s", quote(value), name, parts[i].grammar)
			}
			return err
		}
		if at += len(piece); at < len(text) {
			at++ // the underscore
			if at == len(text) {
				return &Error{Pos: at, Msg: "nothing follows the underscore, which stands between parts"}
			}
		}
	}
	return nil
}

// pieceEnd returns the length of the part at the start of text: up to an underscore behind which another part or an
// unknown one begins. Other underscores belong to the value: those of top_right and iw_div_2.
func pieceEnd(text string, parts []part) int {
	for i := 1; i < len(text); i++ {
		if text[i] != '_' {
			continue
		}
		next, _, _ := strings.Cut(text[i+1:], "_")
		if next == "" || strings.Contains(next, "-") || slices.ContainsFunc(parts, func(p part) bool { return p.name == next }) {
			return i
		}
	}
	return len(text)
}

func partNames(parts []part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return oneOf(names)
}

// written joins those parts of a value that are not as they are by default.
func written(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "_")
}

// unlessDefault returns name-value, or nothing where the value is the default.
func unlessDefault[T comparable](name string, value, standard T, text string) string {
	if value == standard {
		return ""
	}
	return name + "-" + text
}

// wholeInto reads a whole number from low to high, negative with the prefix N, where low allows that.
func wholeInto(to *int, low, high int) func(text string) *Error {
	return func(text string) *Error {
		digits, negative := text, false
		if low < 0 {
			digits, negative = strings.CutPrefix(text, "N")
		}
		v, err := number(digits)
		if err != nil {
			return err
		}
		if negative {
			v = -v
		}
		if v < float64(low) || v > float64(high) || v != float64(int(v)) {
			return &Error{}
		}
		*to = int(v)
		return nil
	}
}

// colourInto reads a colour, which is opaque where translucent ones mean nothing.
func colourInto(to *Color, opaque bool) func(text string) *Error {
	return func(text string) *Error {
		c, ok := ParseColor(text)
		switch {
		case !ok:
			return &Error{}
		case opaque && c.A != 255:
			return &Error{Msg: quote(text) + " is not opaque; write " + opaqueGrammar}
		}
		*to = c
		return nil
	}
}

const opaqueGrammar = "RRGGBB, RGB or a colour name in lower case, without opacity"
