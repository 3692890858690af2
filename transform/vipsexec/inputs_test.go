package vipsexec_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/transformtest"
	"github.com/imageorigin/imageorigin/transform/vipsexec"
)

// openNow returns the loaders that libvips has open, by class.
func openNow(t *testing.T) []string {
	t.Helper()
	loading, _, err := vipsexec.OpenOperations()
	if err != nil {
		t.Fatal(err)
	}
	loaders, _ := vipsexec.Allowed()
	var classes []string
	for _, operation := range loading {
		if class := classOf(operation, loaders); !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	return classes
}

func TestPDFIsReadOnlyWhereThatWasAskedFor(t *testing.T) {
	const class = "VipsForeignLoadPdf"
	document := transform.Original{Bytes: transformtest.PDF(transformtest.Page(40, 20))}
	ordinary := newEngine(t)
	if ordinary.Readable().Has(plan.PDF) || slices.Contains(openNow(t), class) {
		t.Fatalf("an engine that was told nothing reads %v, open are %v", ordinary.Readable(), openNow(t))
	}
	reader, err := vipsexec.New(vipsexec.Config{Inputs: plan.SetOf(plan.PDF, plan.PNG)})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if got := reader.Readable(); got != plan.SetOf(plan.PDF, plan.PNG) {
		t.Errorf("it reads %v", got)
	}
	if !slices.Contains(openNow(t), class) {
		t.Errorf("open are %v", openNow(t))
	}
	if _, err := reader.Probe(t.Context(), document); err != nil {
		t.Error(err)
	}
	// Of two engines in a process, as during a reload, each reads what is its own.
	if _, err := ordinary.Probe(t.Context(), document); transform.KindOf(err) != transform.Unsupported {
		t.Errorf("the other engine: %v", err)
	}
	second := newReader(t)
	reader.Close()
	reader.Close()
	if _, err := second.Probe(t.Context(), document); err != nil {
		t.Errorf("after another engine was closed: %v", err)
	}
	second.Close()
	if slices.Contains(openNow(t), class) {
		t.Error("nobody reads PDF any more, and its loader is open")
	}
	// What was under way when the engine was closed has no flaw that is worth remembering.
	if _, err := second.Probe(t.Context(), document); transform.KindOf(err) != transform.Internal {
		t.Errorf("a closed engine: %v", err)
	}
}

func TestAnEngineReadsItsInputsAlone(t *testing.T) {
	e, err := vipsexec.New(vipsexec.Config{Inputs: plan.SetOf(plan.JPEG, plan.AVIF)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pic := transformtest.Picture(20, 10)
	for _, tt := range []struct {
		name  string
		bytes []byte
		read  bool
	}{
		{"jpeg", transformtest.JPEG(pic), true},
		{"avif", transformtest.File("still.avif"), true},
		{"heic, which the same loader decodes", transformtest.File("still.heic"), false},
		{"png", transformtest.PNG(pic), false},
		{"gif", transformtest.GIF(1, pic), false},
		{"webp", transformtest.File("still.webp"), false},
		{"tiff", transformtest.TIFF(pic), false},
		{"svg", []byte(transformtest.Drawing), false},
		{"jxl", transformtest.File("still.jxl"), false},
		{"pdf", transformtest.PDF(transformtest.Page(40, 20)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := transform.Original{Bytes: tt.bytes}
			f := transform.Sniff(tt.bytes)
			load := plan.Load{Format: f, Shrink: 1, Scale: 1, Frames: 1}
			failures := make([]error, 3)
			_, failures[0] = e.Probe(t.Context(), in)
			if tt.read {
				if failures[0] != nil {
					t.Error(failures[0])
				}
				return
			}
			_, failures[1] = e.Look(t.Context(), transform.Inputs{Base: in}, plan.Look{Load: load, Width: 20, Height: 10, Frames: 1, Threshold: 9})
			_, failures[2] = e.Render(t.Context(), transform.Inputs{Base: in}, plan.Plan{Load: load, Width: 20, Height: 10, Frames: 1, Output: plan.Output{Format: plan.PNG}})
			for i, err := range failures {
				if transform.KindOf(err) != transform.Unsupported || !strings.Contains(err.Error(), "inputs") {
					t.Errorf("%s: got %v", []string{"probe", "look", "render"}[i], err)
				}
			}
		})
	}
}

func TestInputsAreReadFromWords(t *testing.T) {
	for _, tt := range []struct{ json, want, err string }{
		{json: `null`, want: ""},
		{json: `["jpeg", "pdf"]`, want: "jpeg,pdf"},
		{json: `["jpg", "svg"]`, want: "jpeg,svg"},
		{json: `[]`, err: "inputs is empty; name the formats that are read, or leave it out"},
		{json: `["bmp"]`, err: `inputs: unknown format "bmp"; expected some of jpeg, png, gif, webp, avif, heic, tiff, svg, jxl, pdf`},
		{json: `["unknown"]`, err: `inputs: unknown format "unknown"; expected some of jpeg, png, gif, webp, avif, heic, tiff, svg, jxl, pdf`},
		{json: `["jpg", "jpeg"]`, err: "inputs: jpeg is named twice"},
	} {
		var words []string
		if err := json.Unmarshal([]byte(tt.json), &words); err != nil {
			t.Fatal(err)
		}
		got, err := vipsexec.ParseInputs(words)
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: got %v, want %s", tt.json, err, tt.err)
			}
			continue
		}
		if err != nil || got.String() != tt.want {
			t.Errorf("%s: got %v, %v, want %s", tt.json, got, err, tt.want)
		}
	}
}
