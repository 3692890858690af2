package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// archivist is an engine that reads what it is told, and knows the pages of a PDF.
type archivist struct {
	brush
	reads  plan.Set
	err    error // of each Probe
	probes int
}

func (a *archivist) Readable() plan.Set { return a.reads }

func (a *archivist) Probe(_ context.Context, o transform.Original) (plan.Source, error) {
	a.probes++
	s := plan.Source{Format: transform.Sniff(o.Bytes), Width: 400, Height: 300, Orientation: 1, Frames: 1, Pages: 3}
	if o.Page < s.Pages {
		s.Page = o.Page
	}
	return s, a.err
}

func (a *archivist) Render(_ context.Context, in transform.Inputs, p plan.Plan) (*transform.Image, error) {
	a.renders++
	text := fmt.Sprintf("page %d of %s %dx%d", p.Load.Page+1, in.Base.Bytes, p.Width, p.Height)
	return &transform.Image{Bytes: []byte(text), Format: p.Output.Format, Width: p.Width, Height: p.Height, Frames: 1}, nil
}

// everything is what an archivist can read.
const everything = plan.AllFormats

// document is how a PDF begins, and all there is of it here.
const document = "%PDF-1.7 one"

// drawing is an SVG.
const drawing = "<svg xmlns='x'/>"

func TestADocumentIsAPictureByItsStillsAlone(t *testing.T) {
	for _, tt := range []struct {
		name, file, chain, always string
		reads                     plan.Set
		still                     bool
		want                      string // "" is ErrNoStill
		image, unsupported        bool
	}{
		{name: "as it is", file: document, reads: everything, want: document},
		{name: "with a transformation", file: document, chain: "w-200", reads: everything, want: document, unsupported: true},
		{name: "with a format", file: document, chain: "f-png", reads: everything, want: document, unsupported: true},
		{name: "with a page and no still", file: document, chain: "pg-2", reads: everything, want: document, unsupported: true},
		{name: "where every picture is changed", file: document, always: "bl-9", reads: everything, want: document},
		{name: "a still", file: document, reads: everything, still: true, want: "page 1 of " + document + " 400x300", image: true},
		{name: "a still of a page", file: document, chain: "pg-3,w-200", reads: everything, still: true, want: "page 3 of " + document + " 200x150", image: true},
		{name: "a still where every picture is changed", file: document, always: "w-40", reads: everything, still: true, want: "page 1 of " + document + " 40x30", image: true},
		{name: "a still that is to be the original", file: document, chain: "orig-true,pg-2", reads: everything, still: true, want: document},
		{name: "a still where no PDF is read", file: document, reads: plan.SetOf(plan.JPEG), still: true},
		{name: "the original of that", file: document, chain: "orig-true", reads: plan.SetOf(plan.JPEG), still: true, want: document},
		{name: "a drawing where none is read", file: drawing, chain: "f-png", reads: plan.SetOf(plan.JPEG), want: drawing, unsupported: true},
		{name: "the original of that drawing", file: drawing, chain: "orig-true", reads: plan.SetOf(plan.JPEG), want: drawing},
		{name: "a still of that drawing", file: drawing, reads: plan.SetOf(plan.JPEG), still: true},
		{name: "a drawing", file: drawing, chain: "f-jpg", reads: everything, want: "page 1 of " + drawing + " 400x300", image: true},
		{name: "the original of a drawing", file: drawing, chain: "orig-true", reads: everything, want: drawing, image: true},
	} {
		for _, remembers := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, remembering %v", tt.name, remembers), func(t *testing.T) {
				inKiosk(t, map[string]string{"a.txt": tt.file}, func(k *kiosk) {
					engine := &archivist{reads: tt.reads}
					req := k.request("a.txt", tt.chain)
					k.e.Always, req.Still = chain(t, tt.always).At(-1), tt.still
					var stage Deliverer = &Render{Engine: engine}
					if remembers {
						stage = NewCache(engine, k.memory)
					}
					for range 3 {
						resp, err := stage.Deliver(k.t.Context(), req)
						if tt.want == "" {
							if !errors.Is(err, ErrNoStill) {
								t.Fatalf("got %v, want %v", err, ErrNoStill)
							}
							continue
						}
						if err != nil {
							t.Fatal(err)
						}
						if resp.Image != tt.image || resp.Unsupported != tt.unsupported || !tt.image && (resp.ContentType != "text/plain" || resp.Format != plan.Unknown) {
							t.Errorf("image %v, unsupported %v, type %q, format %v", resp.Image, resp.Unsupported, resp.ContentType, resp.Format)
						}
						if got := body(t, resp); got != tt.want {
							t.Errorf("got %q, want %q", got, tt.want)
						}
						synctest.Wait()
					}
					if !tt.image && engine.probes > 0 {
						t.Errorf("the engine was shown the file %d times", engine.probes)
					}
				})
			})
		}
	}
}

