package plan_test

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/syntax/vectest"
)

var update = flag.Bool("update", false, "record the expected plans of testdata/*.vec anew")

// everything is what a libvips with all common libraries writes.
var everything = plan.SetOf(plan.JPEG, plan.PNG, plan.GIF, plan.WebP, plan.AVIF)

// TestVectorsResolve compares plans with the recorded ones. The headers size and error are written by hand and are never
// recorded anew.
func TestVectorsResolve(t *testing.T) {
	blocks := vectest.Read(t)
	for i, b := range blocks {
		t.Run(b.Name(), func(t *testing.T) {
			in := inputOf(t, b.Header)
			p, err := in.resolve()
			if want := b.Header["error"]; want != "" || err != nil {
				if err == nil || err.Error() != want {
					t.Fatalf("%s on %+v\n got error %v\nwant error %s", in.text, in.source, err, want)
				}
				return
			}
			if got, want := fmt.Sprintf("%dx%d", p.Width, p.Height), b.Header["size"]; got != want {
				t.Errorf("%s on %+v: got size %s, want %s", in.text, in.source, got, want)
			}
			if got := hintedOf(p); got != b.Header["hinted"] {
				t.Errorf("%s on %+v: the hints decided %q, want %q", in.text, in.source, got, b.Header["hinted"])
			}
			if *update {
				blocks[i].Want = strings.TrimSpace(p.String())
				return
			}
			if got := strings.TrimSpace(p.String()); got != b.Want {
				t.Errorf("%s on %+v\n got:\n%s\nwant:\n%s", in.text, in.source, got, b.Want)
			}
			walk(t, in, p)
		})
	}
	if *update {
		vectest.Rewrite(t, blocks)
	}
}

// TestVectorsHoldEveryWorkedExample guards against a worked example of the URL language getting lost.
func TestVectorsHoldEveryWorkedExample(t *testing.T) {
	names := map[string]bool{}
	for _, b := range vectest.Read(t) {
		if names[b.Name()] {
			t.Errorf("two vectors have the name %s", b.Name())
		}
		names[b.Name()] = true
	}
	wanted := []int{24, 26, 27, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 41, 42, 43, 44, 45, 46, 47, 59, 60, 61, 62, 63, 65, 66, 67, 68}
	for n := 1; n <= 21; n++ {
		wanted = append(wanted, n)
	}
	for _, n := range wanted {
		if name := fmt.Sprintf("example-%d", n); !names[name] {
			t.Errorf("no vector has the name %s", name)
		}
	}
}

// input is one call of Resolve.
type input struct {
	text   string
	chain  syntax.Chain // of text; nil: it is parsed
	source plan.Source
	hints  plan.Hints
	limits plan.Limits
	trims  []plan.Window
	look   func(plan.Look) plan.Window // finds what trims lack; nil leaves it unseen
}

func (in input) resolve() (plan.Plan, error) {
	c := in.chain
	if c == nil && in.text != "" {
		var err error
		if c, err = syntax.Parse(in.text); err != nil {
			return plan.Plan{}, err
		}
	}
	sources := plan.Sources{Base: in.source, Trims: in.trims}
	for {
		p, err := plan.Resolve(c, sources, in.hints, in.limits)
		unseen, ok := errors.AsType[*plan.Unseen](err)
		if !ok || in.look == nil {
			return p, err
		}
		if len(sources.Trims) == plan.MaxTrims {
			return p, fmt.Errorf("%d looks are not enough for %s", plan.MaxTrims, in.text)
		}
		sources.Trims = append(sources.Trims, in.look(unseen.Look))
	}
}

func inputOf(tb testing.TB, header map[string]string) input {
	tb.Helper()
	in := input{text: header["chain"], hints: plan.Hints{Writable: everything}}
	var sizes plan.Ladder
	for key, value := range header {
		var err error
		switch key {
		case "name", "chain", "size", "error", "hinted":
		case "source":
			in.source, err = sourceOf(value)
		case "accept":
			in.hints.Accept, err = setOf(value)
		case "writable":
			in.hints.Writable, err = setOf(value)
		case "formats":
			in.hints.Formats, err = formatsOf(value)
		case "quality":
			in.hints.Quality, err = strconv.Atoi(value)
		case "hints":
			err = readHints(&in.hints, value)
		case "limits":
			in.limits, err = limitsOf(value)
		case "sizes":
			sizes, err = sizesOf(value)
		case "rasterise":
			in.hints.Rasterise = value == "true"
		case "still":
			in.hints.Still, err = strconv.ParseBool(value)
		case "trims":
			in.trims, err = windowsOf(value)
		default:
			err = fmt.Errorf("unknown header")
		}
		if err != nil {
			tb.Fatalf("%s: %s: %v", key, value, err)
		}
	}
	in.limits.Sizes = sizes
	return in
}

