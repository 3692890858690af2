package remote

import (
	"testing"
	"time"

	"github.com/imageorigin/imageorigin/origins"
)

func TestAnAnswerWithTheETagOfTheCopyIsNoNews(t *testing.T) {
	for _, tt := range []struct {
		name      string
		validator origins.Validator
		match     string
		etag      string
		unchanged bool
	}{
		{"the same", origins.Validator{ETag: `"1"`}, "", `"1"`, true},
		{"the same, weak", origins.Validator{ETag: `W/"1"`}, "", `W/"1"`, true},
		{"another", origins.Validator{ETag: `"1"`}, "", `"2"`, false},
		{"nothing was asked", origins.Validator{}, "", `"1"`, false},
		{"nothing is known", origins.Validator{}, "", "", false},
		{"bytes of this version are wanted", origins.Validator{ETag: `"1"`}, `"1"`, `"1"`, false},
		{"the time alone, which says less", origins.Validator{Modified: time.Unix(2e9, 0)}, "", `"1"`, false},
	} {
		for _, part := range []bool{false, true} {
			a := answer("234", "")
			a.Attributes = origins.Attributes{ETag: tt.etag, CacheControl: "max-age=9", Age: time.Minute}
			req := origins.Request{Key: "a.jpg", Validator: tt.validator, Match: tt.match}
			if part {
				a.Partial, a.Range, req.Range = true, "bytes 2-4/10", &origins.Range{Start: 2, Length: 3}
			}
			_, err := Object(t.Context(), req, a)
			if !tt.unchanged {
				if err != nil {
					t.Errorf("%s, part %v: %v", tt.name, part, err)
				}
				continue
			}
			e, ok := err.(*origins.Error)
			if !ok || e.Kind != origins.NotModified || e.Key != "a.jpg" || e.CacheControl != "max-age=9" || e.Age != time.Minute {
				t.Errorf("%s, part %v: got %+v", tt.name, part, err)
			}
		}
	}
}
