package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/transform/plan"
	"github.com/imageorigin/imageorigin/transform/syntax"
)

// failing is an origin whose bodies break after so many bytes.
func failing(name string, content []byte, after int) origins.Origin {
	return origins.Named(origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
		broken := io.MultiReader(bytes.NewReader(content[:after]), iotest.ErrReader(&origins.Error{Kind: origins.Unreachable, Err: errors.New("reset")}))
		return &origins.Object{Body: io.NopCloser(broken), Attributes: origins.Attributes{Size: int64(len(content))}}, nil
	}), name, "")
}

func TestOriginThatBreaksOffHidesNoneThatHasTheFile(t *testing.T) {
	text := bytes.Repeat([]byte("text "), 4000)
	for _, tt := range []struct {
		name    string
		content []byte
		chain   string
		after   int
		fails   bool
	}{
		{"in the head of a picture", jpeg, "w-10", 100, false},
		{"behind the head of a picture", jpeg, "w-10", 5000, false},
		{"in the head of another file", text, "", 100, false},
		{"behind the head of another file, which is under way", text, "", 5000, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good := origins.Named(&shelf{files: map[string][]byte{"a": tt.content}}, "good", "")
			o := origins.Fallback([]origins.Origin{failing("first", tt.content, tt.after), failing("second", tt.content, tt.after), good})
			var chain syntax.Chain
			if tt.chain != "" {
				var err error
				if chain, err = syntax.Parse(tt.chain); err != nil {
					t.Fatal(err)
				}
			}
			r := &Render{Engine: &painter{facts: plan.Source{Format: plan.JPEG, Width: 100, Height: 100}}}
			resp, err := r.Deliver(t.Context(), &Request{Endpoint: &Endpoint{Origin: o}, Key: "a", Chain: chain})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Close()
			_, err = io.ReadAll(resp.Content)
			if (err != nil) != tt.fails {
				t.Errorf("reading: %v", err)
			}
			if !tt.fails && (resp.Origin.Origin != "good" || !resp.Origin.Degraded) {
				t.Errorf("got the file of %q, degraded %v", resp.Origin.Origin, resp.Origin.Degraded)
			}
		})
	}
}

func TestFailureOfTheLastOriginIsToldAsItIs(t *testing.T) {
	asked := 0
	o := origins.Named(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		asked++
		return failing("", jpeg, 100).Open(ctx, req)
	}), "only", "")
	_, err := (&Render{Engine: &painter{}}).Deliver(t.Context(), &Request{Endpoint: &Endpoint{Origin: origins.Fallback([]origins.Origin{o})}, Key: "a"})
	if origins.KindOf(err) != origins.Unreachable || asked != 1 {
		t.Errorf("got %v after %d questions, want unreachable after one", err, asked)
	}
}

// alternating is an origin whose file is another one with each answer, and that names no version.
type alternating struct{ answers int }

func (a *alternating) Open(_ context.Context, req origins.Request) (*origins.Object, error) {
	content := bytes.Repeat([]byte{'a' + byte(a.answers%2)}, 200_000)
	a.answers++
	obj := &origins.Object{Attributes: origins.Attributes{Origin: "alternating", Size: int64(len(content))}}
	if req.Range != nil {
		part, err := req.Range.Within(obj.Size)
		if err != nil {
			return nil, err
		}
		obj.Range, content = &part, content[part.Start:part.Start+part.Length]
	}
	obj.Body = io.NopCloser(bytes.NewReader(content))
	return obj, nil
}

func TestPartsOfTwoVersionsAreNeverPutTogether(t *testing.T) {
	for _, tt := range []struct {
		name  string
		part  *origins.Range
		reads []int64 // where the client reads 5,000 bytes, one after the other
		fails bool
	}{
		{"from the head on", &origins.Range{Start: 100, Length: 99_900}, []int64{100, 5100}, false},
		{"behind the head", &origins.Range{Start: 5000, Length: 50_000}, []int64{5000, 10_000}, false},
		{"the whole", nil, []int64{0, 5000, 150_000}, false},
		{"the whole, and back", nil, []int64{100_000, 0}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Render{Engine: &painter{}}
			resp, err := r.Deliver(t.Context(), &Request{Endpoint: &Endpoint{Origin: &alternating{}}, Key: "a", Range: tt.part})
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Close()
			var got []byte
			for _, at := range tt.reads {
				if _, err := resp.Content.Seek(at, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				piece := make([]byte, 5000)
				if _, err = io.ReadFull(resp.Content, piece); err != nil {
					if !tt.fails {
						t.Errorf("reading at %d: %v", at, err)
					}
					return
				}
				got = append(got, piece...)
			}
			if slices.Contains(got, 'a') && slices.Contains(got, 'b') {
				t.Error("got bytes of two versions")
			}
			if tt.fails {
				t.Error("reading backwards worked")
			}
		})
	}
}
