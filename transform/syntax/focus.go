package syntax

import (
	"slices"
	"strings"
)

var focusGrammar = strings.Join(focusWords, ", ") + ", face, a kind of object such as car, several of them as in dog_cat, " +
	"custom or auto-custom_override"

// MaxZoom is the most that z can be.
const MaxZoom = 100

// CustomFocus and CustomOverride are the words of fo that mean coordinates stored with the picture.
const (
	CustomFocus    Word = "custom"
	CustomOverride Word = "auto-custom_override" // where there are none, as auto
)

// focusFace is the word of fo for faces. It may stand among objects.
const focusFace = "face"

// readFocus reads a word of fo: a position, auto, faces and objects, or stored coordinates.
func readFocus(text string) (Value, *Error) {
	word := Word(text)
	if slices.Contains(focusWords, text) || word == CustomFocus || word == CustomOverride || Detected(word) {
		return word, nil
	}
	return nil, &Error{}
}

// Detected reports whether a detector has to look for what fo names: a face, objects of the COCO list, or several of
// these.
func Detected(focus Word) bool {
	for part := range strings.SplitSeq(string(focus), "_") {
		if part != focusFace && !slices.Contains(objects, part) {
			return false
		}
	}
	return true
}

// NamesObject reports whether an object of the COCO list is among what fo names.
func NamesObject(focus Word) bool {
	isObject := func(part string) bool { return part != focusFace }
	return Detected(focus) && slices.ContainsFunc(strings.Split(string(focus), "_"), isObject)
}

// readZoom reads a decimal number above 0.
func readZoom(text string) (Value, *Error) {
	v, err := number(text)
	switch {
	case err != nil:
		return nil, err
	case v <= 0 || v > MaxZoom:
		return nil, &Error{}
	}
	return Number(v), nil
}

// objects are the names that fo knows from the COCO data set.
var objects = strings.Fields(`
	person bicycle car motorcycle airplane bus train truck boat trafficLight fireHydrant stopSign parkingMeter bench
	bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis
	snowboard sportsBall kite baseballBat baseballGlove skateboard surfboard tennisRacket bottle wineGlass cup fork
	knife spoon bowl banana apple sandwich orange broccoli carrot hotDog pizza donut cake chair couch pottedPlant bed
	diningTable toilet tv laptop mouse remote keyboard cellPhone microwave oven toaster sink refrigerator book clock
	vase scissors teddyBear hairDrier toothbrush`)
