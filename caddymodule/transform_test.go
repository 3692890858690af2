package caddymodule_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// The fake engine writes plans for pictures, so what is in a file tells how it was made.

func TestTransformWritesWhatTheServerWould(t *testing.T) {
	for _, tt := range []struct {
		name, chain, out string
		line             string // what is printed, behind the name
		plan             string // the end of the file
		warning          string
	}{
		{name: "the extension decides", chain: "w-200", out: "a.webp", line: `200x150 webp, \d+ bytes, in \S+s`, plan: "resize 200x150\ncolour srgb\nsave webp q=80\n"},
		{name: "in whatever case", chain: "w-200", out: "a.JPG", line: `200x150 jpeg, .*`, plan: "save jpeg q=80\n"},
		{name: "f decides", chain: "w-200,f-jpg:h-30", out: "a.dat", line: `40x30 jpeg, .*`, plan: "save jpeg q=80\n"},
		{name: "both agree", chain: "w-200,f-jpeg,q-7", out: "a.jpeg", line: `200x150 jpeg, .*`, plan: "save jpeg q=7\n"},
		{name: "f-auto decides nothing", chain: "w-200,f-auto", out: "a.webp", line: `200x150 webp, .*`, plan: "save webp q=80\n"},
		{name: "as in a URL", chain: "tr:w-200", out: "a.png", line: `200x150 png, .*`, plan: "save png\n"},
		{name: "a trim", chain: "t-true,w-200", out: "a.png", line: `200x147 png, .*`, plan: "crop 380x280 at 10,10\nresize 200x147\ncolour srgb\nsave png\n"},
		{name: "a page", chain: "pg-1,w-200", out: "-.jpg", line: `200x150 jpeg, .*`, plan: "resize 200x150\ncolour srgb\nsave jpeg q=80\n"},
		{name: "a density", chain: "dn-300", out: "a.jpg", line: `400x300 jpeg, .*`, plan: "save jpeg q=80 dpi=300\n"},
		{name: "the original", chain: "orig-true", out: "a.png", line: `png, \d+ bytes, in .*`, plan: "IEND\xaeB`\x82"},
		{name: "a warning", chain: "w-200,f-gif", out: "a.png", line: `200x150 png, .*`, plan: "save png\n", warning: "warning: only GIF originals can be sent as GIF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, tt.out)
			stdout, stderr, err := caddymodule.Transform(writePNG(t, dir, "red.png", 400, 300), tt.chain, out, false)
			if err != nil {
				t.Fatal(err)
			}
			if line := "^" + regexp.QuoteMeta(out) + ": " + tt.line + "\n$"; !regexp.MustCompile(line).MatchString(stdout) {
				t.Errorf("printed %q, want %s", stdout, line)
			}
			if !strings.HasPrefix(stderr, tt.warning) || tt.warning == "" && stderr != "" {
				t.Errorf("standard error has %q, want %q", stderr, tt.warning)
			}
			content, err := os.ReadFile(out)
			if text := string(content); err != nil || !strings.HasSuffix(strings.TrimSuffix(text, "vary accept\n"), tt.plan) && !strings.Contains(text, tt.plan) {
				t.Errorf("the file has %q, %v, want %q", text, err, tt.plan)
			}
		})
	}
}

func TestTransformToStandardOutputKeepsItClean(t *testing.T) {
	in := writePNG(t, t.TempDir(), "red.png", 400, 300)
	stdout, stderr, err := caddymodule.Transform(in, "w-200,f-webp", "-", false)
	if err != nil {
		t.Fatal(err)
	}
	if want := "load png\nresize 200x150\ncolour srgb\nsave webp q=80\n"; stdout != want {
		t.Errorf("standard output has %q, want %q", stdout, want)
	}
	if want := "standard output: 200x150 webp, "; !strings.HasPrefix(stderr, want) {
		t.Errorf("standard error has %q, want %s", stderr, want)
	}
	if stdout, _, err := caddymodule.Transform(in, "w-200", "-", false); err != nil || !strings.Contains(stdout, "save png\n") {
		t.Errorf("without f: got %q, %v, want the plain format", stdout, err)
	}
}

func TestTransformOverwritesOnlyByForce(t *testing.T) {
	dir := t.TempDir()
	in := writePNG(t, dir, "red.png", 400, 300)
	before, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = caddymodule.Transform(in, "orig-true", in, false)
	if want := in + " exists; --force overwrites it"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// The file that is read may be the one that is written.
	if _, _, err := caddymodule.Transform(in, "orig-true", in, true); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(in); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file has changed: %d bytes, were %d, %v", len(after), len(before), err)
	}
	if _, _, err := caddymodule.Transform(in, "w-2", in, true); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(in); err != nil || !strings.HasPrefix(string(after), "load png\n") {
		t.Errorf("the file was not overwritten: %q, %v", after, err)
	}
}

func TestTransformRefusesAndLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	in := writePNG(t, dir, "red.png", 400, 300)
	text := filepath.Join(dir, "text.txt")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, in, chain, out, want, place string }{
		{"a mistake in the chain", in, "w-2,hh-3", "a.png", "hh: unknown parameter; did you mean h? (column 5)", "w-2,hh-3\n    ^\n"},
		{"a chain that means nothing", in, "w-2:ar-3-4", "a.png", "ar: needs w or h beside it (column 5)", "w-2:ar-3-4:f-png\n    ^\n"},
		{"a page that isn't there", in, "w-2,pg-2", "a.png", "pg: there is no page 2; the file has 1 page (column 5)", "w-2,pg-2:f-png\n    ^\n"},
		{"an empty chain", in, "", "a.png", "the transformation is empty", "\n^\n"},
		{"f and the extension differ", in, "w-2,f-jpg", "a.png", "the result is jpeg, which is not what the extension says", ""},
		{"the original has another format", in, "orig-true", "a.jpg", "the result is png, which is not what the extension says", ""},
		{"no format is said", in, "w-2", "a.bmp", `the extension ".bmp" is not that of a format; end the name in .avif, `, ""},
		{"a format that is not written", in, "w-2", "a.avif", "f: this server can't write avif; it writes jpeg,png,webp (column 5)", "w-2:f-avif\n    ^\n"},
		{"a limit", in, "w-60000,h-60000", "a.png", "(limit output_pixels) (column 1)", "w-60000,h-60000:f-png\n^\n"},
		{"no picture", text, "w-2", "a.png", "the file is not a picture that can be transformed", ""},
		{"the original of what is no picture", text, "orig-true", "a.png", "the file is not a picture that can be transformed", ""},
		{"no file", filepath.Join(dir, "nowhere.png"), "w-2", "a.png", "nowhere.png: no such file", ""},
		{"no folder", in, "w-2", "nowhere/a.png", "nowhere/a.png: no such file", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := filepath.Join(dir, tt.out)
			stdout, stderr, err := caddymodule.Transform(tt.in, tt.chain, out, false)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if stdout != "" || stderr != tt.place {
				t.Errorf("printed %q and %q, want %q", stdout, stderr, tt.place)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the file is there")
			}
		})
	}
	if _, _, err := caddymodule.Transform(in, "w-2", "", false); err == nil || !strings.Contains(err.Error(), "is empty; - is the standard output") {
		t.Errorf("no name: got %v", err)
	}
}
