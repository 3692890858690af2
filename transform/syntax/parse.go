package syntax

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxText bounds the text given to Parse, and the canonical text of a chain, in bytes. Servers refuse URLs beyond 8 KiB
// anyway.
const MaxText = 4096

// maxGrowth bounds how many times longer than its text the canonical text of a chain is: bg-red is bg-FF0000, rt-N9 is
// rt-351.
const maxGrowth = 4

// Parse reads a transformation, already percent-decoded and without a leading "tr:". Every failure is an *Error.
func Parse(text string) (Chain, error) {
	if text == "" {
		return nil, &Error{Msg: "the transformation is empty; write for example w-300"}
	}
	if len(text) > MaxText {
		return nil, &Error{Pos: MaxText, Limit: true, Msg: fmt.Sprintf("the transformation is longer than %d bytes", MaxText)}
	}
	p := parser{text: text}
	c, err := p.chain()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxText/maxGrowth && len(c.String()) > MaxText {
		return nil, &Error{
			Pos: len(text), Limit: true,
			Msg: fmt.Sprintf("the transformation is longer than %d bytes once its values are written in full, as bg-FF0000 for bg-red", MaxText),
		}
	}
	return c, nil
}

// parser walks over the text once, from left to right.
type parser struct {
	text string
	pos  int
	open int // 1 + the place of the if whose branch is being read; 0 outside of branches
}

// chain reads steps up to the end of the text.
func (p *parser) chain() (Chain, *Error) {
	var c Chain
	for {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		c = append(c, s)
		if !p.skip(':') {
			return c, nil
		}
	}
}

// step reads items up to a colon or the end.
func (p *parser) step() (Step, *Error) {
	if strings.HasPrefix(p.rest(), ":") || p.rest() == "" {
		return Step{}, &Error{Pos: p.pos, Msg: "a step is empty: nothing stands before, after or between colons"}
	}
	if isCondition(p.word()) {
		return p.condition()
	}
	var s Step
	for {
		it, err := p.item()
		if err != nil {
			return Step{}, err
		}
		if first, found := s.Item(it.Name); found {
			msg := fmt.Sprintf("stands twice in one step; the first is at column %d", first.Pos+1)
			return Step{}, &Error{Pos: it.Pos, Param: it.Name, Msg: msg}
		}
		s.Items = append(s.Items, it)
		if p.branchEnds() || !p.skip(',') {
			return Step{Items: sorted(s.Items)}, nil
		}
	}
}

// item reads one parameter with its value.
func (p *parser) item() (Item, *Error) {
	start, text := p.pos, p.word()
	if text == "" {
		return Item{}, &Error{Pos: start, Msg: "an item is empty: nothing stands before, after or between commas"}
	}
	name, value, hyphen := cutName(text)
	param := lookup(name)
	if param == nil {
		return Item{}, unknown(text, name, start)
	}
	if param.Missing != "" {
		return Item{}, &Error{Pos: start, Param: name, Msg: refusal(param)}
	}
	if name == conditionName {
		return Item{}, p.misplaced(text)
	}
	if param.outside != "" && p.open > 0 {
		return Item{}, &Error{Pos: start, Param: name, Msg: param.outside}
	}
	if param.colon {
		value += colonPart(value, p.rest()[len(text):])
	}
	at := start + len(name)
	switch {
	case hyphen && value != "":
		at++
	case hyphen || !param.bare:
		return Item{}, missingValue(param, start+len(text))
	}
	v, err := param.read(value)
	if err != nil {
		return Item{}, located(err, param, value, at)
	}
	p.pos = at + len(value)
	return Item{name, v, start}, nil
}

// located completes the error of a reader: where it is, whose it is and, where the reader left that to the table,
// what is accepted.
func located(err *Error, param *Parameter, value string, at int) *Error {
	err.Pos, err.Param = at+err.Pos, param.Name
	if err.Msg == "" {
		err.Msg = fmt.Sprintf("%s is not accepted; write %s", quote(value), param.Grammar)
		if strange, pos := strangeness(value); strange != "" {
			err.Pos, err.Msg = at+pos, strange
		}
	}
	return err
}

// strangeness explains the first character of text that no parameter of the language can hold.
func strangeness(text string) (msg string, pos int) {
	for i, r := range text {
		switch {
		case r == '%':
			return "a percent sign has no meaning here; was the URL percent-encoded twice?", i
		case r == utf8.RuneError:
			return "the text is not UTF-8", i
		case r <= ' ' || r > '~':
			return fmt.Sprintf("the character U+%04X has no meaning here", r), i
		}
	}
	return "", 0
}

// colonPart returns what of rest, which begins at the end of an item, belongs to the item's value: the second half of a
// ratio written as 4:3. A step never begins with a digit, so nothing else can be meant.
func colonPart(value, rest string) string {
	if !strings.HasPrefix(rest, ":") || len(rest) < 2 || !isDigit(rest[1]) || strings.ContainsAny(value, "-_") {
		return ""
	}
	return rest[:1+end(rest[1:])]
}

// end returns the length of the item at the start of text.
func end(text string) int {
	if i := strings.IndexAny(text, ",:"); i >= 0 {
		return i
	}
	return len(text)
}

func (p *parser) rest() string { return p.text[p.pos:] }

// word returns the text up to the next comma, colon or the end.
func (p *parser) word() string { return p.rest()[:end(p.rest())] }

// skip moves over c if it is next.
func (p *parser) skip(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// quote makes a piece of the URL safe for a message that becomes a header.
func quote(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.QuoteToASCII(text)
}
