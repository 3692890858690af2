package origins

import (
	"slices"
	"strings"
)

// The bounds of [Tags].
const (
	MaxTag      = 256     // bytes of one
	maxTags     = 64      // of an object
	maxTagsSize = 8 << 10 // bytes of all, with the spaces between them
)

// Tags returns the words by which an object can be purged, for Attributes.Tags: those of values, each a list with
// commas or spaces between its words, as Cache-Tag and Surrogate-Key have them. The words come in order, each once, with
// a single space between them.
//
// A word that is longer than 256 bytes, or has a character that isn't visible ASCII, is left out. Of the others the first
// 64 count, and of those as many as fit in 8 KiB: whoever writes them must not fill our memory.
func Tags(values ...string) string {
	var tags []string
	size := 0
	for _, value := range values {
		for word := range strings.FieldsFuncSeq(value, betweenTags) {
			if !IsTag(word) || slices.Contains(tags, word) {
				continue
			}
			if size += len(word) + 1; len(tags) == maxTags || size > maxTagsSize+1 { // the last one has no space behind it
				return strings.Join(tags, " ")
			}
			tags = append(tags, word)
		}
	}
	return strings.Join(tags, " ")
}

// IsTag reports whether a word can be one of [Tags]: visible ASCII without a comma, of 1 to [MaxTag] bytes.
func IsTag(word string) bool {
	return word != "" && len(word) <= MaxTag && !strings.ContainsFunc(word, func(r rune) bool { return betweenTags(r) || invisible(r) })
}

func betweenTags(r rune) bool { return r == ',' || r == ' ' || r == '\t' }

func invisible(r rune) bool { return r <= ' ' || r > '~' }
