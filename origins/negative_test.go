package origins_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

// counted counts how often o is asked.
func counted(o origins.Origin, asked *int) origins.Origin {
	return origins.OriginFunc(func(ctx context.Context, req origins.Request) (*origins.Object, error) {
		*asked++
		return o.Open(ctx, req)
	})
}

func TestNegativeRemembersAbsenceOnly(t *testing.T) {
	for kind := origins.Unknown; kind <= origins.Canceled; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			asked, want := 0, 2
			if kind == origins.NotExist {
				want = 1
			}
			o := origins.Negative(counted(failing(kind), &asked), time.Minute, 10)
			for range 2 {
				if _, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"}); err == nil || origins.KindOf(err) != kind {
					t.Errorf("got %v, want %v", err, kind)
				}
			}
			if asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		})
	}
	t.Run("an object", func(t *testing.T) {
		asked := 0
		o := origins.Negative(counted(having, &asked), time.Minute, 10)
		mustOpen(t, o).Close()
		mustOpen(t, o).Close()
		if asked != 2 {
			t.Errorf("asked %d times, want 2", asked)
		}
	})
}

func TestNegativeForgetsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		absent := origins.Named(failing(origins.NotExist), "store", "")
		o := origins.Negative(counted(absent, &asked), 10*time.Second, 10)
		began := time.Now()
		for _, tt := range []struct {
			at    time.Duration
			asked int
		}{{0, 1}, {4 * time.Second, 1}, {10*time.Second - 1, 1}, {10 * time.Second, 2}, {19 * time.Second, 2}, {20 * time.Second, 3}} {
			time.Sleep(tt.at - time.Since(began))
			_, err := o.Open(t.Context(), origins.Request{Key: "a.jpg"})
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != origins.NotExist || e.Key != "a.jpg" || e.Origin != "store" || asked != tt.asked {
				t.Errorf("at %v: got %v, asked %d times, want %d", tt.at, err, asked, tt.asked)
			}
			if tt.at == 4*time.Second && e.Err.Error() != "no origin had it 4s ago" {
				t.Errorf("got the cause %v", e.Err)
			}
		}
	})
}

func TestNegativeKnowsObjectsApart(t *testing.T) {
	base := origins.Request{Key: "a.jpg", Query: "v=1", Host: "example.com"}
	for _, tt := range []struct {
		name  string
		other origins.Request
		same  bool
	}{
		{"a range", origins.Request{Key: "a.jpg", Query: "v=1", Host: "example.com", Range: &origins.Range{Length: 1}}, true},
		{"a validator", origins.Request{Key: "a.jpg", Query: "v=1", Host: "example.com", Validator: origins.Validator{ETag: `"x"`}}, true},
		{"another key", origins.Request{Key: "b.jpg", Query: "v=1", Host: "example.com"}, false},
		{"another query", origins.Request{Key: "a.jpg", Query: "v=2", Host: "example.com"}, false},
		{"another host", origins.Request{Key: "a.jpg", Query: "v=1", Host: "example.org"}, false},
		{"the same letters, cut elsewhere", origins.Request{Key: "a.jpgv", Query: "=1", Host: "example.com"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, want := 0, 2
			if tt.same {
				want = 1
			}
			o := origins.Negative(counted(failing(origins.NotExist), &asked), time.Minute, 10)
			o.Open(t.Context(), base)
			if _, err := o.Open(t.Context(), tt.other); origins.KindOf(err) != origins.NotExist || asked != want {
				t.Errorf("got %v, asked %d times, want %d", err, asked, want)
			}
		})
	}
}

func TestNegativeIsBounded(t *testing.T) {
	asked := 0
	o := origins.Negative(counted(failing(origins.NotExist), &asked), time.Minute, 2)
	for i, tt := range []struct {
		key   string
		asked int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} { // b is the least recently used when c comes
		o.Open(t.Context(), origins.Request{Key: tt.key})
		if asked != tt.asked {
			t.Errorf("request %d, %s: asked %d times, want %d", i, tt.key, asked, tt.asked)
		}
	}
}

func TestNegativeForgetsWhenTold(t *testing.T) {
	asked := 0
	o := origins.Negative(counted(failing(origins.NotExist), &asked), time.Minute, 10)
	req := origins.Request{Key: "a.jpg"}
	o.Open(t.Context(), req)
	o.(interface{ Forget(origins.Request) }).Forget(req)
	if o.Open(t.Context(), req); asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestNothingIsRememberedWithoutRoomOrTime(t *testing.T) {
	for _, tt := range []struct {
		ttl     time.Duration
		entries int
	}{{0, 10}, {-1, 10}, {time.Minute, 0}, {time.Minute, -1}} {
		t.Run(fmt.Sprint(tt.ttl, tt.entries), func(t *testing.T) {
			asked := 0
			absent := counted(failing(origins.NotExist), &asked)
			for _, o := range []origins.Origin{
				origins.Negative(absent, tt.ttl, tt.entries),
				origins.LastGood([]origins.Origin{absent, having}, tt.ttl, tt.entries),
			} {
				asked = 0
				o.Open(t.Context(), origins.Request{Key: "a.jpg"})
				if o.Open(t.Context(), origins.Request{Key: "a.jpg"}); asked != 2 {
					t.Errorf("asked %d times, want 2", asked)
				}
			}
		})
	}
}
