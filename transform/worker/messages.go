package worker

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/imageorigin/imageorigin/transform"
	"github.com/imageorigin/imageorigin/transform/plan"
)

// Sizes of messages, which the kernel keeps whole. What a worker says is short.
const (
	maxRequest = 128 << 10
	maxAnswer  = 16 << 10
)

// opening is what a worker is told first.
type opening struct {
	Parent   int // process that it must end with
	Settings []byte
	Again    bool  // Known is known
	Known    Known // by the first worker
}

// hello is the answer to it.
type hello struct {
	Error    string // why the worker can't work; "" where it can
	Known    Known
	Measures []string
	Missing  []string
}

// A task is what a worker is asked for.
type task uint8

const (
	probe  task = iota
	look        // a window
	render      // an image
	tidy        // give memory back
	cancel      // the job's caller went away
	room        // here is the area that the result needs
	tasks
)

// doing is what errors say that was being done.
var doing = [tasks]string{probe: "reading the header", look: "looking for what to trim", render: "rendering", tidy: "giving memory back"}

// A place is where bytes are.
type place uint8

const (
	nowhere place = iota
	area          // the worker's area
	sent          // a descriptor that came with the message, or, for results, with the one before
	places
)

// request is a job. What follows in the message depends on Task.
type request struct {
	Task  task
	Place place // of the original
	ID    uint64
	Size  int64 // of the original
	Page  int   // of which a probe asks

	plan plan.Plan // to render
	look plan.Look
}

// encode appends the request.
func (r *request) encode(b []byte) ([]byte, error) {
	b, err := encode(b, r)
	switch {
	case err != nil:
	case r.Task == render:
		b, err = encode(b, &r.plan)
	case r.Task == look:
		b, err = encode(b, &r.look)
	}
	if err == nil && len(b) > maxRequest {
		err = fmt.Errorf("the plan takes %d bytes; at most %d can be sent to a worker", len(b), maxRequest)
	}
	return b, err
}

// decodeRequest is the reverse of encode.
func decodeRequest(b []byte) (*request, error) {
	r := new(request)
	rest, err := readMessage(b, r)
	switch {
	case err != nil:
	case r.Task >= tasks || r.Place >= places || r.Size < 0 || r.Size > math.MaxInt32:
		err = errMalformed
	case r.Task == render:
		err = decode(rest, &r.plan)
	case r.Task == look:
		err = decode(rest, &r.look)
	case len(rest) > 0:
		err = errMalformed
	}
	return r, err
}

// A status says how a job ended.
type status uint8

const (
	failed status = iota
	done
	needsRoom // the result is larger than the area: done follows once there is one for it
	statuses
)

// answer is what a worker says of a job. What follows in the message depends on Status, and on the task.
type answer struct {
	Status status
	ID     uint64

	failure failure
	source  plan.Source
	window  plan.Window
	image   picture
	size    int64 // of the result, which needs room
}

type failure struct {
	Kind     transform.Kind
	Op, Text string
}

// of is the answer to r.
func (f failure) of(r *request) *answer { return &answer{Status: failed, ID: r.ID, failure: f} }

type picture struct {
	Format                plan.Format
	Width, Height, Frames int
	Place                 place
	Size                  int64
}

// body is what follows the head.
func (a *answer) body(t task) any {
	switch {
	case a.Status == failed:
		return &a.failure
	case a.Status == needsRoom:
		return &a.size
	case t == probe:
		return &a.source
	case t == look:
		return &a.window
	case t == render:
		return &a.image
	}
	return &struct{}{}
}

// encode appends the answer to a task.
func (a *answer) encode(b []byte, t task) ([]byte, error) {
	b, err := encode(b, a)
	if err != nil {
		return b, err
	}
	return encode(b, a.body(t))
}

