package origins_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// script is an origin that fails with one error after the other, then has a.jpg.
type script struct {
	errs  []error
	asked []time.Time
}

func (s *script) Open(ctx context.Context, req origins.Request) (*origins.Object, error) {
	s.asked = append(s.asked, time.Now())
	if i := len(s.asked) - 1; i < len(s.errs) {
		return nil, s.errs[i]
	}
	return having.Open(ctx, req)
}

func TestRetryAsksAgainOnlyAfterWhatMayPass(t *testing.T) {
	passing := &origins.Error{Kind: origins.Unreachable, Transient: true}
	lasting := &origins.Error{Kind: origins.Unreachable}
	patient := func(after time.Duration) error {
		return &origins.Error{Kind: origins.Unreachable, Transient: true, After: after}
	}
	for _, tt := range []struct {
		name     string
		errs     []error
		n        int
		deadline time.Duration
		opens    bool
		asked    int
		least    time.Duration // time that it takes
		most     time.Duration
	}{
		{"nothing fails", nil, 3, 0, true, 1, 0, 0},
		{"it passes", []error{passing}, 3, 0, true, 2, 25 * time.Millisecond, 76 * time.Millisecond},
		{"it passes in the end", []error{passing, passing, passing}, 3, 0, true, 4, 175 * time.Millisecond, 526 * time.Millisecond},
		{"it lasts too long", []error{passing, passing, passing}, 2, 0, false, 3, 75 * time.Millisecond, 226 * time.Millisecond},
		{"it doesn't pass", []error{lasting}, 3, 0, false, 1, 0, 0},
		{"it becomes lasting", []error{passing, lasting}, 3, 0, false, 2, 25 * time.Millisecond, 76 * time.Millisecond},
		{"an error of nobody's", []error{errors.New("moon")}, 3, 0, false, 1, 0, 0},
		{"pauses stay short", []error{passing, passing, passing, passing, passing, passing, passing, passing}, 8, 0, true, 9, 2775 * time.Millisecond, 8326 * time.Millisecond},
		{"as long as it asks for", []error{patient(3 * time.Second)}, 1, 0, true, 2, 3 * time.Second, 3 * time.Second},
		{"longer than a visitor waits", []error{patient(6 * time.Second)}, 1, 0, false, 1, 0, 0},
		{"longer than the deadline", []error{patient(3 * time.Second)}, 1, 2 * time.Second, false, 1, 0, 0},
		{"no time for a pause", []error{passing}, 1, 20 * time.Millisecond, false, 1, 0, 0},
		{"no retries", []error{passing}, 0, 0, false, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
					defer cancel()
				}
				s := &script{errs: tt.errs}
				began := time.Now()
				_, err := origins.Retry(s, tt.n).Open(ctx, origins.Request{Key: "a.jpg"})
				took := time.Since(began)
				if (err == nil) != tt.opens || len(s.asked) != tt.asked {
					t.Errorf("got %v after asking %d times, want success %v after %d", err, len(s.asked), tt.opens, tt.asked)
				}
				if !tt.opens && !errors.Is(err, tt.errs[tt.asked-1]) {
					t.Errorf("got %v, want the last error as it was", err)
				}
				if took < tt.least || took > tt.most {
					t.Errorf("took %v, want between %v and %v", took, tt.least, tt.most)
				}
			})
		})
	}
}

func TestRetryStopsWhenTheContextIsDone(t *testing.T) {
	passing := &origins.Error{Kind: origins.Unreachable, Origin: "o", Key: "a.jpg", Transient: true, After: 4 * time.Second}
	for _, tt := range []struct {
		name string
		ends time.Duration
	}{{"in the pause", time.Second}, {"before it", 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(tt.ends, cancel)
				if tt.ends == 0 {
					cancel()
				}
				s := &script{errs: []error{passing}}
				began := time.Now()
				_, err := origins.Retry(s, 3).Open(ctx, origins.Request{Key: "a.jpg"})
				if err == nil || time.Since(began) != tt.ends || len(s.asked) != 1 {
					t.Errorf("got %v after %v and asking %d times, want a failure after %v and 1", err, time.Since(began), len(s.asked), tt.ends)
				}
				if e, ok := err.(*origins.Error); !ok || e.Kind != origins.Canceled || e.Origin != "o" {
					t.Errorf("got %v, want canceled, of origin o", err)
				}
			})
		})
	}
}

func TestRetryDoesNotOutlastThePatienceOfALimit(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patience time.Duration
		asked    int
		took     time.Duration
	}{
		{"no pause fits", 3 * time.Second, 1, 0},
		{"one pause fits", 7 * time.Second, 2, 4 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				busy := &origins.Error{Kind: origins.Unreachable, Transient: true, After: 4 * time.Second, Err: errors.New("503 SlowDown")}
				s := &script{errs: []error{busy, busy, busy}}
				began := time.Now()
				_, err := origins.Limit(origins.Retry(s, 2), 0, tt.patience).Open(t.Context(), origins.Request{Key: "a.jpg"})
				if !errors.Is(err, busy) || origins.KindOf(err) != origins.Unreachable || len(s.asked) != tt.asked || time.Since(began) != tt.took {
					t.Errorf("got %v after %v and asking %d times, want what the origin said after %v and %d", err, time.Since(began), len(s.asked), tt.took, tt.asked)
				}
			})
		})
	}
}

func TestRetryKnowsThePatienceWithABodyThatIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked int
		busy := &origins.Error{Kind: origins.Unreachable, Transient: true, After: 4 * time.Second}
		o := origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			switch asked++; asked {
			case 1: // breaks at once
				return &origins.Object{Body: io.NopCloser(strings.NewReader("")), Attributes: origins.Attributes{Size: 2, ETag: `"1"`}}, nil
			case 2:
				return nil, busy
			}
			return &origins.Object{
				Body: io.NopCloser(strings.NewReader("ab")), Attributes: origins.Attributes{Size: 2, ETag: `"1"`},
				Range: &origins.Range{Length: 2},
			}, nil
		})
		body := mustOpen(t, origins.Limit(origins.Resume(origins.Retry(o, 2), 2), 0, 5*time.Second))
		defer body.Close()
		time.Sleep(time.Minute) // the client takes its time; the patience with the origin is still whole
		if text, err := io.ReadAll(body); string(text) != "ab" || err != nil || asked != 3 {
			t.Errorf("got %q, %v after asking %d times", text, err, asked)
		}
	})
}
