package caddymodule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imageorigin/imageorigin/internal/block"
)

// hasPlaceholder reports whether a value is known only when the config is loaded.
func hasPlaceholder(value string) bool { return strings.Contains(value, "{") }

// checkEndpointName says what is wrong with the name of an endpoint.
func checkEndpointName(name string) error {
	switch {
	case !validName(name, "-") || len(name) > 100:
		return fmt.Errorf("endpoint %q: a name is 1 to 100 letters, digits and hyphens", name)
	case strings.HasPrefix(name, "ik-"):
		return fmt.Errorf("endpoint %q: names that begin with \"ik-\" are reserved for the URL language", name)
	}
	return nil
}

// validName reports whether name is made of ASCII letters, digits and the characters of also, and is not empty.
func validName(name, also string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !strings.ContainsRune(also, rune(c)) {
			return false
		}
	}
	return name != ""
}

func checkWord(word string, valid []string) error {
	if word != "" && !slices.Contains(valid, word) {
		return fmt.Errorf("unknown value %q; expected %s", word, block.List(valid, "or"))
	}
	return nil
}

func checkWords(words, valid []string) error {
	for _, word := range words {
		if !slices.Contains(valid, word) {
			return fmt.Errorf("unknown value %q; expected one or more of %s", word, block.List(valid, "and"))
		}
	}
	return checkUnique(words)
}

func checkUnique(words []string) error {
	for i, word := range words {
		if slices.Contains(words[:i], word) {
			return fmt.Errorf("%q stands twice", word)
		}
	}
	return nil
}

// texts returns the words by which configuration knows the values.
func texts[T fmt.Stringer](values []T) []string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = value.String()
	}
	return words
}
