package plan_test

import (
	"math/big"
	"regexp"
	"strings"

	"github.com/imageorigin/imageorigin/transform/plan"
)

// model is a second reading of the rules about sizes, written from their words: it works on the text of a chain, with
// fractions instead of binary numbers, and knows no ops. What it can't tell it says so.
type model struct {
	width, height int // of the picture
	original      [2]int
	entered       [2]int
	limits        plan.Limits

	place affine  // from the picture to the original, upright, in pixels
	slack float64 // by how many pixels of the original the place may be off
	// lost: the place is not told by words (it depends on what is seen, or is turned by odd angles, or is behind
	// something that is only known to about a pixel).
	lost bool

	refused bool
	unsure  bool // a number is too near to one that would be rounded differently
}

// modelled returns what becomes of s.
func modelled(text string, s plan.Source, l plan.Limits) *model {
	w, h := s.Width, s.Height
	if s.Orientation >= 5 && s.Orientation <= 8 && s.Frames <= 1 {
		w, h = h, w
	}
	m := &model{width: w, height: h, original: [2]int{w, h}, limits: l, place: identity}
	steps := splitChain(text)
	m.refuse(s.Format != plan.SVG && max(w, h) > 65535)
	m.refuse(l.SourcePixels > 0 && int64(w)*int64(h) > l.SourcePixels)
	m.refuse(l.Steps > 0 && countSteps(steps) > l.Steps)
	m.refuse(meaningless(steps))
	m.chain(steps)
	m.sized()
	return m
}

func (m *model) refuse(when bool) { m.refused = m.refused || when }

func (m *model) ended() bool { return m.refused || m.unsure }

// modelStep is a step of the text: items, or a condition.
type modelStep struct {
	items           map[string]string
	condition       string
	then, otherwise []modelStep
	conditional     bool
}

var (
	ratioWithColon = regexp.MustCompile(`\bar-([0-9.]+):([0-9])`)
	piece          = regexp.MustCompile(`[^,:]+[,:]?`)
)

func splitChain(text string) []modelStep {
	if text == "" {
		return nil
	}
	steps, _ := splitSteps(piece.FindAllString(ratioWithColon.ReplaceAllString(text, "ar-$1-$2"), -1))
	return steps
}

// splitSteps reads up to the end of the pieces, or of a branch, and returns what is left.
func splitSteps(pieces []string) (steps []modelStep, rest []string) {
	now := modelStep{items: map[string]string{}}
	for len(pieces) > 0 {
		item, last := strings.CutSuffix(pieces[0], ":")
		item = strings.TrimSuffix(item, ",")
		pieces = pieces[1:]
		if item == "if-else" || item == "if-end" {
			return append(steps, now), append([]string{item}, pieces...)
		}
		if condition, found := strings.CutPrefix(item, "if-"); found {
			now.conditional, now.condition = true, condition
			now.then, pieces = splitSteps(pieces)
			if pieces[0] == "if-else" {
				now.otherwise, pieces = splitSteps(pieces[1:])
			}
			last = len(pieces) > 1 // if-end, then the next step
			pieces = pieces[1:]
		} else {
			name, value, _ := strings.Cut(item, "-")
			if name == "e" {
				effect, of, _ := strings.Cut(value, "-")
				name, value = "e-"+effect, of
			}
			now.items[name] = value
		}
		if last {
			steps, now = append(steps, now), modelStep{items: map[string]string{}}
		}
	}
	if now.conditional || len(now.items) > 0 {
		steps = append(steps, now)
	}
	return steps, nil
}

func countSteps(steps []modelStep) (n int) {
	for _, s := range steps {
		if s.conditional {
			n += max(len(s.then), len(s.otherwise))
		} else {
			n++
		}
	}
	return n
}

// meaningless reports whether some step has items that mean nothing together, in branches that are not taken as well.
func meaningless(steps []modelStep) bool {
	for _, s := range steps {
		if meaningless(s.then) || meaningless(s.otherwise) {
			return true
		}
		has := func(names ...string) bool {
			for _, name := range names {
				if _, found := s.items[name]; found {
					return true
				}
			}
			return false
		}
		switch {
		case has("ar", "c", "cm", "dpr") && !has("w", "h"),
			has("c") && has("cm") && s.items["c"] != "maintain_ratio",
			has("x", "y", "xc", "yc") && s.items["cm"] != "extract",
			has("x") && has("xc"), has("y") && has("yc"),
			namesObject(s.items["fo"]) && !has("w", "h"):
			return true
		}
	}
	return false
}

// namesObject reports whether a focus is on things that a detector would have to find.
func namesObject(word string) bool {
	_, _, smart := focusOf(word)
	return smart && word != "auto" && word != "face" && word != "auto-custom_override"
}

func (m *model) chain(steps []modelStep) {
	for _, s := range steps {
		switch {
		case m.ended():
			return
		case !s.conditional:
			m.step(s.items)
		case m.condition(s.condition):
			m.chain(s.then)
		default:
			m.chain(s.otherwise)
		}
	}
}

// condition tells whether one of the groups between "or" holds whole.
func (m *model) condition(text string) bool {
	for group := range strings.SplitSeq(text, "_or_") {
		all := true
		for comparison := range strings.SplitSeq(group, "_and_") {
			words := strings.Split(comparison, "_")
			all = all && m.comparison(words[0], words[1], words[2])
		}
		if all {
			return true
		}
	}
	return false
}

func (m *model) comparison(property, operator, text string) bool {
	of := [2]int{m.width, m.height}
	if property[0] == 'i' {
		of, property = m.original, property[1:]
	}
	a := map[string]*big.Rat{"w": whole(of[0]), "h": whole(of[1]), "ar": big.NewRat(int64(of[0]), int64(of[1]))}[property]
	b := fraction(text)
	difference := new(big.Rat).Sub(a, b)
	equal := new(big.Rat).Abs(difference).Cmp(times(larger(a, b), big.NewRat(1, 1e9))) <= 0
	sign := difference.Sign()
	if equal {
		sign = 0
	}
	switch operator {
	case "eq":
		return sign == 0
	case "ne":
		return sign != 0
	case "gt":
		return sign > 0
	case "gte":
		return sign >= 0
	case "lt":
		return sign < 0
	default:
		return sign <= 0
	}
}

// step does what one step says about the size: fitting, turning, mirroring, the border.
func (m *model) step(items map[string]string) {
	m.entered = [2]int{m.width, m.height}
	box := m.box(items)
	border := m.border(items)
	if m.ended() {
		return
	}
	m.fit(items, box)
	m.turn(items["rt"])
	m.mirror(items["fl"])
	if border > 0 && !m.ended() {
		m.pad(m.width+2*border, m.height+2*border, border, border)
	}
	m.sized()
}

// sized refuses a size that is over a limit.
func (m *model) sized() {
	m.refuse(max(m.width, m.height) > 65535)
	m.refuse(m.limits.OutputSide > 0 && max(m.width, m.height) > m.limits.OutputSide)
	m.refuse(m.limits.OutputPixels > 0 && int64(m.width)*int64(m.height) > m.limits.OutputPixels)
}
