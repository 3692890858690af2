package vipsexec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

var holds = flag.Bool("holds", false, "compare the estimated memory of large pictures with what they take, too; a minute or two")

// heldEnv names the file of the render that a child process measures.
const heldEnv = "IMAGEORIGIN_TEST_HELD"

// held is one render in a process of its own: what was asked for, and what came of it.
type held struct {
	File, Chain      string
	Smallest         bool  // of AVIF, WebP and what else suits
	Estimate, Actual int64 // bytes
	Work, CPU        time.Duration
	Error            string
}

// measureHeld is what the child process does.
func measureHeld(file string) held {
	data, err := os.ReadFile(file)
	h := held{}
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err == nil {
		err = h.measure()
	}
	if err != nil {
		h.Error = err.Error()
	}
	return h
}

// measure renders, and reads how far the memory of the process rose above what it was before.
func (h *held) measure() error {
	e, err := vipsexec.New(vipsexec.Config{})
	if err != nil {
		return err
	}
	data, err := os.ReadFile(h.File)
	if err != nil {
		return err
	}
	chain, err := syntax.Parse(h.Chain)
	if err != nil {
		return err
	}
	ctx, original := context.Background(), transform.Original{Bytes: data}
	facts, err := e.Probe(ctx, original)
	if err != nil {
		return err
	}
	p, err := plan.Resolve(chain, plan.Sources{Base: facts}, h.hints(e), plan.Limits{})
	if err != nil {
		return err
	}
	if err := warm(e, p); err != nil {
		return err
	}
	// 5 has the kernel forget the highest that there was.
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return err
	}
	before, _, err := resident()
	if err != nil {
		return err
	}
	start, err := ownTime()
	if err != nil {
		return err
	}
	_, err = e.Render(ctx, transform.Inputs{Base: original}, p)
	if err != nil {
		return err
	}
	_, highest, err := resident()
	if err != nil {
		return err
	}
	end, err := ownTime()
	h.Estimate, h.Actual, h.Work, h.CPU = p.Memory, highest-before, p.Work, end-start
	return err
}

// ownTime returns the CPU time that this process has taken.
func ownTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

func (h *held) hints(e *vipsexec.Engine) plan.Hints {
	hints := plan.Hints{Writable: e.Writable()}
	if h.Smallest {
		hints.Accept, hints.Formats, hints.Smallest = plan.SetOf(plan.AVIF, plan.WebP), []plan.Format{plan.AVIF, plan.WebP}, true
	}
	return hints
}

// warm has the encoders build the tables that they build once.
func warm(e *vipsexec.Engine, p plan.Plan) error {
	small := plan.Plan{
		Load: plan.Load{Format: plan.PNG, Frames: 1}, Ops: []plan.Op{plan.Colour{}}, Output: p.Output, Alternatives: p.Alternatives,
		Width: 64, Height: 64, Frames: 1,
	}
	_, err := e.Render(context.Background(), transform.Inputs{Base: transform.Original{Bytes: transformtest.PNG(transformtest.Picture(64, 64))}}, small)
	return err
}

// resident returns the memory of this process, now and at its highest, in bytes.
func resident() (now, highest int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kilobytes << 10
		case "VmHWM":
			highest = kilobytes << 10
		}
	}
	if now == 0 || highest == 0 {
		err = fmt.Errorf("/proc/self/status tells no VmRSS or VmHWM")
	}
	return now, highest, err
}

// in measures the render in a child process with the allocator set as that of workers.
func (h held) in(t *testing.T) held {
	t.Helper()
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "job")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), heldEnv+"="+file, "MALLOC_ARENA_MAX=1")
	out, err := child.Output()
	if err != nil {
		t.Fatalf("%s of %s: %v", h.Chain, h.File, err)
	}
	if err := json.Unmarshal(out, &h); err != nil {
		t.Fatalf("%s of %s: %v in %q", h.Chain, h.File, err, out)
	}
	if h.Error != "" {
		t.Fatalf("%s of %s: %s", h.Chain, h.File, h.Error)
	}
	return h
}

// heldSources are files by name; large ones come as a photograph of 12 megapixels does, and as each format has it.
type heldSources struct {
	t      *testing.T
	dir    string
	e      *vipsexec.Engine
	photos map[string][]byte
}

