package origins_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
	"github.com/imageorigin/imageorigin/origins/originstest"
)

// having is an origin that has a.jpg.
var having = originstest.Memory{"a.jpg": []byte("content")}

func TestFallbackReachesWhoCanAnswer(t *testing.T) {
	for _, tt := range []struct {
		name     string
		before   []origins.Kind // failures of the origins before the one that has the file
		on       []origins.Kind
		want     origins.Kind // of the failure, if the file isn't reached
		reached  bool
		degraded bool
	}{
		{"at once", nil, nil, 0, true, false},
		{"past absence", []origins.Kind{origins.NotExist, origins.NotExist}, nil, 0, true, false},
		{"past a refusal", []origins.Kind{origins.Denied}, nil, 0, true, true},
		{"past a dead one", []origins.Kind{origins.Unreachable}, nil, 0, true, true},
		{"past a silent one", []origins.Kind{origins.Timeout}, nil, 0, true, true},
		{"past a puzzling one", []origins.Kind{origins.Unknown}, nil, 0, true, true},
		{"past a fault and absence", []origins.Kind{origins.Timeout, origins.NotExist}, nil, 0, true, true},
		{"not past a file that is too large", []origins.Kind{origins.TooLarge}, nil, origins.TooLarge, false, false},
		{"not past an invalid request", []origins.Kind{origins.Invalid}, nil, origins.Invalid, false, false},
		{"not past not modified", []origins.Kind{origins.NotModified}, nil, origins.NotModified, false, false},
		{"not past canceled", []origins.Kind{origins.Canceled}, nil, origins.Canceled, false, false},
		{"the fault before is told", []origins.Kind{origins.Timeout, origins.TooLarge}, nil, origins.Timeout, false, false},
		{"narrowed, past what is named", []origins.Kind{origins.NotExist}, []origins.Kind{origins.NotExist}, 0, true, false},
		{"narrowed, not past the rest", []origins.Kind{origins.Denied}, []origins.Kind{origins.NotExist}, origins.Denied, false, false},
		{"narrowed to faults", []origins.Kind{origins.NotExist}, []origins.Kind{origins.Timeout}, origins.NotExist, false, false},
		{"never widened", []origins.Kind{origins.TooLarge}, []origins.Kind{origins.TooLarge}, origins.TooLarge, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []origins.Origin
			for _, kind := range tt.before {
				list = append(list, failing(kind))
			}
			list = append(list, having)
			obj, err := origins.Fallback(list, tt.on...).Open(t.Context(), origins.Request{Key: "a.jpg"})
			if !tt.reached {
				if err == nil || origins.KindOf(err) != tt.want {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer obj.Body.Close()
			if obj.Degraded != tt.degraded {
				t.Errorf("degraded is %v, want %v", obj.Degraded, tt.degraded)
			}
			if content, err := io.ReadAll(obj.Body); string(content) != "content" || err != nil {
				t.Errorf("got %q, %v", content, err)
			}
		})
	}
}

func TestFallbackKeepsTheFirstRealFault(t *testing.T) {
	for _, tt := range []struct {
		name  string
		kinds []origins.Kind
		want  origins.Kind
		index int // of the origin whose error it is
	}{
		{"nothing anywhere", []origins.Kind{origins.NotExist, origins.NotExist}, origins.NotExist, 0},
		{"a fault outranks absence", []origins.Kind{origins.NotExist, origins.Timeout}, origins.Timeout, 1},
		{"the earlier fault is told", []origins.Kind{origins.Denied, origins.Timeout}, origins.Denied, 0},
		{"before absence too", []origins.Kind{origins.Unreachable, origins.NotExist}, origins.Unreachable, 0},
		{"no origin at all", nil, origins.Unknown, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []origins.Origin
			for i, kind := range tt.kinds {
				list = append(list, origins.Named(failing(kind), string(rune('0'+i)), ""))
			}
			_, err := origins.Fallback(list).Open(t.Context(), origins.Request{Key: "a.jpg"})
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != tt.want {
				t.Fatalf("kinds %v: got %v, want %v", tt.kinds, err, tt.want)
			}
			if tt.index >= 0 && e.Origin != string(rune('0'+tt.index)) {
				t.Errorf("kinds %v: the error is of origin %q, want %d", tt.kinds, e.Origin, tt.index)
			}
		})
	}
}

