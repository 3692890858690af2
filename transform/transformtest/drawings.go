package transformtest

import (
	"fmt"
	"image/color"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// drawings checks that an SVG reaches neither files nor the network, and that one with a long beginning is read.
func (s suite) drawings(t *testing.T) {
	s.need(t, plan.SVG)
	secret := filepath.Join(t.TempDir(), "secret.png")
	if err := os.WriteFile(secret, PNG(Uniform(40, 40, Red)), 0o600); err != nil {
		t.Fatal(err)
	}
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		_, _ = w.Write(PNG(Uniform(40, 40, Red)))
	}))
	defer server.Close()

	const open = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude" width="40" height="40">`
	p := still(plan.SVG, 40, 40, plan.Resize{Width: 40, Height: 40}, plan.Colour{})
	for _, tt := range []struct{ name, text string }{
		{"file as image", open + `<image href="file://` + secret + `" width="40" height="40"/></svg>`},
		{"path as image", open + `<image xlink:href="` + secret + `" width="40" height="40"/></svg>`},
		{"server as image", open + `<image href="` + server.URL + `/a.png" width="40" height="40"/></svg>`},
		{"server as style sheet", `<?xml-stylesheet href="` + server.URL + `/a.css"?>` + open + `<style>@import url("` + server.URL + `/b.css");</style></svg>`},
		{"file as image of a filter", open + `<filter id="f"><feImage xlink:href="file://` + secret + `"/></filter><rect width="40" height="40" filter="url(#f)" fill="none"/></svg>`},
		{"file by a way up and down", open + `<image href="/proc/self/cwd/../../../../../../../..` + secret + `" width="40" height="40"/></svg>`},
		{"file by an address that is read in two ways (CVE-2023-38633)", open + `<xi:include href=".?../../../../../../../../../..` + secret + `" parse="text"/><image href=".?../../../../../../../../../..` + secret + `" width="40" height="40"/></svg>`},
		{"file as paint", open + `<style>rect{fill:url("file://` + secret + `")}</style><rect width="40" height="40"/></svg>`},
		{"file as use", open + `<use xlink:href="file://` + secret + `#a"/></svg>`},
		{"server as font", open + `<style>@font-face{font-family:a;src:url("` + server.URL + `/a.woff")}</style><text y="20" font-family="a">a</text></svg>`},
		{"file by xinclude", open + `<xi:include href="file://` + secret + `" parse="text"/></svg>`},
		{"file as entity", `<!DOCTYPE svg [<!ENTITY x SYSTEM "file://` + secret + `">]>` + open + `<text>&x;</text></svg>`},
		{"server as entity", `<!DOCTYPE svg [<!ENTITY % x SYSTEM "` + server.URL + `/x.dtd"> %x;]>` + open + `</svg>`},
		{"server as document type", `<!DOCTYPE svg SYSTEM "` + server.URL + `/x.dtd">` + open + `</svg>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: []byte(tt.text)}}, p)
			if err != nil {
				s.wantKind(t, "render", err, transform.Broken) // to refuse it is as good
			} else if holds(s.pixels(t, img), Red, 30) {
				t.Error("what it refers to was drawn")
			}
			if hits.Load() > 0 {
				t.Error("the server was asked")
			}
		})
	}
	for _, tt := range []struct{ name, before string }{
		{"a long comment first", "<!--" + strings.Repeat("made by a program ", 100) + "-->"},
		{"a declaration, then a long comment", `<?xml version="1.0" encoding="utf-8"?><!--` + strings.Repeat("made by a program ", 100) + "-->"},
		{"entities as Illustrator writes them", `<!DOCTYPE svg [` + entities(60) + `]>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.before + open + `<rect width="40" height="40" fill="#1eaa3c"/></svg>`
			if got, err := s.engine.Probe(t.Context(), transform.Original{Bytes: []byte(text)}); err != nil || got.Width != 40 {
				t.Fatalf("got %+v, %v", got, err)
			}
			wantColor(t, s.pixels(t, s.render(t, []byte(text), p)), 20, 20, color.NRGBA(Green), 1)
		})
	}
	t.Run("entities that grow without end", func(t *testing.T) {
		var b strings.Builder
		b.WriteString(`<!DOCTYPE svg [<!ENTITY a0 "aaaaaaaaaa">`)
		for i := range 12 {
			fmt.Fprintf(&b, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
		}
		b.WriteString("]>" + open + "<text>&a12;</text></svg>")
		_, err := s.engine.Render(t.Context(), transform.Inputs{Base: transform.Original{Bytes: []byte(b.String())}}, p)
		s.wantKind(t, "render", err, transform.Broken)
	})
}

func entities(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<!ENTITY ns_%d "http://ns.example.com/Something/%d.0/">`, i, i)
	}
	return b.String()
}
