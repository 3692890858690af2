package vipsexec

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/imageorigin/imageorigin/transform"
)

const (
	// maxEntities is how many bytes of an SVG may come from entities that it declares. Drawing programs declare short names
	// for a few addresses. libxml2 bounds entities of entities by itself, but not a long one that is used again and again.
	maxEntities = 1 << 20

	// maxElements is how many elements an SVG may have beside those: librsvg takes 3.5 kB for each of any kind.
	maxElements = 200_000

	// maxConvolution is how many numbers librsvg takes for a convolution: where one is told to have more, it aborts the
	// process (2.54).
	maxConvolution = 400
)

// plainEncodings are those in which letters, ampersands and brackets are what they are in ASCII, by beginnings of their
// names in lower case. In others what a file says could not be seen here.
var plainEncodings = []string{"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-", "iso8859-", "latin", "windows-125", "cp125", "koi8-", "shift_jis", "gbk", "gb2312", "big5", "euc-"}

// modest refuses an SVG that is a bomb by its elements or entities.
func modest(src []byte) error {
	refuse := func(format string, values ...any) error {
		return failed(transform.Broken, "decoding svg", fmt.Errorf(format, values...))
	}
	if name, given := encodingOf(src); given && !beginsWithAny(strings.ToLower(name), plainEncodings) {
		return failed(transform.Unsupported, "decoding svg", fmt.Errorf("its encoding is %.20q; use utf-8", name))
	}
	if bytes.Count(src, []byte("<"))-bytes.Count(src, []byte("</")) > maxElements {
		return failed(transform.TooLarge, "decoding svg", fmt.Errorf("the drawing has more than %d elements", maxElements))
	}
	if bytes.Contains(src, []byte("feConvolveMatrix")) {
		for _, order := range convolutionOrder.FindAllSubmatch(src, -1) {
			if !smallOrder(string(order[1])) {
				return refuse("a convolution has more than %d numbers", maxConvolution)
			}
		}
	}
	if !bytes.Contains(src, []byte("<!ENTITY")) {
		return nil
	}
	declared, err := entitiesOf(src)
	if err != nil {
		return refuse("%w", err)
	}
	total := 0
	for name := range references(src) {
		if total += declared.size(name); total > maxEntities {
			return refuse("its entities make more than %d bytes of text", maxEntities)
		}
	}
	return nil
}

var (
	convolutionOrder = regexp.MustCompile(`\sorder\s*=\s*["']([^"']*)["']`)
	asciiByNumber    = regexp.MustCompile(`&#(0*(1[01][0-9]|12[0-7]|[1-9]?[0-9])|x0*[0-7]?[0-9a-fA-F]);`)
)

// smallOrder reports whether the order of a convolution, one number or two, is one that librsvg survives.
func smallOrder(text string) bool {
	product := 1.0
	numbers := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	for _, number := range numbers {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return false
		}
		product *= n
	}
	if len(numbers) == 1 {
		product *= product
	}
	return product <= maxConvolution
}

// encodingOf returns the encoding that the XML declaration names.
func encodingOf(src []byte) (name string, given bool) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	end := bytes.Index(src, []byte("?>"))
	if !bytes.HasPrefix(src, []byte("<?xml")) || end < 0 {
		return "", false
	}
	_, rest, given := bytes.Cut(src[:end], []byte("encoding"))
	if !given {
		return "", false
	}
	rest = bytes.Trim(rest, " \t\r\n=")
	if len(rest) < 2 {
		return "", false
	}
	text, _, _ := bytes.Cut(rest[1:], rest[:1])
	return string(text), true
}

func beginsWithAny(text string, beginnings []string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

// entities are those that a file declares: the text of each, or its size once that is known.
type entities map[string]*entity

type entity struct {
	text  []byte
	size  int // with all that it refers to; at most maxEntities+1
	known bool
	open  bool // its size is being found out: a reference to it now is a loop
}

// entitiesOf finds the declarations of entities. Where there are two of a name, XML has the first count; here the longer one
// does. Parameter entities, which could write declarations, are refused: no drawing program has them.
func entitiesOf(src []byte) (entities, error) {
	found := entities{}
	for {
		_, rest, more := bytes.Cut(src, []byte("<!ENTITY"))
		if !more {
			return found, nil
		}
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if bytes.HasPrefix(rest, []byte("%")) {
			return nil, errors.New("it declares parameter entities")
		}
		at := bytes.IndexAny(rest, " \t\r\n\"'>")
		if at < 0 {
			return nil, errors.New("a declaration of an entity has no end")
		}
		name := string(rest[:at])
		rest = bytes.TrimLeft(rest[at:], " \t\r\n")
		src = rest
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			continue // of another file, which is never read
		}
		text, behind, closed := bytes.Cut(rest[1:], rest[:1])
		if !closed {
			return nil, errors.New("the text of an entity has no end")
		}
		if asciiByNumber.Match(text) {
			return nil, errors.New("an entity has letters or signs that are written as numbers") // it could hide elements
		}
		if before := found[name]; before == nil || len(before.text) < len(text) {
			found[name] = &entity{text: text}
		}
		src = behind
	}
}

// size returns how many bytes a reference becomes, or more than maxEntities.
func (all entities) size(name string) int {
	e := all[name]
	switch {
	case e == nil:
		return 0
	case e.known:
		return e.size
	case e.open:
		return maxEntities + 1
	}
	e.open = true
	e.size = len(e.text)
	for inner := range references(e.text) {
		if e.size = min(e.size+all.size(inner), maxEntities+1); e.size > maxEntities {
			break
		}
	}
	e.known = true
	return e.size
}

// references goes over the names of the entities that a text refers to.
func references(text []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			at := bytes.IndexByte(text, '&')
			if at < 0 {
				return
			}
			text = text[at+1:]
			end := bytes.IndexAny(text[:min(len(text), 1000)], ";& <")
			if end < 0 || text[end] != ';' {
				continue
			}
			if !yield(string(text[:end])) {
				return
			}
		}
	}
}