func TestFallbackStopsWhenTheContextIsDone(t *testing.T) {
	for _, kind := range []origins.Kind{origins.NotExist, origins.Unreachable, origins.Canceled} {
		ctx, cancel := context.WithCancel(t.Context())
		first := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
			cancel()
			return nil, &origins.Error{Kind: kind, Origin: "first"}
		})
		asked := false
		second := origins.OriginFunc(func(context.Context, origins.Request) (*origins.Object, error) {
			asked = true
			return nil, &origins.Error{Kind: origins.NotExist}
		})
		_, err := origins.Fallback([]origins.Origin{first, second}).Open(ctx, origins.Request{Key: "a.jpg"})
		if origins.KindOf(err) != origins.Canceled || asked {
			t.Errorf("first says %v: got %v, second asked: %v; want canceled, and it not asked", kind, err, asked)
		}
	}
}

func TestFallbackShowsValidatorsUntilAFault(t *testing.T) {
	tag := `"` + "c" + `"`
	for _, tt := range []struct {
		name   string
		before []origins.Kind
		want   bool // the origin that has the file may say NotModified
	}{
		{"first of all", nil, true},
		{"past absence", []origins.Kind{origins.NotExist}, true},
		{"past a fault", []origins.Kind{origins.Timeout}, false},
		{"past a fault and absence", []origins.Kind{origins.Denied, origins.NotExist}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []origins.Origin
			for _, kind := range tt.before {
				list = append(list, failing(kind))
			}
			list = append(list, origins.Named(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
				if req.Validator.ETag == tag {
					return nil, &origins.Error{Kind: origins.NotModified}
				}
				return having.Open(ctx, req)
			}), "second", ""))
			req := origins.Request{Key: "a.jpg", Validator: origins.Validator{Origin: "second", ETag: tag}}
			obj, err := origins.Fallback(list).Open(t.Context(), req)
			switch {
			case tt.want && origins.KindOf(err) != origins.NotModified:
				t.Errorf("got %v, want not modified", err)
			case !tt.want && (err != nil || !obj.Degraded):
				t.Errorf("got %v, want the object, degraded", err)
			}
		})
	}
}

// choir is a list of origins whose answers the test changes, and that notes who is asked.
type choir struct {
	origins.Origin

	answers []error // of each origin; nil is an object
	asked   string  // the letters of those who were asked: a, b, c
}

func newChoir(n int, combine func(list []origins.Origin) origins.Origin) *choir {
	c := &choir{answers: make([]error, n)}
	var list []origins.Origin
	for i := range n {
		name := string(rune('a' + i))
		list = append(list, origins.Named(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
			c.asked += name
			if err := c.answers[i]; err != nil {
				return nil, err
			}
			return holding(readerOf(name)).Open(ctx, req)
		}), name, ""))
	}
	c.Origin = combine(list)
	return c
}

// fault is a failure of one kind.
func fault(kind origins.Kind) error { return &origins.Error{Kind: kind} }

