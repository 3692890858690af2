// Package plan turns a parsed transformation and the facts of a source into a [Plan]: the exact steps that an engine
// executes, as plain data. It is pure arithmetic: no I/O, no pixels, no HTTP.
package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Color is an RGB colour with opacity.
type Color = syntax.Color

// Source is what the header of a picture tells.
type Source struct {
	Format        Format
	Width, Height int  // pixels of one frame, as stored: before Orientation is applied
	Orientation   int  // EXIF orientation 1…8; 1 where there is none or the decoder applies it (HEIC, AVIF)
	Frames        int  // 1 for still pictures
	Alpha         bool // has an alpha channel
	CMYK          bool // the pixels are CMYK
	Profile       bool // an ICC profile is embedded
	Metadata      bool // there is something to strip: EXIF, XMP, IPTC, a profile, comments
	Quality       int  // JPEG: what it was encoded at, 1…100, by libjpeg's measure; 0 is unknown
	Whole         int  // bytes that its decoder holds for each pixel at full size, whatever is made of them: progressive JPEG, interlaced PNG; 0 for all others

	Pages   int     // of the file: those of a TIFF or PDF, frames of an animation, else 1
	Page    int     // which of them Width and Height are those of, from 0
	Density float64 // dots per inch; 0, or a guess of 72, where the file tells none

	own  dims    // of a vector that is drawn at another size: its own
	zoom float64 // how many times that it is drawn; 0 for all others
}

// Upright returns width and height as displayed: after Orientation is applied.
func (s Source) Upright() (width, height int) {
	if s.Orientation >= 5 {
		return s.Height, s.Width
	}
	return s.Width, s.Height
}

// Sources are the pictures that a chain draws.
type Sources struct {
	Base Source

	// What looks at pixels found, in the order in which the chain's trims come up; see [Unseen].
	Trims []Window
}

// Hints are what the request and the endpoint bring to a decision beside the chain: a small finite set.
type Hints struct {
	Accept   Set      // formats that the client's Accept header names, of JXL, AVIF, WebP; q=0 excludes
	Formats  []Format // the endpoint's candidates of f-auto, best first; empty is webp
	Quality  int      // the endpoint's quality, 1…100; 0 is 80
	Writable Set      // formats that the engine can write
	Still    bool     // a still picture of one page is asked for (/ik-thumbnail.jpg); which one the chain says

	// Rasterise turns vectors into pixels that would be sent unchanged: the endpoint changes every picture.
	Rasterise bool

	Width       int     // how wide the client shows the picture, in pixels of its screen, for w-auto; 0 is unknown
	DPR         float64 // the pixel ratio of the client's screen, for dpr-auto; 0 is unknown
	SaveData    bool    // the client asks for less data
	SaveQuality int     // the endpoint's quality for clients that do, 1…100; 0: they get what all get
	Exact       bool    // the endpoint's quality holds for pictures of less quality too
	Smallest    bool    // of all candidates that suit, the endpoint sends the smallest file and not the first
}

// rasterises reports whether vectors become pixels whatever the format asked for.
func (h Hints) rasterises() bool { return h.Still || h.Rasterise }

// Limits bound what a plan may cost. Zero is no limit.
type Limits struct {
	SourcePixels int64 // width × height of the source; with all frames of an animation, above it the first is used alone
	OutputPixels int64 // width × height × frames of every intermediate and of the result
	OutputSide   int   // pixels of the longer side of the same
	Frames       int   // frames of an animation; above it the first frame alone is used, with a warning
	Steps        int   // steps of the chain

	// Sizes holds the widths that steps may ask for; the zero Ladder lets any through.
	Sizes Ladder
}

// Plan is what an engine executes: Load, then Ops one after the other, then Output. It is plain data.
type Plan struct {
	Original bool // send the original's bytes as they are: Load, Ops and Output are zero

	Load   Load
	Ops    []Op
	Output Output

	// Alternatives are other encodings of the same pixels: where there are some, the smallest file of Output and these is
	// the result, of equal ones the first.
	Alternatives []Output

	Width, Height int      // pixels of one frame of the result
	Frames        int      // 1 for still pictures
	Vary          Vary     // what of the client could have changed the plan; hints have, wherever a step asks for them
	Warnings      []string // sentences for the client (ik-warning)

	// Memory is an estimate of how many bytes the engine holds at most while it executes the plan, the result included and
	// the file of the original not: what the Gate of package transform admits it by. It is no part of the recipe. 0 is unknown.
	Memory int64

	// Work is an estimate of how long one core computes: by it the Gate is fair, and keeps what is [Plan.Slow] apart. It is no
	// part of the recipe, either. 0 is unknown.
	Work time.Duration

	// What the hints of the client did for the size. It changes no pixels.
	HintedWidth bool    // the width of some step was Hints.Width
	HintedDPR   float64 // else what the last step that changed the size multiplied its sides by, of Hints.DPR; 0: nothing
}

// Load says how the source is decoded.
type Load struct {
	Format Format
	Shrink int     // JPEG: decode at 1/Shrink, one of 1, 2, 4, 8 (libjpeg's DCT scaling); 1 otherwise
	Scale  float64 // WebP, SVG, PDF: decode at this scale (libvips' scale option); 1 otherwise
	Frames int     // decode this many frames, from Page on
	Page   int     // of TIFF, PDF and animations: the page or frame, from 0
}