func (s *heldSources) render(src []byte, text string) []byte {
	s.t.Helper()
	chain, err := syntax.Parse(text)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := transformtest.Resolve(s.t, s.e, src, chain, plan.Hints{}, plan.Limits{})
	if err != nil {
		s.t.Fatal(err)
	}
	return render(s.t, s.e, src, p).Bytes
}

// photo returns a photograph as a JPEG.
func (s *heldSources) photo(size string) []byte {
	if s.photos[size] == nil {
		var w, h int
		if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
			s.t.Fatal(err)
		}
		if w*h <= 2<<20 {
			s.photos[size] = photograph(w, h)
		} else {
			s.photos[size] = s.render(s.photo("1600x1200"), fmt.Sprintf("w-%d,h-%d,c-force,q-90,f-jpg", w, h))
		}
	}
	return s.photos[size]
}

// file returns the path of a picture: "webp 4000x3000", "gif 640x480 40".
func (s *heldSources) file(name string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, strings.ReplaceAll(name, " ", "-"))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.WriteFile(path, s.make(name), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *heldSources) make(name string) []byte {
	var size string
	var frames int
	kind, rest, _ := strings.Cut(name, " ")
	_, _ = fmt.Sscanf(rest, "%s %d", &size, &frames)
	switch kind {
	case "jpeg":
		return s.photo(size)
	case "progressive":
		return s.render(s.photo(size), "pr-true,f-jpg")
	case "interlaced":
		img, err := vips.NewImageFromBuffer(s.photo(size))
		if err != nil {
			s.t.Fatal(err)
		}
		defer img.Close()
		data, _, err := img.ExportPng(&vips.PngExportParams{Compression: 1, Interlace: true})
		if err != nil {
			s.t.Fatal(err)
		}
		return data
	case "cutout":
		return s.render(s.photo(size), "r-max,bg-transparent,f-png")
	case "svg":
		return []byte(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s"><circle cx="300" cy="300" r="250" fill="red"/></svg>`,
			size[:strings.Index(size, "x")], size[strings.Index(size, "x")+1:]))
	case "gif", "animation":
		w, h := 0, 0
		_, _ = fmt.Sscanf(size, "%dx%d", &w, &h)
		pictures := make([]image.Image, frames)
		for i := range pictures {
			pictures[i] = transformtest.Stored(transformtest.Picture(w, h), 1+i%4)
		}
		data := transformtest.GIF(5, pictures...)
		if kind == "animation" {
			data = s.render(data, "f-webp")
		}
		return data
	}
	return s.render(s.photo(size), "q-80,f-"+kind)
}

func TestARenderHoldsWhatItsPlanSays(t *testing.T) {
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("the system has no /proc/self/clear_refs: how much memory a render takes can't be read")
	}
	s := &heldSources{t: t, dir: t.TempDir(), e: newEngine(t), photos: map[string][]byte{}}
	var table bytes.Buffer
	for _, row := range heldRows {
		if row.large && !*holds {
			continue
		}
		t.Run(row.source+" "+row.chain, func(t *testing.T) {
			s.t = t
			got := held{File: s.file(row.source), Chain: row.chain, Smallest: row.chain == smallest}.in(t)
			if least, most := 0.9*float64(got.Actual)-mebibyte, 3*float64(got.Actual)+8*mebibyte; float64(got.Estimate) < least || float64(got.Estimate) > most {
				t.Errorf("%.1f MiB are estimated, and %.1f were taken", mebibytes(got.Estimate), mebibytes(got.Actual))
			}
			fmt.Fprintf(&table, "| %s | `%s` | %.1f | %.1f | %.2f | %d | %d | %.2f |\n", row.source, row.chain,
				mebibytes(got.Estimate), mebibytes(got.Actual), float64(got.Estimate)/float64(got.Actual),
				got.Work.Milliseconds(), got.CPU.Milliseconds(), got.Work.Seconds()/got.CPU.Seconds())
		})
	}
	if *holds {
		fmt.Print(table.String())
	}
}

const mebibyte = 1 << 20

func mebibytes(n int64) float64 { return float64(n) / mebibyte }

// smallest is a chain that is sent as the smallest of several files.
const smallest = "w-2000"

