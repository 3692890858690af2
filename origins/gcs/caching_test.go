package gcs

import (
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTagsAreThoseOfTheMetadata(t *testing.T) {
	f := newFake(t, "", map[string][]byte{"a.jpg": []byte("0123456789")})
	f.refuses = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Goog-Meta-Cache-Tag", "shoe, red summer")
		f.serveContent(w, r)
	}
	if _, obj := fetch(t, f.origin(t), origins.Request{Key: "a.jpg"}); obj.Tags != "shoe red summer" {
		t.Errorf("got the tags %q", obj.Tags)
	}
}

func TestAnUnchangedObjectRenewsWhatIsSaidOfKeeping(t *testing.T) {
	for _, tt := range []struct {
		name         string
		deaf         bool   // answers the object itself, with its own words
		cacheControl string // that the 304 has
		want         string
	}{
		{"nothing is said", false, "", ""},
		{"other words", false, "max-age=7", "max-age=7"},
		{"by a store that knows no conditions", true, "", "public, max-age=60"},
	} {
		f := newFake(t, "", map[string][]byte{"a.jpg": []byte("0123456789")})
		f.deaf = tt.deaf
		f.refuses = func(w http.ResponseWriter, r *http.Request) {
			if tt.cacheControl != "" {
				w.Header().Set("Cache-Control", tt.cacheControl)
			}
			f.serveContent(w, r)
		}
		_, err := f.origin(t).Open(t.Context(), origins.Request{Key: "a.jpg", Validator: origins.Validator{ETag: `"1700000000000001"`}})
		e, ok := err.(*origins.Error)
		if !ok || e.Kind != origins.NotModified || e.Key != "a.jpg" || e.CacheControl != tt.want {
			t.Errorf("%s: got %+v, want %q", tt.name, err, tt.want)
		}
	}
}
