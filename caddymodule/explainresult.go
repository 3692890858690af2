package caddymodule

import (
	"fmt"
	"net/http"

	"github.com/imageorigin/imageorigin/internal/block"
	"github.com/imageorigin/imageorigin/internal/delivery"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// resolved is what is known of a result.
type resolved struct {
	source      string // describes the original
	plan        plan.Plan
	whole       bool   // the file is sent as it is
	unsupported bool   // though a transformation is asked for: it is no picture
	supposed    string // what the plan supposes about the server; "" is nothing
}

// describeSource tells of an original what its header does.
func describeSource(s plan.Source) string {
	text := describeSize(s.Width, s.Height, s.Frames) + " " + s.Format.String()
	for _, fact := range []struct {
		is   bool
		text string
	}{
		{s.Orientation > 1, fmt.Sprintf("orientation %d", s.Orientation)},
		{s.Alpha, "transparency"},
		{s.CMYK, "CMYK"},
		{s.Profile, "a colour profile"},
	} {
		if fact.is {
			text += ", " + fact.text
		}
	}
	return text
}

// describeFormats writes the format of the result, or those among which the smallest file is it.
func describeFormats(p plan.Plan) string {
	var names []string
	for _, o := range p.Outputs() {
		names = append(names, o.Format.String())
	}
	if len(names) == 1 {
		return names[0]
	}
	return block.List(names, "or") + ", whichever is smallest"
}

// describeSize writes width, height and, of animations, the number of frames.
func describeSize(width, height, frames int) string {
	text := fmt.Sprintf("%dx%d", width, height)
	if frames > 1 {
		text += fmt.Sprintf(" (%d frames)", frames)
	}
	return text
}

// tell adds plan, result, what depends on the visitor's headers, and warnings.
func (d resolved) tell(r *sheet, h http.Header) {
	p := d.plan
	if d.whole || p.Original {
		result := "the original's bytes"
		if p.Width > 0 {
			result += ", " + describeSize(p.Width, p.Height, p.Frames)
		}
		if d.unsupported {
			result += "; the file is not a picture that can be transformed"
		}
		r.line("result", result)
	} else {
		steps := p
		steps.Vary, steps.Warnings = 0, nil // have lines of their own
		r.line("plan", steps.String())
		result := describeSize(p.Width, p.Height, p.Frames) + " " + describeFormats(p)
		if p.KeepsSmaller() {
			result += ", or the original's bytes where they are not more"
		}
		r.line("result", result)
		r.line("kept as", delivery.RecipeHash(p)+"-<hash of the versions of original and engine>")
	}
	r.line("vary", varyHeaders(p.Vary))
	if ratio := contentDPR(h, p); ratio != "" {
		r.line("header", "Content-DPR: "+ratio)
	}
	for _, warning := range p.Warnings {
		r.line("warning", warning)
	}
	r.line("supposed", d.supposed)
}
