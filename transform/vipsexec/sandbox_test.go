package vipsexec_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
	"github.com/imageorigin/imageorigin/transform/worker/sandbox"
)

// What the test binary does instead of tests when that is its first argument.
const (
	renderOpen     = "render-open"     // render samples and print what came out
	renderConfined = "render-confined" // the same, confined
)

// runConfined does what the first argument says. It reports whether tests are to be run.
func runConfined() bool {
	if len(os.Args) < 2 || !slices.Contains([]string{renderOpen, renderConfined}, os.Args[1]) {
		return true
	}
	mode := os.Args[1]
	os.Args = slices.Delete(os.Args, 1, 2)
	e, err := vipsexec.New(vipsexec.Config{})
	if err == nil && mode != renderOpen {
		var m sandbox.Measures
		m, err = sandbox.Confine(sandbox.Limits{Data: 2 << 30})
		if err == nil && !slices.Contains(m.InForce, "seccomp") {
			err = fmt.Errorf("seccomp is not in force: %q", m.Missing)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := renderSamples(e); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
	return false
}

// textDrawing needs a font, and tells one from another.
const textDrawing = `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="80"><rect width="240" height="80" fill="#fff"/>
<text x="8" y="34" font-family="DejaVu Sans, sans-serif" font-size="24">Confined</text>
<text x="8" y="66" font-family="serif" font-weight="bold" font-size="20">Ωmega 漢字 ß</text></svg>`

// textless is textDrawing where no font is found.
const textless = `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="80"><rect width="240" height="80" fill="#fff"/></svg>`

// renderSamples decodes a file of each format that is read, encodes each that is written, uses ops of each kind, and
// prints hashes.
func renderSamples(e *vipsexec.Engine) error {
	pic := transformtest.Picture(301, 203)
	film := transformtest.GIF(7, pic, transformtest.Stored(pic, 2), transformtest.Cutout(301, 203))
	large := transformtest.JPEG(transformtest.Picture(2003, 1501))
	sources := []struct {
		name  string
		bytes []byte
	}{
		{"jpeg", transformtest.JPEG(pic)},
		{"cmyk jpeg", transformtest.File("cmyk.jpg")},
		{"jpeg with profile", transformtest.WithProfile(transformtest.JPEG(pic), transformtest.File("displayp3.icc"))},
		{"png", transformtest.PNG(transformtest.Cutout(301, 203))},
		{"gif", film},
		{"webp", transformtest.File("alpha.webp")},
		{"animated webp", transformtest.File("animated.webp")},
		{"avif", transformtest.File("still.avif")},
		{"heic", transformtest.File("rotated.heic")},
		{"tiff", transformtest.File("still.tiff")},
		{"jxl", transformtest.File("still.jxl")},
		{"svg", []byte(transformtest.Drawing)},
		{"svg with text", []byte(textDrawing)},
		{"svg without text", []byte(textless)},
	}
	for _, source := range sources {
		for _, f := range e.Writable().Formats() {
			if err := renderSample(e, source.name, source.bytes, "w-100", plan.Output{Format: f, Quality: 80}, 1); err != nil {
				return err
			}
		}
	}
	for _, chain := range []string{
		"w-90,h-70,cm-pad_resize,bg-blurred", "rt-30,bg-teal,r-20,b-3_red", "e-shadow", "w-90,e-distort-p-20_0_200_30_170_120_0_90", "t-true,bl-3,e-sharpen",
		"e-gradient,e-contrast,e-grayscale", "w-60,cp-true,md-true",
	} {
		if err := renderSample(e, chain, sources[0].bytes, chain, plan.Output{}, 1); err != nil {
			return err
		}
	}
	for _, f := range []plan.Format{plan.GIF, plan.WebP} {
		if err := renderSample(e, "a film", film, "w-100", plan.Output{Format: f, Quality: 80}, 3); err != nil {
			return err
		}
	}
	for _, f := range []plan.Format{plan.AVIF, plan.JXL, plan.WebP} { // with the threads that encoders make
		if err := renderSample(e, "a large picture", large, "w-1500", plan.Output{Format: f, Quality: 60}, 1); err != nil {
			return err
		}
	}
	// Unpacked 161 MB, all at once: libvips would take a file for that unless it is told not to.
	return renderSample(e, "a huge picture", hugeWebP(6350), "w-100", plan.Output{Format: plan.PNG}, 1)
}

// hugeWebP returns a square with transparency in a few bytes: in lossless WebP, a colour of which every part has one value
// only takes no bits a pixel.
func hugeWebP(side int) []byte {
	var bits, n uint64
	var stream []byte
	put := func(value, width uint64) { // the lowest bit first
		bits |= value << n
		for n += width; n >= 8; n -= 8 {
			stream = append(stream, byte(bits))
			bits >>= 8
		}
	}
	put(0x2f, 8)
	put(uint64(side-1), 14)
	put(uint64(side-1), 14)
	put(1, 1) // alpha
	put(0, 3) // version
	put(0, 3) // neither transforms, nor a colour cache, nor several groups of codes
	for _, value := range []uint64{200, 30, 30, 128, 0} {
		put(0b101, 3) // a simple code of one symbol of 8 bits
		put(value, 8)
	}
	put(0, 7) // to a whole byte
	stream = append(stream, make([]byte, len(stream)%2)...)
	file := []byte("RIFF\x00\x00\x00\x00WEBPVP8L")
	file = binary.LittleEndian.AppendUint32(file, uint32(len(stream)))
	file = append(file, stream...)
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

// renderSample renders a chain in so many frames, in another format than its own if output has one, and prints a hash.
func renderSample(e *vipsexec.Engine, name string, file []byte, text string, output plan.Output, frames int) error {
	chain, err := syntax.Parse(text)
	if err != nil {
		return err
	}
	ctx := context.Background()
	facts, err := e.Probe(ctx, transform.Original{Bytes: file})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sources := plan.Sources{Base: facts}
	for {
		p, err := plan.Resolve(chain, sources, plan.Hints{Writable: e.Writable(), Still: frames == 1}, plan.Limits{})
		if unseen, ok := errors.AsType[*plan.Unseen](err); ok {
			w, err := e.Look(ctx, transform.Inputs{Base: transform.Original{Bytes: file}}, unseen.Look)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			sources.Trims = append(sources.Trims, w)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if output.Format != plan.Unknown {
			p.Output = output
		}
		img, err := e.Render(ctx, transform.Inputs{Base: transform.Original{Bytes: file}}, p)
		if err != nil {
			return fmt.Errorf("%s as %v: %w", name, p.Output.Format, err)
		}
		fmt.Printf("%s as %v, %d frames: %x\n", name, img.Format, img.Frames, sha256.Sum256(img.Bytes))
		return nil
	}
}

// startSelf runs this binary again, by start, and returns what it printed.
func startSelf(t *testing.T, start func(*exec.Cmd) error, args ...string) string {
	t.Helper()
	self, err := sandbox.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s%s", args[0], err, out.String(), failure.String())
	}
	return out.String()
}

// The list of system calls, and the folders that are readable, suffice for all that the engine does: results are the same
// to the byte, the text in drawings included, which would be left out without an error where fonts weren't found.
func TestConfinedEngineMakesTheSame(t *testing.T) {
	spawner := sandbox.NewSpawner()
	defer spawner.Close()
	open := startSelf(t, (*exec.Cmd).Start, renderOpen)
	confined := startSelf(t, spawner.Start, renderConfined)
	want, got := strings.Split(open, "\n"), strings.Split(confined, "\n")
	if len(want) < 80 || len(got) != len(want) {
		t.Fatalf("%d results, confined %d", len(want), len(got))
	}
	hashes := map[string]string{}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("confined: %s\nopen:     %s", got[i], want[i])
		}
		name, hash, _ := strings.Cut(want[i], ": ")
		hashes[name] = hash
	}
	const png = " as png, 1 frames"
	if hashes["svg with text"+png] == hashes["svg without text"+png] || hashes["svg with text"+png] == "" {
		t.Errorf("there is no font here: text leaves no trace; install one, such as fonts-dejavu-core")
	}
}
