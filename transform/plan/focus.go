package plan

import "github.com/imageorigin/imageorigin/transform/syntax"

// warnOfFocus tells the client what of the step's focus is not followed to the letter.
func (c *canvas) warnOfFocus(s syntax.Step) {
	word, _ := syntax.Get[syntax.Word](s, "fo")
	switch {
	case syntax.Detected(word):
		c.warn("no detector is installed: fo-" + string(word) + " was taken as fo-auto")
	case word == syntax.CustomFocus:
		c.warn("no coordinates are stored here: fo-custom was taken as fo-center")
	case word == syntax.CustomOverride:
		c.warn("no coordinates are stored here: fo-auto-custom_override was taken as fo-auto")
	}
	if _, zoomed := s.Item("z"); zoomed {
		c.warn("no detector is installed: z had no effect")
	}
}

// drawsTheEye reports whether the word of fo asks for the part of a picture that draws the eye, or has to make do with
// it.
func drawsTheEye(word syntax.Word) bool {
	return word == "auto" || word == syntax.CustomOverride || syntax.Detected(word)
}

// checkFocus refuses what only a detector can do, and a zoom onto nothing.
func checkFocus(s syntax.Step) error {
	it, _ := s.Item("fo")
	word, _ := it.Value.(syntax.Word)
	_, w := s.Item("w")
	_, h := s.Item("h")
	if syntax.NamesObject(word) && !w && !h {
		return refuse(it, "cutting out what "+string(word)+" names needs a detector that is not installed; "+
			"with w or h beside it, fo keeps what draws the eye")
	}
	if z, given := s.Item("z"); given && !syntax.Detected(word) {
		return refuse(z, "needs fo-face or fo- with an object, such as fo-car, beside it")
	}
	return nil
}