// Op is one step on pixels. Sizes and offsets are pixels of one frame; each Op sees the result of the one before, and
// is applied to every frame alike.
type Op interface {
	fmt.Stringer
	op()
}

// The ops. Coordinates count from the top left.
type (
	// Resize scales to exactly Width × Height (libvips resize, lanczos3).
	Resize struct{ Width, Height int }
	// Crop keeps the window Width × Height at X, Y, which lies inside the picture (libvips extract_area).
	Crop struct{ X, Y, Width, Height int }
	// SmartCrop keeps the most salient window (libvips smartcrop, attention).
	SmartCrop struct{ Width, Height int }
	// Orient applies an EXIF orientation of 2…8.
	Orient struct{ Orientation int }
	// Colour converts to 8-bit sRGB from whatever space and profile the source has. With KeepProfile, pixels of an RGB
	// or grey profile stay as they are.
	Colour struct{ KeepProfile bool }
	// Embed puts the picture at X, Y on a canvas of Background, Width × Height (libvips embed).
	Embed struct {
		X, Y, Width, Height int
		Background          Color
	}
	// Flatten puts Background behind everything transparent (libvips flatten; where Background is itself
	// transparent, the result keeps its alpha).
	Flatten struct{ Background Color }
)

func (Resize) op()    {}
func (Crop) op()      {}
func (SmartCrop) op() {}
func (Orient) op()    {}
func (Colour) op()    {}
func (Embed) op()     {}
func (Flatten) op()   {}

func (o Resize) String() string    { return fmt.Sprintf("resize %dx%d", o.Width, o.Height) }
func (o Crop) String() string      { return fmt.Sprintf("crop %dx%d at %d,%d", o.Width, o.Height, o.X, o.Y) }
func (o SmartCrop) String() string { return fmt.Sprintf("smartcrop %dx%d", o.Width, o.Height) }
func (o Orient) String() string    { return fmt.Sprintf("orient %d", o.Orientation) }
func (o Flatten) String() string   { return "flatten " + o.Background.String() }

func (o Colour) String() string {
	if o.KeepProfile {
		return "colour keep"
	}
	return "colour srgb"
}

func (o Embed) String() string {
	return fmt.Sprintf("embed %dx%d at %d,%d on %s", o.Width, o.Height, o.X, o.Y, o.Background)
}

// Output says how the result is encoded.
type Output struct {
	Format       Format
	Quality      int  // 1…100 for lossy encodings; 0 where nothing is lost
	Lossless     bool // WebP
	Progressive  bool // JPEG
	Palette      bool // PNG: quantised to at most 256 colours at Quality
	KeepMetadata bool // EXIF, XMP and IPTC stay (orientation is reset)
	KeepProfile  bool // the ICC profile stays
	Density      int  // JPEG, PNG: dots per inch to be written; 0 leaves it to the encoder
	KeepSmaller  bool // no pixel was asked to change: where the original is not larger, send it instead
}

// String returns the plan as text, one op a line: what `explain` prints and vectors compare.
func (p Plan) String() string {
	var b strings.Builder
	if p.Original {
		b.WriteString("original\n")
	} else {
		fmt.Fprintln(&b, p.Load)
		for _, o := range p.Ops {
			fmt.Fprintln(&b, o)
		}
		fmt.Fprintln(&b, p.Output)
		for _, o := range p.Alternatives {
			fmt.Fprintln(&b, "or", o)
		}
	}
	if p.Vary != 0 {
		fmt.Fprintln(&b, "vary", p.Vary)
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %s\n", w)
	}
	return b.String()
}

// Outputs returns all encodings among which the smallest is the result: Output, then Alternatives.
func (p Plan) Outputs() []Output { return append([]Output{p.Output}, p.Alternatives...) }

// KeepsSmaller reports whether the original is sent where it is not larger than the result: one of the encodings may be
// what it is already.
func (p Plan) KeepsSmaller() bool {
	return slices.ContainsFunc(p.Outputs(), func(o Output) bool { return o.KeepSmaller })
}

// String returns the load as one line: "load jpeg shrink=4".
func (l Load) String() string {
	text := "load " + l.Format.String()
	if l.Shrink > 1 {
		text += fmt.Sprintf(" shrink=%d", l.Shrink)
	}
	if l.Scale != 1 && l.Scale != 0 {
		text += fmt.Sprintf(" scale=%.5g", l.Scale)
	}
	if l.Page > 0 {
		text += fmt.Sprintf(" page=%d", l.Page+1)
	}
	if l.Frames > 1 {
		text += fmt.Sprintf(" frames=%d", l.Frames)
	}
	return text
}

// String returns the output as one line: "save jpeg q=80 progressive".
func (o Output) String() string {
	text := "save " + o.Format.String()
	if o.Quality > 0 {
		text += fmt.Sprintf(" q=%d", o.Quality)
	}
	if o.Density > 0 {
		text += fmt.Sprintf(" dpi=%d", o.Density)
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{
		{"lossless", o.Lossless},
		{"progressive", o.Progressive},
		{"palette", o.Palette},
		{"metadata", o.KeepMetadata},
		{"profile", o.KeepProfile},
		{"keep-smaller", o.KeepSmaller},
	} {
		if flag.on {
			text += " " + flag.name
		}
	}
	return text
}
