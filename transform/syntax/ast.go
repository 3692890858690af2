package syntax

import (
	"cmp"
	"slices"
)

// Chain is a parsed transformation: steps from left to right, each working on the result of the one before. Treat it as
// read-only: it may be shared. The nil Chain asks for nothing.
type Chain []Step

// Step is what stands between two colons: items, whose order has no meaning, or a condition alone.
type Step struct {
	Items []Item // each parameter at most once, in the order of the table; in a parsed chain empty beside If, else never
	If    *If    // nil for a step of items

	// OwnSize marks a step of the endpoint's own whose size no ladder of sizes changes. It is never in a parsed chain; in
	// the canonical text, where it makes a difference, it is the word own_size, which Parse refuses.
	OwnSize bool
}

// Item is one parameter with its value: "w-300".
type Item struct {
	Name  string // the short name: "w"
	Value Value
	Pos   int // offset in bytes of the item in the text given to Parse; no part of what the chain means
}

// String returns the canonical text: equal chains have equal texts, and Parse gives the chain back. It is the cache key
// and the log line.
func (c Chain) String() string { return string(c.appendTo(newText())) }

// String returns the canonical text of the step.
func (s Step) String() string { return string(s.appendTo(newText())) }

// String returns the canonical text of the item.
func (it Item) String() string { return string(it.appendTo(newText())) }

// newText returns a buffer that most chains fit into: every request has its chain written.
func newText() []byte {
	const usual = 128
	return make([]byte, 0, usual)
}

func (c Chain) appendTo(b []byte) []byte {
	for i, s := range c {
		if i > 0 {
			b = append(b, ':')
		}
		b = s.appendTo(b)
	}
	return b
}

func (s Step) appendTo(b []byte) []byte {
	if s.If != nil {
		return s.If.appendTo(b)
	}
	for i, it := range s.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = it.appendTo(b)
	}
	if s.OwnSize {
		if len(s.Items) > 0 {
			b = append(b, ',')
		}
		b = append(b, "own_size"...)
	}
	return b
}

func (it Item) appendTo(b []byte) []byte {
	b = append(b, it.Name...)
	named := len(b)
	b = appendValue(append(b, '-'), it.Value)
	if len(b) == named+1 {
		return b[:named] // it stands without a value
	}
	return b
}

// Item returns the step's item of that short name.
func (s Step) Item(name string) (Item, bool) {
	for _, it := range s.Items {
		if it.Name == name {
			return it, true
		}
	}
	return Item{}, false
}

// Get returns the value that s gives to the parameter name, if it gives one of type T.
func Get[T Value](s Step, name string) (T, bool) {
	it, _ := s.Item(name)
	v, ok := it.Value.(T)
	return v, ok
}

// sorted puts items into the order of the table.
func sorted(items []Item) []Item {
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(order[a.Name], order[b.Name]) })
	return items
}