func TestLastGoodStartsWithWhoAnsweredLast(t *testing.T) {
	absent, late, unmodified := fault(origins.NotExist), fault(origins.Timeout), fault(origins.NotModified)
	type ask struct {
		at       time.Duration
		answers  []error
		asked    string
		want     string // "" is a failure
		degraded bool
	}
	for _, tt := range []struct {
		name string
		asks []ask
	}{
		{"the second one", []ask{
			{0, []error{absent, nil, nil}, "ab", "b", false},
			{1, []error{absent, nil, nil}, "b", "b", false},
			{2, []error{nil, nil, nil}, "b", "b", false},
		}},
		{"until the memory is old, whoever asks meanwhile", []ask{
			{0, []error{absent, nil, nil}, "ab", "b", false},
			{40, []error{nil, nil, nil}, "b", "b", false},
			{59, []error{nil, nil, nil}, "b", "b", false},
			{60, []error{nil, nil, nil}, "a", "a", false},
			{61, []error{nil, nil, nil}, "a", "a", false},
		}},
		{"and again from then on", []ask{
			{0, []error{absent, nil, nil}, "ab", "b", false},
			{60, []error{absent, nil, nil}, "ab", "b", false},
			{100, []error{absent, nil, nil}, "b", "b", false},
		}},
		{"the others follow in order", []ask{
			{0, []error{absent, absent, nil}, "abc", "c", false},
			{1, []error{absent, nil, late}, "cab", "b", true},
			{2, []error{absent, nil, nil}, "c", "c", false},
		}},
		{"who lost the object is forgotten", []ask{
			{0, []error{absent, absent, nil}, "abc", "c", false},
			{1, []error{absent, nil, absent}, "cab", "b", false},
			{2, []error{absent, nil, absent}, "b", "b", false},
			{3, []error{nil, absent, absent}, "ba", "a", false},
			{4, []error{nil, nil, nil}, "a", "a", false},
		}},
		{"who lost it when nobody has it", []ask{
			{0, []error{absent, nil, absent}, "ab", "b", false},
			{1, []error{absent, absent, absent}, "bac", "", false},
			{2, []error{absent, absent, nil}, "abc", "c", false},
		}},
		{"nobody is remembered past a fault", []ask{
			{0, []error{late, nil, nil}, "ab", "b", true},
			{1, []error{nil, nil, nil}, "a", "a", false},
		}},
		{"a version that is still the current one is an answer", []ask{
			{0, []error{absent, unmodified, nil}, "ab", "", false},
			{1, []error{absent, nil, nil}, "b", "b", false},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChoir(3, func(list []origins.Origin) origins.Origin { return origins.LastGood(list, time.Minute, 10) })
				began := time.Now()
				for i, ask := range tt.asks {
					time.Sleep(ask.at*time.Second - time.Since(began))
					c.answers, c.asked = ask.answers, ""
					obj, err := c.Open(t.Context(), origins.Request{Key: "a.jpg"})
					got, degraded := "", false
					if err == nil {
						got, degraded = obj.Origin, obj.Degraded
					}
					if got != ask.want || degraded != ask.degraded || c.asked != ask.asked {
						t.Errorf("request %d: asked %s and got %q (%v), degraded %v; want %s, %q, %v", i, c.asked, got, err, degraded, ask.asked, ask.want, ask.degraded)
					}
				}
			})
		})
	}
}

func TestLastGoodIsAFallbackInAllElse(t *testing.T) {
	kinds := []error{nil, fault(origins.NotExist), fault(origins.Timeout), fault(origins.TooLarge), fault(origins.Denied)}
	for _, on := range [][]origins.Kind{nil, {origins.NotExist}} {
		for i := range 5 * 5 * 5 {
			answers := []error{kinds[i%5], kinds[i/5%5], kinds[i/25]}
			var got [2]string
			for j, combine := range []func(list []origins.Origin) origins.Origin{
				func(list []origins.Origin) origins.Origin { return origins.Fallback(list, on...) },
				func(list []origins.Origin) origins.Origin { return origins.LastGood(list, time.Minute, 10, on...) },
			} {
				c := newChoir(3, combine)
				c.answers = answers
				obj, err := c.Open(t.Context(), origins.Request{Key: "a.jpg"})
				got[j] = fmt.Sprint(c.asked, err)
				if err == nil {
					got[j] += fmt.Sprint(obj.Attributes)
				}
			}
			if got[0] != got[1] {
				t.Errorf("answers %v, on %v: got %s, want %s", answers, on, got[1], got[0])
			}
		}
	}
}

func TestLastGoodRemembersEachObjectAndNotTooMany(t *testing.T) {
	c := newChoir(2, func(list []origins.Origin) origins.Origin { return origins.LastGood(list, time.Minute, 2) })
	c.answers[0] = fault(origins.NotExist)
	for i, tt := range []struct{ key, asked string }{
		{"1", "ab"}, {"2", "ab"}, {"1", "b"}, {"3", "ab"}, {"1", "b"}, {"2", "ab"},
	} {
		c.asked = ""
		if _, err := c.Open(t.Context(), origins.Request{Key: tt.key}); err != nil || c.asked != tt.asked {
			t.Errorf("request %d, %s: asked %s (%v), want %s", i, tt.key, c.asked, err, tt.asked)
		}
	}
}
