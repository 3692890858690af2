// Package vectest reads the vector files of the transformation language: what goes in, and the text that must come out.
//
// A file is a list of blocks between lines "---". A block begins with header lines "key: value" (lines that begin with #
// are comments) and, after an empty line, holds the expected text.
package vectest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Block is one vector.
type Block struct {
	File   string
	Line   int // of the block's first line
	Header map[string]string
	Want   string // without leading and trailing empty lines

	head []string // the header as it stands in the file
}

const separator = "---\n"

// Name returns the header "name", or the place of a block that has none.
func (b Block) Name() string {
	if name := b.Header["name"]; name != "" {
		return name
	}
	return fmt.Sprintf("%s:%d", filepath.Base(b.File), b.Line)
}

// Read returns the blocks of testdata/*.vec in the folder of the running test. Not to find any fails the test.
func Read(tb testing.TB) []Block {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.vec"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no vector files in testdata: %v", err)
	}
	var all []Block
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		line := 1
		for part := range strings.SplitSeq(string(text), separator) {
			all = append(all, parse(tb, file, line, part))
			line += strings.Count(part, "\n") + 1
		}
	}
	return all
}

func parse(tb testing.TB, file string, line int, part string) Block {
	head, want, _ := strings.Cut(strings.TrimLeft(part, "\n"), "\n\n")
	b := Block{File: file, Line: line, Header: map[string]string{}, Want: strings.Trim(want, "\n")}
	for text := range strings.SplitSeq(strings.Trim(head, "\n"), "\n") {
		b.head = append(b.head, text)
		if strings.HasPrefix(text, "#") {
			continue
		}
		key, value, found := strings.Cut(text, ":")
		if _, twice := b.Header[key]; !found || twice {
			tb.Fatalf("%s: block at line %d: bad or repeated header line %q", file, line, text)
		}
		b.Header[key] = strings.TrimSpace(value)
	}
	return b
}

// Rewrite writes the blocks back to their files with what they now want: how vectors are recorded anew.
func Rewrite(tb testing.TB, blocks []Block) {
	tb.Helper()
	texts := map[string][]string{}
	for _, b := range blocks {
		text := strings.Join(b.head, "\n") + "\n"
		if b.Want != "" {
			text += "\n" + b.Want + "\n"
		}
		texts[b.File] = append(texts[b.File], text)
	}
	for file, parts := range texts {
		if err := os.WriteFile(file, []byte(strings.Join(parts, separator)), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}
