package origins_test

import (
	"context"
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestForgettersForgetWhatTheyAreTold(t *testing.T) {
	a, b := origins.Request{Key: "a.jpg"}, origins.Request{Key: "b.jpg"}
	for _, tt := range []struct {
		name   string
		forget func(f origins.Forgetter)
		a, b   int // how often the origin is asked afterwards
	}{
		{"nothing", func(origins.Forgetter) {}, 0, 0},
		{"one object", func(f origins.Forgetter) { f.Forget(a) }, 1, 0},
		{"the same by another query, which is another object", func(f origins.Forgetter) { f.Forget(origins.Request{Key: "a.jpg", Query: "v=1"}) }, 0, 0},
		{"whatever else is asked of the object", func(f origins.Forgetter) {
			f.Forget(origins.Request{Key: "a.jpg", Range: &origins.Range{Length: 5}})
		}, 1, 0},
		{"all", func(f origins.Forgetter) { f.Clear() }, 1, 1},
	} {
		asked := 0
		first := counted(failing(origins.NotExist), &asked)
		second := originHaving("a.jpg", "b.jpg")
		for name, o := range map[string]origins.Origin{
			"negative":                origins.Negative(first, time.Hour, 10),
			"negative of negative":    origins.Negative(origins.Negative(first, time.Hour, 10), time.Hour, 10),
			"last good":               origins.LastGood([]origins.Origin{first, second}, time.Hour, 10),
			"fallback of negatives":   origins.Fallback([]origins.Origin{origins.Negative(first, time.Hour, 10), second}),
			"last good of negatives":  origins.LastGood([]origins.Origin{origins.Negative(first, time.Hour, 10), second}, time.Hour, 10),
			"last good, without time": origins.LastGood([]origins.Origin{origins.Negative(first, time.Hour, 10), second}, 0, 10),
		} {
			open(t, o, a)
			open(t, o, b)
			tt.forget(o.(origins.Forgetter))
			asked = 0
			if open(t, o, a); asked != tt.a {
				t.Errorf("%s, %s: asked %d times for a, want %d", name, tt.name, asked, tt.a)
			}
			asked = 0
			if open(t, o, b); asked != tt.b {
				t.Errorf("%s, %s: asked %d times for b, want %d", name, tt.name, asked, tt.b)
			}
		}
	}
}

func TestWhatIsUnderWayWhenItIsForgottenIsNotRemembered(t *testing.T) {
	req := origins.Request{Key: "a.jpg"}
	for _, tt := range []struct {
		name   string
		forget func(f origins.Forgetter)
		want   int // how often the first origin is asked by the second request
	}{
		{"nothing", func(origins.Forgetter) {}, 0},
		{"the object", func(f origins.Forgetter) { f.Forget(req) }, 1},
		{"all", func(f origins.Forgetter) { f.Clear() }, 1},
	} {
		for name, wrap := range map[string]func(first origins.Origin) origins.Origin{
			"negative": func(first origins.Origin) origins.Origin { return origins.Negative(first, time.Hour, 10) },
			"last good": func(first origins.Origin) origins.Origin {
				return origins.LastGood([]origins.Origin{first, originHaving("a.jpg")}, time.Hour, 10)
			},
		} {
			asked := 0
			var o origins.Origin
			o = wrap(origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
				if asked++; asked == 1 {
					tt.forget(o.(origins.Forgetter)) // after the answer was true, before it arrives
				}
				return failing(origins.NotExist).Open(ctx, req)
			}))
			open(t, o, req)
			asked = 1
			if open(t, o, req); asked-1 != tt.want {
				t.Errorf("%s, %s: asked %d times, want %d", name, tt.name, asked-1, tt.want)
			}
		}
	}
}

// originHaving returns an origin that has the keys.
func originHaving(keys ...string) origins.Origin {
	return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		for _, key := range keys {
			if key == req.Key {
				return having.Open(ctx, origins.Request{Key: "a.jpg"})
			}
		}
		return failing(origins.NotExist).Open(ctx, req)
	})
}

// open opens an object, or doesn't, and reads nothing of it.
func open(t *testing.T, o origins.Origin, req origins.Request) {
	t.Helper()
	obj, err := o.Open(t.Context(), req)
	if err == nil {
		obj.Body.Close()
	} else if origins.KindOf(err) != origins.NotExist {
		t.Errorf("Open(%+v): %v", req, err)
	}
}
