package syntax

import (
	"cmp"
	"strconv"
	"strings"
)

// Backdrop is a background that is made from the picture itself.
type Backdrop struct {
	Kind       BackdropKind
	Intensity  int // of Blurred: 0 to 100, or [AutoIntensity]; 0 of others
	Brightness int // of Blurred: added to each channel, -255 to 255; 0 of others
}

// BackdropKind says how a backdrop is made.
type BackdropKind uint8

// The kinds of backdrop.
const (
	Blurred   BackdropKind = iota // the picture, covering the canvas
	Dominant                      // one colour, of the picture's border
	Gradient2                     // from the colour of one edge to that of the opposite one
	Gradient4                     // between the colours of the corners
)

// AutoIntensity lets the blur of a backdrop follow the size of the canvas.
const AutoIntensity = -1

// backdropWords are the texts of the kinds.
var backdropWords = [...]string{Blurred: "blurred", Dominant: "dominant", Gradient2: "gradient_dominant", Gradient4: "gradient_dominant_4"}

func (Backdrop) value() {}

// String leaves out what is not written for being the default: blurred_25, blurred_auto_N30.
func (b Backdrop) String() string {
	text := backdropWords[b.Kind]
	if b.Kind != Blurred || b.Intensity == AutoIntensity && b.Brightness == 0 {
		return text
	}
	intensity := "auto"
	if b.Intensity != AutoIntensity {
		intensity = strconv.Itoa(b.Intensity)
	}
	text += "_" + intensity
	if b.Brightness != 0 {
		text += "_" + Offset(b.Brightness).String()
	}
	return text
}

const backgroundGrammar = colourGrammar + "; blurred, blurred_intensity or blurred_intensity_brightness " +
	"(auto or 0 to 100; N255 to 255), dominant, gradient_dominant or gradient_dominant_4"

// readBackground reads a plain colour or a backdrop.
func readBackground(text string) (Value, *Error) {
	kind, rest, more := strings.Cut(text, "_")
	switch {
	case kind == "genfill" || strings.HasPrefix(kind, "genfill-"):
		return nil, &Error{Msg: needsModel("genfill")}
	case kind == "blurred" && more:
		return readBlurred(rest, len(kind)+1)
	}
	switch text {
	case "blurred":
		return Backdrop{Kind: Blurred, Intensity: AutoIntensity}, nil
	case "dominant":
		return Backdrop{Kind: Dominant}, nil
	case "gradient_dominant", "gradient_dominant_2":
		return Backdrop{Kind: Gradient2}, nil
	case "gradient_dominant_4":
		return Backdrop{Kind: Gradient4}, nil
	}
	if c, ok := ParseColor(text); ok {
		return c, nil
	}
	return nil, &Error{}
}

// readBlurred reads intensity and brightness, which stand at that place of the value.
func readBlurred(text string, at int) (Value, *Error) {
	b := Backdrop{Kind: Blurred, Intensity: AutoIntensity}
	intensity, brightness, both := strings.Cut(text, "_")
	if intensity != "auto" {
		v, err := readInteger(0, 100)(intensity)
		if err != nil {
			return nil, &Error{Pos: at, Msg: cmp.Or(err.Msg, quote(intensity)+" is no intensity of the blur; write auto or a whole number from 0 to 100")}
		}
		n, _ := v.(Integer)
		b.Intensity = int(n)
	}
	if !both {
		return b, nil
	}
	at += len(intensity) + 1
	digits, negative := strings.CutPrefix(brightness, "N")
	v, err := readInteger(0, 255)(digits)
	if err != nil {
		return nil, &Error{Pos: at, Msg: cmp.Or(err.Msg, quote(brightness)+" is no brightness of the blur; write a whole number from N255 (-255) to 255")}
	}
	n, _ := v.(Integer)
	if b.Brightness = int(n); negative {
		b.Brightness = -b.Brightness
	}
	return b, nil
}
