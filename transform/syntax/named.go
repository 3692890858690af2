package syntax

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// namedParameter is the short name of the parameter that a named transformation is asked for by.
const namedParameter = "n"

// maxSteps bounds what names may grow a chain to, branches included: a text of Parse has no more steps.
const maxSteps = 1024

// Name is what a chain is called: letters, digits and underscores, case-sensitive.
type Name string

func (Name) value() {}

func (n Name) String() string { return string(n) }

const nameGrammar = "a name of letters, digits and underscores that the endpoint declares"

// IsName reports whether text can be the name of a chain.
func IsName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// readName reads a name; whether a chain has it shows when the chain is expanded.
func readName(text string) (Value, *Error) {
	if !IsName(text) {
		return nil, &Error{}
	}
	return Name(text), nil
}

// Expand returns c with the steps of a named chain in the place of each n-: behind a step of the items that stand beside
// it. What it puts there has the place of the n-, so that errors point into the text of c. The named chains hold no
// names themselves, as those of [ExpandAll]. Errors are *Error: an unknown name, a condition that would get into a
// branch of another, or more steps than a text could have.
//
// The canonical text of the result is that of the chain written out, which Parse reads unless it is longer than texts
// may be.
func Expand(c Chain, named map[string]Chain) (Chain, error) {
	if !hasName(c) {
		return c, nil
	}
	x := expansion{find: func(name string) (Chain, string) {
		if chain, ok := named[name]; ok {
			return chain, ""
		}
		return nil, noSuchName(name)
	}}
	expanded, err := x.chain(c, false)
	if err != nil {
		return nil, err
	}
	return expanded, nil
}

// NamedError is the error of a named chain, which has an *Error of its own text as cause.
type NamedError struct {
	Name string
	Err  error
}

func (e *NamedError) Error() string { return fmt.Sprintf("%q: %v", e.Name, e.Err) }

// Unwrap returns what is wrong with the chain.
func (e *NamedError) Unwrap() error { return e.Err }

// ExpandAll returns chains that ask for each other by name with all names expanded. Errors are *NamedError: those of
// [Expand], and names that lead in a circle.
func ExpandAll(named map[string]Chain) (map[string]Chain, error) {
	b := book{given: named, done: make(map[string]Chain, len(named))}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if err := b.expand(name); err != nil {
			return nil, err
		}
	}
	return b.done, nil
}

// book is a set of named chains while they are expanded.
type book struct {
	given, done map[string]Chain
	open        []string // names being expanded, each asked for by the one before
}

// expand expands the chain of that name, after those that it asks for.
func (b *book) expand(name string) error {
	if _, done := b.done[name]; done {
		return nil
	}
	b.open = append(b.open, name)
	defer func() { b.open = b.open[:len(b.open)-1] }()
	var deeper error // in a chain that this one asks for
	x := expansion{find: func(other string) (Chain, string) {
		if _, declared := b.given[other]; !declared {
			return nil, noSuchName(other)
		}
		if i := slices.Index(b.open, other); i >= 0 {
			circle := strings.Join(append(slices.Clone(b.open[i:]), other), " -> ")
			return nil, "the names lead in a circle, " + circle + "; one of them must do without the next"
		}
		if deeper = b.expand(other); deeper != nil {
			return nil, deeper.Error()
		}
		return b.done[other], ""
	}}
	c, err := x.chain(b.given[name], false)
	switch {
	case deeper != nil:
		return deeper
	case err != nil:
		return &NamedError{name, err}
	}
	b.done[name] = c
	return nil
}

func noSuchName(name string) string {
	return fmt.Sprintf("no transformation is called %s here; names are case-sensitive, and declared by the endpoint's option transform", quote(name))
}

// expansion is one chain while its names are expanded.
type expansion struct {
	find  func(name string) (c Chain, msg string) // msg is why there is no such chain
	steps int                                     // so far
}

// chain expands a chain, or a branch.
func (x *expansion) chain(c Chain, branch bool) (Chain, *Error) {
	expanded := make(Chain, 0, len(c))
	for _, s := range c {
		steps, err := x.step(s, branch)
		if err != nil {
			return nil, err
		}
		expanded = append(expanded, steps...)
	}
	return expanded, nil
}

