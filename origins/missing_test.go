package origins_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestMissingOnDeniedBelievesOnlyHiddenRefusals(t *testing.T) {
	cause := errors.New("AccessDenied (403)")
	for _, tt := range []struct {
		name string
		err  origins.Error
		want origins.Kind
	}{
		{"hidden", origins.Error{Kind: origins.Denied, Hidden: true}, origins.NotExist},
		{"certain", origins.Error{Kind: origins.Denied}, origins.Denied},
		{"a fault", origins.Error{Kind: origins.Unreachable}, origins.Unreachable},
		{"hidden, but no refusal", origins.Error{Kind: origins.Unknown, Hidden: true}, origins.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.err
			e.Origin, e.Key, e.Err, e.Remedy = "store", "a.jpg", cause, "grant it"
			_, err := origins.MissingOnDenied(broken(&e)).Open(t.Context(), origins.Request{Key: "a.jpg"})
			got, ok := err.(*origins.Error)
			if !ok || got.Kind != tt.want || got.Origin != "store" || got.Key != "a.jpg" {
				t.Fatalf("got %#v, want %v of store about a.jpg", err, tt.want)
			}
			if !strings.Contains(got.Error(), cause.Error()) {
				t.Errorf("%v doesn't tell the cause", got)
			}
			changed := tt.want == origins.NotExist
			if changed == errors.Is(err, cause) || changed == (got.Remedy != "") || changed && got.Hidden {
				t.Errorf("got %#v; of a miss the cause is text only, and there is nothing to remedy", got)
			}
		})
	}
	if _, err := origins.MissingOnDenied(having).Open(t.Context(), origins.Request{Key: "a.jpg"}); err != nil {
		t.Errorf("what is there: got %v", err)
	}
	_, err := origins.MissingOnDenied(broken(&origins.Error{Kind: origins.Denied, Hidden: true})).Open(t.Context(), origins.Request{})
	if origins.KindOf(err) != origins.NotExist {
		t.Errorf("hidden, without a cause: got %v", err)
	}
}
