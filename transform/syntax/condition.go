package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// If is a step that stands for one of two chains, whichever the picture asks for.
type If struct {
	Condition Condition
	Then      Chain // never empty in a parsed chain; neither branch holds another If
	Else      Chain // nil: nothing happens where the condition does not hold
	Pos       int   // offset in bytes of "if-" in the text given to Parse; no part of what the chain means
}

// Condition holds where all comparisons of one of its groups do: groups are joined by or, comparisons in a group by and.
type Condition [][]Comparison

// Comparison holds a property of a picture against a value: "w_gt_300".
type Comparison struct {
	Property string // w, h, ar: the picture as it enters the step; iw, ih, iar: the original
	Operator string // eq, ne, gt, gte, lt or lte
	Value    Value  // a Number; for ar and iar also a Ratio
}

// String returns the canonical text.
func (i *If) String() string { return string(i.appendTo(newText())) }

func (i *If) appendTo(b []byte) []byte {
	b = append(append(b, conditionName...), '-')
	b = i.Then.appendTo(append(i.Condition.appendTo(b), ','))
	if i.Else != nil {
		b = append(append(append(b, ','), ifElse...), ',')
		b = i.Else.appendTo(b)
	}
	return append(append(b, ','), ifEnd...)
}

// String returns the canonical text.
func (c Condition) String() string { return string(c.appendTo(newText())) }

func (c Condition) appendTo(b []byte) []byte {
	for i, group := range c {
		for j, comparison := range group {
			switch {
			case j > 0:
				b = append(b, "_and_"...)
			case i > 0:
				b = append(b, "_or_"...)
			}
			b = append(append(b, comparison.Property...), '_')
			b = append(append(b, comparison.Operator...), '_')
			b = appendValue(b, comparison.Value)
		}
	}
	return b
}

const (
	conditionName    = "if"
	ifElse           = "if-else"
	ifEnd            = "if-end"
	conditionGrammar = "a condition such as w_gt_300, h_lte_200_and_ar_lt_4-3 or iw_eq_500_or_ih_eq_500, then a comma, what to do, and if-end"
)

var (
	properties  = strings.Fields("w h ar iw ih iar")
	comparators = strings.Fields("eq ne gt gte lt lte")
)

// isCondition reports whether an item is one of if-…, if-else and if-end.
func isCondition(item string) bool {
	name, _, _ := strings.Cut(item, "-")
	return name == conditionName
}

// condition reads "if-<condition>,<chain>[,if-else,<chain>],if-end", and makes sure that it stands alone.
func (p *parser) condition() (Step, *Error) {
	start, word := p.pos, p.word()
	if p.open > 0 || word == ifElse || word == ifEnd {
		return Step{}, p.misplaced(word)
	}
	text, _ := strings.CutPrefix(word[len(conditionName):], "-")
	p.pos += len(word)
	if text == "" {
		return Step{}, p.unclear("the condition is missing; write if-, then " + conditionGrammar)
	}
	c, err := readCondition(text)
	if err != nil {
		err.Pos, err.Param = err.Pos+p.pos-len(text), conditionName
		return Step{}, err
	}
	if !p.skip(',') {
		return Step{}, p.unclear("a comma and what to do must follow the condition")
	}
	block := &If{Condition: c, Pos: start}
	p.open = start + 1
	if block.Then, err = p.chain(); err != nil {
		return Step{}, err
	}
	if p.skipWord(ifElse) {
		if !p.skip(',') {
			return Step{}, p.unclear("a comma and what to do must follow if-else")
		}
		if block.Else, err = p.chain(); err != nil {
			return Step{}, err
		}
	}
	p.open = 0
	switch {
	case p.skipWord(ifEnd):
	case p.rest() == "":
		return Step{}, p.unclear(fmt.Sprintf("if-end is missing after the branch of the if at column %d", start+1))
	default:
		p.pos++
		return Step{}, p.unclear(fmt.Sprintf("the if at column %d has an if-else already", start+1))
	}
	if strings.HasPrefix(p.rest(), ",") {
		return Step{}, p.unclear("a colon must follow if-end, not a comma: a condition stands alone in its step")
	}
	return Step{If: block}, nil
}

