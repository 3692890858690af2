package s3

import (
	"io"
	"net/http"
	"testing"

	"github.com/imageorigin/imageorigin/origins"
)

func TestTagsAreThoseOfTheMetadata(t *testing.T) {
	f := newFake(t, nil, false)
	f.put("a.jpg", []byte("abc"), http.Header{"X-Amz-Meta-Cache-Tag": {"shoe, red summer"}})
	f.put("b.jpg", []byte("abc"), http.Header{"Cache-Tag": {"shoe"}})
	o := f.origin(t, nil)
	for key, want := range map[string]string{"a.jpg": "shoe red summer", "b.jpg": ""} {
		obj, err := o.Open(t.Context(), origins.Request{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if obj.Body.Close(); obj.Tags != want {
			t.Errorf("%s: got the tags %q, want %q", key, obj.Tags, want)
		}
	}
}

func TestAnUnchangedObjectRenewsWhatIsSaidOfKeeping(t *testing.T) {
	f := newFake(t, nil, false)
	f.put("a.jpg", []byte("abc"), http.Header{"Etag": {`W/"tag"`}, "Cache-Control": {"max-age=60"}})
	f.put("b.jpg", []byte("abc"), http.Header{"Etag": {`W/"tag"`}})
	o := f.origin(t, nil)
	for key, want := range map[string]string{"a.jpg": "max-age=60", "b.jpg": ""} {
		e := refusedAs(t, o, origins.Request{Key: key, Validator: origins.Validator{ETag: `W/"tag"`}})
		if e.Kind != origins.NotModified || e.CacheControl != want {
			t.Errorf("%s: got %v with %q, want %q", key, e, e.CacheControl, want)
		}
	}
	if got := f.last(t).Header.Get("If-None-Match"); got != `W/"tag"` {
		t.Errorf("the store is asked for %s", got)
	}
}

func TestAStoreThatKnowsNoWeakETagsIsUnderstood(t *testing.T) {
	f := newFake(t, nil, false)
	f.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `W/"tag"`)
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "all of it again")
	}
	e := refusedAs(t, f.origin(t, nil), origins.Request{Key: "a.jpg", Validator: origins.Validator{ETag: `W/"tag"`}})
	if e.Kind != origins.NotModified || e.CacheControl != "max-age=60" {
		t.Errorf("got %v with %q", e, e.CacheControl)
	}
}
