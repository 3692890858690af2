package plan

import (
	"fmt"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Backdrop puts the picture at X, Y on a canvas of Width × Height that is made from the picture itself and opaque. It
// shows through what is transparent in the picture. The canvas may be as large as the picture.
type Backdrop struct {
	X, Y, Width, Height int
	Kind                BackdropKind
	Sigma               float64 // of BackdropBlurred: of the Gaussian blur, in pixels of the canvas; 0 is none
	Brightness          int     // of BackdropBlurred: added to each channel
}

// BackdropKind says how the canvas is made.
type BackdropKind uint8

// The kinds of backdrop. Dominant colours are those of the first frame, for all frames.
const (
	BackdropBlurred  BackdropKind = iota // the picture, scaled until it covers the canvas, around its centre; on black
	BackdropDominant                     // the dominant colour of the picture's border
	BackdropAcross                       // a gradient from the dominant colour of the left edge to that of the right one
	BackdropDown                         // a gradient from the dominant colour of the top edge to that of the bottom one
	BackdropCorners                      // a bilinear mixture of the dominant colours of the corners
)

var backdropNames = [...]string{
	BackdropBlurred: "blurred", BackdropDominant: "dominant",
	BackdropAcross: "gradient across", BackdropDown: "gradient down", BackdropCorners: "gradient of corners",
}

func (Backdrop) op() {}

func (o Backdrop) String() string {
	text := fmt.Sprintf("backdrop %dx%d at %d,%d %s", o.Width, o.Height, o.X, o.Y, backdropNames[o.Kind])
	if o.Kind == BackdropBlurred {
		text += fmt.Sprintf(" sigma=%.5g", o.Sigma)
	}
	if o.Brightness != 0 {
		text += fmt.Sprintf(" brightness=%+d", o.Brightness)
	}
	return text
}

// autoBlur is the part of width and height together that sigma is where the intensity is auto: 28 on 800 × 600.
const autoBlur = 1.0 / 50

// embed puts the picture on a canvas that is nowhere smaller: on the step's backdrop, or on its colour.
func (g geometry) embed(c *canvas, on dims) error {
	if g.backdrop == nil {
		return c.embed(on, g.focus, g.background)
	}
	return g.back(c, on)
}

// back is embed for backdrops. There is none where the picture hides it.
func (g geometry) back(c *canvas, on dims) error {
	if on == c.dims && !c.alpha {
		return nil
	}
	if err := checkSide(float64(on.longer())); err != nil {
		return err
	}
	across, down := on.width-c.width, on.height-c.height
	op := Backdrop{X: g.focus.x.of(across), Y: g.focus.y.of(down), Width: on.width, Height: on.height}
	switch g.backdrop.Kind {
	case syntax.Blurred:
		op.Sigma, op.Brightness = float64(g.backdrop.Intensity)/2, g.backdrop.Brightness
		if g.backdrop.Intensity == syntax.AutoIntensity {
			op.Sigma = autoBlur * float64(on.width+on.height)
		}
	case syntax.Dominant:
		op.Kind = BackdropDominant
	case syntax.Gradient2:
		if op.Kind = BackdropAcross; down > across {
			op.Kind = BackdropDown
		}
	case syntax.Gradient4:
		op.Kind = BackdropCorners
	}
	c.dims, c.alpha = on, false
	if err := c.check(); err != nil {
		return err
	}
	return c.hold(op)
}

// checkBackdrop refuses backdrops where nothing is padded, or where the size of the canvas must be known and isn't.
func checkBackdrop(s syntax.Step) error {
	it, _ := s.Item("bg")
	b, given := it.Value.(syntax.Backdrop)
	if !given {
		return nil
	}
	mode, _ := syntax.Get[syntax.Word](s, "cm")
	_, w := s.Item("w")
	_, h := s.Item("h")
	_, ar := s.Item("ar")
	resized := mode == "pad_resize" || mode == "pad_resize_no_enlarge"
	switch {
	case b.Kind == syntax.Blurred && (!resized || !(w && h || (w || h) && ar)):
		return refuse(it, "blurred needs cm-pad_resize or cm-pad_resize_no_enlarge beside it, and both w and h, or ar with one of them")
	case !resized && mode != "pad_extract" && mode != "pad_extract_no_shrink":
		return refuse(it, b.String()+" needs cm-pad_resize, cm-pad_extract or one of their variants beside it")
	}
	if o, both := s.Item("o"); both {
		return refuse(o, "stands beside bg-"+b.String()+"; put it into a step of its own")
	}
	return nil
}
