package imageurl

import (
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Expand puts the steps of named chains in the places where the URL asks for them (n-). Errors are *syntax.Error; beside
// one, Texts ends with the text that it is about, as after [Parse].
func (a *Address) Expand(named map[string]syntax.Chain) error {
	var whole syntax.Chain
	for i, c := range a.chains {
		expanded, err := syntax.Expand(c, named)
		if err != nil {
			a.Texts = a.Texts[:i+1]
			return err
		}
		if whole == nil {
			whole = expanded
			continue
		}
		whole = append(slices.Clip(whole), expanded...)
	}
	a.Chain = whole
	return nil
}

// OnlyNamed reports whether a transformation is asked for and each of its steps is a name alone (n-), as [Parse] read them.
func (a *Address) OnlyNamed() bool {
	for _, c := range a.chains {
		if slices.ContainsFunc(c, func(s syntax.Step) bool { return !s.IsNamed() }) {
			return false
		}
	}
	return len(a.chains) > 0
}