// step returns the steps that s stands for.
func (x *expansion) step(s Step, branch bool) (Chain, *Error) {
	x.steps++
	if s.If != nil {
		block := *s.If
		var err *Error
		if block.Then, err = x.chain(block.Then, true); err != nil {
			return nil, err
		}
		if block.Else != nil {
			block.Else, err = x.chain(block.Else, true)
		}
		s.If = &block
		return Chain{s}, err
	}
	i := slices.IndexFunc(s.Items, func(it Item) bool { return it.Name == namedParameter })
	if i < 0 {
		return Chain{s}, nil
	}
	it := s.Items[i]
	refuse := func(msg string, limit bool) (Chain, *Error) {
		return nil, &Error{Pos: it.Pos, Param: it.Name, Msg: msg, Limit: limit}
	}
	named, msg := x.find(it.Value.String())
	if msg != "" {
		return refuse(msg, false)
	}
	if branch && slices.ContainsFunc(named, func(s Step) bool { return s.If != nil }) {
		return refuse(fmt.Sprintf("%s holds a condition, and stands in a branch of another; a branch holds no condition: write the name behind if-end and a colon", quote(it.Value.String())), false)
	}
	if alone := outsider(named); branch && alone != nil {
		return refuse(fmt.Sprintf("%s holds %s, which %s", quote(it.Value.String()), alone.Name, alone.outside), false)
	}
	if x.steps += countSteps(named); x.steps > maxSteps {
		return refuse(fmt.Sprintf("with what the names stand for there are more than %d steps", maxSteps), true)
	}
	var steps Chain
	if s.Items = slices.Delete(slices.Clone(s.Items), i, i+1); len(s.Items) > 0 {
		steps = Chain{s}
	}
	return append(steps, named.At(it.Pos)...), nil
}

// outsider returns the first parameter in c that may not stand in a branch; nil if there is none.
func outsider(c Chain) *Parameter {
	for _, s := range c {
		for _, it := range s.Items {
			if p := lookup(it.Name); p != nil && p.outside != "" {
				return p
			}
		}
	}
	return nil
}

// hasName reports whether some n- stands in c.
func hasName(c Chain) bool {
	return slices.ContainsFunc(c, func(s Step) bool {
		_, named := s.Item(namedParameter)
		return named || s.If != nil && (hasName(s.If.Then) || hasName(s.If.Else))
	})
}

// countSteps counts those in both branches of conditions, too.
func countSteps(c Chain) (n int) {
	for _, s := range c {
		n++
		if s.If != nil {
			n += countSteps(s.If.Then) + countSteps(s.If.Else)
		}
	}
	return n
}

// At returns a copy of c all of whose items and conditions are at pos; -1 is none.
func (c Chain) At(pos int) Chain {
	return c.each(func(s *Step) {
		s.Items = slices.Clone(s.Items)
		for i := range s.Items {
			s.Items[i].Pos = pos
		}
		if s.If != nil {
			s.If.Pos = pos
		}
	})
}

// WithOwnSizes returns a copy of c whose sizes are exactly those that it says, whatever ladder of sizes an endpoint has:
// steps with a size are marked as [Step.OwnSize].
func (c Chain) WithOwnSizes() Chain {
	return c.each(func(s *Step) {
		_, w := s.Item("w")
		_, h := s.Item("h")
		s.OwnSize = w || h
	})
}

// each returns a copy of c with change made to each step, those of branches included.
func (c Chain) each(change func(*Step)) Chain {
	copied := slices.Clone(c)
	for i := range copied {
		s := &copied[i]
		if s.If != nil {
			block := *s.If
			block.Then, block.Else = block.Then.each(change), block.Else.each(change)
			s.If = &block
		}
		change(s)
	}
	return copied
}

// IsNamed reports whether the step asks for a named chain and nothing else.
func (s Step) IsNamed() bool { return len(s.Items) == 1 && s.Items[0].Name == namedParameter }