// readHints reads "width=300 dpr=2 save-data save-quality=50 exact smallest".
func readHints(h *plan.Hints, text string) (err error) {
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "width":
			h.Width, err = strconv.Atoi(value)
		case "dpr":
			h.DPR, err = strconv.ParseFloat(value, 64)
		case "save-data":
			h.SaveData = true
		case "save-quality":
			h.SaveQuality, err = strconv.Atoi(value)
		case "exact":
			h.Exact = true
		case "smallest":
			h.Smallest = true
		default:
			err = fmt.Errorf("unknown hint %q", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hintedOf tells what hints decided of the size: "width", "dpr=2" or nothing.
func hintedOf(p plan.Plan) string {
	var words []string
	if p.HintedWidth {
		words = append(words, "width")
	}
	if p.HintedDPR > 0 {
		words = append(words, fmt.Sprintf("dpr=%g", p.HintedDPR))
	}
	return strings.Join(words, " ")
}

// sourceOf reads "jpeg 640x865 orientation=6 frames=1 alpha cmyk profile metadata quality=75".
// windowsOf reads "10x20 at 3,4; 5x5 at 0,0".
func windowsOf(text string) (windows []plan.Window, err error) {
	for part := range strings.SplitSeq(text, ";") {
		var w plan.Window
		if _, err := fmt.Sscanf(strings.TrimSpace(part), "%dx%d at %d,%d", &w.Width, &w.Height, &w.X, &w.Y); err != nil {
			return nil, err
		}
		windows = append(windows, w)
	}
	return windows, nil
}

// sourceOf reads "jpeg 640x865 orientation=6 frames=1 pages=1 page=0 density=72 alpha cmyk profile metadata".
func sourceOf(text string) (plan.Source, error) {
	words := strings.Fields(text)
	s := plan.Source{Orientation: 1, Frames: 1}
	var err error
	if s.Format, err = plan.ParseFormat(words[0]); err != nil {
		return s, err
	}
	if _, err := fmt.Sscanf(words[1], "%dx%d", &s.Width, &s.Height); err != nil {
		return s, err
	}
	for _, word := range words[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "orientation":
			s.Orientation, err = strconv.Atoi(value)
		case "frames":
			s.Frames, err = strconv.Atoi(value)
		case "quality":
			s.Quality, err = strconv.Atoi(value)
		case "pages":
			s.Pages, err = strconv.Atoi(value)
		case "page":
			s.Page, err = strconv.Atoi(value)
		case "density":
			s.Density, err = strconv.ParseFloat(value, 64)
		case "alpha":
			s.Alpha = true
		case "cmyk":
			s.CMYK = true
		case "profile":
			s.Profile, s.Metadata = true, true
		case "metadata":
			s.Metadata = true
		default:
			err = fmt.Errorf("unknown fact %q", word)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

func formatsOf(text string) ([]plan.Format, error) {
	var formats []plan.Format
	for name := range strings.FieldsSeq(text) {
		f, err := plan.ParseFormat(name)
		if err != nil {
			return nil, err
		}
		formats = append(formats, f)
	}
	return formats, nil
}

func setOf(text string) (plan.Set, error) {
	formats, err := formatsOf(text)
	return plan.SetOf(formats...), err
}

// limitsOf reads "output_pixels=1000 frames=5".
func limitsOf(text string) (plan.Limits, error) {
	var l plan.Limits
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return l, err
		}
		switch key {
		case "source_pixels":
			l.SourcePixels = n
		case "output_pixels":
			l.OutputPixels = n
		case "output_side":
			l.OutputSide = int(n)
		case "frames":
			l.Frames = int(n)
		case "steps":
			l.Steps = int(n)
		default:
			return l, fmt.Errorf("unknown limit %q", key)
		}
	}
	return l, nil
}
