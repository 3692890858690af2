package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// Resolve computes the plan for a chain and the sources that it draws. Its errors are *syntax.Error where the chain
// can't be done to these sources, *LimitError where a limit stands against it, and *Unseen where the plan depends on
// pixels; plain errors are mistakes of the caller, such as a source without a size. A chain that asks for the original
// needs no facts about it.
func Resolve(c syntax.Chain, s Sources, h Hints, l Limits) (Plan, error) {
	if WantsOriginal(c) {
		return originalOf(s.Base), nil
	}
	if err := checkChain(c, l); err != nil {
		return Plan{}, err
	}
	original := normal(s.Base)
	if original.Format == PDF && !h.Still { // a document, whatever is asked of it
		return originalOf(original), nil
	}
	source, err := onePage(c, original, h.Still, l)
	if err != nil {
		return Plan{}, err
	}
	drawnAt, err := densityOf(c, source)
	if err != nil {
		return Plan{}, err
	}
	if h.rasterises() || mayRasterise(c) {
		source = source.drawnAt(drawnAt)
	}
	c, vary, err := unconditional(c, s, source, h, l)
	if err != nil {
		return Plan{}, err
	}
	out := outputOf(c)
	if out.density, err = densityOf(c, source); err != nil {
		return Plan{}, err
	}
	if out.original { // a branch asks for it
		p := originalOf(s.Base)
		p.Vary = vary
		return p, nil
	}
	r := resolver{
		chain: c, original: original, source: source, trims: s.Trims, hints: h, limits: l, out: out, drawnAt: drawnAt, vary: vary,
	}
	asked, err := r.explicit()
	if err != nil {
		return Plan{}, err
	}
	if r.source.Format == SVG && !asked.rasterises() && !h.rasterises() {
		return r.untouchedSVG(asked), nil
	}
	if err := checkSource(r.source, l); err != nil {
		return Plan{}, err
	}
	return r.resolve(asked)
}

// normal returns s without facts that can't be: decoders report what the file says.
func normal(s Source) Source {
	s.Frames = max(s.Frames, 1)
	s.Pages = max(s.Pages, s.Frames)
	if s.Orientation < 1 || s.Orientation > 8 || s.Frames > 1 {
		s.Orientation = 1
	}
	return s
}

// originalOf is the plan of sending the original as it is.
func originalOf(s Source) Plan {
	w, h := s.Upright()
	return Plan{Original: true, Width: w, Height: h, Frames: max(s.Frames, 1)}
}

// resolver holds what one call of Resolve works on.
type resolver struct {
	chain    syntax.Chain // without conditions
	original Source
	source   Source // the page that is shown, a vector as large as it is drawn
	trims    []Window
	steady   bool // see canvas
	hints    Hints
	limits   Limits
	out      outputs
	drawnAt  int  // dots per inch that made the source of a vector
	vary     Vary // what of the client decided which branches the chain has
}

// resolve tries all frames of an animation first, and the first frame alone where a limit is in the way.
func (r *resolver) resolve(asked choice) (Plan, error) {
	n := r.source.Frames
	if n == 1 || !r.source.Format.Animated() || asked.format != Unknown && !asked.format.Animated() {
		return r.plan(asked, 1)
	}
	if r.limits.Frames > 0 && n > r.limits.Frames {
		return r.firstFrame(asked, fmt.Sprintf("%s frames are more than the %s allowed", figure(n), figure(r.limits.Frames)))
	}
	if most := r.limits.SourcePixels; most > 0 && r.source.pixels() > most { // all are decoded, whatever the result
		return r.firstFrame(asked, fmt.Sprintf("the %s frames have %s pixels; at most %s are allowed",
			figure(n), figure(r.source.pixels()), figure(most)))
	}
	p, err := r.plan(asked, n)
	if tooMuch, over := errors.AsType[*LimitError](err); over && tooMuch.Limit == outputPixels {
		return r.firstFrame(asked, tooMuch.Msg)
	}
	return p, err
}

// firstFrame plans for the first frame of an animation that is too large for the reason given.
func (r *resolver) firstFrame(asked choice, reason string) (Plan, error) {
	p, err := r.plan(asked, 1)
	p.Warnings = append(p.Warnings, "only the first frame is shown: "+reason)
	return p, err
}

// untouchedSVG sends a vector picture as it is: no automatism turns it into pixels.
func (r *resolver) untouchedSVG(asked choice) Plan {
	p := originalOf(r.original)
	p.Vary, p.Warnings = r.vary, asked.warnings
	if AsksForPixels(r.chain) || r.out.density > 0 {
		p.Warnings = append(p.Warnings,
			"the original is an SVG and was sent unchanged; add f-png, f-jpg, f-webp or f-avif to transform it as pixels")
	}
	return p
}

// plan computes the plan for that many frames.
func (r *resolver) plan(asked choice, frames int) (Plan, error) {
	c, err := r.draw(frames)
	if err != nil {
		return Plan{}, err
	}
	formats, vary := r.formats(asked, c.picture)
	format := formats[0]
	if frames > 1 && !r.hints.Writable.Has(format) {
		return r.firstFrame(asked, fmt.Sprintf("this server can't write %s", format))
	}
	if err := checkFormat(format, c.picture); err != nil {
		if r.out.format.Value != nil {
			err = err.at(r.out.format)
		}
		return Plan{}, err
	}
	unchanged := len(c.ops) == 0
	if c.alpha && !format.Alpha() {
		c.flatten(black)
	}
	keepProfile := r.out.profile && r.source.Profile && !r.source.CMYK
	p := Plan{
		Width:  c.width,
		Height: c.height,
		Frames: frames,
		Vary:   r.vary | c.vary | vary,

		HintedWidth: c.hintedWidth,
		HintedDPR:   c.hintedDPR,
	}
	outputs, vary, warnings := r.encodings(formats, c)
	for i := range outputs {
		outputs[i].KeepProfile = keepProfile
		outputs[i].KeepSmaller = unchanged && frames == r.source.Frames && r.keepable(outputs[i], asked.format == Unknown)
	}
	p.Output, p.Vary = outputs[0], p.Vary|vary
	if len(outputs) > 1 {
		p.Alternatives = outputs[1:]
	}
	p.Load, p.Ops = c.ready(Colour{KeepProfile: keepProfile})
	p.Memory, p.Work = estimate(r.source, p.Load, p.Ops).outcome(outputs)
	p.Warnings = slices.Concat(asked.warnings, c.warnings, warnings)
	return p, nil
}

// draw applies every step to a canvas that begins as the source, upright.
func (r *resolver) draw(frames int) (*canvas, error) {
	c := newCanvas(r.source, frames, r.hints, r.limits)
	c.trims, c.steady = r.trims, r.steady
	defer func() { r.steady = r.steady || frames > 1 && c.trimmed > 0 }()
	for _, s := range r.chain {
		if err := c.step(s); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}
