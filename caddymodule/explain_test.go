package caddymodule_test

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/caddymodule"
)

// writePNG writes a picture and returns its name.
func writePNG(t *testing.T, dir, name string, width, height int) string {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// sites is a config with endpoints for several hosts. Its guests don't exist: explaining loads none.
const sites = `{"apps": {
	"imageorigin": {
		"account": "acme",
		"engine": {"type": "imaginary"},
		"origins": {"photos": {"source": {"type": "imaginary"}}},
		"endpoints": {
			"default": {"origins": ["photos"], "query": ["v"]},
			"shop": {"origins": ["photos"], "domains": ["*.shop.example.com"], "quality": 60, "formats": ["avif"]},
			"plain": {"origins": ["photos"], "error_status": "native"}
		}
	},
	"http": {"servers": {"srv0": {"routes": [
		{"match": [{"host": ["inline.example.com"]}], "handle": [{"handler": "subroute", "routes": [
			{"handle": [{"handler": "imageorigin", "inline": {"quality": 33}, "inline_origins": [{"name": "inline#1", "source": {"type": "imaginary"}}]}]}
		]}]},
		{"match": [{"host": ["plain.example.com"]}], "handle": [{"handler": "imageorigin", "endpoint": "plain"}]},
		{"match": [{"host": ["two.example.com"]}], "handle": [
			{"handler": "imageorigin", "endpoint": "plain"}, {"handler": "imageorigin", "endpoint": "shop"}
		]},
		{"match": [{"host": ["images.example.com", "*.shop.example.com"]}], "handle": [{"handler": "imageorigin"}]}
	]}}}
}}`

func TestExplainTellsWhatTheHandlerDoes(t *testing.T) {
	dir := t.TempDir()
	picture := writePNG(t, dir, "red.png", 400, 300)
	text := filepath.Join(dir, "text.txt")
	if err := os.WriteFile(text, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, config string
		args         []string
		want         string
	}{
		{
			name: "a size", args: []string{"--size", "4000x3000", "/shoes/tr:h-200,w-300/red.jpg?v=2"}, want: `
endpoint  default
key       shoes/red.jpg
chain     w-300,h-200
query     v=2
source    4000x3000 jpeg
plan      load jpeg shrink=8
          resize 300x225
          crop 300x200 at 0,13
          colour srgb
          save jpeg q=80
result    300x200 jpeg
vary      Accept
`,
		},
		{
			name: "a file", args: []string{"--file", picture, "--accept", "image/webp", "tr:w-200/x.jpg"}, want: `
endpoint  default
key       x.jpg
chain     w-200
source    ` + picture + `: 400x300 png
plan      load png
          resize 200x150
          colour srgb
          save webp q=80
result    200x150 webp
vary      Accept
`,
		},
		{
			name: "nothing to do", args: []string{"--file", picture, "red.png?ik-attachment=true&ik-attachment-filename=mine.png"}, want: `
endpoint  default
key       red.png
download  as mine.png
source    ` + picture + `: 400x300 png
plan      load png
          colour srgb
          save png keep-smaller
result    400x300 png, or the original's bytes where they are not more
vary      Accept
`,
		},
		{
			name: "a trim that nobody sees", args: []string{"--size", "400x300", "tr:t-true,w-200,f-avif/red.jpg"}, want: `
endpoint  default
key       red.jpg
chain     w-200,t-10,f-avif
source    400x300 jpeg
plan      load jpeg
          resize 200x150
          colour srgb
          save avif q=80
result    200x150 avif
supposed  that there is nothing to trim; only the pixels tell, which --file looks at; that the server can write avif; --file asks the engine
`,
		},
		{
			name: "a trim that is seen", args: []string{"--file", picture, "tr:t-true,w-200/red.jpg"}, want: `
endpoint  default
key       red.jpg
chain     w-200,t-10
source    ` + picture + `: 400x300 png
plan      load png
          crop 380x280 at 10,10
          resize 200x147
          colour srgb
          save png
result    200x147 png
vary      Accept
`,
		},
		{
			name: "a still", args: []string{"--size", "100x50", "--format", "tiff", "--pages", "3", "tr:pg-2,w-10/x/ik-thumbnail.jpg"}, want: `
endpoint  default
key       x
still     of page 2
chain     w-10,pg-2
source    100x50 tiff
plan      load tiff page=2
          resize 10x5
          colour srgb
          save jpeg q=80
result    10x5 jpeg
vary      Accept
`,
		},
		{
			name: "the original", args: []string{"--file", picture, "tr:orig-true/red.png"}, want: `
endpoint  default
key       red.png
chain     orig-true
source    ` + picture + `
result    the original's bytes
`,
		},
		{
			name: "a file that is no picture", args: []string{"--file", text, "tr:w-3/x.jpg"}, want: `
endpoint  default
key       x.jpg
chain     w-3
source    ` + text + `
result    the original's bytes; the file is not a picture that can be transformed
`,
		},
		{
			name: "assumptions, with a warning", args: []string{"tr:w-9/logo.svg"}, want: `
endpoint  default
key       logo.svg
chain     w-9
source    3000x2000 svg (assumed; --size or --file say it)
result    the original's bytes, 3000x2000
warning   the original is an SVG and was sent unchanged; add f-png, f-jpg, f-webp or f-avif to transform it as pixels
`,
		},
		{
			name: "an animation", args: []string{"--size", "100x50", "--format", "gif", "--frames", "3", "--alpha", "tr:w-10/x"}, want: `
endpoint  default
key       x
chain     w-10
source    100x50 (3 frames) gif, transparency
plan      load gif frames=3
          resize 10x5
          colour srgb
          save gif
result    10x5 (3 frames) gif
vary      Accept
`,
		},
		{
			name: "hints", args: []string{
				"--size", "640x865", "--header", "Sec-CH-Width: 212", "--header", "sec-ch-dpr:2", "--header", "Accept: image/webp", "tr:w-auto,dpr-auto/a.jpg",
			}, want: `
endpoint  default
key       a.jpg
chain     w-auto,dpr-auto
source    640x865 jpeg
plan      load jpeg
          resize 300x405
          colour srgb
          save webp q=80
result    300x405 webp
vary      Accept, Sec-CH-Width, Sec-CH-DPR
header    Content-DPR: 2.83
`,
		},
		{
			name: "the smallest file, and less data", config: strings.Replace(sites, `"quality": 60, "formats": ["avif"]`, `"formats": ["avif", "webp", "smallest"], "save_data": 40`, 1),
			args: []string{"--size", "100x100", "--accept", "image/avif,image/webp", "--header", "Save-Data: on", "http://eu.shop.example.com/x.jpg"}, want: `
endpoint  shop
key       x.jpg
source    100x100 jpeg
plan      load jpeg
          colour srgb
          save avif q=40 keep-smaller
          or save webp q=40 keep-smaller
          or save jpeg q=40 keep-smaller
result    100x100 avif, webp or jpeg, whichever is smallest, or the original's bytes where they are not more
vary      Accept, Save-Data
supposed  that the server can write avif; --file asks the engine
`,
		},
		{
			name: "an endpoint by its domain", config: sites,
			args: []string{"--size", "100x100", "--accept", "image/avif", "https://eu.shop.example.com:8443/tr:w-10/x.jpg?v=1"}, want: `
endpoint  shop
key       x.jpg
chain     w-10
query     v=1
source    100x100 jpeg
plan      load jpeg shrink=4
          resize 10x10
          colour srgb
          save avif q=60
result    10x10 avif
vary      Accept
supposed  that the server can write avif; --file asks the engine
`,
		},
		{
			name: "an endpoint by its segment, behind the account", config: sites,
			args: []string{"--size", "10x10", "--host", "images.example.com", "/acme/shop/tr:f-jpg/x.jpg"}, want: `
endpoint  shop
key       x.jpg
chain     f-jpg
source    10x10 jpeg
plan      load jpeg
          colour srgb
          save jpeg q=60 keep-smaller
result    10x10 jpeg, or the original's bytes where they are not more
`,
		},
		{
			name: "what origins see of the query", config: sites, args: []string{"--size", "10x10", "/tr:f-png/x.jpg?v=1&w=2"}, want: `
endpoint  default
key       x.jpg
chain     f-png
query     v=1&w=2 (origins see v=1)
source    10x10 jpeg
plan      load jpeg
          colour srgb
          save png
result    10x10 png
`,
		},
		{
			name: "an inline endpoint", config: sites, args: []string{"--size", "10x10", "http://inline.example.com/shop/tr:f-jpg/x.png"}, want: `
endpoint  inline
key       shop/x.png
chain     f-jpg
source    10x10 png
plan      load png
          colour srgb
          save jpeg q=33
result    10x10 jpeg
`,
		},
		{
			name: "an endpoint by name", config: sites, args: []string{"--size", "10x10", "--endpoint", "plain", "/shop/tr:f-jpg/x.png"}, want: `
endpoint  plain
key       shop/x.png
chain     f-jpg
source    10x10 png
plan      load png
          colour srgb
          save jpeg q=80
result    10x10 jpeg
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Explain(tt.config, tt.args...)
			if want := strings.TrimPrefix(tt.want, "\n"); err != nil || withoutName(out) != want {
				t.Errorf("got %v\n%s\nwant\n%s", err, out, want)
			}
		})
	}
}

func TestExplainTellsTheErrorOfTheVisitor(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.txt")
	broken := filepath.Join(dir, "broken.png")
	for name, content := range map[string]string{text: "hello", broken: "\x89PNG\r\n\x1a\nrubbish"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, config string
		args         []string
		want         string // the end of what is printed
	}{
		{"of the grammar", "", []string{"/tr:w-300,hh-20/a.jpg"}, `
endpoint  default
status    400 Bad Request
ik-error  EINVAL - hh: unknown parameter; did you mean h? (column 7)
          w-300,hh-20
                ^
`},
		{"in an encoded path", "", []string{"/tr%3Aw-300%2C%C3%A4-20/a.jpg"}, `
ik-error  EINVAL - the character U+00E4 has no meaning here (column 7)
          w-300,?-20
                ^
`},
		{"in the query, behind a right path", "", []string{"/tr:w-300/a.jpg?tr=w-10%2Ch"}, `
          w-10,h
                ^
`},
		{"in the query, where the path is alike", "", []string{"/tr:h-1,w-5/a.jpg?tr=w-1,w-2"}, `
          w-1,w-2
              ^
`},
		{"of the meaning, in the path", "", []string{"--size", "10x10", "/tr:ar-3-4/a.jpg?tr=w-10"}, `
source    10x10 jpeg
status    400 Bad Request
ik-error  EINVAL - ar: needs w or h beside it (column 1)
          ar-3-4
          ^
`},
		{"of the meaning, in the query", "", []string{"--size", "10x10", "/tr:w-300/a.jpg?tr=w-10:ar-3-4"}, `
          w-10:ar-3-4
               ^
`},
		{"of the meaning, in the query, where the path is alike", "", []string{"--size", "10x10", "/tr:w-5/a.jpg?tr=w-9,h-1,cm-extract"}, `
ik-error  EINVAL - w: the window is 9 pixels wide, the picture only 5; use cm-pad_extract, or ask for less (column 1)
          w-9,h-1,cm-extract
          ^
`},
		{"of the meaning, in the path, where the query is alike", "", []string{"--size", "10x10", "/tr:w-5:w-9,h-1,cm-extract/a.jpg?tr=h-2:w-3"}, `
          w-5:w-9,h-1,cm-extract
              ^
`},
		{"far in a long chain", "", []string{"/tr:" + strings.Repeat("w-300:", 40) + "hh-1/a.jpg"}, `
          ...0` + strings.Repeat(":w-300", 8) + `:hh-1
` + strings.Repeat(" ", 10+3+50) + `^
`},
		{"a limit", "", []string{"--size", "10x10", "/tr:w-60000,h-60000/a.jpg"}, `
status    400 Bad Request
ik-error  ELIMIT - w: the result would have 3,600,000,000 pixels (60,000 x 60,000); at most 50,000,000 are allowed (limit output_pixels) (column 1)
          w-60000,h-60000
          ^
`},
		{"a limit, in native statuses", sites, []string{"--size", "10x10", "http://plain.example.com/tr:w-60000,h-60000/a.jpg"}, `
endpoint  plain
key       a.jpg
chain     w-60000,h-60000
source    10x10 jpeg
status    422 Unprocessable Entity
ik-error  ELIMIT - w: the result would have 3,600,000,000 pixels (60,000 x 60,000); at most 50,000,000 are allowed (limit output_pixels) (column 1)
          w-60000,h-60000
          ^
`},
		{"of the path", "", []string{"/tr:w-1/a/%2e%2e/b.jpg"}, `
status    400 Bad Request
ik-error  EINVAL - path: must not contain "." or ".." segments
`},
		{"a trim that nobody sees", "", []string{"--size", "10x10", "/tr:t-true,w-600,h-600,cm-extract/a.jpg"}, `
source    10x10 jpeg
supposed  that there is nothing to trim; only the pixels tell, which --file looks at
status    400 Bad Request
ik-error  EINVAL - w: the window is 600 pixels wide, the picture only 10; use cm-pad_extract, or ask for less (column 8)
          t-true,w-600,h-600,cm-extract
                 ^
`},
		{"a page that isn't there", "", []string{"--size", "100x50", "--format", "gif", "--frames", "3", "/tr:pg-4/a.gif/ik-thumbnail.jpg"}, `
source    100x50 (3 frames) gif
status    400 Bad Request
ik-error  EINVAL - pg: there is no page 4; the file has 3 frames (column 1)
          pg-4
          ^
`},
		{"a page of a PDF that isn't there", "", []string{"--pages", "6", "/tr:pg-7/a.pdf/ik-thumbnail.jpg"}, `
source    3000x2000 pdf (assumed; --size or --file say it)
supposed  that the engine's inputs have pdf; --file asks the engine
status    400 Bad Request
ik-error  EINVAL - pg: there is no page 7; the file has 6 pages (column 1)
          pg-7
          ^
`},
		{"a transformation of a PDF, where that is told", sites, []string{"--endpoint", "plain", "--size", "595x842", "/tr:w-1/b.pdf"}, `
source    595x842 pdf
status    415 Unsupported Media Type
ik-error  EINVAL - the file is not a picture that can be transformed
cause     the file is not a picture that can be transformed
`},
		{"a still of what is no picture", "", []string{"--file", text, "/a.txt/ik-thumbnail.jpg"}, `
source    ` + text + `
status    400 Bad Request
ik-error  EINVAL - no still picture can be made of this kind of file; /ik-thumbnail.jpg is for pictures, animations, TIFF, and PDF where the engine's inputs have it; video is not read in this version
`},
		{"a damaged picture", "", []string{"--file", broken, "/tr:w-1/b.jpg"}, `
source    ` + broken + `
status    404 Not Found
ik-error  EDECODE - the picture's data is damaged
cause     probe: unexpected EOF
`},
		{"no picture, where that is told", strings.Replace(sites, "imaginary", "vips", 1), []string{"--endpoint", "plain", "--file", text, "/tr:w-1/b.jpg"}, `
source    ` + text + `
status    415 Unsupported Media Type
ik-error  EINVAL - the file is not a picture that can be transformed
cause     the file is not a picture that can be transformed
`},
		{"no endpoint", strings.Replace(sites, `"default"`, `"other"`, 1), []string{"--host", "images.example.com", "/a.jpg"}, `
status    404 Not Found
ik-error  ENOENT - no endpoint is meant by this URL
cause     no endpoint is meant by this URL, and there is no default endpoint
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Explain(tt.config, tt.args...)
			if err == nil || err.Error() != "the visitor gets an error" {
				t.Errorf("got error %v", err)
			}
			if !strings.HasSuffix("\n"+out, tt.want) {
				t.Errorf("got\n%s\nwant at the end\n%s", out, tt.want)
			}
		})
	}
}