var heldRows = []struct {
	source, chain string
	large         bool
}{
	{"jpeg 1600x1200", "w-400,f-jpg", false},
	{"jpeg 1600x1200", "q-80,f-webp", false},
	{"jpeg 1600x1200", "q-50,f-avif", false},
	{"jpeg 4000x3000", "w-400,f-jpg", true},
	{"jpeg 4000x3000", "w-1600,f-jpg", true},
	{"jpeg 4000x3000", "q-80,f-jpg", true},
	{"jpeg 4000x3000", "q-95,f-jpg", true},
	{"jpeg 4000x3000", "q-80,pr-true,f-jpg", true},
	{"progressive 4000x3000", "w-400,f-jpg", true},
	{"progressive 8000x6000", "w-400,f-jpg", true},
	{"jpeg 12000x9000", "w-400,f-jpg", true},
	{"jpeg 12000x9000", "w-4000,f-jpg", true},
	{"jpeg 4000x3000", "f-png", true},
	{"jpeg 4000x3000", "q-60,f-png", true},
	{"jpeg 4000x3000", "w-400,f-webp", true},
	{"jpeg 4000x3000", "w-1600,f-webp", true},
	{"jpeg 4000x3000", "q-80,f-webp", true},
	{"jpeg 4000x3000", "lo-true,f-webp", true},
	{"jpeg 4000x3000", "w-400,f-avif", true},
	{"jpeg 4000x3000", "w-1600,f-avif", true},
	{"jpeg 4000x3000", "q-50,f-avif", true},
	{"jpeg 4000x3000", "w-1600,f-jxl", true},
	{"jpeg 4000x3000", "q-80,f-jxl", true},
	{"png 4000x3000", "w-400,f-jpg", true},
	{"interlaced 4000x3000", "w-400,f-jpg", true},
	{"cutout 4000x3000", "w-400,f-png", true},
	{"cutout 4000x3000", "q-80,f-webp", true},
	{"cutout 4000x3000", "q-50,f-avif", true},
	{"webp 4000x3000", "w-400,f-jpg", true},
	{"webp 4000x3000", "w-2600,f-jpg", true},
	{"avif 4000x3000", "w-400,f-jpg", true},
	{"jxl 4000x3000", "w-400,f-jpg", true},
	{"svg 1000x1000", "w-4000,f-png", true},
	{"gif 800x600 40", "w-400,f-gif", true},
	{"gif 800x600 40", "w-400,f-webp", true},
	{"gif 800x600 40", "f-webp", true},
	{"gif 800x600 40", "f-jpg", true},
	{"animation 800x600 40", "w-400,f-webp", true},
	{"animation 800x600 40", "f-gif", true},
	{"jpeg 4000x3000", smallest, true},
	{"jpeg 4000x3000", "rt-90,f-jpg", true},
	{"jpeg 4000x3000", "rt-5,bg-red,f-jpg", true},
	{"jpeg 4000x3000", "bl-5,f-jpg", true},
	{"jpeg 4000x3000", "e-sharpen,f-jpg", true},
	{"jpeg 4000x3000", "e-usm-100-100-1-0,f-jpg", true},
	{"jpeg 4000x3000", "e-contrast,f-jpg", true},
	{"jpeg 4000x3000", "r-max,bg-red,f-jpg", true},
	{"jpeg 4000x3000", "o-50,f-png", true},
	{"jpeg 4000x3000", "e-gradient,f-jpg", true},
	{"jpeg 4000x3000", "e-colorize-co-red,f-jpg", true},
	{"jpeg 4000x3000", "cr-red,f-jpg", true},
	{"jpeg 4000x3000", "e-distort-a-45,bg-red,f-jpg", true},
	{"jpeg 4000x3000", "e-distort-p-300_0_4000_300_3700_3000_0_2700,bg-red,f-jpg", true},
	{"jpeg 4000x3000", "w-4400,h-3000,cm-pad_resize,bg-blurred,f-jpg", true},
	{"jpeg 4000x3000", "w-4400,h-3000,cm-pad_resize,bg-gradient_dominant_4,f-jpg", true},
	{"jpeg 4000x3000", "w-3000,h-3000,fo-auto,f-jpg", true},
	{"jpeg 4000x3000", "w-1600:w-1630,h-1222,cm-pad_extract,bg-transparent:e-shadow,bg-white,f-jpg", true},
	{"jpeg 4000x3000", "rt-180,e-contrast,bl-5,e-sharpen,r-50,b-9_red:rt-180,e-contrast,bl-5,e-sharpen,r-50,b-9_red,f-jpg", true},
	{"gif 800x600 40", "rt-90,f-webp", true},
	{"gif 800x600 40", "bl-5,f-webp", true},
}
