package delivery

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

func TestTrimsAreLookedAtOneAfterTheOther(t *testing.T) {
	s := &shelf{files: map[string][]byte{"a": jpeg}, etag: `"1"`}
	e := still()
	e.found = []plan.Window{{X: 10, Y: 20, Width: 400, Height: 300}, {X: 5, Width: 90, Height: 75}}
	resp, err := deliver(t, s, e, func(r *Request) { r.Chain = chain(t, "t-true,w-100:if-ar_gt_1,t-7,if-end") })
	if err != nil {
		t.Fatal(err)
	}
	got := body(t, resp)
	for _, line := range []string{"crop 400x300 at 10,20\n", "resize 100x75\n", "crop 90x75 at 5,0\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("the plan is %q, want %q in it", got, line)
		}
	}
	if len(e.looks) != 2 || e.looks[0].Threshold != 10 || e.looks[1].Threshold != 7 || resp.Width != 90 || resp.Height != 75 {
		t.Errorf("it looked at %v for a result of %dx%d", e.looks, resp.Width, resp.Height)
	}
	if len(s.opened) != 1 {
		t.Errorf("the origin was asked %d times, want once", len(s.opened))
	}
}

func TestNothingIsLookedAtWithoutATrim(t *testing.T) {
	for _, text := range []string{"w-400", "t-false,w-400", "orig-true,t-true", "if-w_gt_9000,t-true,if-else,w-300,if-end"} {
		e := still()
		resp, err := deliver(t, &shelf{files: map[string][]byte{"a": jpeg}}, e, func(r *Request) { r.Chain = chain(t, text) })
		if err != nil {
			t.Fatal(err)
		}
		resp.Close()
		if len(e.looks) > 0 {
			t.Errorf("%s: it looked at %v", text, e.looks)
		}
	}
}

// blindPainter fails to look.
type blindPainter struct{ *painter }

func (blindPainter) Look(context.Context, transform.Inputs, plan.Look) (plan.Window, error) {
	return plan.Window{}, &transform.Error{Kind: transform.Broken, Op: "looking"}
}

func TestALookThatFailsIsTheAnswer(t *testing.T) {
	_, err := deliver(t, &shelf{files: map[string][]byte{"a": jpeg}}, blindPainter{still()}, func(r *Request) { r.Chain = chain(t, "t-true") })
	if transform.KindOf(err) != transform.Broken {
		t.Errorf("got %v, want the broken picture", err)
	}
}

func TestStillsAreOfThePageAskedFor(t *testing.T) {
	animation := &painter{facts: plan.Source{Format: plan.GIF, Width: 80, Height: 60, Orientation: 1, Frames: 5, Pages: 5}}
	for _, tt := range []struct {
		name, chain, want string
		still             bool
		page              int
		refused           string
	}{
		{name: "the first", still: true, want: "load gif\ncolour srgb\nsave jpeg q=80\nvary accept\n"},
		{name: "the third", still: true, chain: "pg-3,w-40", page: 2, want: "load gif page=3\nresize 40x30\ncolour srgb\nsave jpeg q=80\nvary accept\n"},
		{name: "beyond the last", still: true, chain: "w-40,pg-6", page: 5, refused: "pg: there is no page 6; the file has 5 frames (column 6)"},
		{name: "of a request for no still", chain: "pg-3", refused: "pg: needs /ik-thumbnail.jpg behind the path of the file, which asks for the still picture of a page (column 1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			animation.pages = nil
			s := &shelf{files: map[string][]byte{"a": []byte("GIF89a" + strings.Repeat("x", 6000))}}
			resp, err := deliver(t, s, animation, func(r *Request) { r.Chain, r.Still = chain(t, tt.chain), tt.still })
			if !slices.Equal(animation.pages, []int{tt.page}) {
				t.Errorf("the engine was asked about pages %v, want %d", animation.pages, tt.page)
			}
			if tt.refused != "" {
				if wrong, ok := errors.AsType[*syntax.Error](err); !ok || wrong.Error() != tt.refused {
					t.Errorf("got %v, want %s", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := body(t, resp); got != tt.want || resp.ContentType != "image/jpeg" {
				t.Errorf("got %s %q, want %q", resp.ContentType, got, tt.want)
			}
		})
	}
}

// film is how a video begins.
const film = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"

func TestNoStillIsMadeOfOtherFiles(t *testing.T) {
	for _, tt := range []struct{ name, file, chain string }{
		{"a film", film, ""}, {"a film with a transformation", film, "pg-2,w-300"}, {"text", "hello", "w-3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			closed := 0
			o := origins.OriginFunc(func(_ context.Context, req origins.Request) (*origins.Object, error) {
				r := strings.NewReader(tt.file + strings.Repeat("x", 100_000))
				return &origins.Object{Body: closer{r, &closed}, Attributes: origins.Attributes{Origin: "o", Size: r.Size()}}, nil
			})
			_, err := deliver(t, o, still(), func(r *Request) { r.Chain, r.Still = chain(t, tt.chain), true })
			if !errors.Is(err, ErrNoStill) {
				t.Errorf("got %v, want %v", err, ErrNoStill)
			}
			if closed != 1 {
				t.Errorf("the original was closed %d times", closed)
			}
		})
	}
	resp, err := deliver(t, &shelf{files: map[string][]byte{"a": []byte(film)}}, still(), func(r *Request) { r.Chain, r.Still = chain(t, "orig-true"), true })
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, resp); got != film {
		t.Errorf("orig-true sent %q, want the film as it is", got)
	}
}

type closer struct {
	io.Reader
	times *int
}

func (c closer) Close() error {
	*c.times++
	return nil
}