func TestExplainRefusesWhatItCannotExplain(t *testing.T) {
	const empty = `{"apps": {"http": {}}}`
	for _, tt := range []struct {
		name, config string
		args         []string
		want         string
	}{
		{"no URL", "", []string{"http://exa mple/"}, "reading the URL: "},
		{"a header without a value", "", []string{"--header", "Sec-CH-Width", "x"}, `--header: "Sec-CH-Width" is not a header`},
		{"a header without a name", "", []string{"--header", ": 300", "x"}, `--header: ": 300" is not a header`},
		{"a size that is none", "", []string{"--size", "10", "x"}, `--size: "10" is not a size`},
		{"a size of nothing", "", []string{"--size", "0x5", "x"}, `--size: "0x5" is not a size`},
		{"a format that is none", "", []string{"--format", "bmp", "x"}, `--format: unknown format "bmp"`},
		{"no frames", "", []string{"--frames", "0", "x"}, "--frames: a picture has 1 or more"},
		{"a file that is not there", "", []string{"--file", "nowhere.jpg", "x"}, "--file: open nowhere.jpg: "},
		{"a file and a size", "", []string{"--file", "x.jpg", "--size", "1x1", "x"}, "file size"},
		{"an engine that the binary lacks", sites, []string{"--file", "explain_test.go", "x"}, `unknown engine "imaginary"; expected vips`},
		{"a config without endpoints", empty, []string{"x"}, "the config has no endpoint of imageorigin"},
		{"a host that nobody serves", sites, []string{"http://example.org/x"}, "no handler of imageorigin answers on the host example.org"},
		{"a host with two endpoints", sites, []string{"http://two.example.com/x"}, "handlers for several endpoints, such as plain and shop"},
		{"an unknown endpoint", sites, []string{"--endpoint", "shops", "x"}, `endpoint "shops" is not declared in apps.imageorigin.endpoints; declared: default, plain, shop`},
		{"a config that would not load", `{"apps": {"imageorigin": {"library": "x"}}}`, []string{"x"}, `library: origin "x" is not declared`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := caddymodule.Explain(tt.config, tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s\n%s", err, tt.want, out)
			}
		})
	}
}
