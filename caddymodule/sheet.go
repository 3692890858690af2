package caddymodule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// sheet is what a command tells: lines of a word and its text.
type sheet struct{ strings.Builder }

// line adds a line, unless there is no text. Further lines of the text stand below the first.
func (r *sheet) line(word, text string) {
	if text == "" {
		return
	}
	for part := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(r, "%-9s %s\n", word, part)
		word = ""
	}
}

// caretWidth is how many characters of a transformation are shown with a caret below.
const caretWidth = 100

// caret returns text, of which long ones only the surroundings, and below it a caret under the byte at pos. Characters
// that a terminal obeys, or that are not one column wide, are shown as "?".
func caret(text string, pos int) string {
	pos = min(pos, len(text))
	column := utf8.RuneCountInString(text[:pos])
	shown := headerSafe(text) // one byte for each character
	cut := ""
	if from := column - caretWidth/2; len(shown) > caretWidth && from > 0 {
		cut = "..."
		shown, column = shown[from:], column-from+len(cut)
	}
	shown = cut + shown
	if len(shown) > caretWidth {
		shown = shown[:caretWidth] + "..."
	}
	return shown + "\n" + strings.Repeat(" ", column) + "^"
}