// library is a kiosk with an archivist.
func library(k *kiosk, reads plan.Set) (*archivist, func(still bool, text, want string)) {
	engine := &archivist{reads: reads}
	k.cache = NewCache(engine, k.memory)
	return engine, func(still bool, text, want string) {
		k.t.Helper()
		req := k.request("a.txt", text)
		req.Still = still
		if got := k.tell(k.cache.Deliver(k.t.Context(), req)); got != want {
			k.t.Errorf("%q, still %v: got %q, want %q", text, still, got, want)
		}
		synctest.Wait()
	}
}

func TestADocumentAndItsStillsAreKeptSideBySide(t *testing.T) {
	for _, validators := range []bool{true, false} {
		inKiosk(t, map[string]string{"a.txt": document}, func(k *kiosk) {
			k.origin.plain = !validators
			files, originals := new(shelves), new(shelves)
			k.e.Keeping.Files, k.e.Keeping.Originals = files, originals
			engine, ask := library(k, everything)
			ask(false, "", document+": uri-miss")
			first := "miss"
			if !validators {
				first = "uri-miss" // nothing names the document, so nothing is known of it
			}
			ask(true, "pg-2", "page 2 of "+document+" 400x300: "+first)
			ask(true, "pg-2", "page 2 of "+document+" 400x300: hit")
			ask(true, "pg-3", "page 3 of "+document+" 400x300: miss")
			ask(false, "", document+": bypass")
			if validators {
				ask(false, "w-3", document+": hit")
				k.did("4 fetched, 0 confirmed, 0 refused", 0) // one to be kept as a file
				if got := files.variants(); !slices.Equal(got, []string{"file"}) {
					t.Errorf("kept as files: %q", got)
				}
				time.Sleep(2 * time.Hour)
				ask(false, "", document+": stale")
				ask(true, "pg-2", "page 2 of "+document+" 400x300: hit")
				k.did("0 fetched, 1 confirmed, 0 refused", 0)
			}
			if got := originals.variants(); !slices.Equal(got, []string{"original"}) {
				t.Errorf("kept as originals: %q", got)
			}
			if engine.renders != 2 {
				t.Errorf("%d renders, want 2", engine.renders)
			}
			k.clean()
		})
	}
}

func TestABrokenStillIsNoFaultOfTheDocument(t *testing.T) {
	for _, documentFirst := range []bool{false, true} {
		inKiosk(t, map[string]string{"a.txt": document}, func(k *kiosk) {
			engine, ask := library(k, everything)
			engine.err = &transform.Error{Kind: transform.Broken, Op: "reading the header", Err: errors.New("damaged")}
			how := "uri-miss"
			if documentFirst {
				ask(false, "", document+": uri-miss")
				how = "bypass"
			}
			for range 5 {
				ask(true, "", "error: reading the header: damaged")
			}
			if engine.probes != 1 {
				t.Errorf("the engine was shown it %d times, want once", engine.probes)
			}
			ask(false, "", document+": "+how)
			time.Sleep(time.Minute)
			ask(true, "", "error: reading the header: damaged")
			if engine.probes != 2 {
				t.Errorf("the engine was shown it %d times a minute later, want twice", engine.probes)
			}
			k.clean()
		})
	}
}

func TestWhatIsRememberedHoldsForEnginesThatReadSomethingElse(t *testing.T) {
	for _, plain := range []bool{false, true} {
		inKiosk(t, map[string]string{"a.txt": drawing}, func(k *kiosk) {
			k.origin.plain = plain
			const seen = "page 1 of " + drawing + " 400x300: "
			_, ask := library(k, everything)
			ask(false, "f-jpg", seen+"uri-miss")
			_, ask = library(k, plan.SetOf(plan.JPEG)) // a reload without svg
			ask(false, "f-jpg", drawing+": bypass")
			ask(true, "", "error: "+ErrNoStill.Error())
			_, ask = library(k, everything)
			ask(false, "f-jpg", seen+"hit")
			k.restart()
			_, ask = library(k, plan.SetOf(plan.JPEG))
			ask(false, "f-jpg", drawing+": bypass")
			k.clean()
		})
		inKiosk(t, map[string]string{"a.txt": drawing}, func(k *kiosk) {
			k.origin.plain = plain
			_, ask := library(k, plan.SetOf(plan.JPEG))
			ask(false, "f-jpg", drawing+": uri-miss")
			engine, ask := library(k, everything) // a reload with svg
			how := "miss"
			if plain {
				how = "uri-miss"
			}
			ask(false, "f-jpg", "page 1 of "+drawing+" 400x300: "+how)
			ask(false, "f-jpg", "page 1 of "+drawing+" 400x300: hit")
			k.did("2 fetched, 0 confirmed, 0 refused", 0)
			if engine.probes != 1 {
				t.Errorf("the engine was shown it %d times, want once", engine.probes)
			}
			k.clean()
		})
	}
}
