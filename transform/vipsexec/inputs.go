package vipsexec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// loaderOf is the class of libvips that decodes a format.
var loaderOf = map[plan.Format]string{
	plan.JPEG: "VipsForeignLoadJpeg",
	plan.PNG:  "VipsForeignLoadPng",
	plan.GIF:  "VipsForeignLoadNsgif",
	plan.WebP: "VipsForeignLoadWebp",
	plan.AVIF: "VipsForeignLoadHeif",
	plan.HEIC: "VipsForeignLoadHeif",
	plan.TIFF: "VipsForeignLoadTiff",
	plan.SVG:  "VipsForeignLoadSvg",
	plan.JXL:  "VipsForeignLoadJxl",
	plan.PDF:  "VipsForeignLoadPdf",
}

// unasked are the formats that are read by engines which nobody told what to read.
const unasked = plan.AllFormats &^ (1 << plan.PDF)

// ParseInputs reads the names of formats; without any, what engines read unasked, which is 0. Its errors name the option.
func ParseInputs(words []string) (plan.Set, error) {
	if words != nil && len(words) == 0 {
		return 0, errors.New("inputs is empty; name the formats that are read, or leave it out")
	}
	var set plan.Set
	for _, word := range words {
		f, err := plan.ParseFormat(word)
		switch {
		case err != nil:
			return 0, fmt.Errorf("inputs: unknown format %q; expected some of %s", word, formatNames(plan.AllFormats))
		case set.Has(f):
			return 0, fmt.Errorf("inputs: %s is named twice", f)
		}
		set = set.With(f)
	}
	return set, nil
}

func formatNames(s plan.Set) string { return strings.ReplaceAll(s.String(), ",", ", ") }

// inputsOf returns what an engine that was told to read wanted reads. libvips has been started.
func inputsOf(wanted plan.Set) (plan.Set, error) {
	var can plan.Set
	for f, t := range vipsTypes {
		if vips.IsTypeSupported(t) {
			can = can.With(f)
		}
	}
	if wanted == 0 {
		return unasked & can, nil
	}
	if lacking := wanted &^ can; lacking != 0 {
		return 0, fmt.Errorf("inputs: this libvips can't decode %s; leave it out, or install a libvips that can (it decodes %s)",
			formatNames(lacking), formatNames(can))
	}
	return wanted, nil
}

// reading counts, by class of loader, the engines that read with it.
var reading struct {
	sync.Mutex
	engines map[string]int
}

// classesOf returns the classes of loaders that decode the formats, each once.
func classesOf(inputs plan.Set) []string {
	var classes []string
	for _, f := range inputs.Formats() {
		if class := loaderOf[f]; !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	return classes
}

// openLoaders opens what an engine reads with. What another one has opened stays open when that ends: during a reload two
// configs are at work.
func openLoaders(inputs plan.Set) {
	reading.Lock()
	defer reading.Unlock()
	if reading.engines == nil {
		reading.engines = map[string]int{}
	}
	for _, class := range classesOf(inputs) {
		if reading.engines[class]++; reading.engines[class] == 1 {
			setBlocked(class, false)
		}
	}
}

// closeLoaders closes what no other engine reads with.
func closeLoaders(inputs plan.Set) {
	reading.Lock()
	defer reading.Unlock()
	for _, class := range classesOf(inputs) {
		if reading.engines[class]--; reading.engines[class] == 0 {
			setBlocked(class, true)
		}
	}
}

// isOpen reports whether some engine reads a format.
func isOpen(f plan.Format) bool {
	reading.Lock()
	defer reading.Unlock()
	return reading.engines[loaderOf[f]] > 0
}

// Close gives back the loaders that the engine opened. It may be called again, and while work is under way: what was opened
// until then goes on.
func (e *Engine) Close() {
	e.closed.Do(func() { closeLoaders(e.inputs) })
}

// admit refuses a picture of a format that the engine doesn't read.
func (e *Engine) admit(src []byte) error {
	f := transform.Sniff(src)
	if f == plan.Unknown || e.inputs.Has(f) {
		return nil // what is no picture is told so where it would be opened
	}
	return failed(transform.Unsupported, "decoding "+f.String(), errors.New("it is none of the formats that are read (inputs)"))
}
