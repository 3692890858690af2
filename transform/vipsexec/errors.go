package vipsexec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/imageorigin/imageorigin/transform"
)

// failed returns an error of kind, with what libvips says about it in one line: govips appends a Go stack, and libvips
// collects the lines of all its threads in one buffer, so the text is for people and never for decisions.
func failed(kind transform.Kind, op string, err error) *transform.Error {
	if err == nil {
		return &transform.Error{Kind: kind, Op: op}
	}
	text := err.Error()
	if at := strings.Index(text, "\nStack:\n"); at >= 0 {
		err = errors.New(lastSentence(text[:at]))
	}
	return &transform.Error{Kind: kind, Op: op, Err: err}
}

// lastSentence returns the last line that begins with a word. Lines before it may be left over from something that went
// well in the end, and libheif breaks its messages before a number.
func lastSentence(text string) string {
	last := "libvips gave no reason"
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '(' {
			last = line
		}
	}
	return last
}

// recovered turns a panic into an Internal error. It is deferred at the two doors of the engine.
func recovered(op string, err *error) {
	if v := recover(); v != nil {
		*err = failed(transform.Internal, op, fmt.Errorf("panic: %v", v))
	}
}
