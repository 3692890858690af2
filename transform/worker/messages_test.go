package worker

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

var asked = map[task]*request{
	probe:  {Task: probe, ID: 5},
	look:   {Task: look, ID: 5, look: plan.Look{Width: 10, Height: 20}},
	render: {Task: render, ID: 5, Size: 100, plan: still()},
	tidy:   {Task: tidy, ID: 5},
}

func TestAnswersThatCanNotBeAreRefused(t *testing.T) {
	fine := picture{plan.PNG, 30, 20, 1, area, 99}
	header := plan.Source{Format: plan.PNG, Width: 3, Height: 4, Orientation: 1, Frames: 1, Pages: 1}
	changed := func(change func(*picture)) *answer {
		p := fine
		change(&p)
		return &answer{Status: done, ID: 5, image: p}
	}
	told := func(change func(*plan.Source)) *answer {
		s := header
		change(&s)
		return &answer{Status: done, ID: 5, source: s}
	}
	for _, tt := range []struct {
		name string
		task task
		a    *answer
		fine bool
	}{
		{"a result", render, changed(func(*picture) {}), true},
		{"a large result", render, changed(func(p *picture) { p.Place, p.Size = sent, outArea+1 }), true},
		{"a header", probe, told(func(*plan.Source) {}), true},
		{"a window", look, &answer{Status: done, ID: 5, window: plan.Window{X: 9, Y: 0, Width: 1, Height: 20}}, true},
		{"memory given back", tidy, &answer{Status: done, ID: 5}, true},
		{"of another job", render, &answer{Status: done, ID: 4, image: fine}, false},
		{"of another format", render, changed(func(p *picture) { p.Format = plan.AVIF }), false},
		{"wider than planned", render, changed(func(p *picture) { p.Width++ }), false},
		{"of no frames", render, changed(func(p *picture) { p.Frames = 0 }), false},
		{"of more frames than planned", render, changed(func(p *picture) { p.Frames = 2 }), false},
		{"beyond the area", render, changed(func(p *picture) { p.Size = outArea + 1 }), false},
		{"of nothing", render, changed(func(p *picture) { p.Size = 0 }), false},
		{"of a negative length", render, changed(func(p *picture) { p.Size = -1 }), false},
		{"nowhere", render, changed(func(p *picture) { p.Place = nowhere }), false},
		{"needing all memory", render, &answer{Status: needsRoom, ID: 5, size: math.MaxInt64}, false},
		{"needing more than pixels lead to", render, &answer{Status: needsRoom, ID: 5, size: 17 << 20}, false},
		{"needing room without a result", look, &answer{Status: needsRoom, ID: 5, size: 9 << 20}, false},
		{"a negative width", probe, told(func(s *plan.Source) { s.Width = -1 }), false},
		{"a width that overflows", probe, told(func(s *plan.Source) { s.Width = math.MaxInt }), false},
		{"an orientation", probe, told(func(s *plan.Source) { s.Orientation = 9 }), false},
		{"no density", probe, told(func(s *plan.Source) { s.Density = math.NaN() }), false},
		{"too much density", probe, told(func(s *plan.Source) { s.Density = math.Inf(1) }), false},
		{"a window outside", look, &answer{Status: done, ID: 5, window: plan.Window{X: 1, Width: 10, Height: 20}}, false},
		{"a window that overflows", look, &answer{Status: done, ID: 5, window: plan.Window{X: math.MaxInt, Width: 10, Height: 20}}, false},
		{"a window of nothing", look, &answer{Status: done, ID: 5}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.a.encode(nil, tt.task)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decodeAnswer(b, asked[tt.task]); (err == nil) != tt.fine {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestWhatWorkersSayIsOneShortPrintableLine(t *testing.T) {
	b, err := failure{transform.Broken, "decoding\x00", "a\r\nSet-Cookie: x=1\x1b[2J\xff" + strings.Repeat("ü", 5000)}.of(asked[render]).encode(nil, render)
	if err != nil {
		t.Fatal(err)
	}
	a, err := decodeAnswer(b, asked[render])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{a.failure.Op, a.failure.Text} {
		if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) || len(text) > 1100 {
			t.Errorf("it is %d bytes: %q", len(text), text)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, a := range []*answer{
		{Status: done, ID: 5, source: plan.Source{Format: plan.PNG, Width: 3, Height: 4}},
		{Status: done, ID: 5, window: plan.Window{Width: 3, Height: 4}},
		{Status: done, ID: 5, image: picture{plan.PNG, 30, 20, 1, area, 99}},
		{Status: needsRoom, ID: 5, size: 9 << 20},
		{Status: failed, ID: 5, failure: failure{transform.Broken, "op", "text"}},
	} {
		for t := range asked {
			b, err := a.encode(nil, t)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for task, r := range asked {
			a, err := decodeAnswer(b, r)
			if err != nil {
				continue
			}
			switch {
			case a.ID != r.ID:
				t.Fatalf("task %d takes the answer to another job: %+v", task, a)
			case a.Status == done && task == render && (a.image.Size <= 0 || a.image.Size > mostResult(r) || a.image.Format != plan.PNG):
				t.Fatalf("a result that can't be: %+v", a.image)
			case a.Status == done && task == look && (a.window.X < 0 || a.window.X+a.window.Width > 10 || a.window.Y < 0 || a.window.Y+a.window.Height > 20):
				t.Fatalf("a window that can't be: %+v", a.window)
			case a.Status == needsRoom && (a.size <= outArea || a.size > mostResult(r)):
				t.Fatalf("room for %d bytes", a.size)
			case a.Status == failed && strings.ContainsFunc(a.failure.Op+a.failure.Text, unicode.IsControl):
				t.Fatalf("a failure with control characters: %+v", a.failure)
			}
			_, _ = a.source.Format.String(), a.failure.Kind.String()
		}
	})
}