// branchEnds reports whether a branch is being read and ",if-else" or ",if-end" is next.
func (p *parser) branchEnds() bool {
	if p.open == 0 || !strings.HasPrefix(p.rest(), ",") {
		return false
	}
	next := p.rest()[1:]
	next = next[:end(next)]
	return next == ifElse || next == ifEnd
}

// skipWord moves over a comma and word if they are next.
func (p *parser) skipWord(word string) bool {
	next, comma := strings.CutPrefix(p.rest(), ",")
	if !comma || next[:end(next)] != word {
		return false
	}
	p.pos += 1 + len(word)
	return true
}

// misplaced is the error for an if-…, if-else or if-end where none may stand.
func (p *parser) misplaced(word string) *Error {
	switch {
	case word != ifElse && word != ifEnd && p.open > 0:
		return p.unclear(fmt.Sprintf("%s stands in a branch of the if at column %d; "+
			"a branch ends with if-else or if-end, and holds no condition of its own", quote(word), p.open))
	case word != ifElse && word != ifEnd:
		return p.unclear("stands beside other items; write a colon before it: a condition stands alone in its step")
	case p.open > 0:
		return p.unclear("a branch is empty: something to do, then a comma, must stand before " + word)
	}
	return p.unclear(word + " stands where no if is open; a condition begins with if- and stands alone in its step")
}

func (p *parser) unclear(msg string) *Error {
	return &Error{Pos: p.pos, Param: conditionName, Msg: msg}
}

// readCondition reads comparisons joined by and, which binds tighter, and or.
func readCondition(text string) (Condition, *Error) {
	if strange, pos := strangeness(text); strange != "" {
		return nil, &Error{Pos: pos, Msg: strange}
	}
	var c Condition
	words := strings.Split(text, "_")
	at, group := 0, []Comparison(nil)
	for {
		comparison, err := readComparison(words)
		if err != nil {
			err.Pos = min(at+err.Pos, len(text)) // what is missing at the end is missed there
			return nil, err
		}
		group = append(group, comparison)
		at += widthOf(words[:3])
		if words = words[3:]; len(words) == 0 {
			return append(c, group), nil
		}
		switch joiner := words[0]; joiner {
		case "and":
		case "or":
			c, group = append(c, group), nil
		default:
			err := misfit(joiner, "what joins two comparisons", `"and" or "or"`)
			err.Pos = at
			return nil, err
		}
		at += widthOf(words[:1])
		words = words[1:]
	}
}

// widthOf returns the length of words in the text, each with the underscore behind it.
func widthOf(words []string) (n int) {
	for _, word := range words {
		n += len(word) + 1
	}
	return n
}

// readComparison reads the first three of words.
func readComparison(words []string) (Comparison, *Error) {
	switch {
	case len(words) == 0 || !slices.Contains(properties, words[0]):
		return Comparison{}, misfit(first(words), "a property", oneOf(properties))
	case len(words) == 1 || !slices.Contains(comparators, words[1]):
		err := misfit(first(words[1:]), "a comparison", oneOf(comparators))
		err.Pos = widthOf(words[:1])
		return Comparison{}, err
	}
	property, comparator := words[0], words[1]
	v, err := readCompared(property, first(words[2:]))
	if err != nil {
		err.Pos += widthOf(words[:2])
		return Comparison{}, err
	}
	return Comparison{property, comparator, v}, nil
}

// first returns the first of words, "" of none.
func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// readCompared reads what a property is held against.
func readCompared(property, text string) (Value, *Error) {
	if v, err := number(text); err == nil {
		return Number(v), nil
	} else if err.Msg != "" {
		return nil, err
	}
	accepted := "a number"
	if strings.HasSuffix(property, "ar") {
		if v, err := readRatio(text); err == nil || err.Msg != "" {
			return v, err
		}
		accepted += " or a ratio such as 4-3"
	}
	return nil, misfit(text, "the value for "+property, accepted)
}

// misfit is the error for a word of a condition, "" where it is missing, in the place of something else.
func misfit(word, place, accepted string) *Error {
	got := "nothing"
	if word != "" {
		got = quote(word)
	}
	return &Error{Msg: fmt.Sprintf("%s stands in the place of %s; write %s", got, place, accepted)}
}