// decodeAnswer reads the answer to a request, and lets nothing through that the job can't have led to.
func decodeAnswer(b []byte, r *request) (*answer, error) {
	a := new(answer)
	rest, err := readMessage(b, a)
	if err != nil {
		return nil, err
	}
	if a.Status >= statuses || a.ID != r.ID {
		return nil, fmt.Errorf("%w: status %d of job %d, asked was %d", errMalformed, a.Status, a.ID, r.ID)
	}
	if err := decode(rest, a.body(r.Task)); err != nil {
		return nil, err
	}
	return a, a.check(r)
}

// check compares an answer with what was asked for.
func (a *answer) check(r *request) error {
	ok := true
	switch {
	case a.Status == failed:
		a.failure.Op, a.failure.Text = clean(a.failure.Op), clean(a.failure.Text)
	case a.Status == needsRoom:
		ok = r.Task == render && a.size > outArea && a.size <= mostResult(r)
	case r.Task == probe:
		ok = possible(a.source)
	case r.Task == look:
		w, l := a.window, r.look
		ok = w.X >= 0 && w.Y >= 0 && w.Width > 0 && w.Height > 0 &&
			w.Width <= l.Width && w.Height <= l.Height && w.X <= l.Width-w.Width && w.Y <= l.Height-w.Height
	case r.Task == render:
		ok = a.image.possible(r)
	}
	if !ok {
		return fmt.Errorf("%w: an answer that can't be", errMalformed)
	}
	return nil
}

// possible reports whether there can be such a header. Limits on it are plan's business.
func possible(s plan.Source) bool {
	const most = math.MaxInt32
	for _, n := range []int{s.Width, s.Height, s.Frames, s.Pages, s.Page} {
		if n < 0 || n > most {
			return false
		}
	}
	return s.Orientation >= 0 && s.Orientation <= 8 && s.Quality >= 0 && s.Quality <= 100 &&
		s.Density >= 0 && s.Density <= most // which no NaN is
}

// possible reports whether a render can lead to such a picture.
func (p picture) possible(r *request) bool {
	of := r.plan
	planned := slices.ContainsFunc(of.Outputs(), func(o plan.Output) bool { return o.Format == p.Format })
	if !planned || p.Width != of.Width || p.Height != of.Height || p.Frames < 1 || p.Frames > max(of.Frames, of.Load.Frames, 1) {
		return false
	}
	switch p.Place {
	case area:
		return p.Size > 0 && p.Size <= outArea
	case sent:
		return p.Size > outArea && p.Size <= mostResult(r)
	}
	return false
}

// mostResult is the size of the largest file that a job leads to: pixels at twice what they take in memory, metadata
// of the original, and what formats put around them.
func mostResult(r *request) int64 {
	const perPixel, around = 8, 16 << 20
	// As far as int64 goes; plans are bounded far below.
	pixels := float64(r.plan.Width) * float64(r.plan.Height) * float64(max(r.plan.Frames, r.plan.Load.Frames, 1))
	return int64(min(pixels*perPixel+around+float64(r.Size), math.MaxInt32))
}

// readMessage reads what v points to and returns what follows.
func readMessage(b []byte, v any) ([]byte, error) { return readValue(b, reflect.ValueOf(v).Elem()) }

// clean makes one short line of a text of a worker: it goes to logs and into answers.
func clean(text string) string {
	const most = 1000
	text = strings.ToValidUTF8(text[:min(len(text), most)], "?")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// check refuses the first word of a worker that can't work, or isn't of one kind with those before it.
func (h *hello) check(o opening) error {
	if h.Error != "" {
		return errors.New(clean(h.Error))
	}
	if o.Again && h.Known != o.Known {
		return fmt.Errorf("it has version %q and writes %s; those before have version %q and write %s",
			clean(h.Known.Version), h.Known.Writable, o.Known.Version, o.Known.Writable)
	}
	if h.Known.Version == "" || clean(h.Known.Version) != h.Known.Version {
		return fmt.Errorf("it has the version %q", clean(h.Known.Version))
	}
	for _, list := range [][]string{h.Measures, h.Missing} {
		for i, m := range list {
			list[i] = clean(m)
		}
	}
	return nil
}
