package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// maxAutoAVIF is the largest result, in pixels, that is encoded as AVIF unasked: beyond it encoders take seconds.
const maxAutoAVIF = 4_000_000

// DefaultQuality holds where neither the chain nor the endpoint has one.
const DefaultQuality = 80

// outputs are the parameters that say how to encode. They may stand in any step; the last step that has one decides.
type outputs struct {
	original    bool
	format      syntax.Item // Value is nil if no step has f
	quality     int         // 0 if no step has q
	progressive bool
	lossless    bool
	metadata    bool
	profile     bool
	density     int  // what dn comes to; 0 if no step has it
	unsharp     bool // some step has e-usm: not sent as AVIF unasked
}

// WantsOriginal reports whether a chain asks for the original's bytes (orig-true), whatever stands beside it. No facts
// about the picture are needed then. Where only some pictures take a branch that asks for them, it does not.
func WantsOriginal(c syntax.Chain) bool { return wantsOriginal(c, false) }

// wantsOriginal is WantsOriginal for a chain behind one that does, or does not.
func wantsOriginal(c syntax.Chain, wanted bool) bool {
	for _, s := range c {
		if v, given := syntax.Get[syntax.Bool](s, "orig"); given {
			wanted = bool(v)
		}
		if s.If != nil {
			wanted = wantsOriginal(s.If.Then, wanted) && wantsOriginal(s.If.Else, wanted)
		}
	}
	return wanted
}

// outputOf collects the output parameters of all steps of a chain without conditions.
func outputOf(c syntax.Chain) outputs {
	var o outputs
	for _, s := range c {
		for _, it := range s.Items {
			o.take(it)
		}
	}
	return o
}

func (o *outputs) take(it syntax.Item) {
	flags := map[string]*bool{
		"orig": &o.original, "pr": &o.progressive, "lo": &o.lossless, "md": &o.metadata, "cp": &o.profile,
	}
	o.unsharp = o.unsharp || it.Name == "e-usm"
	switch v := it.Value.(type) {
	case syntax.Bool:
		if flag, known := flags[it.Name]; known {
			*flag = bool(v)
		}
	case syntax.Integer:
		if it.Name == "q" {
			o.quality = int(v)
		}
	case syntax.Word:
		if it.Name == "f" {
			o.format = it
		}
	}
}

// choice is what f decides before the size of the result is known.
type choice struct {
	format   Format   // Unknown: to be negotiated
	plain    bool     // negotiated as for a client that accepts nothing special
	warnings []string // why f is not followed to the letter
}

// rasterises reports whether the choice turns vectors into pixels.
func (c choice) rasterises() bool { return c.format != Unknown }

// explicit reads f.
func (r *resolver) explicit() (choice, error) {
	word, _ := r.out.format.Value.(syntax.Word)
	switch word {
	case "", "auto":
		return choice{}, nil
	case "orig":
		return r.likeSource(), nil
	case "svg":
		if r.source.Format != SVG {
			return choice{}, refuse(r.out.format, "only SVG originals can be sent as SVG")
		}
		if r.hints.Still {
			return choice{}, refuse(r.out.format, "/ik-thumbnail.jpg asks for pixels; f-png and f-webp keep what is transparent")
		}
		if r.hints.Rasterise {
			return choice{warnings: []string{"every picture of this endpoint is changed, and then is no SVG; the format was chosen as for f-auto"}}, nil
		}
		return choice{}, nil
	case "gif":
		if r.source.Format != GIF {
			return choice{warnings: []string{"only GIF originals can be sent as GIF; the format was chosen as for f-auto"}}, nil
		}
	}
	f, err := ParseFormat(string(word))
	if err != nil {
		return choice{}, refuse(r.out.format, err.Error())
	}
	if !r.hints.Writable.Has(f) {
		return choice{}, refuse(r.out.format, fmt.Sprintf("this server can't write %s; it writes %s", f, r.hints.Writable))
	}
	if f == AVIF && r.out.profile && !r.source.Format.vector() {
		return choice{warnings: []string{"AVIF is not used beside cp-true; the format was chosen as for f-auto"}}, nil
	}
	return choice{format: f}, nil
}

// likeSource is the choice of f-orig.
func (r *resolver) likeSource() choice {
	f := r.source.Format
	switch {
	case f == SVG && !r.hints.rasterises():
		return choice{}
	case !r.hints.Writable.Has(f) || f == HEIC || f == TIFF || f == AVIF && r.out.profile:
		return choice{plain: true, warnings: []string{fmt.Sprintf("%s can't be written; f-orig chose a plain format", f)}}
	}
	return choice{format: f}
}

// formats returns the formats of a result, several where the smallest file is sent, and whether another Accept header
// could have made them others.
func (r *resolver) formats(asked choice, p picture) (list []Format, vary Vary) {
	if asked.format != Unknown {
		return []Format{asked.format}, 0
	}
	if asked.plain {
		return r.negotiate(p, 0)[:1], 0
	}
	list = r.negotiate(p, r.hints.Accept)
	for _, accept := range accepts {
		if !slices.Equal(r.negotiate(p, accept), list) {
			vary = VaryAccept
		}
	}
	return list, vary
}

// accepts are all the Accept headers there are, as far as negotiation goes.
var accepts = []Set{
	0, SetOf(JXL), SetOf(AVIF), SetOf(WebP), SetOf(JXL, AVIF), SetOf(JXL, WebP), SetOf(AVIF, WebP), SetOf(JXL, AVIF, WebP),
}

