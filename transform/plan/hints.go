package plan

import (
	"strings"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Vary is a set of what a client tells of itself. The zero Vary is empty.
type Vary uint8

// What a client tells of itself.
const (
	VaryAccept   Vary = 1 << iota // the formats that it accepts
	VaryWidth                     // how wide it shows the picture
	VaryDPR                       // the pixel ratio of its screen
	VarySaveData                  // whether it asks for less data
)

var varyNames = []string{"accept", "width", "dpr", "save-data"}

// Has reports whether all of x is in v.
func (v Vary) Has(x Vary) bool { return v&x == x }

// String returns the members' names, separated by spaces.
func (v Vary) String() string {
	var names []string
	for i, name := range varyNames {
		if v.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// VaryOf returns the hints that some step of the chain takes its size from, whichever branches a picture takes: what an
// error that Resolve has for the chain may depend on.
func VaryOf(c syntax.Chain) (v Vary) {
	for _, s := range c {
		v |= varyOf(s)
		if s.If != nil {
			v |= VaryOf(s.If.Then) | VaryOf(s.If.Else)
		}
	}
	return v
}

// varyOf returns the hints that a step takes its size from. The width that a client tells is counted in pixels of its
// screen, so the ratio has no say beside it, whether it is told or not.
func varyOf(s syntax.Step) Vary {
	if isAuto(s, "w") {
		return VaryWidth
	}
	if isAuto(s, "dpr") {
		return VaryDPR
	}
	return 0
}

func isAuto(s syntax.Step, name string) bool {
	word, _ := syntax.Get[syntax.Word](s, name)
	return word == syntax.Auto
}

// hinted returns the step with what the client tells in place of auto, and without what it tells nothing for.
func (c *canvas) hinted(s syntax.Step) syntax.Step {
	reads := varyOf(s)
	if reads == 0 {
		return s
	}
	c.vary |= reads
	items := make([]syntax.Item, 0, len(s.Items)) // a copy: the chain is shared
	for _, it := range s.Items {
		if it.Value == syntax.Value(syntax.Auto) {
			switch {
			case it.Name == "w" && c.hints.Width > 0:
				it.Value = syntax.Length(c.hints.Width)
			case it.Name == "dpr" && reads.Has(VaryDPR) && c.hints.DPR > 0:
				it.Value = syntax.Number(c.hints.DPR)
			case it.Name == "w" || it.Name == "dpr":
				continue
			}
		}
		items = append(items, it)
	}
	s.Items = items
	return s
}

// density keeps what the hints did for the size. asked is the step as it is written, g what it came to on c. A width that is
// told is that of the place on the page, whatever the steps behind it make of it; a ratio is forgotten where a later step
// changes the size that it led to.
func (c *canvas) density(asked syntax.Step, g geometry) {
	_, w := g.step.Item("w")
	_, dpr := g.step.Item("dpr")
	switch {
	case c.hintedWidth:
	case w && isAuto(asked, "w"):
		c.hintedWidth, c.hintedDPR = true, 0
	case dpr && isAuto(asked, "dpr"):
		c.hintedDPR = g.dpr
	case c.dims != c.entered:
		c.hintedDPR = 0
	}
}
