package plan

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/imageorigin/imageorigin/transform/syntax"
)

// maxSide is the longest side of a picture, original or result, in pixels.
const maxSide = syntax.MaxSide

// maxCoordinate is the longest side of a source, beyond every format and below every overflow. libvips has the same.
const maxCoordinate = 10_000_000

// The limits' words in the configuration.
const (
	sourcePixels = "source_pixels"
	outputPixels = "output_pixels"
	outputSide   = "output_side"
	stepsLimit   = "steps"
	memoryLimit  = "memory"
)

// MaxSide is the longest side in pixels that we write in files of the format: what the file can express, for AVIF what
// libheif writes and for JPEG what libjpeg does. 0 is more than any result has.
func (f Format) MaxSide() int { return formatSides[f] }

var formatSides = map[Format]int{WebP: 16383, AVIF: 16384, JPEG: 65500, GIF: 65535}

// checkSource refuses sources that are too large, and facts that no picture has.
func checkSource(s Source, l Limits) error {
	if s.Width <= 0 || s.Height <= 0 {
		return errors.New("resolving a plan: the size of the original is unknown")
	}
	if max(s.Width, s.Height) > maxCoordinate {
		return &LimitError{Limit: sourcePixels, Msg: fmt.Sprintf("the original is %s; no side may be longer than %s",
			size(s.Width, s.Height), figure(maxCoordinate))}
	}
	if s.Format != SVG && max(s.Width, s.Height) > maxSide {
		// libvips' resize takes time by the square of a long side that shrinks much: minutes for a million pixels.
		return &LimitError{Msg: fmt.Sprintf("the original is %s; no side may be longer than %s", size(s.Width, s.Height), figure(maxSide))}
	}
	if pixels := int64(s.Width) * int64(s.Height); l.SourcePixels > 0 && pixels > l.SourcePixels {
		return &LimitError{Limit: sourcePixels, Msg: fmt.Sprintf("the original has %s pixels (%s); at most %s are allowed",
			figure(pixels), size(s.Width, s.Height), figure(l.SourcePixels))}
	}
	if s.zoom == 0 {
		return nil
	}
	if err := checkSide(float64(max(s.Width, s.Height))); err != nil {
		return err
	}
	return checkSize(picture{dims: dims{s.Width, s.Height}, frames: 1}, l) // dn has made it so large
}

// pixels counts those of all frames.
func (s Source) pixels() int64 { return int64(s.Width) * int64(s.Height) * int64(s.Frames) }

// checkChain refuses too many steps and combinations of parameters that mean nothing, whatever the source.
func checkChain(c syntax.Chain, l Limits) error {
	if n := stepsOf(c); l.Steps > 0 && n > l.Steps {
		return &LimitError{Limit: stepsLimit, Msg: fmt.Sprintf("the transformation has %d steps; at most %d are allowed", n, l.Steps)}
	}
	return Check(c)
}

// Check refuses what is wrong with a chain whatever the source: combinations of parameters that mean nothing, too many
// trims, and names that are not expanded. Its errors are *syntax.Error.
func Check(c syntax.Chain) error {
	if _, err := syntax.Expand(c, nil); err != nil {
		return err
	}
	if err := checkTrims(c); err != nil {
		return err
	}
	return checkSteps(c)
}

// checkSteps refuses what means nothing, in branches that no source may ever take as well.
func checkSteps(c syntax.Chain) error {
	for _, s := range c {
		if err := checkStep(s); err != nil {
			return err
		}
		if s.If == nil {
			continue
		}
		for _, branch := range []syntax.Chain{s.If.Then, s.If.Else} {
			if err := checkSteps(branch); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSize refuses a picture, intermediate or result, that is over a limit.
func checkSize(p picture, l Limits) error {
	side := p.longer()
	if l.OutputSide > 0 && side > l.OutputSide {
		return &LimitError{Limit: outputSide, Msg: fmt.Sprintf("the result would be %s; no side may be longer than %s",
			size(p.width, p.height), figure(l.OutputSide))}
	}
	pixels := int64(p.width) * int64(p.height) * int64(p.frames)
	if l.OutputPixels == 0 || pixels <= l.OutputPixels {
		return nil
	}
	of := size(p.width, p.height)
	if p.frames > 1 {
		of += fmt.Sprintf(", %d frames", p.frames)
	}
	return &LimitError{Limit: outputPixels, Msg: fmt.Sprintf("the result would have %s pixels (%s); at most %s are allowed",
		figure(pixels), of, figure(l.OutputPixels))}
}

// checkFormat refuses a result that files of the format can't hold.
func checkFormat(f Format, p picture) *LimitError {
	if fitsFormat(f, p) {
		return nil
	}
	return &LimitError{Msg: fmt.Sprintf("the result would be %s; %s files hold at most %s pixels a side",
		size(p.width, p.height), f, figure(formatSides[f]))}
}

func fitsFormat(f Format, p picture) bool {
	most, bounded := formatSides[f]
	return !bounded || p.longer() <= most
}

// checkSide refuses a side that no limit forbids but that is beyond the language.
func checkSide(v float64) error {
	if v <= maxSide {
		return nil
	}
	return &LimitError{Limit: outputSide, Msg: fmt.Sprintf("the result would have a side of %s pixels; %s is the longest side there is",
		figure(int64(min(v, 1<<53))), figure(maxSide))}
}

func size(width, height int) string { return figure(width) + " x " + figure(height) }

// figure writes n with commas between thousands.
func figure[T int | int64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