// negotiate returns the first of the endpoint's formats that suits the result and the client, or else a plain one. Where
// the endpoint wants the smallest file it returns all of them, and the plain one last.
func (r *resolver) negotiate(p picture, accept Set) []Format {
	candidates := r.hints.Formats
	if len(candidates) == 0 {
		candidates = []Format{WebP}
	}
	var list []Format
	for _, f := range candidates {
		if !r.suits(f, p, accept) {
			continue
		}
		if list = append(list, f); !r.hints.Smallest {
			return list
		}
	}
	// Where nothing suits, the plain one needn't either: not to lo-true, say, which must not lose to it by its size.
	if f := r.fallback(p, accept); len(list) == 0 || !slices.Contains(list, f) && r.suits(f, p, accept) {
		list = append(list, f)
	}
	return list
}

// suits reports whether f can be sent unasked.
func (r *resolver) suits(f Format, p picture, accept Set) bool {
	switch {
	case !r.hints.Writable.Has(f), p.alpha && !f.Alpha(), p.frames > 1 && !f.Animated(), !fitsFormat(f, p):
		return false
	}
	switch f {
	case JPEG:
		return !r.out.lossless
	case PNG:
		return true
	case GIF:
		return r.like() == GIF
	case WebP:
		return accept.Has(WebP)
	case JXL:
		return accept.Has(JXL) && !r.out.lossless
	case AVIF:
		return accept.Has(AVIF) && !r.out.lossless && !r.out.profile && !r.out.unsharp && r.source.Format != HEIC &&
			int64(p.width)*int64(p.height) <= maxAutoAVIF
	}
	return false
}

// fallback is the format where no candidate suits: the source's if every client, or this one, can show it.
func (r *resolver) fallback(p picture, accept Set) Format {
	f := r.like()
	switch {
	case f == PNG:
		return PNG
	case (f == GIF || f == WebP || f == AVIF || f == JXL) && r.suits(f, p, accept):
		return f
	case p.frames > 1:
		return GIF
	case p.alpha, f == GIF, !fitsFormat(JPEG, p):
		return PNG
	}
	return JPEG
}

// quality returns that of lossy encodings: the chain's, else the endpoint's, which is a ceiling for what a JPEG has
// itself. A picture that was scaled down shows the losses of its source no more, so that its own quality says nothing.
func (r *resolver) quality(c *canvas, saving bool) int {
	if r.out.quality > 0 {
		return r.out.quality
	}
	quality := cmp.Or(r.hints.Quality, DefaultQuality)
	if own := r.source.Quality; own > 0 && r.source.Format == JPEG && !c.shrunk && !r.hints.Exact {
		quality = min(quality, own)
	}
	if saving && r.hints.SaveQuality > 0 {
		quality = min(quality, r.hints.SaveQuality)
	}
	return quality
}

// lossy reports whether the encoding loses something, beyond the colours that a palette does without.
func (o Output) lossy() bool { return o.Quality > 0 && !o.Palette }

// output says how to encode in the format, where lossy at that quality.
func (r *resolver) output(f Format, quality int) (o Output, warnings []string) {
	o = Output{Format: f, KeepMetadata: r.out.metadata}
	switch f {
	case JPEG:
		o.Quality, o.Progressive = quality, r.out.progressive
	case WebP:
		o.Lossless = r.out.lossless
		if !o.Lossless {
			o.Quality = quality
		}
	case AVIF, JXL:
		o.Quality = quality
	case PNG:
		if r.out.quality > 0 && r.out.quality < 100 && !r.out.lossless {
			o.Palette, o.Quality = true, r.out.quality
		}
	}
	if r.out.lossless && (f == JPEG || f == AVIF || f == JXL) {
		warnings = append(warnings, fmt.Sprintf("lo-true has no effect on %s; f-png and f-webp can be lossless", f))
	}
	dpi, more := r.density(f)
	o.Density = dpi
	return o, append(warnings, more...)
}

// encodings says how to encode in each of the formats, whether a client that saves data would get something else, and
// what is not as asked in some of them.
func (r *resolver) encodings(formats []Format, c *canvas) (list []Output, vary Vary, warnings []string) {
	full, saved := r.quality(c, false), r.quality(c, true)
	quality := full
	if r.hints.SaveData {
		quality = saved
	}
	for _, f := range formats {
		o, told := r.output(f, quality)
		for _, warning := range told { // which of them is sent shows when all are made
			if !slices.Contains(warnings, warning) {
				warnings = append(warnings, warning)
			}
		}
		if o.lossy() && saved != full {
			vary = VarySaveData
		}
		list = append(list, o)
	}
	return list, vary, warnings
}

// keepable reports whether the original's bytes, where no pixel is to change, are as good as the encoding asked for. Where
// the format was chosen for the client, a file that every client shows is.
func (r *resolver) keepable(o Output, negotiated bool) bool {
	s := r.source
	stripped := s.Metadata && (!o.KeepMetadata || s.Profile && !o.KeepProfile)
	// Where a file tells no density, the one known of it is a guess of 72.
	if r.hints.Still && s.Pages > 1 || o.Density > 0 && (o.Density == ownDensity || o.Density != nearest(s.Density)) {
		return false
	}
	alike := o.Format == s.Format || negotiated && !r.hints.Still && (s.Format == JPEG || s.Format == PNG || s.Format == GIF)
	return alike && s.Orientation == 1 && !s.CMYK && !stripped && !o.Progressive
}
